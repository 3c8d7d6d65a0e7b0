"""Reviewers: programs and agents that are asked about a delivery, and what passes between us."""

from jules_job_manager.domain.reviewers.answer import (
    MOST_ANSWER_BYTES,
    Answer,
    Decision,
    UnusableAnswerError,
    parse_answer,
)
from jules_job_manager.domain.reviewers.request import PROTOCOL, request_document, request_text

__all__ = [
    "MOST_ANSWER_BYTES",
    "PROTOCOL",
    "Answer",
    "Decision",
    "UnusableAnswerError",
    "parse_answer",
    "request_document",
    "request_text",
]
