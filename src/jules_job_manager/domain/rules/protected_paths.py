"""Rule `protected-paths`: what steers builds, tests and reviews is left alone without leave."""

from __future__ import annotations

import configparser
import re
import tomllib
from collections.abc import Iterator
from typing import Any

from jules_job_manager.domain.change import Change, ChangedFile
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.leave import may_touch, prompt_speaks_of
from jules_job_manager.domain.rules.rule import Check, RuleOptions
from jules_job_manager.domain.rules.sources import base_path, text_of

_KINDS = (
    ("configures continuous integration", re.compile(
        r"(?:^|/)\.github/(?:workflows|actions)/|(?:^|/)\.gitlab-ci(?:/|[^/]*\.ya?ml$)|(?:^|/)\.circleci/"
        r"|(?:^|/)jenkinsfile[^/]*$|(?:^|/)\.?azure-pipelines[^/]*\.ya?ml$|(?:^|/)\.travis\.ya?ml$"
        r"|(?:^|/)\.drone\.ya?ml$|(?:^|/)bitbucket-pipelines\.ya?ml$|(?:^|/)\.buildkite/"
        r"|(?:^|/)\.woodpecker|(?:^|/)appveyor\.ya?ml$|(?:^|/)cloudbuild\.ya?ml$")),
    ("is a lock file", re.compile(
        r"(?:^|/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.ya?ml|bun\.lockb?"
        r"|poetry\.lock|pipfile\.lock|uv\.lock|pdm\.lock|pylock[^/]*\.toml|cargo\.lock|gemfile\.lock"
        r"|composer\.lock|go\.sum|requirements[^/]*\.lock|conda-lock\.ya?ml|gradle\.lockfile)$")),
    ("configures the review", re.compile(
        r"(?:^|/)\.jjm(?:\.toml$|/)|(?:^|/)codeowners$|(?:^|/)\.pre-commit-config\.ya?ml$"
        r"|(?:^|/)(?:\.codecov|codecov)\.ya?ml$|(?:^|/)\.gitleaks(?:ignore|\.toml)$|(?:^|/)\.secrets\.baseline$")),
    ("steers git", re.compile(
        r"(?:^|/)\.(?:gitattributes|gitmodules|gitconfig|lfsconfig)$|(?:^|/)\.?(?:git-?hooks|husky)/|(?:^|/)\.git/")),
    ("configures the test runner", re.compile(
        r"(?:^|/)(?:pytest\.ini|\.pytest\.ini|tox\.ini|\.coveragerc|noxfile\.py|nose2?\.cfg"
        r"|(?:jest|vitest|karma|playwright|cypress|wdio)(?:\.\w+)?\.conf(?:ig)?\.[cm]?[jt]s(?:on)?|\.mocharc[^/]*)$")),
)  # fmt: skip
_CI = re.compile(
    r"\b(?:github actions?|ci workflow|ci/cd|ci pipeline|gitlab ci|circleci|continuous integration"
    r"|workflow file|build pipeline)\b",
    re.IGNORECASE,
)
_MANIFESTS = {
    "package-lock.json": "package.json", "npm-shrinkwrap.json": "package.json",
    "yarn.lock": "package.json", "pnpm-lock.yaml": "package.json", "bun.lock": "package.json",
    "bun.lockb": "package.json", "poetry.lock": "pyproject.toml", "uv.lock": "pyproject.toml",
    "pdm.lock": "pyproject.toml", "pipfile.lock": "Pipfile", "cargo.lock": "Cargo.toml",
    "gemfile.lock": "Gemfile", "composer.lock": "composer.json", "go.sum": "go.mod",
    "requirements.lock": "pyproject.toml",
}  # fmt: skip


def protected_paths(options: RuleOptions) -> Check:
    """Return the check, with the configuration's own leave."""

    def check(change: Change) -> Iterator[Finding]:
        for file in change.files:
            for path in dict.fromkeys((file.path, base_path(file))):
                yield from _touched(change, path, options.allowed_paths)
            yield from _sections(change, file, options.allowed_paths)

    return check


def _touched(change: Change, path: str, allowed: tuple[str, ...]) -> Iterator[Finding]:
    what = next((what for what, kind in _KINDS if kind.search(path.lower())), None)
    if what is None or may_touch(change.job, path, allowed):
        return
    if "lock" in what and _manifest_may_change(change, path, allowed):
        return
    about_ci = "integration" in what and prompt_speaks_of(change.job, _CI)
    yield Finding(
        rule="protected-paths",
        message=f"It {what}, and the job gives no leave to change it.",
        path=path,
        level=Level.WARNING if about_ci else Level.ERROR,
    )


def _manifest_may_change(change: Change, path: str, allowed: tuple[str, ...]) -> bool:
    """A job that declares the manifest may renew the lock file made from it."""
    folder, slash, name = path.rpartition("/")
    manifest = folder + slash + _MANIFESTS.get(name.lower(), "")
    changed = any(file.path == manifest for file in change.files)
    return changed and may_touch(change.job, manifest, allowed)


def _sections(change: Change, file: ChangedFile, allowed: tuple[str, ...]) -> Iterator[Finding]:
    """Test-runner sections of files that hold other things too."""
    name = file.path.rpartition("/")[2]
    if name not in {"pyproject.toml", "setup.cfg"} or any(True for p in allowed if p == file.path):
        return
    before = runner_settings(name, text_of(change.base, base_path(file)) or "")
    after = runner_settings(name, text_of(change.head, file.path) or "")
    if before and before != after:
        yield Finding(
            rule="protected-paths",
            message="The settings of the test runner or of coverage in it changed.",
            path=file.path,
            level=Level.WARNING,
        )


def runner_settings(name: str, text: str) -> dict[str, Any]:
    """Return the test-runner and coverage settings of a configuration file; empty when unreadable."""
    try:
        if name.endswith(".toml"):
            tool = tomllib.loads(text).get("tool", {})
            if not isinstance(tool, dict):
                return {}
            return {key: tool[key] for key in ("pytest", "coverage") if key in tool}
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(text)
        return {
            section: dict(parser.items(section))
            for section in parser.sections()
            if section.startswith(("pytest", "tool:pytest", "coverage"))
        }
    except (ValueError, configparser.Error, RecursionError):
        return {}
