"""Which lines of a checklist a review proved, and by what. A line nothing proves stays open."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from jules_job_manager.domain.job import ChecklistItem, Job
from jules_job_manager.domain.opinion import Word
from jules_job_manager.domain.review import CheckResult, Conclusion

PROMISED_FILES = "promised-files"
"""The rule that sees the files that a job promised."""
_NAMES = re.compile(r"\((?:check|checks):\s*([^()]+)\)\s*\.?\s*$", re.IGNORECASE)
"""A line that says itself which checks prove it: `Prices are right (check: tests, types)`."""
_QUOTED = re.compile(r"`([^`]+)`")
_PATH = re.compile(r"[\w.@+-]+(?:/[\w.@+-]+)+|[\w@+-]+\.[A-Za-z]\w{0,9}")
_EXISTS = re.compile(
    r"\b(?:created|exists?|added|is (?:there|present)|are (?:there|present))\b", re.IGNORECASE
)
_TESTS_PASS = re.compile(r"(?:(?:all|existing|the|unit) )*tests (?:still )?pass(?:ing)?\.?")
_TEST_PROGRAM = re.compile(
    r"(?:^|[\s/])(?:pytest|unittest|tox|nox|ctest|make (?:test|check)|npm (?:run )?test|"
    r"yarn test|pnpm test|cargo test|go test|mvn test|gradlew? test|rspec|phpunit)\b"
)
_FAILS = re.compile(r"(?<!no )(?<!without )\berrors?\b|\bno (?!errors?\b)", re.IGNORECASE)
"""`exits with an error` is not what a check that passed proves."""
_AROUND_FILES = frozenset(
    {"a", "and", "are", "been", "file", "files", "has", "have", "is", "module", "modules", "new",
     "the", "was", "were"}
)  # fmt: skip
_AROUND_COMMANDS = frozenset(
    {"and", "clean", "cleanly", "code", "error", "errors", "exit", "exits", "green", "is", "no",
     "pass", "passes", "run", "runs", "succeeds", "successfully", "the", "with", "without", "works"}
)  # fmt: skip


def ticked(job: Job, checks: Sequence[CheckResult], *, promised: str) -> tuple[ChecklistItem, ...]:
    """Return the job's checklist with the lines ticked that the passed checks prove.

    A line is proved when a check's configuration says so, when it quotes a check's command, when
    it says that tests pass and a test program ran, or when it says that files exist, all of them
    promised by the job and seen. Else by the word of a reviewer, where that counts.

    Args:
        job: The job that was merged.
        checks: Of the review that accepted it.
        promised: Name of the check that saw the promised files.
    """
    passed = [check for check in checks if check.conclusion is Conclusion.SUCCESS]
    created = {file.path for file in job.files if file.action == "create"}
    if all(check.name != promised for check in passed):
        created = set()
    commands = [replace(c, command=c.command or c.name) for c in passed if _is_command(c)]
    return tuple(
        _said(_bound(item, passed) or _judged(item, commands, created, promised), passed)
        for item in job.checklist
    )


def provable(job: Job, checks: Sequence[CheckResult], *, promised: str) -> frozenset[str]:
    """Return the lines of the job's checklist that these checks prove if they pass.

    No reviewer's word counts for such a line, however its check ended.
    """
    bare = replace(job, checklist=tuple(replace(i, checked=False) for i in job.checklist))
    passed = [replace(c, conclusion=Conclusion.SUCCESS, opinions=()) for c in checks]
    return frozenset(item.text for item in ticked(bare, passed, promised=promised) if item.checked)


def fits(line: str, pattern: str) -> bool:
    """Return whether a line of a checklist is what the pattern means: `*` is any text, case ignored."""
    return _fits(_plain(line).casefold(), pattern)


def said(line: str, checks: Sequence[CheckResult]) -> str:
    """Return what reviewers say about a line, for people; empty: nothing."""
    words = [
        f"{opinion.word.value.replace('_', ' ')}, said by {check.name.removeprefix('reviewer ')}"
        + (f": {opinion.evidence}" if opinion.evidence else "")
        for check in checks
        for opinion in check.opinions
        if opinion.line == line
    ]
    return "; ".join(words)


def _said(item: ChecklistItem, passed: Sequence[CheckResult]) -> ChecklistItem:
    """Return the line ticked when a reviewer that accepts says so, and its word counts."""
    if item.checked:
        return item
    counting = [
        replace(c, opinions=tuple(o for o in c.opinions if o.counts and o.word is Word.MET))
        for c in passed
    ]
    evidence = said(item.text, counting)
    return replace(item, checked=True, evidence=evidence) if evidence else item


def _bound(item: ChecklistItem, passed: Sequence[CheckResult]) -> ChecklistItem | None:
    """Return the line ticked when the configuration binds it to checks that all passed."""
    if item.checked:
        return None
    named = _NAMES.search(item.text)
    if named:
        names = [_plain(name) for name in named[1].split(",")]
        have = {_plain(check.name) for check in passed}
        if all(name in have for name in names):
            return replace(item, checked=True, evidence=f"{', '.join(names)} passed")
        return item
    line = _plain(item.text).casefold()
    by = [check.name for check in passed if any(_fits(line, text) for text in check.proves)]
    return replace(item, checked=True, evidence=f"{', '.join(by)} passed") if by else None


def _is_command(check: CheckResult) -> bool:
    """Whether it ran something; of reviews written by an older version the exit code tells."""
    return bool(check.command) or check.exit_code is not None


def _fits(line: str, pattern: str) -> bool:
    parts = [re.escape(part) for part in _plain(pattern).casefold().split("*")]
    return re.fullmatch(".*".join(parts), line) is not None


def _judged(
    item: ChecklistItem, commands: Sequence[CheckResult], created: set[str], promised: str
) -> ChecklistItem:
    if item.checked:
        return item
    proof = _proof(item.text, commands, created, promised)
    return replace(item, checked=True, evidence=proof) if proof else item


def _proof(text: str, commands: Sequence[CheckResult], created: set[str], promised: str) -> str:
    quoted = {_plain(part) for part in _QUOTED.findall(text)}
    rest = _QUOTED.sub("", text)
    claims_success = _only(rest, _AROUND_COMMANDS) and not _FAILS.search(rest)
    if quoted and claims_success and rest.strip(" ."):
        ran = [check.command for check in commands if _plain(check.command) in quoted]
        if quoted <= {_plain(name) for name in ran}:
            return ", ".join(f"`{name}` exited with 0" for name in dict.fromkeys(ran))
    if _TESTS_PASS.fullmatch(_plain(text).casefold()):
        test = next((c for c in commands if _TEST_PROGRAM.search(c.command)), None)
        return "" if test is None else f"`{test.command}` exited with 0"
    paths = set(_PATH.findall(text))
    seen = created | {path.rpartition("/")[2] for path in created}
    rest = _PATH.sub("", _EXISTS.sub("", text.replace("`", "")))
    if paths and paths <= seen and _EXISTS.search(text) and _only(rest, _AROUND_FILES):
        return f"{promised}: {', '.join(sorted(paths))}"
    return ""


def _only(text: str, words: frozenset[str]) -> bool:
    """Whether the text claims nothing beyond these words (`created with proper errors` does)."""
    return words.issuperset(re.findall(r"[a-z]+", text.casefold()))


def _plain(text: str) -> str:
    return " ".join(text.split())
