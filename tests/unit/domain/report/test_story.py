"""A job's whole story on one page."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

from markdown_it import MarkdownIt

from jules_job_manager.cli.markdown_page import markdown_page
from jules_job_manager.domain.event import Event
from jules_job_manager.domain.job import Attempt, AttemptState, Job, JobStatus
from jules_job_manager.domain.report.story import MOST_EVENTS, AttemptStory, Story, story_markdown
from jules_job_manager.domain.review import CheckResult, Conclusion, Review, Verdict

NOW = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
HOSTILE = "<script>alert(1)</script> [x](javascript:alert(1)) `` @everyone\n# Head\x1b[31m"


def review(number: int, verdict: Verdict = Verdict.REJECT) -> Review:
    failed = CheckResult(
        name=f"tests {HOSTILE}",
        conclusion=Conclusion.FAILURE,
        output=f"```\n{HOSTILE}",
        exit_code=1,
    )
    return Review(
        job_key="J", mark="m", delivered_commit=f"{number:040}", base_commit="b" * 40,
        verdict=verdict, checks=(failed,) if verdict is Verdict.REJECT else (), at=NOW,
    )  # fmt: skip


def story(**changes) -> Story:
    job = Job(
        key="J", title=HOSTILE, prompt=HOSTILE, status=JobStatus.FAILED, reason=HOSTILE, task_id="7"
    )
    attempt = Attempt(mark="m", job_key="J", number=1, task_id="7", feedback_rounds=1,
                      state=AttemptState.FAILED)  # fmt: skip
    attempts = (AttemptStory(attempt=attempt, reviews=[review(n) for n in range(12)]),)
    return Story(**{"job": job, "attempts": attempts, **changes})


def test_the_newest_reviews_with_their_evidence_and_what_to_do():
    """Older ones are counted, and the commands that go on are named."""
    text = story_markdown(story())
    assert "*2 earlier reviews left out.*" in text
    assert "0000000011"[-2:] in text
    assert "sent back once" in text
    for command in ("jjm recover 'J'", "jjm queue retry 'J'", "jjm queue skip 'J'"):
        assert f"`{command}`" in text


def test_events_are_told_and_bounded():
    """The newest are kept; those of no interest are left out."""
    changed = [
        Event(id=n, type="job_state_changed", subject="job:J", at=NOW,
              data={"before": "ready", "after": "running", "rule": f"r{n}"})
        for n in range(MOST_EVENTS + 5)
    ]  # fmt: skip
    other = Event(id=999, type="activity_seen", subject="job:J", at=NOW, data={})
    text = story_markdown(story(events=[*changed, other]))
    assert "*5 earlier entries left out.*" in text
    assert f"rule `r{MOST_EVENTS + 4}`" in text
    assert "rule `r4`" not in text


def test_nothing_that_others_wrote_becomes_markup():
    """No heading, link or element comes of it, in Markdown or on the page."""
    text = story_markdown(story())
    tokens = MarkdownIt("commonmark").parse(text)
    heads = [t.content for before, t in itertools.pairwise(tokens)
             if before.type == "heading_open"]  # fmt: skip
    assert all(not head.startswith("Head") for head in heads)
    assert all(t.type != "html_block" for t in tokens)
    page = markdown_page(text, title=HOSTILE)
    assert "<script" not in page.replace("&lt;script", "")
    assert "href" not in page
    assert "default-src &#x27;none&#x27;" in page
