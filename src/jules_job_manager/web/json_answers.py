"""Answers made of JSON text that is there already, so that nothing is read and written again.

The model of the route still describes them; a test holds the text to it.
"""

from __future__ import annotations

import json

from starlette.responses import Response

from jules_job_manager.domain.entity_tag import text_tag
from jules_job_manager.domain.json_text import text_of


def json_answer(text: str, *, tagged: bool = False) -> Response:
    """Return the answer that is this text; with `tagged` it carries its entity tag.

    Args:
        text: ASCII, as `json.dumps` writes it.
        tagged: For what a change may be made conditional on.
    """
    headers = {"ETag": text_tag(text)} if tagged else None
    if "NaN" in text or "Infinity" in text:  # what JSON has not: null is sent, as pydantic does
        text = text_of(json.loads(text, parse_constant=lambda _: None))
    return Response(text, media_type="application/json", headers=headers)
