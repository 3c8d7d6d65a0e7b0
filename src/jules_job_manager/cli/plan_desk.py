"""Plans that a person decides on with one key, while the queue goes on."""

from __future__ import annotations

import asyncio
import contextlib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from jules_job_manager.cli.context import Context
    from jules_job_manager.services.plan_desk import PlanAnswer, PlanQuestion

KEYS = {"y": "approve", "n": "decline", "s": "skip"}


class KeyDesk:
    """Questions in the order they came; the first open one gets the key that is pressed."""

    def __init__(self) -> None:
        """Begin with no question."""
        self._open: list[PlanQuestion] = []
        self._asked: set[str] = set()
        self._answers: list[PlanAnswer] = []
        self._news = asyncio.Event()

    @property
    def current(self) -> PlanQuestion | None:
        """The question that the next key answers."""
        return self._open[0] if self._open else None

    def ask(self, question: PlanQuestion) -> None:
        """Put the question; the same plan is asked about once."""
        if question.plan.fingerprint not in self._asked:
            self._asked.add(question.plan.fingerprint)
            self._open.append(question)

    def keep_only(self, fingerprints: Sequence[str]) -> None:
        """Take back questions about plans that wait no more: Jules made another, or went on."""
        self._open = [q for q in self._open if q.plan.fingerprint in fingerprints]

    def press(self, key: str) -> None:
        """Answer the current question with a key; other keys do nothing."""
        from jules_job_manager.services.plan_desk import PlanAnswer

        answer = KEYS.get(key.lower())
        if answer is not None and self._open:
            self._answers.append(PlanAnswer(question=self._open.pop(0), answer=answer))
            self._news.set()

    def take_answers(self) -> Sequence[PlanAnswer]:
        """Return the answers not yet taken."""
        taken, self._answers = self._answers, []
        self._news.clear()
        return taken

    def is_asking(self) -> bool:
        """Whether a question is open, or an answer waits to be taken."""
        return bool(self._open or self._answers)

    async def wait_answer(self) -> None:
        """Wait until there is an answer to take."""
        await self._news.wait()


@contextlib.contextmanager
def open_desk(context: Context) -> Iterator[KeyDesk | None]:
    """Yield a desk that reads single keys from stdin; None where nobody can press one.

    Must be entered on a running event loop. The terminal is put back however it ends; Ctrl-C
    keeps its meaning.
    """
    if not context.is_interactive:
        yield None
        return
    try:
        import termios
        import tty
    except ImportError:  # Windows: its event loop cannot watch the keyboard
        yield None
        return
    import os

    desk = KeyDesk()
    keyboard = context.stdin.fileno()
    before = termios.tcgetattr(keyboard)
    loop = asyncio.get_running_loop()

    def pressed() -> None:
        typed = os.read(keyboard, 64)
        if not typed:
            loop.remove_reader(keyboard)
        for key in typed.decode("utf-8", "replace"):
            desk.press(key)

    tty.setcbreak(keyboard)
    loop.add_reader(keyboard, pressed)
    try:
        yield desk
    finally:
        loop.remove_reader(keyboard)
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
