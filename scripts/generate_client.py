"""Writes the typed client of the API from its OpenAPI description.

Run it after the interface changed: `python scripts/generate_client.py`. A test holds what is in the
repository equal to what this writes. The models are the work of datamodel-code-generator; the
operations are one method each, over `client.connection`.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OPENAPI = ROOT / "docs" / "reference" / "openapi.json"
CLIENT = ROOT / "src" / "jules_job_manager" / "client"
HEADER = '"""{about} Written by scripts/generate_client.py; do not edit."""\n'
MODELS = (
    "--input-file-type", "openapi", "--output-model-type", "typing.TypedDict", "--use-schema-description",
    "--target-python-version", "3.11", "--disable-timestamp", "--formatters", "builtin",
)  # fmt: skip


def description() -> dict[str, Any]:
    """Return the OpenAPI description of the service, with nothing of this machine in it."""
    from jules_job_manager.bootstrap import open_app
    from jules_job_manager.bootstrap.service import open_service
    from jules_job_manager.settings.load import load_settings
    from jules_job_manager.web.app import create_app

    async def made() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as home:
            settings = load_settings({"JJM_HOME": home})
            async with (
                open_app(settings) as app,
                open_service(app, load=lambda: settings, say=lambda _: None, address="") as service,
            ):
                return create_app(service).openapi()

    return asyncio.run(made())


def models(openapi: dict[str, Any]) -> str:
    """Return the module of the models."""
    with tempfile.TemporaryDirectory() as scratch:
        source, made = Path(scratch, "openapi.json"), Path(scratch, "models.py")
        source.write_text(json.dumps(openapi), encoding="utf-8")
        subprocess.run(
            [sys.executable, "-m", "datamodel_code_generator", "--input", source, "--output", made, *MODELS],
            check=True, capture_output=True,
        )  # fmt: skip
        lines = made.read_text(encoding="utf-8").splitlines()
    body = "\n".join(line for line in lines if not line.startswith("#"))
    return HEADER.format(about="What the API takes and gives.") + "\n" + body.strip() + "\n"


def operations(openapi: dict[str, Any]) -> str:
    """Return the module of the operations."""
    parts = [
        HEADER.format(about="Every operation of the API."),
        "\nfrom __future__ import annotations\n",
        "\nfrom typing import TYPE_CHECKING, Any, Literal\n",
        "\nfrom jules_job_manager.client.connection import Connection, path_part\n",
        "\nif TYPE_CHECKING:\n    from jules_job_manager.client import models as m\n",
        '\n__all__ = ["Operations"]\n_ = (Any, Literal)  # named by some annotations\n',
        '\n\nclass Operations:\n    """The API, one method an operation."""\n',
        "\n    def __init__(self, connection: Connection) -> None:\n",
        '        """Send everything over `connection`."""\n        self._connection = connection\n',
    ]
    for path, methods in openapi["paths"].items():
        for method, operation in methods.items():
            parts.append(_operation(path, method, operation))
    return "".join(parts)


def _operation(path: str, method: str, operation: dict[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    inside = [p for p in parameters if p["in"] == "path"]
    named = [p for p in parameters if p["in"] in {"query", "header"}]
    named = [p for p in named if _python(p["name"]) not in {"idempotency_key", "last_event_id"}]
    arguments = ["self", *(f"{_python(p['name'])}: str" for p in inside)]
    keywords = []
    body = operation.get("requestBody")
    if body is not None:
        kind = _type(body["content"]["application/json"]["schema"]).removesuffix(" | None")
        keywords.append(f"body: {kind}" + ("" if body.get("required") else " | None = None"))
    for p in named:
        kind = _type(p["schema"])
        missing = "" if p.get("required") else " | None = None"
        keywords.append(f"{_python(p['name'])}: {kind.removesuffix(' | None')}{missing}")
    required = [k for k in keywords if not k.endswith("= None")]
    if keywords:
        arguments += ["*", *required, *(k for k in keywords if k not in required)]
    returns, reads = _answer(operation)
    name = operation["operationId"]
    lines = [f"\n    async def {name}({', '.join(arguments)}) -> {returns}:\n"]
    lines.append(f'        """{operation["description"].splitlines()[0]}"""\n')
    where = "f" if inside else ""
    for p in inside:
        path = path.replace("{" + p["name"] + "}", "{path_part(" + _python(p["name"]) + ")}")
    call = [f'"{method.upper()}"', f'{where}"{path}"']
    query = [p for p in named if p["in"] == "query"]
    headers = [p for p in named if p["in"] == "header"]
    if query:
        call.append(
            "query={" + ", ".join(f'"{p["name"]}": {_python(p["name"])}' for p in query) + "}"
        )
    if headers:
        call.append(
            "headers={" + ", ".join(f'"{p["name"]}": {_python(p["name"])}' for p in headers) + "}"
        )
    if body is not None:
        call.append("body=body")
    if method == "post" and not any(p["name"].lower() == "idempotency-key" for p in parameters):
        call.append("once=True")
    if operation.get("x-takes-long"):
        call.append("takes_long=True")
    sent = f"await self._connection.{reads}({', '.join(call)})"
    lines.append(
        f"        {sent}\n"
        if returns == "None"
        else f"        found: {returns} = {sent}\n        return found\n"
    )
    return "".join(lines)


def _answer(operation: dict[str, Any]) -> tuple[str, str]:
    """Return the type of the answer, and the method of the connection that reads it."""
    for status, answer in operation["responses"].items():
        if status.startswith("2"):
            content = answer.get("content", {})
            if "application/json" in content:
                return _type(content["application/json"].get("schema", {})), "json"
            return ("str", "text") if content else ("None", "nothing")
    return "None", "nothing"


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return "m." + schema["$ref"].rpartition("/")[2].replace("_", "").strip()
    if "anyOf" in schema:
        kinds = [_type(part) for part in schema["anyOf"]]
        kinds = sorted(dict.fromkeys(kinds), key=lambda kind: kind == "None")
        return " | ".join(kinds)
    if "enum" in schema:
        return f"Literal[{', '.join(repr(value) for value in schema['enum'])}]"
    kind = schema.get("type")
    if kind == "array":
        return f"list[{_type(schema.get('items', {}))}]"
    simple = {
        "string": "str",
        "integer": "int",
        "number": "float",
        "boolean": "bool",
        "null": "None",
    }
    return simple.get(str(kind), "dict[str, Any]" if kind == "object" else "Any")


def _python(name: str) -> str:
    return name.replace("-", "_").lower()


def written() -> dict[Path, str]:
    """Return every file that is written, with its text."""
    openapi = description()
    operations_text = operations(openapi)
    formatted = subprocess.run(
        [sys.executable, "-m", "ruff", "format", "-", "--stdin-filename", "operations.py", "--line-length", "100"],
        input=operations_text, text=True, capture_output=True, check=True, cwd=ROOT,
    ).stdout  # fmt: skip
    return {
        OPENAPI: json.dumps(openapi, indent=1, ensure_ascii=True) + "\n",
        CLIENT / "models.py": models(openapi),
        CLIENT / "operations.py": formatted,
    }


if __name__ == "__main__":
    for file, text in written().items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        print(f"wrote {file.relative_to(ROOT)}")
