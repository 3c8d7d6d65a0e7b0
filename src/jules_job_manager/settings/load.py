"""Reads settings: flag > environment > file > default."""

from __future__ import annotations

import dataclasses
import json
import math
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings import tables
from jules_job_manager.settings.locate import config_file, home_folder
from jules_job_manager.settings.model import SECTIONS, ServerKeySettings, Settings

if TYPE_CHECKING:
    from jules_job_manager.settings.server_keys import GivenKey

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def load_settings(
    environ: Mapping[str, str],
    *,
    config: str | None = None,
    flags: Mapping[str, Any] | None = None,
    read_secrets: bool = True,
) -> Settings:
    """Return the settings in force.

    Args:
        environ: The environment; `.env` in the home folder is read under it.
        config: Value of `--config`, or None.
        flags: `section.name` to value, from command-line options. None values are ignored.
        read_secrets: Read the secrets that settings refer to, from where they are kept; otherwise
            such a setting holds the reference.

    Raises:
        ConfigurationError: a file cannot be read, a setting is unknown or has a wrong value, or a
            secret is not where it should be.
    """
    home = Path(home_folder(environ))
    given, dotenv = environ, _dotenv(home / ".env")
    environ = {**dotenv, **environ}
    path = config_file(environ, config)
    document = {} if path is None else read_config_file(Path(path))
    values: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
    sources: dict[str, str] = {}
    _apply_file(document, values, sources, str(path))
    _apply_environment(environ, values, sources)
    for name, value in (flags or {}).items():
        if value is not None:
            section, _, key = name.partition(".")
            values[section][key] = convert(section, key, value, "the command line")
            sources[name] = "command line"
    told = tables.read(document, str(path))
    withheld = _choose_key((given, dotenv), document, values, sources, told["servers"], str(path))
    built = {section: cls(**values[section]) for section, cls in SECTIONS.items()}
    settings = Settings(
        home=home,
        config_file=None if path is None else Path(path),
        **told,
        withheld_key=withheld,
        sources=sources,
        **built,
    )
    if not read_secrets:
        return settings
    from jules_job_manager.settings.secrets import resolved

    return resolved(settings, environ)


def whole_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with what `.env` in the home folder adds to it.

    Raises:
        ConfigurationError: that file cannot be read.
    """
    return {**_dotenv(Path(home_folder(environ)) / ".env"), **environ}


def setting_fields() -> Iterator[tuple[str, str, dataclasses.Field[Any]]]:
    """Yield section, name and dataclass field of every setting, in order."""
    for section, cls in SECTIONS.items():
        for setting in dataclasses.fields(cls):
            yield section, setting.name, setting


def read_config_file(path: Path) -> dict[str, Any]:
    """Read a TOML or JSON configuration file.

    Raises:
        ConfigurationError: it is missing, unreadable, or not TOML or JSON.
    """
    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except FileNotFoundError as exc:
        raise ConfigurationError(
            f"There is no configuration file {path}.", hint="Make one with: jjm config init"
        ) from exc
    except (OSError, ValueError) as exc:
        raise ConfigurationError(f"The configuration file {path} cannot be read: {exc}") from exc
    if not isinstance(data, dict):
        raise ConfigurationError(f"The configuration file {path} must hold sections.")
    return data


def convert(section: str, key: str, value: Any, origin: str) -> Any:
    """Return `value` in the type of the setting `section.key`.

    Raises:
        ConfigurationError: there is no such setting, or the value does not fit.
    """
    setting = next((f for s, n, f in setting_fields() if (s, n) == (section, key)), None)
    if setting is None:
        raise ConfigurationError(
            f"There is no setting {f'{section}.{key}'.strip('.')} (from {origin}).",
            hint="`jjm config show` lists every setting.",
        )
    try:
        result = _typed(str(setting.type), value)
    except (TypeError, ValueError):
        raise ConfigurationError(
            f"{section}.{key} must be {_words(str(setting.type))}, not {value!r} (from {origin})."
        ) from None
    choices, minimum = setting.metadata["choices"], setting.metadata["minimum"]
    if choices and result not in choices:
        allowed = ", ".join(choice or "(empty)" for choice in choices)
        raise ConfigurationError(
            f"{section}.{key} must be one of {allowed}, not {value!r} (from {origin})."
        )
    if minimum is not None and result < minimum:
        raise ConfigurationError(f"{section}.{key} must be at least {minimum:g} (from {origin}).")
    return result


def _typed(kind: str, value: Any) -> Any:
    if kind == "bool":
        return _truth(value)
    if kind in {"int", "float"}:
        return _number(kind, value)
    if kind.startswith("tuple"):
        items = [value] if isinstance(value, str) else list(value)
        if any(not isinstance(item, str) for item in items):
            raise ValueError(value)
        return tuple(item for item in items if item)
    if not isinstance(value, str | int | float):
        raise TypeError(value)
    return str(value)


def _truth(value: Any) -> bool:
    word = str(value).strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError(value)
    return word in _TRUE


def _number(kind: str, value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError(value)
    if kind == "float":
        return number
    if not number.is_integer():
        raise ValueError(value)
    return int(value)


def _words(kind: str) -> str:
    names = {"bool": "true or false", "int": "a whole number", "float": "a number"}
    return names.get(kind, "a list of texts" if kind.startswith("tuple") else "a text")


def _apply_file(
    document: Mapping[str, Any],
    values: dict[str, dict[str, Any]],
    sources: dict[str, str],
    origin: str,
) -> None:
    for section, members in document.items():
        if section in tables.NAMES:
            continue
        if section not in SECTIONS or not isinstance(members, Mapping):
            raise ConfigurationError(
                f"There is no section [{section}] (in {origin}).",
                hint="`jjm config show` lists every setting.",
            )
        for key, value in members.items():
            values[section][key] = convert(section, key, value, origin)
            sources[f"{section}.{key}"] = origin


def _apply_environment(
    environ: Mapping[str, str], values: dict[str, dict[str, Any]], sources: dict[str, str]
) -> None:
    for section, key, setting in setting_fields():
        for variable in (setting.metadata["env"], f"JJM_{section}__{key}".upper()):
            if variable and environ.get(variable):
                values[section][key] = convert(section, key, environ[variable], f"${variable}")
                sources[f"{section}.{key}"] = f"${variable}"


def _choose_key(
    environs: tuple[Mapping[str, str], Mapping[str, str]],
    document: Mapping[str, Any],
    values: dict[str, dict[str, Any]],
    sources: dict[str, str],
    kept: Mapping[str, ServerKeySettings],
    origin: str,
) -> str:
    """Let `client.api_key` be the key for `client.server`; return why one that is known is not.

    Args:
        environs: The environment, and what is in `.env`.
        document: The configuration file.
        values: Of all settings; the key in it is replaced.
        sources: Where they came from, likewise.
        kept: Keys by address.
        origin: How the file is called.
    """
    client = values["client"]
    server = str(client.get("server", ""))
    if not server or not (client.get("api_key") or kept):
        return ""
    from jules_job_manager.settings.server_keys import GivenKey, chosen_key

    in_file = document.get("client", {})
    places = [
        _given_key(environs[0], is_passing=True),
        _given_key(environs[1]),
        GivenKey(origin=origin, server=str(in_file.get("server", "")),
                 key=str(in_file.get("api_key", ""))),
    ]  # fmt: skip
    if sources.get("client.api_key") == "command line":
        key = str(client["api_key"])
        places.insert(0, GivenKey(origin="the command line", server=server, key=key))
    found = chosen_key(server, places, {name: one.api_key for name, one in kept.items()})
    client["api_key"] = found.key
    sources["client.api_key"] = found.origin or "default"
    return found.withheld


def _given_key(environ: Mapping[str, str], *, is_passing: bool = False) -> GivenKey:
    """Return what variables say of a service; the later of two names counts, as for every setting."""
    from jules_job_manager.settings.server_keys import GivenKey

    keys = [name for name in ("JJM_CLIENT__API_KEY", "JJM_SERVER_KEY") if environ.get(name)]
    servers = [name for name in ("JJM_CLIENT__SERVER", "JJM_SERVER") if environ.get(name)]
    return GivenKey(
        origin=f"${keys[0]}" if keys else "", key=environ[keys[0]] if keys else "",
        server=environ[servers[0]] if servers else "", is_passing=is_passing,
    )  # fmt: skip


def _dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    try:
        found = dotenv_values(path, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        why = "it is not UTF-8 text" if isinstance(exc, UnicodeDecodeError) else exc.strerror
        raise ConfigurationError(f"{path} cannot be read: {why}.") from exc
    return {name: value for name, value in found.items() if value is not None}
