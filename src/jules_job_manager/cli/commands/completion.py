"""Print shell completion. For bash: eval "$(jjm completion bash)"."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), help="which shell")


def run(args: Namespace, context: Context) -> int:
    """Print the code to evaluate."""
    from argcomplete.shell_integration import shellcode

    context.stdout.write(shellcode(["jjm"], shell=args.shell))
    return 0
