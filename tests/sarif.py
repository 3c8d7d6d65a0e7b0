"""What SARIF 2.1.0 demands of the members we write, as far as its JSON schema says."""

from __future__ import annotations

import re

_URI = re.compile(
    r"(?:[A-Za-z0-9._~!$&'()*+,;=@-]|%[0-9A-F]{2})(?:[A-Za-z0-9._~/!$&'()*+,;=@-]|%[0-9A-F]{2})*"
)
_RESULT = ("ruleId", "ruleIndex", "level", "partialFingerprints", "properties", "locations")


def problems(log):
    """Return what is wrong with a SARIF log: members missing, unknown, or of a wrong kind."""
    found = _members(log, "log", ["version", "runs"], ["$schema"])
    found += _unless(log["version"] == "2.1.0", "version")
    for run in log["runs"]:
        found += _run(run)
    return found


def _run(run):
    found = _members(
        run, "run", ["tool"], ["automationDetails", "columnKind", "results", "properties"]
    )
    found += _unless(run["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}, "columnKind")
    found += _members(run["automationDetails"], "automationDetails", ["id"])
    found += _members(run["tool"], "tool", ["driver"])
    driver = run["tool"]["driver"]
    found += _members(driver, "driver", ["name"], ["version", "rules"])
    ids = [rule["id"] for rule in driver["rules"]]
    found += _unless(len(ids) == len(set(ids)), "rules are listed twice")
    for rule in driver["rules"]:
        found += _members(rule, "rule", ["id"], ["shortDescription"])
        found += _message(rule["shortDescription"])
    marks = [str(result["partialFingerprints"]) for result in run["results"]]
    found += _unless(len(marks) == len(set(marks)), "two results have one fingerprint")
    for result in run["results"]:
        found += _unless(ids[result["ruleIndex"]] == result["ruleId"], "ruleIndex")
        found += _result(result)
    return found


def _result(result):
    found = _members(result, "result", ["message"], _RESULT)
    found += _message(result["message"])
    found += _unless(result["level"] in {"none", "note", "warning", "error"}, "level")
    for name, value in result["partialFingerprints"].items():
        found += _unless(isinstance(name, str) and isinstance(value, str), "partialFingerprints")
    for location in result.get("locations", ()):
        found += _members(location, "location", [], ["physicalLocation"])
        found += _place(location["physicalLocation"])
    return found


def _place(physical):
    found = _members(physical, "physicalLocation", ["artifactLocation"], ["region"])
    artifact = physical["artifactLocation"]
    found += _members(artifact, "artifactLocation", [], ["uri", "uriBaseId"])
    found += _unless(_URI.fullmatch(artifact["uri"]), "uri is no relative address")
    if "region" in physical:
        line = physical["region"]["startLine"]
        found += _members(physical["region"], "region", ["startLine"])
        found += _unless(isinstance(line, int) and line >= 1, "startLine")
    return found


def _message(value):
    found = _members(value, "message", ["text"])
    return found + _unless(isinstance(value["text"], str) and value["text"], "message is empty")


def _members(value, where, required, optional=()):
    if not isinstance(value, dict):
        return [f"{where} is no object"]
    lacking = set(required) - set(value)
    unknown = set(value) - set(required) - set(optional)
    return _unless(not lacking, f"{where} lacks {lacking}") + _unless(
        not unknown, f"{where} has the unknown members {unknown}"
    )


def _unless(truth, problem):
    return [] if truth else [problem]
