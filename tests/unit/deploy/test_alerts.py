"""The alerts: sound rules, on metrics that exist, each with a section that says what to do."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from jules_job_manager.domain.health import HealthStatus
from jules_job_manager.domain.measures import METRICS, Kind

ROOT = Path(__file__).parents[3]
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
TESTS = RULES.with_name("alerts_test.yml")
RECEIVERS = ROOT / "deploy" / "alertmanager" / "alertmanager.yml"
RUNBOOK = ROOT / "docs" / "how-to" / "runbook.md"
TEXT = RULES.read_text("utf-8")
ALERTS = re.findall(r"- alert: (\w+)\n(.*?)(?=\n\n|\n +- alert: |\Z)", TEXT, re.DOTALL)
NAMES = [name for name, _ in ALERTS]
SUFFIXES = ("_count", "_sum", "_bucket")


PACKAGES = {"promtool": "prometheus", "amtool": "prometheus-alertmanager"}


def _run(tool: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which(tool)
    if program is None:
        pytest.skip(f"NOT CHECKED: {tool} is not here (Debian: apt-get install {PACKAGES[tool]})")
    return subprocess.run(
        [program, *arguments], cwd=RULES.parent, capture_output=True, text=True, check=False
    )


def test_the_rules_are_sound():
    """As Prometheus itself sees them."""
    done = _run("promtool", "check", "rules", RULES.name)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"{len(ALERTS)} rules found" in done.stdout
    done = _run("promtool", "check", "config", "prometheus.yml")
    assert 0 == done.returncode, done.stdout + done.stderr


def test_the_rules_fire_when_they_should_and_only_then():
    """On series that were written for it."""
    done = _run("promtool", "test", "rules", TESTS.name)
    assert 0 == done.returncode, done.stdout + done.stderr


def test_alertmanager_takes_the_receivers():
    """As it reads them itself."""
    done = _run("amtool", "check-config", RECEIVERS)
    assert 0 == done.returncode, done.stdout + done.stderr
    assert "2 receivers" in done.stdout


def test_every_alert_is_found():
    """The pattern of this file misses none."""
    assert len(NAMES) == TEXT.count("alert: ") == len(set(NAMES)) >= 15


@pytest.mark.parametrize(("name", "rule"), ALERTS, ids=NAMES)
def test_each_alert(name, rule):
    """A severity, a summary, and a section of the runbook with its name."""
    assert re.search(r"severity: (critical|warning)\b", rule)
    assert 'summary: "' in rule
    (address,) = re.findall(r"runbook_url: (\S+)", rule)
    assert f"docs/how-to/runbook.md#{name.lower()}" == address
    assert f"\n## {name}\n" in RUNBOOK.read_text("utf-8")
    assert f"alertname: {name}\n" in TESTS.read_text("utf-8")


def test_the_runbook_has_no_section_for_an_alert_that_is_gone():
    """Both lists are the same."""
    assert NAMES == re.findall(r"^## (\w+)$", RUNBOOK.read_text("utf-8"), re.MULTILINE)


def test_the_metrics_of_expressions_are_exported():
    """With the labels that are asked for; `up` is Prometheus' own."""
    declared = {metric.name: metric for metric in METRICS}
    used = set(re.findall(r"\bjules_\w+", "".join(rule for _, rule in ALERTS)))
    assert len(used) >= 15
    for name in used:
        bare = next((name.removesuffix(s) for s in SUFFIXES if name.endswith(s)), name)
        metric = declared[bare if bare in declared else name]
        assert (metric.kind is Kind.HISTOGRAM) == (bare != name), name
    for name, labels in re.findall(r"\b(jules_\w+)\{(.*?)\}", TEXT):
        metric = next(m for m in METRICS if name.startswith(m.name))
        asked = set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", labels))
        assert asked <= {*metric.labels, "job", "instance"}, name


def test_words_in_expressions_are_values_of_their_labels():
    """A misspelt status would never fire."""
    declared = {metric.name: metric for metric in METRICS}
    for name, label, word in re.findall(r"\b(jules_\w+)\{(\w+)!?=\"([^\"]+)\"", TEXT):
        metric = declared.get(name)
        if metric is not None and metric.words and label in metric.labels:
            assert word in metric.words, name
    assert 2 == HealthStatus.UNHEALTHY.rank


def test_no_secret_stands_in_the_receivers():
    """Each is in a file; e-mail, Slack and PagerDuty have an example."""
    text = RECEIVERS.read_text("utf-8")
    for word in ("email_configs", "slack_configs", "pagerduty_configs"):
        assert word in text
    assert not re.search(r"^\s*\w*(password|api_url|routing_key|token|secret):", text, re.MULTILINE)
    assert 3 <= len(re.findall(r"_file: /etc/alertmanager/secrets/", text))
