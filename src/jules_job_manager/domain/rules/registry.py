"""All built-in rules, in the order in which they are shown."""

from __future__ import annotations

from jules_job_manager.domain.rules.api_contract import api_contract
from jules_job_manager.domain.rules.async_misuse import async_misuse
from jules_job_manager.domain.rules.canned_data import no_canned_data
from jules_job_manager.domain.rules.docs_touched import docs_touched
from jules_job_manager.domain.rules.error_handling import error_handling
from jules_job_manager.domain.rules.hard_coded import no_hard_coded
from jules_job_manager.domain.rules.hidden_characters import hidden_characters
from jules_job_manager.domain.rules.imports_resolve import imports_resolve
from jules_job_manager.domain.rules.parses import parses
from jules_job_manager.domain.rules.placeholder_secrets import no_placeholder_secrets
from jules_job_manager.domain.rules.promised_files import promised_files
from jules_job_manager.domain.rules.promised_names import promised_names
from jules_job_manager.domain.rules.protected_paths import protected_paths
from jules_job_manager.domain.rules.queries_in_loops import no_n_plus_one
from jules_job_manager.domain.rules.routes import no_queries_in_routes, route_size
from jules_job_manager.domain.rules.rule import Check, Need, Rule, RuleOptions
from jules_job_manager.domain.rules.session_handling import session_handling
from jules_job_manager.domain.rules.sql_strings import no_sql_strings
from jules_job_manager.domain.rules.stubs import no_stubs
from jules_job_manager.domain.rules.tests_kept import tests_kept
from jules_job_manager.domain.rules.tree_safety import file_size, safe_links, safe_names
from jules_job_manager.domain.rules.type_hints import type_hints


def built_in_rules(options: RuleOptions | None = None) -> tuple[Rule, ...]:
    """Return every rule, made with the options; none given: their defaults."""
    chosen = RuleOptions() if options is None else options
    required, advisory = Need.REQUIRED, Need.ADVISORY
    rows: tuple[tuple[str, str, str, Need, Check], ...] = (
        ("promised-files", "Promised files exist", "Every file the job said it would create is there, a regular file inside the repository, and holds more than blanks and comments.", required, promised_files),
        ("promised-names", "Promised names exist", "Every endpoint, class, function and table that the prompt plainly announces is found in the code.", required, promised_names),
        ("parses", "Changed files parse", "Changed Python, JSON and TOML files can be read, and no conflict marks are left.", required, parses),
        ("imports-resolve", "Imports resolve", "Every import of a changed Python file names a module of the repository, the standard library or a declared dependency, and a name that the module defines.", required, imports_resolve),
        ("no-stubs", "No stubs are left", "New and changed functions have a body that does something, and no remark says that work is left.", required, no_stubs),
        ("no-canned-data", "No canned data", "Routes and functions that promise data do not return the same literal or a random number.", required, no_canned_data),
        ("no-placeholder-secrets", "No made-up credentials", "No password, key or token is given a made-up value such as `changeme`.", required, no_placeholder_secrets),
        ("tests-kept", "Tests are kept", "No test is deleted, skipped, left early or loosened, and no setting or hook leaves tests out or hides failures.", required, tests_kept),
        ("protected-paths", "Protected files are left alone", "CI, lock files, review, git and test-runner configuration change only when the job declares or names them.", required, protected_paths(chosen)),
        ("safe-links", "Links stay inside", "No link points outside the repository, and no submodule changes without leave.", required, safe_links(chosen)),
        ("safe-names", "File names are honest", "No new name holds control or invisible characters, or differs from another only in case or accents.", required, safe_names),
        ("file-size", "Files are not huge", "No new or changed file is longer than the limit.", required, file_size(chosen)),
        ("hidden-characters", "Text reads as it runs", "No added line changes the direction of reading, and no name mixes letters that look alike.", required, hidden_characters),
        ("no-sql-strings", "No SQL built from values", "SQL that is run is not built from values by f-strings, `%`, `+` or `format`.", required, no_sql_strings),
        ("api-contract", "The API contract is kept", "An OpenAPI document in JSON loses no path, operation or response member and demands no new parameter or member.", required, api_contract),
        ("type-hints", "Type hints are present", "New public functions have types for all parameters and for the result.", advisory, type_hints),
        ("error-handling", "Errors are handled", "No new handler is bare, or catches everything and says nothing.", advisory, error_handling),
        ("no-n-plus-one", "No query in a loop", "No database query stands in a new or changed `for` loop or comprehension.", advisory, no_n_plus_one),
        ("no-hard-coded", "Nothing is hard-coded", "Hosts, ports, absolute paths and keys are not written into the code.", advisory, no_hard_coded),
        ("session-handling", "Sessions are closed", "A database session of SQLAlchemy that a function opens is closed or handed on.", advisory, session_handling),
        ("async-misuse", "Async is used well", "Nothing blocks the event loop in a coroutine, and coroutines are awaited.", advisory, async_misuse),
        ("docs-touched", "Documentation is updated", "New public functions and routes have a docstring, or a document is touched.", advisory, docs_touched),
        ("route-size", "Routes are thin", "Route functions are no longer than the limit.", advisory, route_size(chosen)),
        ("no-queries-in-routes", "No queries in routes", "Route functions do not ask the database themselves.", advisory, no_queries_in_routes),
    )  # fmt: skip
    return tuple(
        Rule(id=id_, title=title, explanation=explanation, need=need, check=check)
        for id_, title, explanation, need, check in rows
    )
