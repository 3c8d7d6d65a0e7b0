"""Which headers pages of other origins may send and read (`server.cors_origins`)."""

from __future__ import annotations

from jules_job_manager.web.idempotency import HEADER, REPLAYED_HEADER
from jules_job_manager.web.rate_limits import LIMIT_HEADERS

ALLOWED = (
    "Authorization", "X-API-Key", "Content-Type", HEADER, "If-Match", "X-Request-ID", "Last-Event-ID",
)  # fmt: skip
"""What a page may send."""
EXPOSED = (
    "ETag", "Location", "Retry-After", "WWW-Authenticate", "X-Request-ID", REPLAYED_HEADER,
    *LIMIT_HEADERS,
)  # fmt: skip
"""What a page may read, beside what browsers show of every answer. A header that is sent and not in
this list does not exist for a page. Source: fetch.spec.whatwg.org, "CORS-safelisted response-header name",
read 2026-11."""
