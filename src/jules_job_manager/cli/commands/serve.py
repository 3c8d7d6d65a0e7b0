"""Run the service: the API, live updates and, unless --no-worker, the queue.

It listens on this machine alone unless the settings of [server] say otherwise. The first start
makes an admin key and writes it into a file that only you can read. SIGTERM or Ctrl-C finishes
what is in hand; SIGHUP reads the configuration again.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.bootstrap import App
    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    from jules_job_manager.cli.arguments import add_checks, add_remotes

    parser.add_argument("--host", metavar="ADDRESS", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, metavar="N", help="port; 0 takes a free one (8787)")
    parser.add_argument(
        "--no-worker", action="store_true", help="do not run the queue; `jjm worker` does it apart"
    )
    add_checks(parser)
    add_remotes(parser)


def run(args: Namespace, context: Context) -> int:
    """Serve until stopped."""
    from dataclasses import replace

    from jules_job_manager.cli.commands.queue_run import parsed_remotes
    from jules_job_manager.web.metrics import require_safe_metrics
    from jules_job_manager.web.serve import loop_factory, require_safe

    settings = context.settings(_flags(args))
    require_safe(settings.server)
    require_safe_metrics(settings.metrics)
    remotes = parsed_remotes(args.remote)
    context.use(replace(settings, remotes={**settings.remotes, **remotes}))
    context.run(
        lambda app: _serve(app, context, args, remotes), for_others=True,
        loop_factory=loop_factory(),
    )  # fmt: skip
    return 0


def _flags(args: Namespace) -> dict[str, object]:
    return {
        "server.host": args.host,
        "server.port": args.port,
        "server.worker": False if args.no_worker else None,
        "review.checks": args.check,
    }


async def _serve(
    app: App, context: Context, args: Namespace, remotes: dict[str, str]
) -> None:  # fmt: skip
    from jules_job_manager.bootstrap.service import open_service
    from jules_job_manager.cli.stopping import woken_by_hangup
    from jules_job_manager.web.serve import address_of, is_on_all, open_socket, serve

    listener = open_socket(app.settings.server)
    address = address_of(listener, app.settings.server)

    def ready() -> None:
        context.write(f"Listening on {address}")
        context.stdout.flush()
        if is_on_all(listener):
            context.note("It listens on every address of this machine, not on that one alone.")

    try:
        async with open_service(
            app, load=context.rereading(_flags(args), remotes), say=context.note, address=address
        ) as service:
            with woken_by_hangup(service.watch.wake):
                await serve(service, listener, ready=ready)
    finally:
        listener.close()
    context.note("Stopped.")
