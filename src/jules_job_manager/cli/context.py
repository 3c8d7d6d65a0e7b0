"""What a command gets: its environment, streams, settings, and the application on request."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Mapping
    from typing import Any, TextIO, TypeVar

    from jules_job_manager.bootstrap import App
    from jules_job_manager.settings.model import Settings

    T = TypeVar("T")
    LoopFactory = Callable[[], asyncio.AbstractEventLoop]


class Context:
    """Everything a command may touch. Nothing is loaded before it is asked for."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str],
        config: str | None = None,
        debug: bool = False,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        """Bind the environment and the streams; the process' own streams by default."""
        self.environ = environ
        self.config = config
        self.debug = debug
        self.stdin = stdin or sys.stdin
        self.stdout = stdout or sys.stdout
        self.stderr = stderr or sys.stderr
        self.preset: Mapping[str, Any] = {}
        """Settings that stand under the command's own options, as if they were given first."""
        self.works_here = False
        """Whether the command is about this machine, whatever service is configured."""
        self.was_stopped = False
        """Whether a person ended the work with Ctrl-C, where the exit code alone cannot tell."""
        self._settings: Settings | None = None

    def settings(self, flags: Mapping[str, Any] | None = None) -> Settings:
        """Return the settings in force; `flags` maps `section.name` to command-line values.

        Raises:
            ConfigurationError: a setting is wrong.
        """
        if self._settings is None or flags:
            from jules_job_manager.settings.load import load_settings

            given = {name: value for name, value in (flags or {}).items() if value is not None}
            self._settings = load_settings(
                self.environ, config=self.config, flags={**self.preset, **given}
            )
        return self._settings

    def rereading(
        self, flags: Mapping[str, Any], remotes: Mapping[str, str]
    ) -> Callable[[], Settings]:
        """Return what reads the settings anew, under the same options of the command.

        Args:
            flags: As `settings` took them.
            remotes: Given on the command line, over those of the file.
        """
        given = {name: value for name, value in flags.items() if value is not None}

        def read() -> Settings:
            from dataclasses import replace

            from jules_job_manager.settings.load import load_settings

            found = load_settings(self.environ, config=self.config, flags={**self.preset, **given})
            return replace(found, remotes={**found.remotes, **remotes})

        return read

    def use(self, settings: Settings) -> None:
        """Go on with these settings in place of those that were read."""
        self._settings = settings

    def masked(self, text: str) -> str:
        """Return `text` without the secrets that are known so far, nor what looks like one."""
        from jules_job_manager.domain.masking import masked

        if self._settings is None:
            return masked(text)
        from jules_job_manager.settings.secrets import known_secrets

        return known_secrets(self._settings).masked(text)

    @property
    def server(self) -> str:
        """Address of the service that does the work; empty: it is done here.

        Raises:
            ConfigurationError: a setting is wrong.
        """
        return "" if self.works_here else self.settings().client.server

    def run(
        self,
        work: Callable[[App], Awaitable[T]],
        *,
        for_others: bool = False,
        loop_factory: LoopFactory | None = None,
    ) -> T:
        """Open the application, do `work` with it on one event loop, and close it.

        This is the only place where the synchronous command line meets the asynchronous core.

        Args:
            work: What to do.
            for_others: What is changed is not what the person at this command line does, so it is
                not noted as theirs.
            loop_factory: Makes the event loop; None: the usual one.
        """
        import asyncio

        settings = self.settings()
        if self.server:
            from jules_job_manager.client.app import open_remote as opened
        elif for_others:
            from jules_job_manager.bootstrap import open_app as opened  # type: ignore[assignment]
        else:
            from jules_job_manager.bootstrap.audited import (  # type: ignore[assignment]
                open_audited as opened,
            )

        async def whole() -> T:
            async with opened(settings) as app:
                for warning in filter(None, (app.log_warning, app.store_warning)):
                    self.note(f"warning: {warning}")
                return await work(app)

        with asyncio.Runner(loop_factory=loop_factory) as runner:
            return runner.run(whole())

    @property
    def is_terminal(self) -> bool:
        """Whether stdout is a terminal: colour, tables and progress are for people only."""
        return self.stdout.isatty()

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked: stdin and stderr are terminals."""
        return self.stdin.isatty() and self.stderr.isatty()

    def note(self, text: str) -> None:
        """Say something to the person, on stderr, made safe for a terminal."""
        from jules_job_manager.domain.text import safe_text

        self.stderr.write(safe_text(text, multiline=True) + "\n")

    def write(self, text: str) -> None:
        """Write data to stdout as it is, with a line end. Untrusted text must be safe already."""
        self.stdout.write(text + "\n")
