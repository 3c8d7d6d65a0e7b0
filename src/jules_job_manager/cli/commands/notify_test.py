"""Send a test message to every address of notify.urls."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from jules_job_manager.cli.context import Context


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--dry-run", action="store_true", help="only check the addresses")
    parser.add_argument(
        "--alert", action="store_true", help="send it in the form of an alert, at once"
    )


def run(args: Namespace, context: Context) -> int:
    """Send the message."""
    import asyncio

    from jules_job_manager.adapters.notifiers.apprise import AppriseNotifier
    from jules_job_manager.bootstrap.queue import digest_policy
    from jules_job_manager.errors import ConfigurationError

    settings = context.settings()
    if not settings.notify.urls:
        raise ConfigurationError(
            "No address is configured.",
            hint="Set notify.urls, for example to slack://… or mailto://…",
        )
    digest_policy(settings)
    notifier = AppriseNotifier(settings.notify.urls)
    if not args.dry_run:
        asyncio.run(notifier.send(*_message(is_alert=args.alert)))
    count = len(settings.notify.urls)
    context.write(
        f"{'Checked' if args.dry_run else 'Sent to'} {count} address{'es' * (count > 1)}."
    )
    return 0


def _message(*, is_alert: bool) -> tuple[str, str]:
    """Return title and body; an alert goes the way that true ones go, from an event on."""
    if not is_alert:
        return "jjm: a test", "Messages of jjm reach you here."
    from jules_job_manager.adapters.system_clock import SystemClock
    from jules_job_manager.domain.event import Event, EventType
    from jules_job_manager.domain.news import message_of, news_of

    data = {"alert": "test", "text": "this is a test; nothing is wrong"}
    event = Event(
        id=0, type=EventType.ALERT_RAISED, subject="alert:test", at=SystemClock().now(), data=data
    )
    news = news_of(event)
    assert news is not None
    return message_of([news])
