"""Reports that a delivery's tests wrote: read when they are what they say, refused otherwise."""

from __future__ import annotations

import os

import pytest

from jules_job_manager.adapters.checks.test_reports import LARGEST_REPORT_BYTES, FileReportReader
from jules_job_manager.domain.test_report import Outcome, quarantined
from jules_job_manager.errors import OperationFailedError

JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="4">
<testcase classname="tests.test_a" name="test_good" time="0.1"/>
<testcase classname="tests.test_a" name="test_bad" file="tests/test_a.py" line="7">
<failure message="assert 1 == 2">long text</failure></testcase>
<testcase classname="tests.test_a" name="test_broken"><error>no module</error></testcase>
<testcase classname="tests.test_a" name="test_left"><skipped message="later"/></testcase>
</testsuite></testsuites>"""
COBERTURA = """<?xml version="1.0" ?>
<coverage><sources><source>/checkout/src</source></sources><packages><package><classes>
<class filename="shop/cart.py" name="cart.py"><lines>
<line number="1" hits="1"/><line number="2" hits="0"/></lines></class>
</classes></package></packages></coverage>"""
LCOV = "TN:\nSF:src/cart.js\nDA:1,3\nDA:2,0\nDA:3,0,abc\nend_of_record\n"


async def test_junit(tmp_path):
    """Every outcome, with where and why."""
    (tmp_path / "r.xml").write_text(JUNIT)
    report = await FileReportReader().tests(tmp_path, "r.xml")
    assert ["passed", "failed", "error", "skipped"] == [c.outcome.value for c in report.cases]
    bad = report.bad[0]
    assert ("tests.test_a.test_bad", "tests/test_a.py", 7, "assert 1 == 2") == (
        bad.id, bad.path, bad.line, bad.message,
    )  # fmt: skip
    assert ("no module", 3) == (report.bad[1].message, report.ran)
    assert quarantined(bad, ["tests.test_a.test_*"])
    assert quarantined(bad, ["test_bad"])
    assert not quarantined(bad, ["test_good"])
    assert Outcome.ERROR.is_bad


async def test_cobertura_and_lcov(tmp_path):
    """Paths are those of the repository, whatever folder a sandbox showed."""
    (tmp_path / "src/shop").mkdir(parents=True)
    (tmp_path / "src/shop/cart.py").write_text("a\nb\n")
    (tmp_path / "c.xml").write_text(COBERTURA)
    (tmp_path / "lcov.info").write_text(LCOV)
    found = await FileReportReader().coverage(tmp_path, "c.xml")
    assert ({"src/shop/cart.py": {1}}, {"src/shop/cart.py": {2}}) == (found.reached, found.missed)
    found = await FileReportReader().coverage(tmp_path, "lcov.info")
    assert ({"src/cart.js": {1}}, {"src/cart.js": {2, 3}}) == (found.reached, found.missed)


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuite name="&b;"/>'


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "No r.xml was written."),
        (b"", "is no XML"),
        (b"\xff\xfe<", "cannot be read"),
        (b"<html/>", "is no JUnit XML"),
        (BOMB.encode(), "declares entities"),
        (b"<testsuite><testcase></testsuite>", "is no XML"),
        (b"x" * (LARGEST_REPORT_BYTES + 1), "is longer than"),
    ],
)
async def test_what_is_no_report_is_refused_with_a_sentence(tmp_path, content, words):
    """Nothing of it counts."""
    if content is not None:
        (tmp_path / "r.xml").write_bytes(content)
    with pytest.raises(OperationFailedError, match=words):
        await FileReportReader().tests(tmp_path, "r.xml")
    if content is not None:
        with pytest.raises(OperationFailedError):
            await FileReportReader().coverage(tmp_path, "r.xml")


@pytest.mark.parametrize("kind", ["link", "folder", "pipe"])
async def test_nothing_but_a_file_of_the_checkout_is_read(tmp_path, kind):
    """No link leads out, and a pipe does not hold anybody up."""
    outside = tmp_path / "outside.xml"
    outside.write_text(JUNIT)
    checkout = tmp_path / "checkout"
    checkout.mkdir()
    place = checkout / "r.xml"
    if kind == "link":
        place.symlink_to(outside)
    elif kind == "folder":
        place.mkdir()
    else:
        os.mkfifo(place)
    with pytest.raises(OperationFailedError, match=r"is no file of the checkout"):
        await FileReportReader().tests(checkout, "r.xml")
