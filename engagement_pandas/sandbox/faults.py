"""Fault injection: errors between a service and its client."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from engagement_pandas.sandbox.rate_limit import RATE_LIMIT_TEXT
from engagement_pandas.sandbox.stable_random import hash64, uniform

PROXY_PAGE: Final = (
    b"<html><head><title>502 Bad Gateway</title></head>"
    b"<body><center><h1>502 Bad Gateway</h1></center><hr></body></html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault in a response. The request still counts, and its nonce is used up.

    ``status`` and ``body`` replace those of the response; if ``status`` is None, both are
    unchanged. ``gzipped`` is true if that body is sent compressed. ``headers`` are additional.

    ``sent`` is the share of the body that is sent before the connection is closed, and
    ``announced`` is true if ``Content-Length`` is still the length of the complete body. If
    ``answered`` is false, the connection is closed without a response. ``delay`` is in seconds,
    before the response.
    """

    kind: str
    status: int | None = None
    body: bytes = b""
    content_type: str = "application/json;charset=utf-8"
    gzipped: bool = True
    headers: tuple[tuple[str, str], ...] = ()
    sent: float = 1.0
    announced: bool = True
    answered: bool = True
    delay: float = 0.0


_SPENT: Final = (("x-per-second-remaining", "0"),)

FAULTS: Final[Mapping[str, Fault]] = MappingProxyType(
    {
        fault.kind: fault
        for fault in (
            Fault("429", 429, b'{"errors":["%s"]}' % RATE_LIMIT_TEXT.encode(), headers=_SPENT),
            Fault("500", 500, b'{"errors":["internal server error"]}'),
            Fault("502", 502, PROXY_PAGE, content_type="text/html", gzipped=False),
            Fault("503", 503, b'{"errors":["service unavailable"]}'),
            Fault("closed", answered=False),
            # A truncated body with a corrected length, and one cut off in transit.
            Fault("truncated", sent=0.6, announced=False),
            Fault("cut_off", sent=0.6),
            Fault("slow", delay=2.0),
            Fault("wrong_shape", 200, b'{"data":[{"id":"1","public_metrics":{"like_count":1}}]}'),
            Fault("not_json", 200, b"OK", content_type="text/plain"),
            Fault("empty", 200, b"", gzipped=False),
        )
    }
)
"""All kinds of faults, by name."""


class Faults:
    """Choice of faulty requests: first by the queue, then a share of all others.

    ``rate``, from 0 to 1, is the share of faulty requests while the queue is empty, and ``seed``
    determines which ones are faulty. ``kinds`` are the faults of that share; by default all but
    ``"slow"``.

    Examples
    --------
    >>> faults = Faults()
    >>> faults.push("502", "closed")
    >>> [getattr(faults.draw(), "kind", None) for turn in range(3)]
    ['502', 'closed', None]
    """

    def __init__(
        self, rate: float = 0.0, seed: int = 0, kinds: Iterable[str | Fault] | None = None
    ) -> None:
        if not 0 <= rate <= 1:
            msg = f"the rate of faults is {rate!r}; pass a number from 0 to 1"
            raise ValueError(msg)
        self._rate = rate
        self._seed = seed
        given = [kind for kind in FAULTS if kind != "slow"] if kinds is None else list(kinds)
        self._kinds = tuple(_fault(kind) for kind in given)
        if rate and not self._kinds:
            msg = f"a rate of {rate!r} needs at least one kind of fault"
            raise ValueError(msg)
        self._queue: deque[Fault | None] = deque()
        self._turn = 0
        self._lock = threading.Lock()

    def push(self, *kinds: str | Fault | None) -> None:
        """Queue the faults of the next requests, in order.

        ``kinds`` are names of :data:`FAULTS`, or your own faults; None means no fault.
        """
        faults = [None if kind is None else _fault(kind) for kind in kinds]
        with self._lock:
            self._queue.extend(faults)

    def clear(self) -> None:
        """Clear the queue."""
        with self._lock:
            self._queue.clear()

    def draw(self) -> Fault | None:
        """Return the fault of the next request, or None."""
        with self._lock:
            if self._queue:
                return self._queue.popleft()
            self._turn += 1
            if uniform(self._seed, self._turn, 1) >= self._rate:
                return None
            return self._kinds[hash64(self._seed, self._turn, 2) % len(self._kinds)]

    def __len__(self) -> int:
        return len(self._queue)

    def __repr__(self) -> str:
        kinds = ", ".join(fault.kind for fault in self._kinds)
        share = f"{self._rate:.0%} of the others ({kinds})" if self._rate else "none of the others"
        return f"Faults({len(self)} pushed; {share})"


def _fault(kind: str | Fault) -> Fault:
    if isinstance(kind, Fault):
        return kind
    try:
        return FAULTS[kind]
    except KeyError:
        msg = f"there is no fault {kind!r}; choose from {', '.join(FAULTS)}"
        raise ValueError(msg) from None
