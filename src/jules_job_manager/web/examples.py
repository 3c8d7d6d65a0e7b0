"""The examples of the OpenAPI description: what FastAPI leaves out of them, and those of lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]


def complete_examples(schemas: dict[str, Any]) -> None:
    """Put back into the examples what is null: FastAPI takes every null out of the description.

    A member that must be there and is not can only have been one.
    """
    for schema in schemas.values():
        if "example" in schema:
            schema["example"] = _with_nulls(schema["example"], schema, schemas)


def show_lists(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """Give answers that are lists an example: a list with the example of what it is of."""
    for answer in operation["responses"].values():
        content = answer.get("content", {}).get("application/json", {})
        example = _meant(content.get("schema", {}).get("items", {}), schemas).get("example")
        if example is not None:
            content["example"] = [example]


def _with_nulls(value: Any, schema: Schema, schemas: Mapping[str, Any]) -> Any:
    schema = _meant(schema, schemas)
    if isinstance(value, list):
        return [_with_nulls(item, schema.get("items", {}), schemas) for item in value]
    if not isinstance(value, dict):
        return value
    rest = schema.get("additionalProperties")
    rest = rest if isinstance(rest, dict) else {}
    members = schema.get("properties", {})
    full = {n: _with_nulls(item, members.get(n, rest), schemas) for n, item in value.items()}
    return full | {name: None for name in schema.get("required", ()) if name not in full}


def _meant(schema: Schema, schemas: Mapping[str, Any]) -> Schema:
    """Return what a reference leads to, also when null may stand for it."""
    for part in (schema, *schema.get("anyOf", ())):
        if "$ref" in part:
            found: Schema = schemas[part["$ref"].rpartition("/")[2]]
            return found
    return schema
