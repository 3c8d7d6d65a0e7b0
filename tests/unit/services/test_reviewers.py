"""What the word of a reviewer is worth."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from tests.review_corpus.memory_change import make_change

from jules_job_manager.domain.evidence import said, ticked
from jules_job_manager.domain.finding import Level
from jules_job_manager.domain.job import ChecklistItem, Job, JobFile
from jules_job_manager.domain.report import FileDiff
from jules_job_manager.domain.report.checklist import ItemState, item_reports
from jules_job_manager.domain.review import CheckResult, Conclusion, Verdict, verdict_of
from jules_job_manager.domain.review_plan import CommandCheck, ReviewPlan
from jules_job_manager.domain.reviewer import ReviewerSpec
from jules_job_manager.ports.reviewer import Reply
from jules_job_manager.services import reviewers as reviewers_module
from jules_job_manager.services.feedback import feedback_for
from jules_job_manager.services.judging import Case
from jules_job_manager.services.reviewers import ReviewerPanel

FAST, LINT, FILES, TESTS = (
    "It is fast", "`make lint` passes", "`new.py` is created", "All tests pass",
)  # fmt: skip
JOB = Job(
    key="k", repository="o/n", files=(JobFile(path="new.py", action="create"),),
    checklist=tuple(ChecklistItem(text=text) for text in (FAST, LINT, FILES, TESTS)),
)  # fmt: skip
REQUIRED = ReviewerSpec(name="r", command="x", required=True)
ADVISORY = replace(REQUIRED, required=False)
PASSED = CheckResult(name="tests", conclusion=Conclusion.SUCCESS, command="pytest")
FAILED = replace(PASSED, conclusion=Conclusion.FAILURE, exit_code=1)
EVERYTHING = ("*",)


class FakeForge:
    """One delivery."""

    change_of = make_change({"a.py": "1\n2\n", "gone.py": "x"}, {"a.py": "1\n2\n3\n"}, JOB)

    async def change(self, repository, *, job, base, head):
        return self.change_of

    async def diffs(self, repository, base, head):
        return (FileDiff(path="a.py", diff="@@ -1 +1 @@"),)


class FakeAccess:
    """Answers by name, and the requests."""

    def __init__(self, **answers) -> None:
        self.answers = answers
        self.requests: dict[str, dict] = {}

    async def ask(self, spec, *, request, change):
        self.requests[spec.name] = json.loads(request)
        answer = self.answers[spec.name]
        if isinstance(answer, Reply):
            return answer
        return Reply(answer=json.dumps({"protocol": 1, **answer}).encode())


async def judged(spec, answer, *checks, plan=None, job=JOB):
    """Return the one result."""
    plan = plan or ReviewPlan()
    case = Case(
        job=job, base_commit="b", merge_commit="m", plan=replace(plan, reviewers=(spec,)),
        checks=checks,
    )  # fmt: skip
    panel = ReviewerPanel(forge=FakeForge(), access=FakeAccess(r=answer))
    (result,) = await panel.judge(case)
    assert result == CheckResult.from_dict(json.loads(json.dumps(result.to_dict())))
    return result


def met(*items, verdict="accept", evidence="seen"):
    entries = [{"item": item, "verdict": "met", "evidence": evidence} for item in items]
    return {"verdict": verdict, "checklist": entries}


@pytest.mark.parametrize(
    ("spec", "answer", "conclusion", "verdict"),
    [
        (REQUIRED, {"verdict": "accept"}, "success", "accept"),
        (REQUIRED, {"verdict": "reject"}, "failure", "reject"),
        (REQUIRED, {"verdict": "unsure"}, "action_required", "escalate"),
        (REQUIRED, {"verdict": "maybe"}, "action_required", "escalate"),
        (REQUIRED, Reply(problem="it ended with 3"), "action_required", "escalate"),
        (REQUIRED, {"verdict": "accept", "findings": [{"message": "m", "level": "error"}]}, "action_required", "escalate"),
        (ADVISORY, {"verdict": "accept"}, "success", "accept"),
        (ADVISORY, {"verdict": "reject"}, "failure", "accept"),
        (ADVISORY, {"verdict": "unsure"}, "neutral", "accept"),
        (ADVISORY, {"verdict": "maybe"}, "neutral", "accept"),
        (ADVISORY, Reply(problem="it ended with 3"), "neutral", "accept"),
    ],
)  # fmt: skip
async def test_what_an_answer_does(spec, answer, conclusion, verdict):
    """A required reviewer rejects or asks for a person; an advisory one is shown."""
    result = await judged(spec, answer, PASSED)
    assert conclusion == result.conclusion.value
    assert verdict == verdict_of([PASSED, result]).value
    assert "reviewer r" == result.name
    assert ("", None) == (result.command, result.exit_code)


async def test_no_acceptance_undoes_a_failure():
    """Neither when it is asked all the same, nor when it is not."""
    asked = await judged(replace(REQUIRED, after_failure=True), met(1, 2, 3, 4), FAILED)
    assert Conclusion.SUCCESS is asked.conclusion
    assert Verdict.REJECT is verdict_of([FAILED, asked])
    skipped = await judged(REQUIRED, {}, FAILED)
    assert Conclusion.SKIPPED is skipped.conclusion
    assert "Not asked: a required check failed." == skipped.output


async def test_a_met_line_is_an_opinion():
    """It is shown with the name of who said it, and ticks nothing."""
    result = await judged(REQUIRED, met(1), PASSED)
    assert "met, said by r: seen" == said(FAST, [result])
    assert not ticked(JOB, [PASSED, result], promised="")[0].checked
    report = item_reports(JOB, [PASSED, result])[0]
    assert (ItemState.UNPROVEN, "met, said by r: seen") == (report.state, report.evidence)


async def test_where_it_may_prove_it_ticks():
    """When it accepts, with evidence; the evidence names it."""
    able = replace(REQUIRED, may_prove=("it is *",))
    result = await judged(able, met(1), PASSED)
    line = ticked(JOB, [PASSED, result], promised="")[0]
    assert (True, "met, said by r: seen") == (line.checked, line.evidence)
    for answer in (met(1, evidence=" "), met(1, verdict="unsure"), met(1, verdict="reject")):
        result = await judged(able, answer, PASSED)
        assert not ticked(JOB, [PASSED, result], promised="")[0].checked
    not_met = {"verdict": "reject", "checklist": [{"item": 1, "verdict": "not_met"}]}
    assert not ticked(JOB, [await judged(able, not_met)], promised="")[0].checked


async def test_what_a_check_could_prove_is_not_its_to_prove():
    """Whether that check passed, failed, was not run, or is a rule that saw the files."""
    able = replace(REQUIRED, may_prove=EVERYTHING, after_failure=True)
    bound = ReviewPlan(
        checks=(
            CommandCheck(command="./fast", proves=("It is *",)), CommandCheck(command="make lint"),
        )
    )  # fmt: skip
    rule = CheckResult(name="promised-files", conclusion=Conclusion.NEUTRAL)
    for checks in ((PASSED, rule), (FAILED, rule)):
        result = await judged(able, met(1, 2, 3, 4), *checks, plan=bound)
        assert [False] * 4 == [opinion.counts for opinion in result.opinions]
    result = await judged(able, met(1, 2, 3, 4))
    assert [True] * 4 == [opinion.counts for opinion in result.opinions]


async def test_a_reviewer_cannot_pass_for_a_check():
    """Whatever it is called."""
    job = replace(JOB, checklist=(ChecklistItem(text="`promised-files` passes"), *JOB.checklist))
    for name in ("promised-files", "make lint", "pytest"):
        spec = replace(REQUIRED, name=name)
        panel = ReviewerPanel(forge=FakeForge(), access=FakeAccess(**{name: {"verdict": "accept"}}))
        plan = ReviewPlan(reviewers=(spec,))
        case = Case(job=job, base_commit="b", merge_commit="m", plan=plan, checks=())
        results = await panel.judge(case)
        assert not any(line.checked for line in ticked(job, results, promised="promised-files"))


async def test_findings_reach_the_feedback():
    """With their places, and what it says on the whole; a fence in them closes nothing."""
    answer = {
        "verdict": "reject", "summary": "Two faults.",
        "findings": [
            {"path": "a.py", "line": 3, "level": "error", "message": "wrong ``` sum"},
            {"path": "gone.py", "message": "still needed"},
        ],
        "checklist": [{"item": 1, "verdict": "not_met", "evidence": "2 s"}],
    }  # fmt: skip
    result = await judged(REQUIRED, answer, PASSED)
    assert [("a.py", 3, Level.ERROR), ("gone.py", 0, Level.WARNING)] == [
        (f.path, f.line, f.level) for f in result.findings
    ]
    message = feedback_for([result], mark="m", number=1)
    assert "Check failed: reviewer r" in message
    for part in ("Two faults.", "- a.py:3: wrong ''' sum", '- not met: "It is fast" (2 s)'):
        assert part in message


@pytest.mark.parametrize(
    ("finding", "why"),
    [
        ({"path": "b.py"}, "its answer names a file that is not there (b.py)"),
        ({"path": "a.py", "line": 4}, "its answer names a line that a.py does not have"),
        ({"path": "gone.py", "line": 2}, "its answer names a line that gone.py does not have"),
    ],
)
async def test_places_that_are_not_there(finding, why):
    """The answer does not count, and one sentence says why."""
    result = await judged(
        REQUIRED, {"verdict": "accept", "findings": [{"message": "m", **finding}]}
    )
    assert f"No answer of r counts: {why}." == result.output
    assert Conclusion.ACTION_REQUIRED is result.conclusion
    assert () == result.findings


async def test_what_it_said_aside_is_shown_when_there_is_no_answer():
    """Its end, safe for a terminal."""
    reply = Reply(problem="it ended with 3", log="x" * 5000 + "\x1b[2Jno key")
    result = await judged(ADVISORY, reply)
    first, _, rest = result.output.partition("\n")
    assert "No answer of r counts: it ended with 3." == first
    assert rest.endswith("x\\x1b[2Jno key")
    assert len(rest) < 2100


async def test_it_is_asked_again_only_for_an_answer():
    """As often as it says; a clear answer stands, whatever it is."""
    replies = [
        Reply(problem="it ended with 3"),
        Reply(answer=b"?"),
        Reply(answer=b'{"protocol": 1, "verdict": "unsure"}'),
    ]

    class Unsteady:
        def __init__(self) -> None:
            self.left = [*replies, "never"]

        async def ask(self, spec, *, request, change):
            return self.left.pop(0)

    for retries, left, output in ((1, 2, "its answer is not one JSON"), (5, 1, "r is unsure.")):
        access = Unsteady()
        plan = ReviewPlan(reviewers=(replace(REQUIRED, retries=retries),))
        case = Case(job=JOB, base_commit="b", merge_commit="m", plan=plan, checks=())
        (result,) = await ReviewerPanel(forge=FakeForge(), access=access).judge(case)
        assert left == len(access.left)
        assert output in result.output


async def test_access_that_breaks_is_no_answer():
    """The others are heard all the same."""
    plan = ReviewPlan(reviewers=(REQUIRED, replace(REQUIRED, name="s")))
    case = Case(job=JOB, base_commit="b", merge_commit="m", plan=plan, checks=())
    access = FakeAccess(s={"verdict": "accept"})
    broken, heard = await ReviewerPanel(forge=FakeForge(), access=access).judge(case)
    assert "No answer of r counts: it could not be asked (KeyError: 'r')." == broken.output
    assert Conclusion.SUCCESS is heard.conclusion


async def test_a_parser_that_breaks_ends_no_review(monkeypatch):
    """It is as if there were no answer."""

    def broken(*_args, **_more):
        raise ZeroDivisionError

    monkeypatch.setattr(reviewers_module, "parse_answer", broken)
    result = await judged(REQUIRED, {"verdict": "accept"})
    assert "No answer of r counts: it cannot be read (ZeroDivisionError)." == result.output


async def test_all_are_asked_and_know_what_checks_said():
    """In the order of the plan, each with its own request."""
    access = FakeAccess(a={"verdict": "accept"}, b={"verdict": "reject"})
    specs = tuple(replace(REQUIRED, name=name) for name in ("a", "b"))
    plan = ReviewPlan(reviewers=specs)
    case = Case(job=JOB, base_commit="b", merge_commit="m", plan=plan, checks=(PASSED,))
    results = await ReviewerPanel(forge=FakeForge(), access=access).judge(case)
    assert ["reviewer a", "reviewer b"] == [result.name for result in results]
    assert "b" == access.requests["b"]["reviewer"]["name"]
    tests = [{"name": "tests", "conclusion": "success", "required": True}]
    assert tests == access.requests["a"]["checks"]
    assert [] == await ReviewerPanel(forge=FakeForge(), access=access).judge(
        replace(case, plan=ReviewPlan())
    )
