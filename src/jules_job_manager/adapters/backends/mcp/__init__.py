"""Jules over an MCP server process: google-jules-mcp, or any other that speaks its texts."""
