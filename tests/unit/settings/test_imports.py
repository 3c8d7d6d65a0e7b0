"""What reading the settings loads: every command pays for it."""

from __future__ import annotations

import subprocess
import sys

from jules_job_manager.settings.model import SECTIONS, Settings


def test_the_settings_do_not_load_the_orchestration() -> None:
    """The rules of a person are values of their own, apart from what decides by them."""
    code = "import sys; import jules_job_manager.settings.load; print(*sys.modules, sep='\\n')"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(run.stdout.split())
    assert "jules_job_manager.domain.decision_rules" in loaded
    assert not {name for name in loaded if name.startswith("jules_job_manager.domain.orchestra")}


def test_every_section_is_found_by_its_name() -> None:
    """A section is a field of the settings whose default is a section; tables of many are none."""
    assert "jules" in SECTIONS
    assert "accounts" not in SECTIONS
    assert all(
        SECTIONS[name] is Settings.__dataclass_fields__[name].default_factory for name in SECTIONS
    )
    modules = {kind.__module__.rpartition(".")[0] for kind in SECTIONS.values()}
    assert modules == {"jules_job_manager.settings.sections"}
