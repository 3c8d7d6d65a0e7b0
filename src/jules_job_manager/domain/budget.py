"""A token bucket as arithmetic: how many calls of one kind may be made now."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """At most `per_minute` calls in any minute on average, and as many at once after a rest.

    A value, not a limiter: it counts on whatever clock the caller reads, a simulated one too.
    """

    per_minute: float
    """Calls, > 0."""
    tokens: float
    at_seconds: float
    """Monotonic time that `tokens` is of."""

    @classmethod
    def full(cls, per_minute: float, at_seconds: float) -> Budget:
        """Return a budget nothing was taken from."""
        return cls(per_minute=per_minute, tokens=per_minute, at_seconds=at_seconds)

    def taken(self, now_seconds: float) -> Budget | None:
        """Return what is left after one call now, or None when there is none."""
        passed = max(0.0, now_seconds - self.at_seconds)
        tokens = min(self.per_minute, self.tokens + passed * self.per_minute / 60)
        if tokens < 1:
            return None
        return replace(self, tokens=tokens - 1, at_seconds=max(now_seconds, self.at_seconds))
