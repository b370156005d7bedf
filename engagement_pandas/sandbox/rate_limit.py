"""Rate limits per minute and per second of the wall clock."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from engagement_pandas.sandbox.http_answer import Refusal

RATE_LIMIT_TEXT: Final = "Your request exceeds the rate limit. Wait for it to reset and try again."


@dataclass(frozen=True, slots=True)
class Allowance:
    """The rate limit of one period.

    ``name`` is part of the header names. ``seconds`` is the length of a period; periods start at
    multiples of it. ``limit`` is the maximum number of requests in a period.
    """

    name: str
    seconds: int
    limit: int


class RateLimit:
    """Counter of requests against the rate limits.

    ``penalty`` is the number of requests that each response with status 429 uses up in the next
    minute with requests. ``wall`` returns seconds since 1970.
    """

    def __init__(
        self, per_minute: int, per_second: int, penalty: int, wall: Callable[[], float]
    ) -> None:
        self._allowances = (
            Allowance("per-minute", 60, per_minute),
            Allowance("per-second", 1, per_second),
        )
        self._wall = wall
        self._lock = threading.Lock()
        self._spent = {allowance.name: (0, 0) for allowance in self._allowances}
        self._penalty = penalty
        self._owed: Counter[str] = Counter()

    def spend(self) -> dict[str, str]:
        """Count one request, and return the headers of the rate limits.

        Limit and remaining are in requests, reset is in seconds since 1970.
        """
        now = self._wall()
        with self._lock:
            current = {}
            for allowance in self._allowances:
                period = int(now // allowance.seconds)
                known, spent = self._spent[allowance.name]
                if known != period:
                    spent = self._owed.pop(allowance.name, 0)
                current[allowance.name] = (period, spent)
            allowed = all(current[a.name][1] < a.limit for a in self._allowances)
            if allowed:
                current = {name: (period, spent + 1) for name, (period, spent) in current.items()}
            else:
                self._owed["per-minute"] += self._penalty
            self._spent = current
        headers = {}
        for allowance in self._allowances:
            period, spent = current[allowance.name]
            prefix = f"x-{allowance.name}"
            headers[f"{prefix}-limit"] = str(allowance.limit)
            headers[f"{prefix}-remaining"] = str(max(allowance.limit - spent, 0))
            headers[f"{prefix}-reset"] = str((period + 1) * allowance.seconds)
        if not allowed:
            raise Refusal(429, RATE_LIMIT_TEXT, headers=headers)
        return headers
