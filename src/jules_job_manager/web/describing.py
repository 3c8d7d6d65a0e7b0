"""The OpenAPI description: what FastAPI finds out by itself, and what only we know."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import iter_route_contexts

from jules_job_manager.web import problems
from jules_job_manager.web.access import rules_of
from jules_job_manager.web.examples import complete_examples, show_lists
from jules_job_manager.web.idempotency import (
    HEADER,
    MOST_KEY_LETTERS,
    IdempotentRoute,
    IssuingRoute,
)

_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "An API key."},
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "An API key.",
    },
}
_IDEMPOTENCY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": "Sent again with the same key, the request is not done again: the answer is the same.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MOST_KEY_LETTERS},
}

_ISSUING = {
    **_IDEMPOTENCY,
    "description": "Sent again with the same key, the request is not done again: the answer is 409, JJM123, "
    "and says what the secret belongs to, which was in the first answer alone.",
}  # fmt: skip


def describe(app: FastAPI) -> None:
    """Let the application describe its errors, who may use a route, and what may be sent again."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _described(app: FastAPI) -> dict[str, Any]:
    found = get_openapi(
        title=app.title, version=app.version, summary=app.summary, description=app.description,
        routes=app.routes, license_info=app.license_info,
    )  # fmt: skip
    components = found.setdefault("components", {})
    components["securitySchemes"] = _SCHEMES
    schemas = components.setdefault("schemas", {})
    schemas["Problem"] = problems.Problem.model_json_schema(
        ref_template="#/components/schemas/{model}"
    )
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    complete_examples(schemas)
    rules = rules_of(app)
    repeatable = {
        (method.lower(), context.path): context.original_route
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, IdempotentRoute)
        for method in context.methods or ()
    }
    for path, methods in found["paths"].items():
        for method, operation in methods.items():
            _complete(operation, rules.get((method.upper(), path)))
            show_lists(operation, schemas)
            more = [404] if "{" in path else []
            more += [413] if method in {"post", "put", "patch"} else []
            if method == "post" and (method, path) in repeatable:
                issues = isinstance(repeatable[method, path], IssuingRoute)
                header = _ISSUING if issues else _IDEMPOTENCY
                operation.setdefault("parameters", []).append(header)
                more += [409, 422]
            for status, said in problems.documented(*more).items():
                operation["responses"].setdefault(str(status), said)
    return found


def _complete(operation: dict[str, Any], rule: str | None) -> None:
    answers = operation.get("responses", {})
    if "HTTPValidationError" in str(answers.get("422", {}).get("content", {})):
        del answers["422"]  # a request that is not valid is answered with 400 here
    if rule is not None and not rule.startswith("public"):
        operation["security"] = [{"bearer": []}, {"api_key": []}]
        operation["x-permission"] = rule
