"""The file under the JSON store: what damage, other programs and rights do to it."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from datetime import UTC, datetime

import pytest
from hypothesis import given
from tests.strategies import tasks as any_tasks

from jules_job_manager.adapters.storage import json_file
from jules_job_manager.adapters.storage.json_file import Contents, JsonFile
from jules_job_manager.adapters.storage.json_store import open_json
from jules_job_manager.adapters.system_clock import SystemClock
from jules_job_manager.domain.event import NewEvent
from jules_job_manager.domain.task import JulesTask
from jules_job_manager.errors import DamagedStoreError, StoreError, StoreUnavailableError

NOW = datetime(2026, 11, 24, tzinfo=UTC)
GOOD_EVENT = {"id": 1, "type": "t", "subject": "s", "at": "2026-01-01T00:00:00Z", "actor": "a", "data": {}}  # fmt: skip


async def test_the_file_is_private_and_its_folder_is_made(tmp_path):
    """A new store makes its folder; only its owner can read it."""
    path = tmp_path / "a" / "b" / "tasks.json"
    await open_json(path, SystemClock())
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert [] == json.loads(path.read_text())["tasks"]


async def test_a_wide_open_file_is_narrowed(tmp_path):
    """A file that others could read is theirs no more, also after a write."""
    path = tmp_path / "tasks.json"
    path.write_text('{"tasks": []}')
    path.chmod(0o666)
    store = await open_json(path, SystemClock())
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    await store.tasks.save_tasks([JulesTask(id="1")])
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


async def test_the_form_of_the_ticket_is_read(tmp_path):
    """A file with nothing but tasks, as ticket JJM-005 writes it, is a store."""
    path = tmp_path / "tasks.json"
    path.write_text('{"tasks": [{"id": "1", "status": "pending", "title": "é"}]}', "utf-8")
    store = await open_json(path, SystemClock())
    task = await store.tasks.get_task("1")
    assert task is not None
    assert "é" == task.title
    await store.events.append([NewEvent(type="t", subject="s", at=NOW)])
    assert "é" == json.loads(path.read_text())["tasks"][0]["title"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"", "not JSON at line 1"),
        (b'{"tasks": [', "not JSON at line 1"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "no list of tasks"),
        (b'{"tasks": {}}', "tasks is not a list"),
        (b'{"tasks": [7]}', "wrong form"),
        (b'{"tasks": [{}]}', "'id' is missing"),
        (b'{"tasks": [{"id": "1", "created_at": "soon"}]}', "soon"),
        (b'{"tasks": [{"id": "1"}, {"id": "1"}]}', "two tasks have one id"),
        (b'{"tasks": [], "notes": {"a": 1}}', "note is not a text"),
        (b'{"tasks": [], "activities": []}', "activities is not a mapping"),
        (b'{"tasks": [], "activities": {"1": [{}]}}', "'id' is missing"),
        (json.dumps({"tasks": [], "events": [GOOD_EVENT, GOOD_EVENT]}).encode(), "out of order"),
        (b"[" * 100_000, "wrong form"),
    ],
)
async def test_a_damaged_file_is_kept_aside(tmp_path, text, said):
    """What cannot be read is kept under another name and told once; then a new store begins."""
    path = tmp_path / "tasks.json"
    path.write_bytes(text)
    with pytest.raises(DamagedStoreError, match="damaged") as caught:
        await open_json(path, SystemClock())
    assert said in str(caught.value)
    (aside,) = tmp_path.glob("tasks.json.damaged-*")
    assert text == aside.read_bytes()
    assert str(aside) in str(caught.value)
    assert [] == list(await (await open_json(path, SystemClock())).events.read())


async def test_damage_while_it_is_open(tmp_path):
    """A file that is damaged by another program is put aside by whoever meets it first."""
    path = tmp_path / "tasks.json"
    store = await open_json(path, SystemClock())
    path.write_text("{")
    with pytest.raises(DamagedStoreError, match="kept as"):
        await store.tasks.get_task("1")
    path.write_text("{")
    with pytest.raises(DamagedStoreError, match="kept as"):
        await store.set_note("a", "b")
    assert 2 == len(list(tmp_path.glob("tasks.json.damaged-*")))


async def test_a_newer_form_is_left_alone(tmp_path):
    """A file of a newer version is not touched."""
    path = tmp_path / "tasks.json"
    path.write_text('{"version": 2, "tasks": []}')
    with pytest.raises(StoreError, match="newer version"):
        await open_json(path, SystemClock())
    assert '{"version": 2, "tasks": []}' == path.read_text()


async def test_a_file_that_is_a_folder(tmp_path):
    """What cannot be read for another reason is said as it is."""
    path = tmp_path / "tasks.json"
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be read"):
        await open_json(path, SystemClock())
    (tmp_path / "other").touch()
    with pytest.raises(StoreError, match="cannot be"):
        await open_json(tmp_path / "other" / "tasks.json", SystemClock())


async def test_a_failed_change_changes_nothing(tmp_path):
    """An error inside a change leaves the file and what is remembered of it as they were."""
    path = tmp_path / "tasks.json"
    store = await open_json(path, SystemClock())
    await store.tasks.save_tasks([JulesTask(id="1")])
    before = path.read_bytes()
    with pytest.raises(StoreError):
        await store.tasks.save_tasks([JulesTask(id="2"), JulesTask(id="")])
    assert before == path.read_bytes()
    assert await store.tasks.get_task("2") is None
    assert {"tasks.json", "tasks.json.lock"} == {p.name for p in tmp_path.iterdir()}


def test_two_programs_lose_nothing(tmp_path):
    """Processes that write at once wait for each other: every note of each is there."""
    path = tmp_path / "tasks.json"
    code = (
        "import asyncio, sys; from pathlib import Path;"
        "from jules_job_manager.adapters.storage.json_store import open_json;"
        "from jules_job_manager.adapters.system_clock import SystemClock\n"
        "async def main():\n"
        "    store = await open_json(Path(sys.argv[1]), SystemClock())\n"
        "    for n in range(25): await store.set_note(f'{sys.argv[2]}{n}', 'x')\n"
        "asyncio.run(main())"
    )
    running = [subprocess.Popen([sys.executable, "-c", code, path, name]) for name in "abc"]
    assert [0, 0, 0] == [process.wait(timeout=60) for process in running]
    assert 75 == len(json.loads(path.read_text())["notes"])


HOLDER = """
import sys, filelock
with filelock.FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


async def test_a_program_that_does_not_let_go(tmp_path, monkeypatch):
    """The wait for another writer has an end; reading needs no lock."""
    monkeypatch.setattr(json_file, "BUSY_SECONDS", 0.2)
    path = tmp_path / "tasks.json"
    store = await open_json(path, SystemClock())
    holder = subprocess.Popen(  # noqa: ASYNC220
        [sys.executable, "-c", HOLDER, f"{path}.lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with holder:
        assert b"held\n" == holder.stdout.readline()
        with pytest.raises(StoreUnavailableError, match="busy with another program"):
            await store.set_note("a", "b")
        assert await store.get_note("a") is None
        holder.stdin.close()
    await store.set_note("a", "b")
    assert "b" == await store.get_note("a")


@given(any_tasks)
def test_every_task_comes_back(task):
    """What is written is what is read, whatever the task holds."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        file = JsonFile(Path(folder) / "tasks.json", SystemClock())
        with file.changing() as contents:
            contents.tasks[task.id] = task
        again = JsonFile(file.path, SystemClock()).read()
        assert Contents(tasks={task.id: task}) == again


def test_nobody_sees_a_change_before_it_is_written(tmp_path):
    """A reader in another thread has what the file holds; also when the change comes to nothing."""
    file = JsonFile(tmp_path / "jjm.json", SystemClock())
    file.create()
    with file.changing() as contents:
        contents.notes["kept"] = "1"
        contents.plans["t"] = [{"id": "p"}]
    before = file.read()

    def change_and_fail() -> None:
        with file.changing() as contents:
            contents.notes["lost"] = "2"
            contents.plans["t"].append({"id": "q"})
            assert {"kept": "1"} == before.notes == file.read().notes
            assert [{"id": "p"}] == before.plans["t"]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    assert {"kept": "1"} == file.read().notes
    assert [{"id": "p"}] == file.read().plans["t"]
