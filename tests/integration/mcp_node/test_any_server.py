"""What must hold with every server of these tools; JJM_TEST_MCP_COMMAND adds a real one."""

from __future__ import annotations

from jules_job_manager.adapters.backends.mcp.backend import open_mcp_backend


async def test_it_starts_answers_and_ends(any_command, site, clock):
    """Handshake, a list, its own description, and a clean end."""
    backend = open_mcp_backend(
        command=any_command, environment=site.environment, call_timeout_seconds=70,
        create_timeout_seconds=70, start_timeout_seconds=30, stderr_log=site.stderr_log, clock=clock,
    )  # fmt: skip
    assert [] == list(await backend.list_tasks())
    info = await backend.session_info()
    assert "https://jules.google.com" == info["baseUrl"]
    assert str(site.data) == info["dataPath"]
    await backend.aclose()
    assert "running on stdio" in site.stderr_log.read_text()
