"""Sending without leaks: no exception shows a signed request.

No exception of ``requests`` leaves :func:`exchange`, and no frame of it, since their locals hold
the signed request. The same holds for an interrupt at any point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

import requests
from urllib3.exceptions import HTTPError, ProtocolError

from engagement_pandas.transport.message import Failure

RETRY_EXCEPTIONS: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""Connection failures after which the same request is retried."""

T = TypeVar("T")


def exchange(send: Callable[[], T], redact: Callable[[str], str]) -> T | Failure:
    """Call a function that signs and sends a request, and return its result or the failure.

    Other exceptions are raised, without frames.
    """
    try:
        return _exchange(send, redact)
    except BaseException as error:  # noqa: BLE001 - raised below
        stopped = without_frames(error)
    # Raised outside the except block, so that it has no context.
    raise stopped


def _exchange(send: Callable[[], T], redact: Callable[[str], str]) -> T | Failure:
    try:
        return send()
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        # A copy: the original holds the signed request, and its traceback the headers.
        public = next(
            (known for known in RETRY_EXCEPTIONS if isinstance(error, known)),
            requests.RequestException,
        )
        cause = public(redact(str(error)))
        return Failure(f"{type(error).__name__}: {cause}", None, cause, _retryable(error))


def without_frames(error: BaseException) -> BaseException:
    """Strip traceback and context from an exception, its causes and the members of a group.

    >>> try:
    ...     raise ExceptionGroup("two", [KeyError("a")]) from OSError("b")
    ... except ExceptionGroup as error:
    ...     bare = without_frames(error)
    >>> bare.__traceback__, bare.__cause__, bare.exceptions
    (None, OSError('b'), (KeyError('a'),))
    """
    pending, seen = [error], set()
    while pending:
        current = pending.pop()
        seen.add(id(current))
        current.__traceback__ = current.__context__ = None
        parts = (current.__cause__, *getattr(current, "exceptions", ()))
        pending += [
            part for part in parts if isinstance(part, BaseException) and id(part) not in seen
        ]
    return error


def _retryable(error: Exception) -> bool:
    """Return whether a retry may succeed; an invalid certificate stays invalid."""
    return isinstance(
        error, (*RETRY_EXCEPTIONS, ProtocolError)
    ) and "CERTIFICATE_VERIFY_FAILED" not in str(error)
