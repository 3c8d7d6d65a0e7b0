"""Rule `api-contract`: the published interface keeps what it promised.

Source: spec.openapis.org/oas/v3.1.0 (paths, operations, parameters, responses), read 2026-11.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from jules_job_manager.domain.change import Change, FileStatus, Tree
from jules_job_manager.domain.finding import Finding
from jules_job_manager.domain.rules.sources import base_path, text_of

_NAME = re.compile(r"(?:^|/)(?:[\w.-]*(?:openapi|swagger)[\w.-]*)\.json$", re.IGNORECASE)
_VERBS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
_DEPTH = 12

Shape = Mapping[str, Any]


def api_contract(change: Change) -> Iterator[Finding]:
    """Yield what an OpenAPI document in JSON promised and no longer does."""
    for file in change.files:
        if not _NAME.search(base_path(file)):
            continue
        before = _document(change.base, base_path(file))
        if before is None:
            continue
        if file.status is FileStatus.DELETED:
            yield Finding(
                rule="api-contract",
                message="The description of the interface is gone.",
                path=file.path,
            )
            continue
        after = _document(change.head, file.path)
        if after is None:
            message = "The description of the interface cannot be read any more."
            yield Finding(rule="api-contract", message=message, path=file.path)
            continue
        for message in dict.fromkeys(broken(before, after)):
            yield Finding(rule="api-contract", message=message, path=file.path)


def _document(tree: Tree, path: str) -> Shape | None:
    text = text_of(tree, path)
    try:
        data = json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return None
    return data if isinstance(data, dict) and isinstance(data.get("paths"), dict) else None


def broken(before: Shape, after: Shape) -> Iterator[str]:
    """Yield a sentence for each promise of `before` that `after` breaks."""
    paths = _table(after.get("paths"))
    for path, old in _table(before.get("paths")).items():
        new = _find_path(paths, path)
        if new is None:
            yield f"The path {path} is gone."
            continue
        for verb in _VERBS:
            if verb in _table(old):
                name = f"{verb.upper()} {path}"
                if verb not in new:
                    yield f"{name} is gone."
                else:
                    yield from _operation(name, (_table(old), before), (new, after), verb)


def _find_path(paths: Shape, path: str) -> Shape | None:
    """Return the path; another name of a parameter makes no other path."""
    plain = re.sub(r"\{[^}]*\}", "{}", path)
    for name, item in paths.items():
        if re.sub(r"\{[^}]*\}", "{}", str(name)) == plain:
            return _table(item)
    return None


def _operation(
    name: str, old: tuple[Shape, Shape], new: tuple[Shape, Shape], verb: str
) -> Iterator[str]:
    before, after = _table(old[0][verb]), _table(new[0][verb])
    known = _parameters(old[0], before, old[1])
    for key, needed in _parameters(new[0], after, new[1]).items():
        if needed and not known.get(key, False) and key[0] != "path":
            yield f"{name} now requires the {key[0]} parameter {key[1]}."
    had, has = (
        _body(_table(one.get("requestBody")), root)
        for one, root in ((before, old[1]), (after, new[1]))
    )
    for field in sorted(_required(has) - _required(had)):
        yield f"{name} now requires the member {field} in its body."
    responses = _table(after.get("responses"))
    for status, answer in _table(before.get("responses")).items():
        if status not in responses:
            if str(status).startswith("2"):
                yield f"{name} no longer answers with {status}."
            continue
        old_body = _body(_resolved(_table(answer), old[1]), old[1])
        new_body = _body(_resolved(_table(responses[status]), new[1]), new[1])
        yield from _lost(f"{name} ({status})", old_body, new_body, (old[1], new[1]), "", 0)


def _lost(
    name: str, old: Shape, new: Shape, roots: tuple[Shape, Shape], at: str, depth: int
) -> Iterator[str]:
    if depth > _DEPTH or not new:
        return
    kinds = old.get("type"), new.get("type")
    if isinstance(kinds[0], str) and isinstance(kinds[1], str) and kinds[0] != kinds[1]:
        yield f"{name}: {at or 'the answer'} was {kinds[0]} and is {kinds[1]}."
        return
    left, right = _members(old, roots[0]), _members(new, roots[1])
    for field, shape in left.items():
        place = f"{at}.{field}" if at else str(field)
        if field not in right:
            yield f"{name}: the member {place} is gone."
        else:
            pair = _resolved(_table(shape), roots[0]), _resolved(_table(right[field]), roots[1])
            yield from _lost(name, *pair, roots, place, depth + 1)
    items = _table(old.get("items")), _table(new.get("items"))
    if all(items):
        pair = _resolved(items[0], roots[0]), _resolved(items[1], roots[1])
        yield from _lost(name, *pair, roots, f"{at}[]", depth + 1)


def _parameters(item: Shape, operation: Shape, root: Shape) -> dict[tuple[str, str], bool]:
    found: dict[tuple[str, str], bool] = {}
    for source in (item.get("parameters"), operation.get("parameters")):
        for entry in source if isinstance(source, list) else []:
            one = _resolved(_table(entry), root)
            found[str(one.get("in", "")), str(one.get("name", ""))] = one.get("required") is True
    return found


def _body(holder: Shape, root: Shape) -> Shape:
    """Return the schema of a body or an answer: of JSON, else of whatever comes first."""
    content = _table(_resolved(holder, root).get("content"))
    media = content.get("application/json") or next(iter(content.values()), None)
    schema = _table(media).get("schema") or holder.get("schema")
    return _resolved(_table(schema), root)


def _members(schema: Shape, root: Shape) -> dict[str, Any]:
    found = dict(_table(schema.get("properties")))
    parts = schema.get("allOf")
    for part in parts if isinstance(parts, list) else []:
        found.update(_table(_resolved(_table(part), root).get("properties")))
    return found


def _required(schema: Shape) -> set[str]:
    names = schema.get("required")
    return {str(name) for name in names} if isinstance(names, list) else set()


def _resolved(schema: Shape, root: Shape) -> Shape:
    """Follow `$ref` within the document."""
    for _ in range(_DEPTH):
        link = schema.get("$ref")
        if not isinstance(link, str) or not link.startswith("#/"):
            break
        target: Any = root
        for part in link[2:].split("/"):
            target = _table(target).get(part.replace("~1", "/").replace("~0", "~"))
        schema = _table(target)
    return schema


def _table(value: object) -> Shape:
    return value if isinstance(value, dict) else {}
