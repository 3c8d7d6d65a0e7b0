"""The MCP face: what the Node server google-jules-mcp answers, and how it goes wrong."""
