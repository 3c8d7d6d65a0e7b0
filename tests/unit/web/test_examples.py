"""The examples of the API's description: each body has one, and each is what it is an example of."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import jsonschema_rs
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


DESCRIBED = json.loads(DESCRIPTION.read_text("utf-8"))


def _bodies() -> Iterator[tuple[str, dict]]:
    """Yield what each request and each answer that is a success holds, as far as it is JSON."""
    for path, methods in DESCRIBED["paths"].items():
        for method, operation in methods.items():
            found = {"request": operation.get("requestBody", {})}
            found |= {s: a for s, a in operation["responses"].items() if s.startswith("2")}
            for name, body in found.items():
                if "application/json" in body.get("content", {}):
                    yield f"{method} {path} {name}", body["content"]["application/json"]


def _example(media: dict) -> object:
    """Return the example of a body, its own or that of its schema; None: there is none."""
    schema = media["schema"]
    parts = [part.get("$ref", "").rpartition("/")[2] for part in (schema, *schema.get("anyOf", []))]
    known = (DESCRIBED["components"]["schemas"].get(name, {}).get("example") for name in parts)
    return media.get("example") or next(filter(None, known), None)


@pytest.mark.parametrize(("name", "media"), [pytest.param(n, m, id=n) for n, m in _bodies()])
def test_every_body_has_an_example_that_fits(name, media):
    """A new body without one fails here, and so does one that its schema refuses."""
    example = _example(media)
    assert example, name
    schema = {**media["schema"], "components": DESCRIBED["components"]}
    jsonschema_rs.validator_for(schema, validate_formats=True).validate(example)


def test_bodies_are_found():
    """The test above looks at what there is."""
    names = {name.rpartition(" ")[2] for name, _ in _bodies()}
    assert {"request", "200", "201", "202"} == names
    assert len(list(_bodies())) > 100


def test_the_filters_of_the_stream_are_those_of_the_list():
    """By the same names, with the same words and limits; what the list reads page by page is left out."""
    paths = DESCRIBED["paths"]
    listed = {p["name"]: p for p in paths["/api/v1/events"]["get"]["parameters"]}
    followed = {p["name"]: p for p in paths["/api/v1/events/stream"]["get"]["parameters"]}
    assert {"type", "subject", "task", "job", "since", "until"} == set(listed) & set(followed) - {
        "after"
    }
    for name in ("type", "subject", "task", "job"):
        of_list, of_stream = listed[name], followed[name]
        assert of_list["description"] == of_stream["description"]
        for limit in ("type", "items", "maxItems"):
            assert of_list["schema"][limit] == of_stream["schema"][limit], name
    for name in ("since", "until"):
        assert "date-time" == followed[name]["schema"]["format"]
