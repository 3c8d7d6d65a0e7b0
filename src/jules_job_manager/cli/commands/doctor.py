"""Check the set-up, and say how to mend what is wrong.

With --server it is the service that is checked: whether it answers, its version, the key and its
role, and how it is.

Exit code 0: all is well. 1: something is not.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Callable, Iterator

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context

    Check = Callable[[Context], str]

FIELDS = ("check", "ok", "text", "hint")


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.output import add_json_options

    add_json_options(parser, FIELDS)


def run(args: Namespace, context: Context) -> int:
    """Run every check and print a line each."""
    from jules_job_manager.cli import output
    from jules_job_manager.cli.exit_codes import FAILED, OK
    from jules_job_manager.domain.text import safe_text

    fields = output.json_fields(args, FIELDS)
    results = list(_results(context))
    if fields is not None:
        output.print_json(context, [output.pick(r, fields) for r in results], args.jq)
    else:
        for result in results:
            mark = "ok  " if result["ok"] else "FAIL"
            context.write(f"{mark}  {result['check']:14} {safe_text(str(result['text']))}")
            if result["hint"]:
                context.write(f"      {'':14} -> {safe_text(str(result['hint']))}")
    return OK if all(result["ok"] for result in results) else FAILED


def _results(context: Context) -> Iterator[dict[str, object]]:
    configuration = _result("configuration", _configuration, context)
    if not configuration["ok"] or not context.server:
        for name, check in CHECKS.items():
            yield _result(name, check, context)
        return
    from jules_job_manager.cli.service_checks import service_results

    yield configuration
    yield from service_results(lambda name, check: _result(name, check, context))


def _result(name: str, check: Check, context: Context) -> dict[str, object]:
    from jules_job_manager.errors import JulesManagerError

    try:
        return {"check": name, "ok": True, "text": check(context), "hint": ""}
    except JulesManagerError as exc:
        return {"check": name, "ok": False, "text": exc.message, "hint": exc.hint or ""}


def _configuration(context: Context) -> str:
    settings = context.settings()
    return f"{settings.config_file or 'no file, defaults'} ({len(settings.sources)} settings given)"


def _home(context: Context) -> str:
    import os

    from jules_job_manager.errors import ConfigurationError

    home = context.settings().home
    parent = home
    while not parent.exists():
        parent = parent.parent
    if not parent.is_dir():
        raise ConfigurationError(
            f"{parent} is a file, so the home folder {home} cannot be made.",
            hint="Set JJM_HOME to a folder of yours.",
        )
    if not os.access(parent, os.W_OK):
        raise ConfigurationError(
            f"The home folder {home} cannot be written.", hint="Set JJM_HOME to a folder of yours."
        )
    return str(home)


def _git(context: Context) -> str:
    import re
    import shutil
    import subprocess

    from jules_job_manager.errors import ForgeError

    del context
    path = shutil.which("git")
    if path is None:
        raise ForgeError("git is not installed.", hint="Install git 2.38 or newer.")
    text = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"(\d+)\.(\d+)", text)
    if found is None or (int(found[1]), int(found[2])) < (2, 38):
        raise ForgeError(f"{text.strip()} is too old.", hint="Install git 2.38 or newer.")
    return text.strip()


def _node(context: Context) -> str:
    """Only the Node MCP server needs Node.js."""
    import re
    import shutil
    import subprocess

    from jules_job_manager.bootstrap import backend_name
    from jules_job_manager.errors import ConfigurationError

    settings = context.settings()
    if backend_name(settings) != "mcp" or settings.mcp_server.command:
        return "not needed"
    name = settings.mcp_server.node_path
    path = shutil.which(name)
    hint = "Install Node.js 18 or newer, or set NODE_PATH to it."
    if path is None:
        raise ConfigurationError(f"Node.js ({name}) is not installed.", hint=hint)
    text = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)", text)
    if found is None or int(found[1]) < 18:
        raise ConfigurationError(f"{name} is {text.strip() or 'no Node.js'}.", hint=hint)
    return f"{path} {text.strip()}"


def _store(context: Context) -> str:
    async def where(app: App) -> str:
        return f"{app.store.kind} {app.store.location}"

    return context.run(where)


def _sandbox(context: Context) -> str:
    """Try to break out of the sandbox that checks run in."""
    import asyncio
    from pathlib import Path

    from jules_job_manager.adapters.sandboxes.escapes import try_to_escape
    from jules_job_manager.bootstrap.sandbox import require_usable, sandbox_of
    from jules_job_manager.errors import ConfigurationError

    settings = context.settings()
    sandbox = sandbox_of(settings)
    if not sandbox.isolates:
        return "none: review.sandbox is host, so checks run with all your rights"
    is_needed = bool(settings.review.checks or settings.review.setup)

    async def prove() -> str:
        problem = await sandbox.is_usable()
        if problem and not is_needed:
            return f"not there, and only a base branch's .jjm.toml would need it: {problem}"
        await require_usable(sandbox)
        proof = await try_to_escape(sandbox, home=Path.home(), own_home=settings.home)
        failed = proof.tried - len(proof.succeeded)
        if proof.succeeded:
            raise ConfigurationError(
                f"{sandbox.name}: only {failed} of {proof.tried} escapes failed; what got out: "
                f"{', '.join(proof.succeeded)}.",
                hint="Run no checks here until this is mended: keep your home folder and jjm's out "
                "of PATH and review.readable, and bring the sandbox's program up to date.",
            )
        return f"{sandbox.name}: {failed} of {proof.tried} escapes failed"

    return asyncio.run(prove())


def _scanners(context: Context) -> str:
    """Without its scanners a review says less; that is no fault of the set-up."""
    from importlib.util import find_spec

    del context
    missing = [name for name in ("ruff", "detect_secrets") if find_spec(name) is None]
    if missing:
        return (
            "not there, so reviews skip the checks security and secrets: "
            "pip install 'jules-job-manager[scan]'"
        )
    return "ruff and detect-secrets look for insecure code and secrets"


def _github(context: Context) -> str:
    """Only merging through pull requests needs GitHub."""
    settings = context.settings()
    if not settings.github.repositories:
        return "not needed"

    async def ask(app: App) -> str:
        from jules_job_manager.bootstrap.forge import github_seen

        return await github_seen(app, settings)

    return context.run(ask)


def _backend(context: Context) -> str:
    async def ask(app: App) -> str:
        await app.backend.list_tasks(limit=1)
        return f"{app.backend.name} answers"

    return context.run(ask)


CHECKS: dict[str, Check] = {
    "configuration": _configuration,
    "home folder": _home,
    "git": _git,
    "node": _node,
    "store": _store,
    "sandbox": _sandbox,
    "scanners": _scanners,
    "GitHub": _github,
    "Jules": _backend,
}
