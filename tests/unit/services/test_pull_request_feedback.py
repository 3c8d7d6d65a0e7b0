"""What a pull request says, in the message that sends a delivery back."""

from __future__ import annotations

from jules_job_manager.domain.pull_request import PullRequestComment, PullRequestFeedback
from jules_job_manager.domain.review import CheckResult, Conclusion
from jules_job_manager.services.feedback import (
    COMMENT_CHARACTERS,
    MOST_COMMENTS,
    feedback_for,
    with_pull_request,
)
from jules_job_manager.services.told_comments import untold


def failed(name: str, output: str = "boom") -> CheckResult:
    return CheckResult(name=name, conclusion=Conclusion.FAILURE, output=output)


def comment(number: int, body: str = "Rename it", **more) -> PullRequestComment:
    return PullRequestComment(id=f"comment:{number}", author="ann", body=body, **more)


def test_what_the_review_told_is_not_told_twice():
    """Checks of the code host are added to those of the review; comments name their place."""
    mine = [failed("GitHub check: build")]
    told = PullRequestFeedback(
        checks=(*mine, failed("GitHub check: lint", "E501")),
        comments=(comment(1), comment(2, "Off by one", path="a.py", line=3)),
    )
    text = with_pull_request(feedback_for(mine, mark="m", number=1), told, mine)
    assert 1 == text.count("GitHub check: build")
    assert "On the pull request this check failed: GitHub check: lint\n\n```\nE501\n```" in text
    assert "ann wrote on the pull request:\n\n```\nRename it\n```" in text
    assert "ann wrote on the pull request about a.py, line 3:" in text
    assert "as is" == with_pull_request("as is", PullRequestFeedback(), [])


def test_what_others_wrote_is_bounded_and_cannot_leave_its_fence():
    """Whatever it is."""
    told = PullRequestFeedback(
        comments=tuple(comment(n, "```\n\x1b[2J" + "x" * 99_999) for n in range(99))
    )
    text = with_pull_request("", told, [])
    assert len(text) < (COMMENT_CHARACTERS + 200) * MOST_COMMENTS
    assert "\x1b" not in text
    assert "\n````\n```\n" in text


class Notes:
    """The notes of a store."""

    def __init__(self) -> None:
        self.notes: dict[str, str] = {}

    async def get_note(self, name):
        return self.notes.get(name)

    async def set_note(self, name, text):
        self.notes[name] = text


async def test_each_comment_is_told_once():
    """In its round, however often that is sent; what is new goes with the next one."""
    store, told = Notes(), PullRequestFeedback(comments=(comment(1), comment(2)))

    async def ids(number: int, mark: str = "m") -> list[str]:
        return [c.id for c in (await untold(store, mark, number, told)).comments]

    assert ["comment:1", "comment:2"] == await ids(1) == await ids(1)
    told = PullRequestFeedback(comments=(comment(1), comment(2), comment(3)))
    assert ["comment:3"] == await ids(2)
    assert [] == await ids(3)
    assert 3 == len(await ids(1, "another attempt"))
