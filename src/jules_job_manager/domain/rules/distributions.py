"""Which modules the declared dependencies of a Python project bring."""

from __future__ import annotations

import configparser
import re
import sys
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from jules_job_manager.domain.change import Tree
from jules_job_manager.domain.rules.sources import text_of

STANDARD = frozenset(sys.stdlib_module_names) | frozenset(
    {"distutils", "imp", "asynchat", "asyncore", "smtpd", "tomllib", "cgi", "cgitb", "crypt", "telnetlib",
     "compression", "annotationlib", "_typeshed", "__main__", "typing_extensions", "pytest", "_pytest",
     "setuptools", "pkg_resources", "pip", "wheel", "nox", "invoke", "js", "pyodide", "site"}
)  # fmt: skip
"""Modules of any supported Python, and of tools that run the project rather than being needed by it."""

_OTHER_NAMES = {
    "pyyaml": "yaml", "pillow": "PIL", "beautifulsoup4": "bs4", "scikit-learn": "sklearn",
    "scikit-image": "skimage", "python-dateutil": "dateutil", "python-dotenv": "dotenv",
    "opencv-python": "cv2", "opencv-python-headless": "cv2", "opencv-contrib-python": "cv2",
    "pyjwt": "jwt", "python-jose": "jose", "attrs": "attr attrs", "protobuf": "google",
    "django": "django asgiref", "djangorestframework": "rest_framework", "mysqlclient": "MySQLdb",
    "python-multipart": "multipart python_multipart", "grpcio": "grpc", "grpcio-tools": "grpc_tools",
    "pycryptodome": "Crypto", "pycryptodomex": "Cryptodome", "pyserial": "serial", "gitpython": "git",
    "python-telegram-bot": "telegram", "discord.py": "discord", "msgpack-python": "msgpack",
    "fastapi": "fastapi starlette pydantic pydantic_core anyio typing_extensions annotated_types uvicorn httpx",
    "starlette": "starlette anyio", "flask": "flask werkzeug jinja2 click itsdangerous markupsafe blinker",
    "requests": "requests urllib3 certifi idna charset_normalizer", "httpx": "httpx httpcore anyio certifi idna h11 sniffio",
    "pandas": "pandas numpy dateutil pytz", "boto3": "boto3 botocore s3transfer", "aiohttp": "aiohttp yarl multidict",
    "pydantic": "pydantic pydantic_core annotated_types", "sqlmodel": "sqlmodel sqlalchemy pydantic",
    "flask-sqlalchemy": "flask_sqlalchemy sqlalchemy", "alembic": "alembic sqlalchemy mako",
    "celery": "celery kombu billiard vine", "jinja2": "jinja2 markupsafe", "matplotlib": "matplotlib mpl_toolkits numpy",
    "scipy": "scipy numpy", "torch": "torch functorch", "tensorflow": "tensorflow keras numpy",
    "google-api-python-client": "googleapiclient google", "google-auth": "google", "pyqt5": "PyQt5", "pyqt6": "PyQt6",
    "pyside6": "PySide6 shiboken6", "pygobject": "gi", "pywin32": "win32api win32con pywintypes win32com",
    "ruamel.yaml": "ruamel", "zope.interface": "zope", "websocket-client": "websocket", "pyzmq": "zmq",
    "python-slugify": "slugify", "python-magic": "magic", "python-docx": "docx", "python-pptx": "pptx",
    "faiss-cpu": "faiss", "sentry-sdk": "sentry_sdk", "psycopg2-binary": "psycopg2", "psycopg-binary": "psycopg",
    "pymupdf": "fitz pymupdf", "pypdf2": "PyPDF2", "levenshtein": "Levenshtein", "markdown": "markdown",
    "ipython": "IPython", "jupyter": "IPython ipykernel", "antlr4-python3-runtime": "antlr4", "pysocks": "socks",
    "pyopenssl": "OpenSSL", "memcached": "memcache", "python-ldap": "ldap", "python-gitlab": "gitlab", "pygithub": "github",
    "factory-boy": "factory", "pytest-mock": "pytest_mock", "pytest-asyncio": "pytest_asyncio", "mock": "mock",
    "hydra-core": "hydra omegaconf", "azure-storage-blob": "azure", "dnspython": "dns", "email-validator": "email_validator",
    "websockets": "websockets", "uvicorn": "uvicorn h11 httptools click", "typer": "typer click rich", "black": "black blib2to3",
    "pyhumps": "humps", "python-frontmatter": "frontmatter", "slack-sdk": "slack_sdk", "jupyterlab": "jupyterlab",
    "babel": "babel", "lxml": "lxml", "sqlalchemy": "sqlalchemy greenlet", "twisted": "twisted zope", "nltk": "nltk",
    "langchain": "langchain langchain_core langchain_community pydantic", "openai": "openai httpx pydantic",
    "transformers": "transformers tokenizers huggingface_hub numpy torch",
}  # fmt: skip
_REQUIREMENT = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_QUOTED = re.compile(
    r"[\"']([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?:[<>=!~;@][^\"']*)?[\"']"
)
_LISTS = re.compile(
    r"(?:^|/)(?:requirements[^/]*\.(?:txt|in|lock)|requirements/[^/]+\.(?:txt|in)|constraints\.txt|setup\.py|setup\.cfg|pyproject\.toml|Pipfile|environment\.ya?ml|conda[^/]*\.ya?ml|tox\.ini|noxfile\.py|uv\.lock|poetry\.lock)$"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Declared:
    """The dependencies that a project's files name."""

    names: frozenset[str]
    """Distributions, in lower case with `-`."""
    is_known: bool
    """Whether there is a file that declares dependencies at all."""

    def brings(self, module: str) -> bool:
        """Return whether a declared distribution may bring the top-level module."""
        wanted = module.lower().replace("_", "-")
        for name in self.names:
            if module in _OTHER_NAMES.get(name, "").split():
                return True
            bare = name.removeprefix("python-").removesuffix("-python").removesuffix("-binary")
            alike = {name, bare, bare.removeprefix("py"), name.replace(".", "-")}
            if (
                wanted in alike
                or f"py{wanted}" == name
                or name.startswith((f"{wanted}-", f"{wanted}."))
            ):
                return True
        return False

    def unexplained(self, modules: Iterable[str]) -> bool:
        """Return whether a distribution has no known module: any import may be its."""
        seen = list(modules)
        return any(
            name not in _OTHER_NAMES
            and not any(Declared(names=frozenset({name}), is_known=True).brings(m) for m in seen)
            for name in self.names
        )


def declared(tree: Tree) -> Declared:
    """Return what the dependency lists of a tree name, of all groups and extras."""
    paths = [path for path in tree.paths() if _LISTS.search(path)]
    names: set[str] = set()
    for path in paths:
        text = text_of(tree, path) or ""
        names.update(
            name.lower().replace("_", "-") for name in _names(path.rpartition("/")[2], text)
        )
    return Declared(names=frozenset(names), is_known=bool(paths))


def _names(name: str, text: str) -> Iterator[str]:
    try:
        if name.endswith(".lock") or name == "Pipfile":
            yield from (
                _locked(tomllib.loads(text)) if name != "requirements.lock" else _listed(text)
            )
        elif name == "pyproject.toml":
            yield from _project(tomllib.loads(text))
        elif name in {"setup.cfg", "tox.ini"}:
            yield from _sections(text)
        elif name.endswith(".py"):
            yield from _QUOTED.findall(text)
        else:
            yield from _listed(text)
    except (ValueError, configparser.Error, RecursionError):
        yield from _QUOTED.findall(text)


def _listed(text: str) -> Iterator[str]:
    for line in text.splitlines():
        egg = re.search(r"#egg=([\w.-]+)", line)
        found = _REQUIREMENT.match(line.strip().removeprefix("- "))
        if egg:
            yield egg[1]
        elif found:
            yield found[1]


def _project(data: dict[str, Any]) -> Iterator[str]:
    """Every text and key under the tables that name dependencies, wherever a tool puts them."""
    waiting: list[tuple[object, bool]] = [(data, False)]
    while waiting:
        value, inside = waiting.pop()
        if isinstance(value, dict):
            for key, child in value.items():
                lists = (
                    inside or "dependenc" in key or key in {"requires", "dev-packages", "packages"}
                )
                if inside:
                    yield key
                waiting.append((child, lists))
        elif isinstance(value, list):
            waiting.extend((item, inside) for item in value)
        elif inside and isinstance(value, str):
            found = _REQUIREMENT.match(value)
            if found:
                yield found[1]


def _locked(data: dict[str, Any]) -> Iterator[str]:
    packages = data.get("package")
    if isinstance(packages, list):
        yield from (str(item.get("name", "")) for item in packages if isinstance(item, dict))
    for key in ("packages", "dev-packages"):
        table = data.get(key)
        if isinstance(table, dict):
            yield from map(str, table)


def _sections(text: str) -> Iterator[str]:
    parser = configparser.RawConfigParser(strict=False)
    parser.read_string(text)
    for section in parser.sections():
        for key, value in parser.items(section):
            if "require" in key or key == "deps" or "extras" in section:
                yield from _listed(value)
