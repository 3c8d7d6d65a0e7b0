"""Markdown as one page that needs nothing else and runs nothing."""

from __future__ import annotations

from html import escape

from jules_job_manager.domain.report.html import html_page


def markdown_page(text: str, *, title: str) -> str:
    """Return the page. HTML in `text` is shown as text, and nothing in it is a link."""
    from markdown_it import MarkdownIt

    reader = MarkdownIt("commonmark", {"html": False}).disable(["link", "autolink", "image"])
    return html_page(reader.render(text), title=escape(title))
