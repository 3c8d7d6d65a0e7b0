"""Rule `no-stubs`: new functions do something, and no remark says that work is left."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

from jules_job_manager.domain.change import Change, ChangedFile
from jules_job_manager.domain.finding import Finding, Level
from jules_job_manager.domain.rules.python_code import (
    Definition,
    PythonFile,
    base_names,
    body_of,
    changed_functions,
    decorator_names,
    docstring_of,
    functions,
    last_name,
    module_of,
    python_files,
    shown,
    statement_value,
    text_constant,
)
from jules_job_manager.domain.rules.sources import (
    CODE,
    added_text,
    base_path,
    is_data,
    is_generated,
    is_test,
    is_test_file,
    present,
    removed_text,
    suffix,
    text_of,
)

_LEFT = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
_TICKET = re.compile(r"#\d+|\b[A-Z][A-Z0-9]+-\d+\b|https?://|\([\w.-]+\)")
_ADMITS = re.compile(
    r"\bnot (?:yet )?implemented\b|\bto be implemented\b|\bimplement (?:this|me|later)\b"
    r"|\bin a real (?:implementation|app|application|system|world)\b|\breplace (?:this )?with (?:a |the )?(?:real|actual)\b"
    r"|\bplaceholder (?:implementation|for now|until|logic|code|function|method)\b"
    r"|\b(?:is|just|only|as) a placeholder\b|^\W*placeholder\W*$|\bstub(?:bed)? (?:implementation|out|for now)\b"
    r"|\bfor now,? (?:we |just |simply )*(?:return|hard-?cod|fak|mock|stub|simulat|pretend)\w*"
    r"|\b(?:dummy|mock|fake) (?:data|implementation|response|values?) (?:for now|until)\b"
    r"|\bcoming soon\b",
    re.IGNORECASE,
)
_SAYS_UNFINISHED = re.compile(
    r"\bnot (?:yet )?(?:implemented|supported yet)\b|\bTODO\b|\bcoming soon\b", re.IGNORECASE
)
_MEANT = re.compile(
    r"\bno[- ]?op\b|\bdo(?:es)? nothing\b|\bnothing to (?:do|be done)\b|\bintentional|\bon purpose\b"
    r"|\bhook\b|\boverrid|\bsubclass|\bdeliberate|\bdefault\b|\bignore",
    re.IGNORECASE,
)
_QUIET_CLASS = re.compile(
    r"^_?(?:Null|No[Oo]p|NoOp|Dummy|Fake|Silent|Quiet|Empty|Disabled|Stub|Mock)|(?:Base|Mixin|Interface|Port|Backend|Abstract|Hooks?|Spec|Plugin)$|^_?(?:Abstract|Base|I[A-Z])"
)
_QUIET_NAME = re.compile(
    r"^_*(?:noop|no_op|nop|do_nothing|ignore|null|dummy|pass_|on_|handle_|visit_|log_message|upgrade|downgrade)"
)
_DECLARING = re.compile(
    r"(?:^|\.)(?:abstractmethod|abstractproperty|abstractclassmethod|overload|group|callback|fixture|scenario"
    r"|scenarios|hookspec|singledispatch|singledispatchmethod|type_check_only|task_group|dag|event|register"
    r"|command|validator|given|when|then|step|setter|deleter|query|mutation|external|listens_for)$"
)
_INTERFACE = frozenset(
    {"Protocol", "ABC", "ABCMeta", "Interface", "TypedDict", "NamedTuple", "Enum"}
)
_COMMENT = re.compile(r"(?://|(?<![\w&'\"])#(?![\w{])|/\*|--\s|<!--|^\s*\*\s)(.*)")


def no_stubs(change: Change) -> Iterator[Finding]:
    """Yield stubs among the new and changed functions, and remarks that admit to unfinished work."""
    inherited = frozenset(_stubs_of_base(change))
    for file in python_files(change):
        if is_generated(file.path, file.text) or is_data(file.path):
            continue
        for definition in changed_functions(file):
            is_old = definition.name in inherited
            if not is_old and _is_work(file, definition):
                yield from _stub(change, file, definition)
    known = removed_text(change)
    for changed in present(change):
        yield from _remarks(change, changed, known)


def _stubs_of_base(change: Change) -> Iterator[str]:
    """Names of functions that were stubs before: the delivery may move or reword them."""
    for file in change.files:
        before = module_of(change.base, base_path(file)) if file.path.endswith(".py") else None
        for definition in functions(before) if before is not None else ():
            if _kind(definition):
                yield definition.name


def _is_work(file: PythonFile, definition: Definition) -> bool:
    """Whether the function is one that has to do something."""
    if is_test(file.path):
        return is_test_file(file.path) and definition.node.name.startswith("test")
    return not definition.is_nested


def _kind(definition: Definition) -> str:
    """Return how the body is a stub: `raises`, `passes` or `admits`; empty when it is none."""
    body = body_of(definition.node)
    if all(isinstance(node, ast.Pass) or _is_dots(node) for node in body):
        return "passes"
    if len(body) != 1:
        return ""
    only = body[0]
    if isinstance(only, ast.Raise) and last_name(only.exc) == "NotImplementedError":
        return "raises"
    value = only.exc if isinstance(only, ast.Raise) else getattr(only, "value", None)
    if isinstance(only, ast.Raise | ast.Return | ast.Expr) and value is not None:
        texts = (text_constant(node) for node in ast.walk(value))
        if any(text is not None and _SAYS_UNFINISHED.search(text) for text in texts):
            return "admits"
    return ""


def _is_dots(node: ast.stmt) -> bool:
    value = statement_value(node)
    return isinstance(value, ast.Constant) and value.value is ...


_MESSAGES = {
    "passes": "does nothing: its body is empty",
    "raises": "only raises NotImplementedError",
    "admits": "only says that it is not implemented",
}


def _stub(change: Change, file: PythonFile, definition: Definition) -> Iterator[Finding]:
    kind = _kind(definition)
    if not kind or _declares(change, file, definition, kind):
        return
    yield Finding(
        rule="no-stubs",
        message=f"`{definition.name}` {_MESSAGES[kind]}.",
        path=file.path,
        line=definition.node.lineno,
        level=Level.WARNING if _may_be_meant(file, definition, kind) else Level.ERROR,
    )


def _declares(change: Change, file: PythonFile, definition: Definition, kind: str) -> bool:
    """Whether the function is there to be declared, not to work."""
    if any(_DECLARING.search(name) for name in decorator_names(definition.node)):
        return True
    name, owner = definition.node.name, definition.owner
    if kind == "passes" and name.startswith("__") and name.endswith("__"):
        return True
    if owner is None:
        return False
    if not _INTERFACE.isdisjoint(base_names(owner)) or _QUIET_CLASS.search(owner.name):
        return True
    if any("Protocol" in base or _QUIET_CLASS.search(base) for base in base_names(owner)):
        return kind == "passes"
    return _calls_itself(owner, name) or _is_subclassed(change, file, owner.name)


def _calls_itself(owner: ast.ClassDef, name: str) -> bool:
    """Whether another method of the class calls this one: it is a hook."""
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and node.func.attr == name and last_name(node.func.value) in {"self", "cls"}
        for node in ast.walk(owner)
    )  # fmt: skip


def _is_subclassed(change: Change, file: PythonFile, name: str) -> bool:
    pattern = re.compile(rf"\bclass\s+\w+\s*\([^)]*\b{re.escape(name)}\b")
    if pattern.search(file.text):
        return True
    paths = [path for path in change.head.paths() if path.endswith(".py")]
    return any(pattern.search(text_of(change.head, path) or "") for path in paths[:3000])


def _may_be_meant(file: PythonFile, definition: Definition, kind: str) -> bool:
    if is_test(file.path):
        return False
    if kind == "passes":
        node = definition.node
        lines = file.text.split("\n")[node.lineno - 1 : node.end_lineno]
        words = "\n".join([docstring_of(node), *(line.partition("#")[2] for line in lines)])
        has_bases = definition.owner is not None and bool(definition.owner.bases)
        is_method = definition.owner is not None
        told_none = is_method and bool(docstring_of(node)) and text_of_result(node) == "None"
        quiet = told_none or bool(_QUIET_NAME.search(node.name) or _MEANT.search(words))
        return has_bases or quiet or "migration" in file.path or "alembic" in file.path
    return False


def text_of_result(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the annotated result of a function as text; empty when there is none."""
    return "" if node.returns is None else shown(node.returns)


def _remarks(change: Change, file: ChangedFile, known: frozenset[str]) -> Iterator[Finding]:
    if suffix(file.path) not in CODE or is_data(file.path):
        return
    text = text_of(change.head, file.path) or ""
    if is_generated(file.path, text):
        return
    in_test = is_test(file.path)
    for number, comment, line in _comments(change, file, text):
        if line.strip() in known:
            continue
        if _LEFT.search(comment):
            level = Level.WARNING if in_test or _TICKET.search(comment) else Level.ERROR
            message = f"A remark says that work is left: {comment.strip()[:100]}"
        elif _ADMITS.search(comment) and not in_test:
            level = Level.ERROR
            message = f"A remark says that this is not the real thing: {comment.strip()[:100]}"
        else:
            continue
        yield Finding(rule="no-stubs", message=message, path=file.path, line=number, level=level)


def _comments(change: Change, file: ChangedFile, text: str) -> Iterator[tuple[int, str, str]]:
    """Yield line number, comment and whole line of each comment on an added line."""
    if file.path.endswith(".py"):
        lines = text.split("\n")
        for number, comment in python_comments(text):
            if number in file.added_lines and number <= len(lines):
                yield number, comment, lines[number - 1]
        return
    for number, line in added_text(change, file):
        found = _COMMENT.search(line)
        if found:
            yield number, found[1], line


def python_comments(text: str) -> list[tuple[int, str]]:
    """Return line number and text of each comment of Python source, as far as it can be read."""
    found: list[tuple[int, str]] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.COMMENT:
                found.append((token.start[0], token.string[1:]))
    except (tokenize.TokenError, SyntaxError, ValueError):
        pass
    return found
