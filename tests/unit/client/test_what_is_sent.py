"""What no service takes is refused before it is sent, and addresses are taken as people write them."""

from __future__ import annotations

from typing import cast

import httpx2
import pytest

from jules_job_manager.client.backlogs import RemoteBacklogs
from jules_job_manager.client.connection import checked_address
from jules_job_manager.client.operations import Operations
from jules_job_manager.client.problems import error_of
from jules_job_manager.errors import BacklogError, InvalidInputError


@pytest.mark.parametrize(
    ("path", "content", "error", "said"),
    [
        ("/b.md", b"", BacklogError, "There is no job in the document"),
        ("/b.md", b"x" * 4_000_001, InvalidInputError, "4,000,001 characters; a service takes"),
        ("/" + 500 * "b", b"x", InvalidInputError, "path has over 500 characters"),
        ("/b\n.md", b"x", InvalidInputError, "or a control character"),
    ],
)
async def test_documents(path, content, error, said):
    """Nothing is sent: there is nobody to send it to."""
    backlogs = RemoteBacklogs(cast("Operations", None))
    with pytest.raises(error, match=said):
        await backlogs.import_backlog(path=path, content=content)


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("body.content", "The service does not take this content: string is too short."),
        ("body.not_before", "The service does not take this not before: string is too short."),
        ("body.tasks.0", "The service does not take this tasks: string is too short."),
        ("body", "The service does not take this request: string is too short."),
    ],
)
def test_other_limits_are_said_without_names_of_the_interface(at, said):
    """What no check of ours knows."""
    problem = {
        "code": "JJM010", "detail": f"{at}: String is too short.",
        "errors": [{"at": at, "problem": "String is too short."}],
    }  # fmt: skip
    assert said == str(error_of(httpx2.Response(400, json=problem), "http://h"))


@pytest.mark.parametrize(
    "end", ["", "/", "/api/v1", "/api/v1/", "//"]
)  # fmt: skip
def test_addresses(end):
    """With the path of the interface, too; a path before it stays."""
    assert "http://127.0.0.1:8787" == checked_address(f"http://127.0.0.1:8787{end}")
    assert "https://h/jjm" == checked_address(f"https://h/jjm{end}")
