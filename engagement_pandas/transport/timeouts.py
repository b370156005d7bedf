"""Limits of the time that a request takes."""

from __future__ import annotations

from typing import Final

from engagement_pandas.errors import RequestError

TIMEOUT: Final[tuple[float, float]] = (10.0, 120.0)
"""Seconds to connect, and between two bytes of the answer."""

DEADLINE: Final = 900.0
"""Seconds for the body of an answer; 64 kB a second is fast enough."""

_DAY: Final = 86_400.0  # seconds; a socket timeout cannot exceed 24 days


def checked_timeout(timeout: tuple[float, float]) -> tuple[float, float]:
    """Return the validated timeouts: seconds to connect, and between two bytes of a reply.

    >>> checked_timeout((10, 120.0))
    (10, 120.0)
    """
    match timeout:
        case (int() | float() as connect, int() | float() as read):
            if 0 < connect <= _DAY and 0 < read <= _DAY:
                return connect, read
    msg = f"timeout is {timeout!r}; give two numbers of seconds above 0, at most a day"
    raise RequestError(msg)
