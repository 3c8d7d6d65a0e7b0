"""Finds the command, parses its arguments, runs it, and turns errors into exit codes."""

from __future__ import annotations

import os
import sys

from jules_job_manager.cli import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from types import ModuleType
    from typing import NoReturn

    from jules_job_manager.cli.context import Context

_DESCRIPTION = "Turn a backlog into merged, verified work done by Google Jules."


def dispatch(arguments: list[str]) -> int:
    """Run what `arguments` ask for and return the exit code."""
    if "_ARGCOMPLETE" in os.environ:
        _complete()
    debug = "--debug" in arguments
    made: list[Context] = []
    try:
        _require_text(arguments)
        given, debug, words = _global_options(arguments)
        return _run(words, given, made, debug=debug)
    except SystemExit as exc:
        return _usage_code(exc.code)
    except BrokenPipeError:
        from jules_job_manager.cli import exit_codes

        exit_codes.silence_broken_pipe()
        return exit_codes.OK
    except (Exception, KeyboardInterrupt) as exc:  # noqa: BLE001 - the one place that maps errors
        from jules_job_manager.cli import exit_codes

        return exit_codes.report(
            exc,
            sys.stderr,
            debug=debug or any(context.debug for context in made),
            mask=made[0].masked if made else None,
        )


def _run(
    words: list[str], given: dict[str, str | None], made: list[Context], *, debug: bool
) -> int:
    found = table.find(words)
    if found is None:
        return _no_command(words)
    module_name, names, taken = found
    module = _load(module_name)
    parser = command_parser(module, " ".join(names))
    args = parser.parse_args(words[taken:])
    from jules_job_manager.cli.context import Context

    context = Context(
        environ=os.environ,
        config=args.config or given["config"],
        debug=debug or bool(args.debug),
    )
    made.append(context)
    server = given["server"] if args.server is None else args.server
    name = " ".join(names)
    if server and name in table.WORKS_HERE:
        _refuse_server(name)
    context.works_here = name in table.WORKS_HERE or (name in table.ONLY_WHEN_ASKED and not server)
    if server is not None:
        context.preset = {"client.server": server}
    code: int = module.run(args, context)
    sys.stdout.flush()
    return code


def _refuse_server(name: str) -> NoReturn:
    from jules_job_manager.errors import InvalidInputError

    raise InvalidInputError(
        f"`jjm {name}` does not go through a service: {table.WORKS_HERE[name]}.",
        hint="Leave --server out.",
    )


def _require_text(arguments: list[str]) -> None:
    """Refuse arguments whose bytes are no text in this locale, before anything is done with them."""
    for number, word in enumerate(arguments, start=1):
        if any("\ud800" <= character <= "\udfff" for character in word):
            from jules_job_manager.errors import InvalidInputError

            raise InvalidInputError(
                f"Argument {number} is not UTF-8 text.",
                hint="Write it again in UTF-8, or put long texts into a file and use --file.",
            )


def _load(module_name: str) -> ModuleType:
    # importlib.import_module does the same and loads `warnings` besides.
    name = f"jules_job_manager.cli.commands.{module_name}"
    module: ModuleType = __import__(name, fromlist=("run",))
    return module


def _width() -> int:
    """Return how wide help may be. Asked here because argparse loads `shutil` to ask."""
    try:
        return int(os.environ["COLUMNS"]) - 2
    except (KeyError, ValueError):
        pass
    try:
        return (os.get_terminal_size(1).columns or 80) - 2
    except OSError:
        return 78


def command_parser(module: ModuleType, name: str) -> ArgumentParser:
    """Return the parser of one command, with the options every command has."""
    from argparse import ArgumentParser, RawDescriptionHelpFormatter

    class Formatter(RawDescriptionHelpFormatter):
        def __init__(self, prog: str) -> None:
            super().__init__(prog, width=_width())

    class Parser(ArgumentParser):
        def error(self, message: str) -> NoReturn:
            """Say what was wrong, with nothing in it that a terminal would act on."""
            from jules_job_manager.domain.text import safe_text

            self.print_usage(sys.stderr)
            self.exit(2, f"error: {safe_text(message)}\nhint: `{self.prog} --help` tells more.\n")

    doc = (module.__doc__ or "").strip()
    parser = Parser(
        prog=f"jjm {name}", description=doc, formatter_class=Formatter, allow_abbrev=False
    )
    module.add_arguments(parser)
    group = parser.add_argument_group("every command")
    group.add_argument("--config", metavar="FILE", help="configuration file to read")
    group.add_argument(
        "--server", metavar="URL", help="let the service at this address do it (JJM_SERVER)"
    )
    group.add_argument("--debug", action="store_true", help="show tracebacks")
    return parser


def full_parser() -> ArgumentParser:
    """Return the parser of the whole program: for completion and the reference, not for running."""
    from argparse import ArgumentParser

    parser = ArgumentParser(prog="jjm", description=_DESCRIPTION, allow_abbrev=False)
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    subparsers = parser.add_subparsers()
    groups = {
        name: subparsers.add_parser(name, help=text).add_subparsers()
        for name, (text, _) in table.GROUPS.items()
    }
    for name, module_name, text in table.every_command():
        module = _load(module_name)
        owner, _, leaf = name.rpartition(" ")
        target = groups[owner] if owner else subparsers
        module.add_arguments(target.add_parser(leaf, help=text))
    return parser


def _global_options(arguments: list[str]) -> tuple[dict[str, str | None], bool, list[str]]:
    """Take `--config FILE`, `--server URL` and `--debug` from before the command."""
    given: dict[str, str | None] = {"config": None, "server": None}
    debug, index = False, 0
    while index < len(arguments):
        name, equals, value = arguments[index].partition("=")
        if arguments[index] == "--debug":
            debug = True
        elif name.startswith("--") and name[2:] in given:
            if not equals:
                index += 1
                value = _value(name, arguments[index : index + 1])
            given[name[2:]] = value
        else:
            break
        index += 1
    return given, debug, arguments[index:]


def _value(name: str, following: list[str]) -> str:
    if following:
        return following[0]
    from jules_job_manager.errors import InvalidInputError

    what = {"--config": "the name of a file", "--server": "the address of a service"}[name]
    raise InvalidInputError(f"{name} needs {what} after it.")


def _no_command(words: list[str]) -> int:
    from jules_job_manager.cli import exit_codes

    if words and words[0] in {"--version", "-V"}:
        from jules_job_manager._version import __version__

        sys.stdout.write(f"jjm {__version__}\n")
        return exit_codes.OK
    if words and words[0] in table.GROUPS and (len(words) == 1 or words[1] in {"-h", "--help"}):
        text, commands = table.GROUPS[words[0]]
        sys.stdout.write(_overview(f"jjm {words[0]}", f"{text}.", commands))
        return exit_codes.OK if len(words) > 1 else exit_codes.FAILED
    if not words or words[0] in {"-h", "--help", "help"}:
        commands = {**table.COMMANDS, **{n: ("", t) for n, (t, _) in table.GROUPS.items()}}
        sys.stdout.write(_overview("jjm", _DESCRIPTION, commands))
        return exit_codes.OK if words else exit_codes.FAILED
    from jules_job_manager.errors import InvalidInputError

    raise InvalidInputError(
        f"There is no command {' '.join(words[:2])!r}.", hint="`jjm --help` lists the commands."
    )


def _overview(program: str, description: str, commands: dict[str, tuple[str, str]]) -> str:
    width = max(len(name) for name in commands)
    lines = [f"usage: {program} COMMAND [OPTION ...]", "", description, "", "commands:"]
    lines += [f"  {name:{width}}  {text}" for name, (_, text) in commands.items()]
    lines += ["", f"`{program} COMMAND --help` tells more."]
    if program == "jjm":
        lines += [
            "Before the command: --config FILE, --server URL, --debug. `jjm --version` prints the version."
        ]
        lines += ["First time here? `jjm demo`, then `jjm doctor`."]
    return "\n".join(lines) + "\n"


def _usage_code(code: object) -> int:
    from jules_job_manager.cli import exit_codes

    # argparse ends with 2 for a usage error; 2 is "cancelled" here (see exit_codes).
    return exit_codes.FAILED if code == 2 else int(code) if isinstance(code, int) else 0


def _complete() -> None:
    import argcomplete

    argcomplete.autocomplete(full_parser())
