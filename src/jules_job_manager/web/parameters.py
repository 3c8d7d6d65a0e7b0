"""Parameters that a route does not have are refused: a filter with a slip in its name chose everything."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from fastapi.dependencies.models import Dependant
from starlette.requests import HTTPConnection

from jules_job_manager.domain.text import shorten
from jules_job_manager.errors import InvalidInputError
from jules_job_manager.web.access import all_of, rule_of


class KnownParameters:
    """The dependency of every route of the interface. It is one for all, and keeps what each has.

    A WebSocket looks itself (`require_known`), once it is open: browsers do not tell why a handshake failed.
    """

    def __init__(self) -> None:
        """Know no route yet."""
        self._known: dict[str, frozenset[str]] = {}

    async def __call__(self, connection: HTTPConnection) -> None:
        """Look at the names in the query.

        Raises:
            InvalidInputError: the route has no such parameter.
            SignInRequiredError, AccessDeniedError, RateLimitedError: who sent it hears that first.
        """
        scope = connection.scope
        if not scope["query_string"] or scope["type"] != "http":
            return
        route = scope["route"]
        known = self._known.get(route.unique_id)
        if known is None:
            known = self._known[route.unique_id] = _parameters_of(
                route.dependant, route.openapi_extra
            )
        if connection.query_params.keys() <= known:
            return
        rule = rule_of((scope["fastapi"]["effective_route_context"]).dependant)
        if rule is not None:
            await rule(connection)
        require_known(connection.query_params, known)


def require_known(names: Iterable[str], known: Collection[str]) -> None:
    """Refuse a name that is not known, and say which is meant.

    Raises:
        InvalidInputError: there is such a name.
    """
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name[:100], known, n=1)
            listed = f"It has {', '.join(sorted(known))}." if known else "It has none."
            raise InvalidInputError(
                f"There is no parameter {shorten(name, 100)!r} here.",
                hint=f"Is {close[0]} meant?" if close else listed,
            )


def _parameters_of(
    dependant: Dependant, extra: dict[str, list[dict[str, str]]] | None
) -> frozenset[str]:
    """Return those that FastAPI reads, and those that are only described and read by the route."""
    read = {field.alias for one in (dependant, *all_of(dependant)) for field in one.query_params}
    described = (extra or {}).get("parameters", ())
    return frozenset(read | {one["name"] for one in described if one["in"] == "query"})
