"""Reports of a review: pure functions from one value to Markdown, HTML, SARIF and JSON.

Every text that a delivery, a document or a tool wrote is cut, masked and made visible once, in
`view`; a format adds only the escaping of its own syntax.
"""

from __future__ import annotations

from jules_job_manager.domain.report.as_json import to_json
from jules_job_manager.domain.report.html import to_html
from jules_job_manager.domain.report.markdown import to_markdown
from jules_job_manager.domain.report.model import FileDiff, ReportInput
from jules_job_manager.domain.report.sarif import to_sarif

__all__ = ["FileDiff", "ReportInput", "to_html", "to_json", "to_markdown", "to_sarif"]
