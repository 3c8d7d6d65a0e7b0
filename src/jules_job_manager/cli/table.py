"""Every command: where it lives and what it is for. Nothing is imported until it is asked for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    Entry = tuple[str, str]
    Table = Mapping[str, "Entry | Table"]

QUEUE: dict[str, tuple[str, str]] = {
    "import": ("queue_import", "Read a backlog document into the queue"),
    "list": ("queue_list", "List jobs"),
    "show": ("queue_show", "Show one job"),
    "graph": ("queue_graph", "Draw the dependencies"),
    "status": ("queue_status", "Count jobs by status and show what needs you"),
    "run": ("queue_run", "Work through the queue"),
    "story": ("queue_story", "Show the whole story of a job on one page"),
    "why": ("queue_why", "Say why a job is not running, and when it will"),
    "move": ("queue_move", "Give a waiting job another place"),
    "pin": ("queue_pin", "Let a job start before all others"),
    "hold": ("queue_hold", "Keep a job from starting"),
    "release": ("queue_release", "Let a held job go on"),
    "skip": ("queue_skip", "Take a job out; what depends on it goes on"),
    "cancel": ("queue_cancel", "Take a job out and end its task"),
    "schedule": ("queue_schedule", "Say when, how often and how a job runs"),
    "pause": ("queue_pause", "Let no job start until `queue resume`"),
    "resume": ("queue_resume", "Let jobs start again"),
    "adopt": ("queue_adopt", "Give a job the task that already works on it"),
    "retry": ("queue_retry", "Let a failed or cancelled job run again"),
    "clean": ("queue_clean", "Put away tasks whose work is merged"),
    "export": ("queue_export", "Write the queue as a document or JSON"),
}
SIMULATOR: dict[str, tuple[str, str]] = {
    "serve": ("simulator_serve", "Serve the pretend Jules over REST"),
    "mcp": ("simulator_mcp", "Serve the pretend Jules over MCP, on stdin and stdout"),
}
STORAGE: dict[str, tuple[str, str]] = {
    "status": ("storage_status", "Show where things are kept"),
    "migrate": ("storage_migrate", "Move everything into another store"),
    "upgrade": ("storage_upgrade", "Bring the database to the newest schema"),
    "merge-fallback": (
        "storage_merge_fallback",
        "Merge what was written while PostgreSQL was away",
    ),
}
NOTIFY: dict[str, tuple[str, str]] = {
    "test": ("notify_test", "Send a test message to every address"),
}
WEBHOOK: dict[str, tuple[str, str]] = {
    "create": ("webhook_create", "Send events to an address"),
    "list": ("webhook_list", "List the addresses"),
    "update": ("webhook_update", "Change an address, its filters or its secret"),
    "delete": ("webhook_delete", "Send nothing there any more"),
    "deliveries": ("webhook_deliveries", "Show what was sent and how it was answered"),
    "replay": ("webhook_replay", "Send again"),
    "test": ("webhook_test", "Send a test message"),
}
REVIEW: dict[str, tuple[str, str]] = {
    "flaky": ("review_flaky", "Show how often each check was flaky"),
    "init": ("review_init", "Write a .jjm.toml for a repository"),
    "sign": ("review_sign", "Answer yourself for a line of a job's checklist"),
}
MERGE: dict[str, tuple[str, str]] = {
    "approve": ("merge_approve", "Let a delivery that passed be merged"),
    "revert": ("merge_revert", "Take back what was merged for a job"),
}
KEY: dict[str, tuple[str, str]] = {
    "create": ("key_create", "Make an API key for a program"),
    "list": ("key_list", "List API keys"),
    "revoke": ("key_revoke", "Make an API key stop working, or sign a person out"),
    "rotate": ("key_rotate", "Give an API key a successor"),
    "link": ("key_link", "Print a link that signs a person in, once"),
    "sessions": ("key_sessions", "List who is signed in with a browser"),
}
AUDIT: dict[str, tuple[str, str]] = {
    "verify": ("audit_verify", "Prove that nobody changed the audit log"),
    "query": ("audit_query", "Show who did what"),
    "export": ("audit_export", "Write the audit log as JSON lines, JSON or CSV"),
}
CONFIG: dict[str, tuple[str, str]] = {
    "show": ("config_show", "Show every setting and where it came from"),
    "set": ("config_set", "Change one setting in the configuration file"),
    "init": ("config_init", "Write a commented configuration file"),
}
SECRET: dict[str, tuple[str, str]] = {
    "check": ("secret_check", "Show whether the secrets that settings refer to are there"),
    "set": ("secret_set", "Keep a secret in this machine's keyring"),
}
GROUPS: dict[str, tuple[str, dict[str, tuple[str, str]]]] = {
    "queue": ("Work through a backlog", QUEUE),
    "simulator": ("Run the bundled pretend Jules", SIMULATOR),
    "review": ("Judge deliveries", REVIEW),
    "merge": ("Decide what is merged", MERGE),
    "storage": ("Look after the store", STORAGE),
    "notify": ("Tell people what happens", NOTIFY),
    "key": ("Let programs and people use the server", KEY),
    "audit": ("See who did what", AUDIT),
    "webhook": ("Tell other programs what happens", WEBHOOK),
    "config": ("See and change settings", CONFIG),
    "secret": ("Keep keys and passwords out of files", SECRET),
}
COMMANDS: dict[str, tuple[str, str]] = {
    "list": ("list", "List tasks"),
    "get": ("get", "Show one task"),
    "create": ("create", "Create a task"),
    "message": ("message", "Send a message to a task"),
    "approve": ("approve", "Approve a task's plan"),
    "resume": ("resume", "Make a paused task go on"),
    "monitor": ("monitor", "Watch a task"),
    "plan": ("plan", "Show a task's plan"),
    "diff": ("diff", "Show what a task changed"),
    "patch": ("patch", "Print a task's patch for git apply"),
    "review": ("review", "Check a branch or show a job's review"),
    "recover": ("recover", "Bring lost work back as a local branch"),
    "log": ("log", "Show what happened in a task"),
    "open": ("open", "Open a task in the browser"),
    "archive": ("archive", "Archive a task, or bring it back"),
    "delete": ("delete", "Delete a task for good"),
    "sources": ("sources", "List the repositories Jules may work on"),
    "quota": ("quota", "Show how many tasks are left, and when the next may start"),
    "serve": ("serve", "Run the service: the API, live updates and the queue"),
    "worker": ("worker", "Run the queue together with other workers"),
    "doctor": ("doctor", "Check the set-up and say how to mend it"),
    "demo": ("demo", "See the main job done, with no key and no server"),
    "completion": ("completion", "Print shell completion"),
}

WORKS_HERE: dict[str, str] = {
    "config set": "it changes this machine's configuration file",
    "config init": "it writes this machine's configuration file",
    "secret check": "it looks at this machine's secrets",
    "secret set": "it keeps a secret in this machine's keyring",
    "completion": "it is about this machine's shell",
    "demo": "it runs in a scratch folder of this machine",
    "simulator serve": "it runs on this machine",
    "simulator mcp": "it runs on this machine",
    "storage migrate": "it moves the store that this machine is set up for",
    "storage upgrade": "it changes the database that this machine is set up for",
    "storage merge-fallback": "it reads what this machine wrote while its database was away",
    "review init": "it looks at a repository on this machine",
    "worker": "it works with the store that this machine is set up for",
    "serve": "it is the service",
}
"""Commands for which no service does the work, and why. JJM_SERVER and client.server are nothing
to them; the option --server is refused."""
ONLY_WHEN_ASKED = frozenset({"config show"})
"""Commands that go through a service with the option --server alone: JJM_SERVER and client.server
are themselves what they are asked about."""


def find(words: list[str]) -> tuple[str, list[str], int] | None:
    """Return the module, the command's words and how many of `words` they take, or None."""
    if not words:
        return None
    if words[0] in GROUPS and len(words) > 1 and words[1] in GROUPS[words[0]][1]:
        return GROUPS[words[0]][1][words[1]][0], words[:2], 2
    if words[0] in COMMANDS:
        return COMMANDS[words[0]][0], words[:1], 1
    return None


def every_command() -> Iterator[tuple[str, str, str]]:
    """Yield words, module and help of every command."""
    for name, (module, text) in COMMANDS.items():
        yield name, module, text
    for group, (_, table) in GROUPS.items():
        for name, (module, text) in table.items():
            yield f"{group} {name}", module, text
