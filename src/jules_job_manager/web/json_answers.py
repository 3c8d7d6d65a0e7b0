"""Answers made of JSON text that is there already, so that nothing is read and written again.

The model of the route still describes them; a test holds the text to it.
"""

from __future__ import annotations

from starlette.responses import Response

from jules_job_manager.domain.entity_tag import text_tag
from jules_job_manager.domain.json_text import finite


def json_answer(text: str, *, tagged: bool = False, is_finite: bool = False) -> Response:
    """Return the answer that is this text; with `tagged` it carries its entity tag.

    Args:
        text: ASCII, as `json.dumps` writes it. For numbers that JSON has not null is sent, as
            pydantic does.
        tagged: For what a change may be made conditional on.
        is_finite: That the text surely has no such number, which in a long one takes time to find.
    """
    headers = {"ETag": text_tag(text)} if tagged else None
    sent = text if is_finite else finite(text)
    return Response(sent, media_type="application/json", headers=headers)
