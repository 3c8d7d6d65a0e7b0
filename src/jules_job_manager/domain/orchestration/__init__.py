"""The whole orchestration as one pure function: what is known in, what to do next out.

`decide` is level-triggered: it looks only at the snapshot, so a missed or repeated look is
harmless, and a snapshot in which the actions have taken effect asks for none of them again
(only a question to a person is repeated until it is answered).

`snapshot`: what is known; `policy`: what may be decided without a person; `actions`: what can be
done; `attempts`, `plans`, `deliveries`, `lanes`: live attempts; `waiting`: which jobs start next.
"""

from jules_job_manager.domain.decision_rules import AnswerRule, PlanRule
from jules_job_manager.domain.orchestration.actions import (
    Action,
    Answer,
    Approve,
    AskPlan,
    AttemptAction,
    Dispatch,
    Fail,
    Merge,
    Nudge,
    Recur,
    Retry,
    RunReview,
    SendFeedback,
    SetStatus,
    Settle,
    Withdraw,
)
from jules_job_manager.domain.orchestration.decide import decide, may_still_move
from jules_job_manager.domain.orchestration.plans import PlanRuling, rule_on_plan
from jules_job_manager.domain.orchestration.policy import Policy
from jules_job_manager.domain.orchestration.snapshot import NOTHING_DELIVERED, MergeWait, Snapshot
from jules_job_manager.domain.orchestration.waiting import (
    NEXT_SLOT,
    Wait,
    WaitKind,
    explain,
    slots_used,
    waiting_reason,
)

__all__ = [
    "NEXT_SLOT", "NOTHING_DELIVERED", "Action", "Answer", "AnswerRule", "Approve", "AskPlan", "AttemptAction",
    "Dispatch", "Fail", "Merge", "MergeWait", "Nudge", "PlanRule", "PlanRuling", "Policy", "Recur", "Retry",
    "RunReview", "SendFeedback", "SetStatus", "Settle", "Snapshot", "Wait", "WaitKind", "Withdraw",
    "decide", "explain", "may_still_move", "rule_on_plan", "slots_used", "waiting_reason",
]  # fmt: skip
