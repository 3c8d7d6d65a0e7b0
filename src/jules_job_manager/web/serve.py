"""Listening: addresses, certificates, signals, and the server itself."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import signal
import socket
import stat
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from jules_job_manager.errors import ConfigurationError
from jules_job_manager.web import doors
from jules_job_manager.web.app import create_app
from jules_job_manager.web.operations import operated
from jules_job_manager.web.serving import Server

if TYPE_CHECKING:
    from jules_job_manager.bootstrap.service import Service
    from jules_job_manager.settings.model import ServerSettings

FIRST_PASSED_FD = 3
"""The first socket that systemd passes. Source: sd_listen_fds(3), read 2026-11."""


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes the fast event loop, or None where it is not installed."""
    try:
        import uvloop
    except ImportError:  # Windows has none
        return None
    return uvloop.new_event_loop


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def require_safe(settings: ServerSettings) -> None:
    """Check that keys never travel in clear text over a network.

    Raises:
        ConfigurationError: it would listen on more than this machine without TLS, or a file of TLS
            is missing or readable by others.
    """
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise ConfigurationError(
            "TLS needs both a certificate and its key.",
            hint="Set server.tls_certificate and server.tls_key, or neither.",
        )
    if settings.tls_key:
        for name in (settings.tls_certificate, settings.tls_key):
            if not Path(name).expanduser().is_file():
                raise ConfigurationError(f"The file {name} is not there.")
        if stat.S_IMODE(Path(settings.tls_key).expanduser().stat().st_mode) & 0o077:
            raise ConfigurationError(
                f"Others can read the key {settings.tls_key}.", hint=f"chmod 600 {settings.tls_key}"
            )
        return
    if not is_loopback(settings.host) and not settings.behind_proxy:
        raise ConfigurationError(
            f"Listening on {settings.host} without TLS would send keys in clear text.",
            hint="Set server.tls_certificate and server.tls_key; or server.behind_proxy when a reverse "
            "proxy speaks https with the outside; or listen on 127.0.0.1.",
        )


def open_socket(settings: ServerSettings) -> socket.socket:
    """Return the listening socket: the one that systemd passed, else a new one.

    Raises:
        ConfigurationError: the address cannot be listened on, or the one that was passed is not safe.
    """
    if (
        os.environ.get("LISTEN_PID") == str(os.getpid())
        and os.environ.get("LISTEN_FDS", "0") != "0"
    ):
        return _checked(socket.socket(fileno=FIRST_PASSED_FD), settings)
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=2048)
    except (OSError, OverflowError) as exc:
        raise ConfigurationError(
            f"Cannot listen on {settings.host} port {settings.port}: {exc}",
            hint="Choose another with --port; 0 takes one that is free.",
        ) from exc


def _checked(passed: socket.socket, settings: ServerSettings) -> socket.socket:
    """Return a socket that systemd passed: where it listens is what must be safe, not `server.host`."""
    if passed.family != socket.AF_UNIX:
        try:
            require_safe(replace(settings, host=passed.getsockname()[0]))
        except ConfigurationError:
            passed.close()
            raise
    return passed


def address_of(listener: socket.socket, settings: ServerSettings) -> str:
    """Return the address that a client on this machine uses."""
    scheme = "https" if settings.tls_certificate else "http"
    if listener.family == socket.AF_UNIX:
        return f"unix:{listener.getsockname()}"
    host, port = listener.getsockname()[:2]
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_unspecified:
            host = "::1" if ":" in host else "127.0.0.1"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def is_on_all(listener: socket.socket) -> bool:
    """Whether a socket listens on every address of this machine."""
    if listener.family == socket.AF_UNIX:
        return False
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_unspecified


async def serve(
    service: Service,
    listener: socket.socket,
    *,
    ready: Callable[[], None],
    stop: asyncio.Event | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM; then finish what is in hand, for a while.

    Args:
        service: The parts. Its worker runs as long as this.
        listener: Where to listen.
        ready: Called once requests are answered.
        stop: Ends it like a signal when it is set.

    Raises:
        ConfigurationError: the port of metrics cannot be listened on, or certificate or key not be used.
    """
    # Around the server: of what fails inside its lifespan uvicorn makes a traceback and nothing else.
    async with operated(service.operations, service.app.settings.metrics):
        await _serve_beside(service, listener, ready=ready, stop=stop)


async def _serve_beside(
    service: Service,
    listener: socket.socket,
    *,
    ready: Callable[[], None],
    stop: asyncio.Event | None,
) -> None:
    settings = service.app.settings.server

    @asynccontextmanager
    async def beside(_: FastAPI) -> AsyncIterator[None]:
        async with service.running():
            yield

    app = create_app(service, lifespan=beside)
    config = uvicorn.Config(
        app, log_config=None, access_log=False, lifespan="on", server_header=False,
        proxy_headers=False, ws_max_size=65536, h11_max_incomplete_event_size=65536,
        timeout_graceful_shutdown=max(1, round(settings.graceful_seconds)),
        ssl_certfile=_file(settings.tls_certificate), ssl_keyfile=_file(settings.tls_key),
    )  # fmt: skip
    server = _Server(config, ready=ready, on_stop=service.events.stop)
    stopping = asyncio.ensure_future(_stop_when(stop, server)) if stop is not None else None
    try:
        _load(config)
        await server.serve(sockets=[listener])
    finally:
        if stopping is not None:
            stopping.cancel()
            await asyncio.gather(stopping, return_exceptions=True)
        await doors.close(app)


def _load(config: uvicorn.Config) -> None:
    """Read certificate and key, and say in our words when they cannot be used."""
    try:
        config.load()
    except OSError as exc:  # ssl.SSLError is one
        why = getattr(exc, "reason", None) or exc.strerror or str(exc)
        raise ConfigurationError(
            f"The certificate and the key of TLS cannot be used ({why}).",
            hint="server.tls_certificate names the file of the certificate and server.tls_key that of its "
            "private key, both in PEM: see that they are not swapped and belong together.",
        ) from exc


async def _stop_when(stop: asyncio.Event, server: uvicorn.Server) -> None:
    await stop.wait()
    server.should_exit = True


def _file(name: str) -> str | None:
    return str(Path(name).expanduser()) if name else None


class _Server(Server):
    """A server that says when it answers requests, and ends without killing the process."""

    def __init__(
        self, config: uvicorn.Config, *, ready: Callable[[], None], on_stop: Callable[[], None]
    ) -> None:
        super().__init__(config, on_stop=on_stop)
        self._ready = ready

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on signals, and let the process end by itself: the parts are closed after this.

        The inherited way raises the signal again once it has stopped, which kills the process.
        """
        loop = asyncio.get_running_loop()
        handled = []
        for number in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
                loop.add_signal_handler(number, self.handle_exit, number, None)
                handled.append(number)
        try:
            yield
        finally:
            for number in handled:
                loop.remove_signal_handler(number)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then say so."""
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()
