"""How strict an assertion is, as far as its text shows."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from jules_job_manager.domain.rules.python_code import last_name, shown

_EXACT = frozenset({"equal", "is"})
_LOOSE = frozenset({"in", "order", "not_equal", "not_none", "truth", "type"})
_METHODS = {
    "assertEqual": "equal", "assertEquals": "equal", "assertDictEqual": "equal", "assertListEqual": "equal",
    "assertSetEqual": "equal", "assertTupleEqual": "equal", "assertCountEqual": "equal",
    "assertMultiLineEqual": "equal", "assertSequenceEqual": "equal", "assertIs": "is",
    "assertAlmostEqual": "close", "assertIn": "in", "assertGreater": "order", "assertGreaterEqual": "order",
    "assertLess": "order", "assertLessEqual": "order", "assertNotEqual": "not_equal",
    "assertIsNotNone": "not_none", "assertTrue": "truth", "assertIsInstance": "type", "raises": "raises",
    "assertRaises": "raises", "assertRaisesRegex": "raises", "assertRegex": "in",
}  # fmt: skip
_BROAD = frozenset({"Exception", "BaseException"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """What an assertion claims. `about` is the source of what is looked at."""

    kind: str
    about: str
    expected: str = ""
    tolerance: float | None = None


def claim_of(node: ast.AST) -> Claim | None:
    """Return what an assertion claims; None when that is not understood."""
    if isinstance(node, ast.Assert):
        return _of_test(node.test)
    if isinstance(node, ast.Call) and last_name(node) in _METHODS:
        return _of_method(node)
    return None


def _of_test(test: ast.expr) -> Claim:
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, right, operator = test.left, test.comparators[0], test.ops[0]
        if isinstance(operator, ast.In):
            # `x in (200, 201)` is about x; `"a" in text` about the text.
            constant = isinstance(left, ast.Constant)
            about, expected = (right, left) if constant else (left, right)
            return Claim(kind="in", about=_subject(about), expected=shown(expected))
        if _is_literal(left) and not _is_literal(right):
            left, right = right, left
        kind = _operator(operator, right)
        if kind == "equal" and last_name(right) in {"approx", "ANY"}:
            kind = "close" if last_name(right) == "approx" else "truth"
        return Claim(
            kind=kind, about=_subject(left), expected=shown(right), tolerance=_tolerance(right)
        )
    if isinstance(test, ast.Call) and last_name(test) == "isinstance" and test.args:
        return Claim(kind="type", about=_subject(test.args[0]))
    if isinstance(test, ast.Call) and last_name(test) == "isclose" and test.args:
        return Claim(kind="close", about=_subject(test.args[0]), tolerance=_tolerance(test))
    return Claim(kind="truth", about=_subject(test))


def _is_literal(node: ast.expr) -> bool:
    """Whether it is a value as it stands there: what is expected, not what is looked at."""
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        return all(_is_literal(item) for item in node.elts)
    if isinstance(node, ast.Dict):
        return all(key is not None and _is_literal(key) for key in node.keys) and all(
            _is_literal(value) for value in node.values
        )
    return isinstance(node, ast.Constant)


def _operator(operator: ast.cmpop, right: ast.expr) -> str:
    if isinstance(operator, ast.Eq):
        return "equal"
    if isinstance(operator, ast.Is):
        return "is"
    if isinstance(operator, ast.IsNot):
        return (
            "not_none" if isinstance(right, ast.Constant) and right.value is None else "not_equal"
        )
    if isinstance(operator, ast.NotEq):
        return "not_equal"
    return "not_in" if isinstance(operator, ast.NotIn) else "order"


def _of_method(node: ast.Call) -> Claim | None:
    name = last_name(node)
    kind = _METHODS[name]
    if not node.args:
        return None
    if kind == "raises":
        matched = any(word.arg == "match" for word in node.keywords) or name == "assertRaisesRegex"
        return Claim(
            kind="raises",
            about="raises",
            expected=shown(node.args[0]) + (" match" if matched else ""),
        )
    about, expected = node.args[0], node.args[1] if len(node.args) > 1 else None
    if kind == "in" or (expected is not None and _is_literal(about)):
        about, expected = (expected or about), about
    return Claim(
        kind=kind,
        about=_subject(about),
        expected=shown(expected) if expected is not None else "",
        tolerance=_tolerance(node),
    )


def _subject(node: ast.expr) -> str:
    """What is looked at; `len(x)`, `round(x)` and `bool(x)` look at x."""
    if (
        isinstance(node, ast.Call)
        and last_name(node) in {"len", "bool", "sorted", "set", "round"}
        and node.args
    ):
        return _subject(node.args[0])
    return shown(node)


def _tolerance(node: ast.expr) -> float | None:
    """The widest tolerance that a call allows, as a number that grows with it."""
    if not isinstance(node, ast.Call):
        return None
    sizes = []
    for word in node.keywords:
        value = word.value.value if isinstance(word.value, ast.Constant) else None
        if isinstance(value, int | float):
            if word.arg in {"rel", "abs", "delta", "rel_tol", "abs_tol"}:
                sizes.append(float(value))
            elif word.arg == "places" and abs(value) < 300:
                sizes.append(10.0 ** -float(value))
    if last_name(node) == "assertAlmostEqual":
        return max(sizes, default=1e-7)
    return max(sizes, default=1e-6) if last_name(node) in {"approx", "isclose"} else None


def is_looser(old: Claim, new: Claim) -> bool:
    """Return whether the new claim about the same thing admits what the old one refused."""
    if old.kind in _EXACT and new.kind in _LOOSE:
        # `is True` and plain truth are nearly the same.
        return not (new.kind == "truth" and old.expected in {"True", ""})
    if old.kind == "close" and new.kind in _LOOSE:
        return True
    if old.kind == new.kind == "close" and old.tolerance is not None and new.tolerance is not None:
        return new.tolerance > old.tolerance
    if old.kind == "equal" and new.kind == "close":
        return new.tolerance is not None and new.tolerance > 1e-3
    if old.kind in {"in", "order", "type"} and new.kind in {"not_none", "truth"}:
        return True
    if old.kind == new.kind == "raises":
        return (
            new.expected.removesuffix(" match") in _BROAD
            and old.expected.removesuffix(" match") not in _BROAD
        )
    return False


def proves_nothing(node: ast.AST) -> bool:
    """Return whether the assertion holds whatever the program does."""
    if isinstance(node, ast.Assert):
        return _always(node.test)
    if isinstance(node, ast.Call) and last_name(node) in {
        "assertTrue",
        "assertFalse",
        "assertEqual",
        "assertIs",
        "assertIsNotNone",
    }:
        values = [arg.value for arg in node.args if isinstance(arg, ast.Constant)]
        if last_name(node) in {"assertEqual", "assertIs"}:
            return len(node.args) == 2 and _same(node.args[0], node.args[1])
        if last_name(node) == "assertFalse":
            return len(values) == len(node.args) > 0 and not values[0]
        return bool(node.args) and (isinstance(node.args[0], ast.Constant) and bool(values[0]))
    return False


def _same(left: ast.expr, right: ast.expr) -> bool:
    """Whether both sides are the same, and asking twice cannot give another answer."""
    calls = any(isinstance(child, ast.Call | ast.Await) for child in ast.walk(left))
    return not calls and ast.dump(left) == ast.dump(right)


def _always(test: ast.expr) -> bool:
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.Tuple):
        return bool(test.elts)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return isinstance(test.operand, ast.Constant) and not test.operand.value
    if isinstance(test, ast.BoolOp):
        parts = [_always(value) for value in test.values]
        return any(parts) if isinstance(test.op, ast.Or) else all(parts)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, right, operator = test.left, test.comparators[0], test.ops[0]
        if isinstance(operator, ast.GtE) and last_name(left) == "len":
            return isinstance(right, ast.Constant) and right.value == 0
        both = isinstance(left, ast.Constant) and isinstance(right, ast.Constant)
        # `x == x` of a plain name may be meant as a test of __eq__.
        return isinstance(operator, ast.Eq | ast.Is) and both and _same(left, right)
    return False
