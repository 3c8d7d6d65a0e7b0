"""Changes the configuration file, keeping its comments and order."""

from __future__ import annotations

import os
import tempfile
from collections.abc import MutableMapping
from pathlib import Path

import tomlkit

from jules_job_manager.errors import ConfigurationError
from jules_job_manager.settings.load import convert, read_config_file, setting_fields
from jules_job_manager.settings.model import SECTIONS


def set_value(path: Path, name: str, text: str) -> object:
    """Set `section.name` to `text` in the TOML file at `path`; return the value written.

    The file is made when missing, replaced in one step, and readable by the user alone.

    Raises:
        ConfigurationError: the setting is unknown, the value does not fit, or the file cannot be
            written.
    """
    section, _, key = name.partition(".")
    is_remote = section == "remotes"
    value = text if is_remote else convert(section, key, text, "the command line")
    if path.suffix == ".json":
        raise ConfigurationError(f"{path} is JSON; edit it by hand, or use a config.toml.")
    if path.exists():
        read_config_file(path)
    document = (
        tomlkit.parse(path.read_text(encoding="utf-8")) if path.exists() else tomlkit.document()
    )
    table = document.setdefault(section, tomlkit.table())
    if not isinstance(table, MutableMapping):
        raise ConfigurationError(
            f"{path} has {section!r} as a value, where a section [{section}] belongs.",
            hint="Mend it by hand first.",
        )
    table[key] = list(value) if isinstance(value, tuple) else value
    write_private(path, tomlkit.dumps(document))
    return value


def commented_example() -> str:
    """Return a configuration file with every setting, its meaning and default, commented out."""
    lines = [
        "# Jules Job Manager configuration. Take away the # of what you want to change.",
        "# Precedence: command line, environment (JJM_SECTION__NAME), this file, default.",
    ]
    for section, cls in SECTIONS.items():
        lines += ["", f"[{section}]  # {(cls.__doc__ or '').strip()}"]
        for owner, name, field in setting_fields():
            if owner != section or field.metadata["secret"]:
                continue
            default = list(field.default) if isinstance(field.default, tuple) else field.default
            lines += [
                f"# {field.metadata['help']}",
                f"#{name} = {tomlkit.item(default).as_string()}",
            ]
    lines += [
        "",
        "[remotes]  # Where the local forge finds a repository.",
        '#"octo/demo" = "https://github.com/octo/demo.git"',
        "",
    ]
    return "\n".join(lines) + _TABLES


_TABLES = """
# Further accounts of Jules, each with a quota of its own; [jules] is the one called default.
#[accounts.work]
#api_key = "..."
#plan = "pro"

# Keys of further services; each goes to its own address only (--server).
#[servers."https://jjm.example.org"]
#api_key = "keyring:jjm/example"

# Reviewers of your own, asked about every delivery (docs/reference/reviewers.md).
#[reviewers.style]
#command = "my-reviewer --json"
#network = true
#environment = ["MY_REVIEWER_KEY"]

# What is done with a plan: the first rule whose conditions all hold counts, else queue.approve.
#[[plan_rules]]
#name = "never unseen"
#decision = "ask"
#words = ["drop table", "migration"]

#[[plan_rules]]
#name = "small changes to documents"
#decision = "approve"
#max_steps = 6
#paths = ["docs/*", "*.md"]
#priorities = ["medium", "low"]

# What is merged without you: the first rule whose conditions all hold counts, else queue.merge.
#[[merge_rules]]
#name = "always looked at"
#decision = "ask"
#any_paths = ["migrations/*", ".github/*"]

#[[merge_rules]]
#name = "small"
#decision = "merge"
#max_files = 5
#max_lines = 200

# How a question of Jules is answered: by the first rule whose words it has, else queue.answer.
#[[answer_rules]]
#name = "which Python"
#words = ["python version"]
#text = "Python 3.11 or newer."

# A command gets {"job": …, "question": …} as JSON on stdin and prints the answer.
#[[answer_rules]]
#name = "everything else"
#command = "python3 answers.py"
"""


def write_private(path: Path, text: str) -> None:
    """Write `text` to `path` in one step, readable by the user alone.

    Raises:
        ConfigurationError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".config-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        Path(name).replace(path)
    except OSError as exc:
        raise ConfigurationError(f"{path} cannot be written: {exc.strerror}.") from exc
