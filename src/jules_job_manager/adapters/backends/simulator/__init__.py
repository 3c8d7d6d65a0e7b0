"""A pretend Jules on real git repositories, with a REST and an MCP face."""
