"""A service in a thread of the test's own process: a real server on a real socket, started in no time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from jules_job_manager.bootstrap import App, data_path, open_app
from jules_job_manager.bootstrap.service import open_service
from jules_job_manager.settings.load import load_settings
from jules_job_manager.web.serve import address_of, open_socket, serve
from tests.ready_store import put_ready_store


@dataclass(frozen=True)
class Running:
    """A service that answers."""

    address: str
    key: str
    app: App
    loop: asyncio.AbstractEventLoop


@contextlib.contextmanager
def running_service(environ: Mapping[str, str], **flags: object) -> Iterator[Running]:
    """Yield a service with the settings of an environment; it is ended after."""
    settings = load_settings(environ, flags={"server.port": 0, "server.worker": False, **flags})
    if settings.storage.backend == "sqlite" and not data_path(settings).exists():
        put_ready_store(data_path(settings))
    started: list[Running] = []
    failed: list[BaseException] = []
    ready = threading.Event()
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def main() -> None:
        async with open_app(settings) as app:
            listener = open_socket(settings.server)
            address = address_of(listener, settings.server)
            async with open_service(
                app, load=lambda: settings, say=lambda _: None, address=address
            ) as service:
                (file,) = settings.home.glob("first-admin.*.key")
                key = file.read_text("ascii").strip()

                def begun() -> None:
                    started.append(Running(address, key, app, asyncio.get_running_loop()))
                    ready.set()

                end = asyncio.Event()
                stop.append((asyncio.get_running_loop(), end))
                await serve(service, listener, ready=begun, stop=end)
            listener.close()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as exc:  # noqa: BLE001 - raised again in the test's thread
            failed.append(exc)
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="service")
    thread.start()
    try:
        assert ready.wait(timeout=60)
        if failed:
            raise failed[0]
        yield started[0]
    finally:
        for loop, end in stop:
            with contextlib.suppress(RuntimeError):  # it ended by itself
                loop.call_soon_threadsafe(end.set)
        thread.join(timeout=60)
        assert not thread.is_alive()
