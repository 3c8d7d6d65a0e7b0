"""The examples of the API's description: each body has one, and each is what it is an example of."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from pathlib import Path

import pytest
from pydantic import BaseModel

from jules_job_manager.web import routes, schemas

DESCRIPTION = Path(__file__).parents[3] / "docs" / "reference" / "openapi.json"


def _models() -> dict[str, type[BaseModel]]:
    found = {}
    for package in (schemas, routes):
        for module in pkgutil.iter_modules(package.__path__):
            loaded = importlib.import_module(f"{package.__name__}.{module.name}")
            classes = inspect.getmembers(loaded, inspect.isclass)
            models = {name: cls for name, cls in classes if issubclass(cls, BaseModel)}
            found |= {name: cls for name, cls in models.items() if "example" in _extra(cls)}
    return found


def _extra(cls: type[BaseModel]) -> dict:
    extra = cls.model_config.get("json_schema_extra")
    return extra if isinstance(extra, dict) else {}


@pytest.mark.parametrize("name", sorted(_models()))
def test_an_example_is_one(name):
    """It has no member too many, and all that must be there."""
    cls = _models()[name]
    example = _extra(cls)["example"]
    assert set(example) <= set(cls.model_fields)
    cls.model_validate(example)


def test_every_body_has_an_example():
    """A new request body without one fails here."""
    described = json.loads(DESCRIPTION.read_text("utf-8"))
    known = described["components"]["schemas"]
    missing = []
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            names = [part["$ref"].rpartition("/")[2] for part in [schema, *schema.get("anyOf", [])]
                     if "$ref" in part]  # fmt: skip
            missing += [(method, path) for name in names if "example" not in known[name]]
    assert [] == missing
