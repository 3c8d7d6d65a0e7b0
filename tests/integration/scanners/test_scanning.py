"""The checks security and secrets, with the real scanners."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import replace

import pytest
from tests.review_corpus import HONEST
from tests.review_corpus.memory_change import make_change

from jules_job_manager.adapters.scanners import detect_secrets, program, ruff_security, secret_lines
from jules_job_manager.adapters.scanners.detect_secrets import DetectSecrets
from jules_job_manager.adapters.scanners.ruff_security import RuffSecurity
from jules_job_manager.domain.finding import Level
from jules_job_manager.domain.job import Job
from jules_job_manager.domain.review import Conclusion
from jules_job_manager.domain.review_plan import ReviewPlan
from jules_job_manager.errors import OperationFailedError
from jules_job_manager.services import scanning
from jules_job_manager.services.judging import Case
from jules_job_manager.services.scanning import ScannerJudge

pytestmark = pytest.mark.integration
JOB = Job(key="k", repository="o/n")
SHELL = "import subprocess\n\n\ndef run(line: str) -> None:\n    subprocess.run(line, shell=True)\n"
TOKEN = "ghp_" + "aB3dE6gH9jK2mN5pQ8sT1vW4xY7zA0cD3fG6"
KEY = "AKIA" + "QWERTYUIOPASDFGH"


class FakeForge:
    """One change."""

    def __init__(self, change) -> None:
        self.made = change

    async def change(self, repository, *, job, base, head):
        return self.made


async def scanned(base, head, *, rules=None, renames=None, scanners=None):
    """Return the results by name."""
    change = make_change(base, head, JOB, renames)
    given = [RuffSecurity(), DetectSecrets()] if scanners is None else scanners
    judge = ScannerJudge(forge=FakeForge(change), scanners=given)
    plan = ReviewPlan(rules=rules or {})
    case = Case(job=JOB, base_commit="b", merge_commit="m", plan=plan, checks=())
    return {result.name: result for result in await judge.judge(case)}


def places(result):
    return [(finding.path, finding.line, finding.level.value) for finding in result.findings]


async def test_an_honest_delivery():
    """Nothing to say."""
    results = await scanned({}, {"a.py": "X = 1\n", "README.md": "# Hello\n", "b.bin": b"\0\1"})
    assert ["security", "secrets"] == list(results)
    assert {Conclusion.SUCCESS} == {result.conclusion for result in results.values()}


async def test_severe_is_an_error_and_the_rest_a_warning():
    """One rejects; the other is shown."""
    severe = (await scanned({}, {"a.py": SHELL}))["security"]
    assert [("a.py", 5, "error")] == places(severe)
    assert severe.is_failed
    assert "S602" in severe.output
    mild = (await scanned({}, {"a.py": "import tempfile\n\nX = tempfile.mktemp()\n"}))["security"]
    assert [("a.py", 3, "warning")] == places(mild)
    assert Conclusion.NEUTRAL is mild.conclusion
    fixed = 'import subprocess\n\nsubprocess.run("ls *.txt | wc -l", shell=True)\n'
    assert [("a.py", 3, "warning")] == places((await scanned({}, {"a.py": fixed}))["security"])


@pytest.mark.parametrize(
    "remark",
    [
        "# ruff: noqa\n{}", "# flake8: noqa\n{}", "# ruff: disable[S602]\n{}",
        "# ruff: file-ignore[S602]\n{}", "# nosec\n{}",
    ],
)  # fmt: skip
async def test_remarks_of_the_delivery_hold_nothing_back(remark):
    """Nor does a configuration that it brings along."""
    lines = SHELL.replace("=True)", "=True)  # noqa: S602  # nosec")
    files = {
        "a.py": remark.format(lines), "ruff.toml": "exclude = ['*']\n", ".gitignore": "*\n",
        "pyproject.toml": "[tool.ruff]\nexclude = ['*']\n", ".ruff.toml": "exclude = ['*']\n",
    }  # fmt: skip
    result = (await scanned({}, files))["security"]
    assert [("a.py", 6, "error")] == places(result)


async def test_what_the_base_has_is_left_alone():
    """Untouched, moved, indented anew, renamed; one more of the same counts."""
    more = SHELL + "\n\nX = 1\n"
    assert () == (await scanned({"a.py": SHELL}, {"a.py": more}))["security"].findings
    moved = "X = 1\nY = 2\n" + SHELL.replace("    subprocess", "    if line:\n        subprocess")
    assert () == (await scanned({"a.py": SHELL}, {"a.py": moved}))["security"].findings
    renamed = await scanned({"a.py": SHELL}, {"b.py": moved}, renames={"a.py": "b.py"})
    assert () == renamed["security"].findings
    twice = SHELL + "\n\ndef again(line: str) -> None:\n    subprocess.run(line, shell=True)\n"
    assert [("a.py", 9, "error")] == places(
        (await scanned({"a.py": SHELL}, {"a.py": twice}))["security"]
    )


async def test_an_argument_added_to_a_call_of_the_base():
    """The line that is found is an old one; the base had nothing to find there."""
    call = "import subprocess\n\n\ndef run(line: str) -> None:\n    subprocess.run(\n        line,\n    )\n"
    worse = call.replace("line,\n    )", "line,\n        shell=True,\n    )")
    assert [("a.py", 5, "error")] == places(
        (await scanned({"a.py": call}, {"a.py": worse}))["security"]
    )
    safe = call.replace("subprocess", "requests").replace(
        "run(\n        line,", "get(\n        line,\n        timeout=5,"
    )
    assert () == (await scanned({}, {"a.py": safe}))["security"].findings
    slow = safe.replace("        timeout=5,\n", "")
    assert [("a.py", 5, "warning")] == places(
        (await scanned({"a.py": safe}, {"a.py": slow}))["security"]
    )


async def test_in_tests_less_is_said():
    """Asserts and made-up passwords are what tests are made of; nothing there is an error."""
    text = 'PASSWORD = "hunter2"\n\n\ndef test_it() -> None:\n    assert PASSWORD\n'
    for path in ("tests/helper.py", "test_a.py"):
        result = (await scanned({}, {path: text + SHELL}))["security"]
        assert [(path, 10, "warning")] == places(result)
    assert 2 == len((await scanned({}, {"a.py": text}))["security"].findings)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_line_ends_hide_nothing(end):
    """Lines are counted as git does, whatever ends them for the scanner."""
    hidden = "X = 1\r" * 50 + SHELL.replace("\n", end) + "\n"
    result = (await scanned({}, {"a.py": hidden}))["security"]
    assert 1 == len(result.findings)
    assert Level.ERROR is result.findings[0].level
    token = "a\r" * 50 + f"\ntoken: {TOKEN}\n"
    assert [("notes.txt", 2, "error")] == places(
        (await scanned({}, {"notes.txt": token}))["secrets"]
    )


async def test_secrets_by_form_and_by_name():
    """The first are errors; the secret itself is never repeated."""
    head = {"deploy.yaml": f"token: {TOKEN}\n", "a.py": f'X = 1\nkey = "{KEY}"\n',
            "b.py": 'password = "kb8Zq3vLw2"\n'}  # fmt: skip
    result = (await scanned({}, head))["secrets"]
    assert [("a.py", 2, "error"), ("b.py", 1, "warning"), ("deploy.yaml", 1, "error")] == sorted(
        dict.fromkeys(places(result))
    )
    assert result.is_failed
    for secret in (TOKEN, KEY, "kb8Zq3vLw2"):
        assert secret not in str(result)


async def test_remarks_hide_no_secret():
    """detect-secrets would obey them."""
    head = {
        "a.py": f'key = "{KEY}"  # pragma: allowlist secret\n# pragma: allowlist nextline secret\nx = "{TOKEN}"\n'
    }
    assert {1, 3} == {line for _, line, _ in places((await scanned({}, head))["secrets"])}


async def test_secrets_that_are_known_or_meant_as_examples():
    """Moved to another file, in a test, an example, a lock file: no error."""
    moved = await scanned(
        {"a.py": f'x = "{TOKEN}"\n'}, {"b.py": f'\nx = "{TOKEN}"\n'}, renames={"a.py": "b.py"}
    )
    assert () == moved["secrets"].findings
    head = {"tests/test_a.py": f'x = "{TOKEN}"\n', "README.md": 'key = "AKIAIOSFODNN7EXAMPLE"\n',
            "uv.lock": f'x = "{TOKEN}"\n'}  # fmt: skip
    result = (await scanned({}, head))["secrets"]
    assert {("README.md", 1, "warning"), ("tests/test_a.py", 1, "warning")} == set(places(result))


async def test_names_of_files_are_never_words_of_a_command():
    """Nor paths: odd ones are scanned like others."""
    names = ["--exclude=*.py", "a b'\".py", "x/../y.py", "-.py", "ü\u202e.py", "n\n.py"]
    result = (await scanned({}, dict.fromkeys(names, SHELL)))["security"]
    assert set(names) == {finding.path for finding in result.findings}


@pytest.mark.parametrize("name", ["latin-1", "utf-7", "utf-8-sig", "cp1252", "no-such"])
async def test_encodings_hide_nothing(name):
    """A file is looked at as Python would read it."""
    known = name if name != "no-such" else "latin-1"
    text = f"# coding: {name}\n" + SHELL.replace("line: str", "line: str, é: int = 0")
    text = text.replace("# coding: utf-8-sig\n", "#\n").replace(
        "é", "e" if name == "no-such" else "é"
    )
    result = (await scanned({}, {"a.py": text.encode(known)}))["security"]
    assert [("a.py", 6, "error")] == places(result)
    secret = f"é token: {TOKEN}\n".encode("latin-1")
    assert [("a.txt", 1, "error")] == places((await scanned({}, {"a.txt": secret}))["secrets"])


async def test_what_git_takes_for_binary_but_is_text():
    """Attributes of the base can make it so."""
    head = {"a.py": SHELL, "b.py": SHELL}
    change = make_change(
        {"b.py": "X = 1\n", "c.bin": b"1"}, {**head, "c.bin": b"\0" + SHELL.encode()}, JOB
    )
    nothing = frozenset[int]()
    files = tuple(
        replace(f, is_binary=True, added_lines=nothing, removed_lines=nothing) for f in change.files
    )
    judge = ScannerJudge(forge=FakeForge(replace(change, files=files)), scanners=[RuffSecurity()])
    case = Case(job=JOB, base_commit="b", merge_commit="m", plan=ReviewPlan(), checks=())
    (result,) = await judge.judge(case)
    assert [("a.py", 5, "error"), ("b.py", 5, "error")] == places(result)


async def test_files_that_cannot_be_read():
    """It is said, once a file; what is too large is named."""
    base, head = {"b.py": "def (:\n"}, {"a.py": "def (:\n", "b.py": "def (:\nx = 1\n"}
    result = (await scanned(base, head))["security"]
    assert [("a.py", 1, "warning")] == places(result)
    assert "unread: this file could not be looked at" in result.output
    results = await scanned({}, {"big.py": "x = 1\n" * 200_000})
    assert Conclusion.SUCCESS is results["security"].conclusion
    assert "Not looked at, for their size: big.py." == results["security"].output


async def test_rules_switch_them():
    """Off, or shown only."""
    assert {} == await scanned({}, {"a.py": SHELL}, rules={"all": "off"})
    results = await scanned({}, {"a.py": SHELL}, rules={"security": "advisory", "secrets": "off"})
    assert ["security"] == list(results)
    assert not results["security"].is_failed


async def test_without_the_extra(monkeypatch):
    """Skipped; who asked for it in so many words is told."""
    for module in (ruff_security, detect_secrets):
        monkeypatch.setattr(module, "find_spec", lambda name: None)
    results = await scanned({}, {"a.py": SHELL})
    assert {Conclusion.SKIPPED} == {result.conclusion for result in results.values()}
    results = await scanned({}, {"a.py": SHELL}, rules={"security": "required"})
    assert Conclusion.ACTION_REQUIRED is results["security"].conclusion
    assert Conclusion.SKIPPED is results["secrets"].conclusion
    assert "jules-job-manager[scan]" in results["security"].output
    with pytest.raises(OperationFailedError, match="scan"):
        await DetectSecrets().hits([])


async def test_a_scanner_that_fails(monkeypatch, tmp_path):
    """A required one leaves the delivery to a person."""
    python = shutil.which("python3") or sys.executable
    broken = tmp_path / "broken"
    monkeypatch.setattr(ruff_security, "_program", lambda: str(broken))
    assert "cannot be started" in (await scanned({}, {"a.py": SHELL}))["security"].output
    for body, why in (
        ("import sys; sys.exit('it is broken')", "ruff failed (it is broken)."),
        ("print('no json')", "What ruff printed cannot be read."),
        ("print('[{}]')", "What ruff printed cannot be read."),
        ("import time; time.sleep(60)", "ruff took longer than 2 s."),
    ):
        broken.write_text(f"#!{python} -IS\n{body}\n")
        broken.chmod(0o755)
        monkeypatch.setattr(program, "TIMEOUT_SECONDS", 2.0)
        result = (await scanned({}, {"a.py": SHELL}))["security"]
        assert (Conclusion.ACTION_REQUIRED, why) == (result.conclusion, result.output)
    result = (await scanned({}, {"a.py": SHELL}, rules={"security": "advisory"}))["security"]
    assert Conclusion.NEUTRAL is result.conclusion


async def test_many_files_are_left_out(monkeypatch):
    """With their names."""
    monkeypatch.setattr(scanning, "MOST_FILES", 1)
    results = await scanned({}, {"a.py": "X = 1\n", "b.py": SHELL})
    assert "b.py" in results["security"].output


def test_the_program_prints_what_it_finds(tmp_path, monkeypatch, capsys):
    """In the current folder; the argument is where detect-secrets is."""
    (tmp_path / "0.py").write_text(f'x = "{TOKEN}"\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(sys, "argv", ["x", "/packages"])
    monkeypatch.setattr(secret_lines.logging, "disable", lambda: None)
    assert 0 == secret_lines.main()
    kinds = {entry["kind"] for entry in json.loads(capsys.readouterr().out)}
    assert "GitHub Token" in kinds
    assert TOKEN not in str(kinds)


def test_the_severe_rules_exist():
    """Each is a rule of the ruff that is installed, and each kind one of detect-secrets."""
    import subprocess

    ruff = ruff_security._program()
    done = subprocess.run(
        [ruff, "rule", "--all", "--output-format", "json"], capture_output=True, check=True
    )
    assert ruff_security.SEVERE | {*ruff_security.TRIVIAL} <= {
        r["code"] for r in json.loads(done.stdout)
    }
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class

    classes = get_mapping_from_secret_type_to_class()
    assert detect_secrets.SEVERE <= set(classes)
    assert set(secret_lines.PLUGINS) <= {cls.__name__ for cls in classes.values()}


async def test_honest_deliveries_are_not_refused():
    """All of the corpus at once, each in a folder of its own."""
    base, head = {}, {}
    for number, honest in enumerate(HONEST):
        change = honest.change()
        for side, tree in ((base, change.base), (head, change.head)):
            side.update({f"{number}/{path}": entry for path, entry in tree.files.items()})
    results = await scanned(base, head)
    errors = [f for r in results.values() for f in r.findings if f.level is Level.ERROR]
    assert [] == errors
    assert sum(len(result.findings) for result in results.values()) <= 12
