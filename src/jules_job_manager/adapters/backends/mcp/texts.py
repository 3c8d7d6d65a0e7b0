"""Reads the result texts of google-jules-mcp.

The texts are neither escaped nor delimited: a description, a chat message or a page's status can
imitate every label. So nothing is searched for; each text is read from its top, counting what it
announces. Source: google-jules-mcp facts, sections 5 and 8.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import combinations, pairwise
from typing import Any

from jules_job_manager.domain.references import task_id_from
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.ports.backend import OperationOutcome

MESSAGE_UNITS = 100
"""UTF-16 units after which the server cuts a message."""
SHOWN_MESSAGES = 3
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,127}")
_COUNT = r"(\d{1,9})"


class UnreadableTextError(ValueError):
    """A result text does not have the form the server is known to give."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CreatedText:
    """What `jules_create_task` tells."""

    task_id: str
    url: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TaskText:
    """What `jules_get_task` tells. `messages` are the last three at most, oldest first."""

    status: str
    """The page's words, stripped."""
    url: str
    files: tuple[str, ...]
    message_count: int
    messages: tuple[str, ...]
    """A message that may have been cut ends with an ellipsis character."""

    @property
    def is_blank(self) -> bool:
        """Whether the page showed nothing: an unknown task, or nobody is signed in."""
        return self.status in {"", "unknown"} and not self.files and not self.message_count


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedText:
    """One entry of `jules_list_tasks`. `created_on` is midnight UTC of a day, or None."""

    task_id: str
    title: str
    repository: str
    status: str
    created_on: datetime | None
    url: str


def clean_task_id(raw: str) -> str:
    """Return the bare id of what the server calls an id: it can carry a query, or be an address.

    Raises:
        UnreadableTextError: there is no id in it.
    """
    text = re.split(r"[?#]", raw.strip(), maxsplit=1)[0]
    if not _ID.fullmatch(text):
        try:
            text = task_id_from(text)
        except (InvalidInputError, ValueError) as exc:
            raise UnreadableTextError(f"no task id in {raw[:100]!r}") from exc
    return text


def read_created(text: str) -> CreatedText:
    """Read the answer of `jules_create_task`: the id from the top, the address from the last line of it.

    Between the two stands the whole description, which may hold lines like either.

    Raises:
        UnreadableTextError: it is not such an answer.
    """
    head = "Task created successfully!\n\nTask ID: "
    if not text.startswith(head):
        raise UnreadableTextError("not the answer to a create")
    raw_id, _, rest = text.removeprefix(head).partition("\n")
    urls = [line.removeprefix("URL: ") for line in rest.split("\n") if line.startswith("URL: ")]
    return CreatedText(task_id=clean_task_id(raw_id), url=urls[-1].strip() if urls else "")


def read_task(text: str) -> TaskText:
    """Read the answer of `jules_get_task`.

    Raises:
        UnreadableTextError: it is not such an answer.
    """
    head = re.match(r"Task Details \(.*?\):\n\nStatus: ", text, re.DOTALL)
    if head is None:
        raise UnreadableTextError("not the details of a task")
    status, rest = _until(text[head.end() :], "\nURL: ")
    url, rest = _until(rest, "\nSource Files (")
    file_count, rest = _counted(rest)
    files, rest = _files(rest, file_count)
    message_count, rest = _counted(rest)
    shown = min(message_count, SHOWN_MESSAGES)
    return TaskText(
        status=status.strip(),
        url=url.strip(),
        files=files,
        message_count=message_count,
        messages=tuple(_message(piece) for piece in _cut_items(rest, shown)),
    )


def read_list(text: str) -> tuple[tuple[ListedText, ...], int]:
    """Read the answer of `jules_list_tasks`: entries as listed, oldest first, and how many match.

    Raises:
        UnreadableTextError: it is not such an answer, or holds fewer entries than it says.
    """
    head = re.match(rf"Jules Tasks \({_COUNT} of {_COUNT} total\):\n\n", text)
    if head is None:
        raise UnreadableTextError("not a list of tasks")
    shown, matching = int(head[1]), int(head[2])
    entries: list[ListedText] = []
    position = head.end()
    for _ in range(shown):
        entry = _ENTRY.match(text, position)
        if entry is None:
            raise UnreadableTextError(f"entry {len(entries) + 1} of {shown} cannot be read")
        entries.append(_listed(entry))
        position = entry.end()
    return tuple(entries), matching


_ENTRY = re.compile(
    r"\n?(?P<id>[^\n]*?) - (?P<title>.*?)\n  Repository: (?P<repository>[^\n]*)"
    r"\n  Status: (?P<status>.*?)\n  Created: (?P<date>[^\n]*)\n  URL: (?P<url>[^\n]*)\n"
    # A title (50 units of the description) is too short to imitate a whole entry with its end.
    r"(?=\Z|\n[^\n]* - )",
    re.DOTALL,
)


def _listed(entry: re.Match[str]) -> ListedText:
    return ListedText(
        task_id=clean_task_id(entry["id"]),
        title=" ".join(entry["title"].split()),
        repository=entry["repository"].strip(),
        status=entry["status"].strip(),
        created_on=date_from(entry["date"]),
        url=entry["url"].strip(),
    )


def date_from(text: str) -> datetime | None:
    """Return the day of a `M/D/YYYY` date as midnight UTC, or None for any other form.

    The server is started with LC_ALL=C and TZ=UTC, which give this form.
    """
    found = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text.strip(), re.ASCII)
    if found is None:
        return None
    try:
        return datetime(int(found[3]), int(found[1]), int(found[2]), tzinfo=UTC)
    except ValueError:
        return None


def read_sent(text: str) -> None:
    """Check the answer of `jules_send_message`.

    Raises:
        UnreadableTextError: it does not say that the message was sent.
    """
    if not text.startswith("Message sent to Jules task "):
        raise UnreadableTextError("not the answer to a message")


def read_approved(text: str) -> OperationOutcome:
    """Read the answer of `jules_approve_plan`; "No plan approval needed" is no error.

    Raises:
        UnreadableTextError: it is neither answer.
    """
    if text.startswith("Plan approved for task "):
        return OperationOutcome.DONE
    if text.startswith("No plan approval needed for task "):
        return OperationOutcome.NOT_NEEDED
    raise UnreadableTextError("not the answer to an approval")


def read_resumed(text: str) -> OperationOutcome:
    """Read the answer of `jules_resume_task`; "doesn't appear to be paused" is no error.

    Raises:
        UnreadableTextError: it is neither answer.
    """
    if text.startswith("Task "):
        if text.endswith(" resumed successfully. Jules will continue working on this task."):
            return OperationOutcome.DONE
        if text.endswith(" doesn't appear to be paused or may already be active."):
            return OperationOutcome.NOT_NEEDED
    raise UnreadableTextError("not the answer to a resumption")


def read_session_info(text: str) -> dict[str, Any]:
    r"""Read the answer of `jules_session_info`: JSON after a literal backslash and `n`.

    Raises:
        UnreadableTextError: there is no JSON object in it.
    """
    try:
        value = json.loads(text[text.index("{") :])
    except (ValueError, RecursionError) as exc:
        raise UnreadableTextError("no session information") from exc
    return dict(value)


def _until(text: str, mark: str) -> tuple[str, str]:
    before, found, after = text.partition(mark)
    if not found:
        raise UnreadableTextError(f"{mark.strip()!r} is missing")
    return before, after


def _counted(text: str) -> tuple[int, str]:
    found = re.match(rf"{_COUNT}\):\n", text)
    if found is None:
        raise UnreadableTextError("a count is missing")
    return int(found[1]), text[found.end() :]


def _files(text: str, count: int) -> tuple[tuple[str, ...], str]:
    """Read `count` names, then the next label. A name may hold line breaks, so labels are tried in order."""
    mark = "\n\nRecent Chat Messages ("
    end = text.find(mark)
    while end >= 0:
        pieces = re.split(r"\n(?=  - )", text[:end]) if text[:end] else []
        if len(pieces) >= count and all(piece.startswith("  - ") for piece in pieces[:1]):
            items = [*pieces[: count - 1], "\n".join(pieces[count - 1 :])] if count else []
            return tuple(item.removeprefix("  - ") for item in items), text[end + len(mark) :]
        end = text.find(mark, end + 1)
    raise UnreadableTextError(f"the {count} files are not there")


def _cut_items(text: str, count: int) -> tuple[str, ...]:
    """Return `count` pieces, each starting with `  - `, ending with `...`, at most 100 units long.

    A message can imitate the border between two. Of the ways to divide that fit the count and the
    length, the first is taken; with the count and the length known there is rarely another.
    """
    if count == 0:
        return ()
    borders = [found.start() for found in re.finditer(r"(?<=\.\.\.)\n(?=  - )", text)][:60]
    for way in combinations(borders, count - 1):
        edges = [-1, *way, len(text)]
        pieces = tuple(text[a + 1 : b] for a, b in pairwise(edges))
        if all(_fits(piece) for piece in pieces):
            return pieces
    raise UnreadableTextError(f"the {count} messages cannot be told apart")


def _fits(piece: str) -> bool:
    long_enough = piece.startswith("  - ") and piece.endswith("...") and len(piece) >= 7
    return long_enough and _units(piece[4:-3]) <= MESSAGE_UNITS


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def _message(piece: str) -> str:
    content = piece[4:-3]
    # `...` is always added; only a text of the full length can have been cut.
    return content + "…" if _units(content) >= MESSAGE_UNITS else content
