"""The audit log: who did what to what, in a chain where a change anywhere shows.

Each entry holds the SHA-256 of the entry before it and of itself, over canonical JSON (members
sorted, no spaces, ASCII). Whoever changes, removes, inserts or swaps entries breaks the chain.
Cutting off the newest ones does not; a head that was written down elsewhere shows that. Retention
removes the oldest entries after an anchor entry that names the last one removed and its hash.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Self

from jules_job_manager.domain.access import Principal
from jules_job_manager.domain.clockwork import from_rfc3339, require_aware, to_rfc3339
from jules_job_manager.domain.masking import MASK, masked
from jules_job_manager.domain.text import storable_text

FIRST_LINK = "0" * 64
"""What the first entry has for the hash of the one before it."""
RETENTION = "audit.retention"
"""The operation of an anchor entry."""
MOST_DETAIL_BYTES = 16384
"""Longest `before` or `after`; a longer one is kept as its size and SHA-256."""
MOST_PROBLEMS = 100
_SECRET_NAME = re.compile(
    r"secret|token|passw|api_?key$|authorization|cookie|credential|digest|private", re.IGNORECASE
)


@dataclass(frozen=True, kw_only=True, slots=True)
class NewAuditEntry:
    """Something that was done, or refused, before it is part of the chain."""

    at: datetime
    actor: str
    kind: str
    """What the actor is: a `PrincipalKind`, or `system`."""
    operation: str
    """`area.verb`, for example `key.create` or `task.approve`."""
    resource: str = ""
    """What it was done to, for example `task:123` or `key:ab12cd34`."""
    result: str = "done"
    """`done`, `refused`, or `failed`."""
    request_id: str = ""
    address: str = ""
    """Where the request came from; empty: this machine's command line."""
    before: Any = None
    after: Any = None
    """JSON values, or None. Secrets are masked before they are kept."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks for something, and from where."""

    principal: Principal
    request_id: str = ""
    address: str = ""

    def did(
        self, operation: str, *, at: datetime, resource: str = "", result: str = "done",
        before: Any = None, after: Any = None,
    ) -> NewAuditEntry:  # fmt: skip
        """Return the entry that says so."""
        return NewAuditEntry(
            at=at, actor=self.principal.name, kind=self.principal.kind.value, operation=operation,
            resource=resource, result=result, request_id=self.request_id, address=self.address,
            before=before, after=after,
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditEntry:
    """A link of the chain. `number` counts from 1 without gaps."""

    number: int
    at: datetime
    actor: str
    kind: str
    operation: str
    resource: str
    result: str
    request_id: str
    address: str
    before: Any
    after: Any
    previous_hash: str
    hash: str

    @property
    def removed_through(self) -> int | None:
        """Of an anchor: the number of the last entry that retention removed; else None."""
        found = self.after.get("removed_through") if isinstance(self.after, Mapping) else None
        return found if self.operation == RETENTION and isinstance(found, int) else None

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {**_content(self), "hash": self.hash}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(**{**data, "at": from_rfc3339(data["at"])})


@dataclass(frozen=True, kw_only=True, slots=True)
class Problem:
    """One thing that is wrong with a chain: `kind` is `changed`, `missing`, `order` or `head`."""

    kind: str
    number: int
    text: str


def linked(new: NewAuditEntry, previous: AuditEntry | None) -> AuditEntry:
    """Return the entry that follows `previous` (None: the very first), secrets masked.

    Raises:
        ValueError: its time has no zone.
    """
    texts = {
        name: storable_text(masked(getattr(new, name)))
        for name in ("actor", "kind", "operation", "resource", "result", "request_id", "address")
    }
    entry = AuditEntry(
        number=1 if previous is None else previous.number + 1, at=require_aware(new.at),
        before=kept_detail(new.before), after=kept_detail(new.after),
        previous_hash=FIRST_LINK if previous is None else previous.hash, hash="", **texts,
    )  # fmt: skip
    return replace(entry, hash=hash_of(entry))


def anchor(*, at: datetime, actor: str, kind: str, last: AuditEntry) -> NewAuditEntry:
    """Return the entry that says: everything up to `last` is removed because it is old."""
    said = {"removed_through": last.number, "removed_head": last.hash}
    return NewAuditEntry(at=at, actor=actor, kind=kind, operation=RETENTION, after=said)


def hash_of(entry: AuditEntry) -> str:
    """Return the SHA-256, in hexadecimal, over all of the entry but its own hash."""
    text = json.dumps(_content(entry), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def kept_detail(value: Any) -> Any:
    """Return a `before` or `after` as it is kept: plain JSON, secrets masked, not too long."""
    if value is None:
        return None
    plain = json.loads(json.dumps(_masked_value(value), default=str))
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    if len(text) <= MOST_DETAIL_BYTES:
        return plain
    digest = hashlib.sha256(text.encode("ascii")).hexdigest()
    return {"too_long_bytes": len(text), "sha256": digest}


def _masked_value(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {masked(str(key)): _masked_value(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return [_masked_value(item, name) for item in items]
    if _SECRET_NAME.search(name) and value not in (None, "", True, False):
        return MASK
    if isinstance(value, float) and (value != value or abs(value) == float("inf")):  # noqa: PLR0124
        return str(value)
    return masked(value) if isinstance(value, str) else value


def _content(entry: AuditEntry) -> dict[str, Any]:
    return {
        "number": entry.number,
        "at": to_rfc3339(entry.at),
        "actor": entry.actor,
        "kind": entry.kind,
        "operation": entry.operation,
        "resource": entry.resource,
        "result": entry.result,
        "request_id": entry.request_id,
        "address": entry.address,
        "before": entry.before,
        "after": entry.after,
        "previous_hash": entry.previous_hash,
    }


@dataclass(frozen=True, kw_only=True, slots=True)
class Verification:
    """What is known of a chain after reading it up to somewhere. Feed it with `after`, then `ended`."""

    count: int = 0
    first: AuditEntry | None = None
    last: AuditEntry | None = None
    anchored: Mapping[int, str] = field(default_factory=dict)
    """Number to hash of the last entry removed, as the newest anchor says it."""
    expected_head: str = ""
    """Hash of an entry that must be there; empty: none is expected."""
    expected_number: int = 0
    """Its number, when that is known too: it tells an old head from one that was cut off."""
    has_head: bool = False
    problems: tuple[Problem, ...] = ()

    def after(self, entry: AuditEntry) -> Verification:
        """Return what is known once this entry was read too."""
        problems = [*self.problems]
        if hash_of(entry) != entry.hash:
            problems.append(_problem("changed", entry.number, "was changed"))
        problems += self._broken_link(entry)
        removed = entry.removed_through
        anchored = self.anchored
        if removed is not None:
            anchored = {removed: str(entry.after.get("removed_head", ""))}
        return replace(
            self, count=self.count + 1, first=self.first or entry, last=entry, anchored=anchored,
            has_head=self.has_head or entry.hash == self.expected_head,
            problems=tuple(problems[:MOST_PROBLEMS]),
        )  # fmt: skip

    def _broken_link(self, entry: AuditEntry) -> Sequence[Problem]:
        if self.last is None:
            return ()
        if entry.number <= self.last.number:
            text = f"stands after entry {self.last.number}"
            return (_problem("order", entry.number, text),)
        if entry.number > self.last.number + 1:
            gap = entry.number - self.last.number - 1
            return (_problem("missing", entry.number, f"follows {gap} that are gone"),)
        if entry.previous_hash != self.last.hash:
            text = f"does not follow entry {self.last.number} as that one stands"
            return (_problem("changed", entry.number, text),)
        return ()

    def ended(self) -> Verification:
        """Return what is known once there are no more entries."""
        problems = [*self._wrong_start(), *self.problems]
        if self.expected_head and not self.has_head and not self._was_removed():
            text = (
                "The expected head is not in the chain: its newest entries were removed or changed."
            )
            problems.append(
                Problem(kind="head", number=self.last.number if self.last else 0, text=text)
            )
        return replace(self, problems=tuple(problems[:MOST_PROBLEMS]))

    def _wrong_start(self) -> Sequence[Problem]:
        first = self.first
        if first is None or (first.number == 1 and first.previous_hash == FIRST_LINK):
            return ()
        if self.anchored.get(first.number - 1) == first.previous_hash:
            return ()
        if first.number == 1:
            return (_problem("changed", 1, "does not begin the chain as a first entry does"),)
        return (
            _problem(
                "missing", first.number, "is the oldest, and no retention removed those before it"
            ),
        )

    def _was_removed(self) -> bool:
        return self.expected_head in self.anchored.values() or self.is_head_too_old

    @property
    def is_head_too_old(self) -> bool:
        """Whether retention removed the expected head, so that it proves nothing any more."""
        return 0 < self.expected_number < max(self.anchored, default=0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Proof:
    """What reading the whole log showed."""

    count: int
    first_number: int | None
    """Of the oldest entry; None: there is none."""
    head: str
    """NUMBER:HASH of the newest entry, or empty."""
    problems: tuple[Problem, ...] = ()
    is_head_too_old: bool = False
    """Whether the expected head is of an entry that retention removed."""

    @classmethod
    def of(cls, found: Verification) -> Self:
        """Return it of a chain that was read to its end."""
        return cls(
            count=found.count, problems=found.problems, is_head_too_old=found.is_head_too_old,
            first_number=None if found.first is None else found.first.number,
            head="" if found.last is None else f"{found.last.number}:{found.last.hash}",
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "ok": not self.problems, "count": self.count, "first_number": self.first_number,
            "head": self.head, "is_head_too_old": self.is_head_too_old,
            "problems": [{"kind": p.kind, "number": p.number, "text": p.text} for p in self.problems],
        }  # fmt: skip

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote."""
        return cls(
            count=data["count"], first_number=data["first_number"], head=data["head"],
            is_head_too_old=data["is_head_too_old"],
            problems=tuple(Problem(**problem) for problem in data["problems"]),
        )  # fmt: skip


def _problem(kind: str, number: int, text: str) -> Problem:
    return Problem(kind=kind, number=number, text=f"Entry {number} {text}.")


def csv_cell(value: Any) -> str:
    """Return a value as a cell that a spreadsheet takes for text, never for a formula.

    Cells that begin with `= + - @`, a tab or a line break get an apostrophe in front.
    Source: OWASP, CSV Injection, read 2026-11.
    """
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return (
        f"'{text}"
        if not is_number and text[:1] in set("=+-@\t\r\n") | {"＝", "＋", "－", "＠"}
        else text
    )
