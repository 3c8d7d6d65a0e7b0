"""The example that `jjm demo` runs: a repository, a backlog and a scenario."""
