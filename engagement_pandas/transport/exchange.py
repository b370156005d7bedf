"""One POST over a session: returns the reply or the failure, without the signed request.

No exception of ``requests`` leaves this module, and no frame of it, since their locals hold the
signed request. The same holds for an interrupt at any point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import requests
from urllib3.exceptions import HTTPError, ProtocolError

from engagement_pandas.transport.message import Failure, Message, Reply

RETRY_EXCEPTIONS: Final = (
    requests.ConnectionError,
    requests.Timeout,
    requests.exceptions.ChunkedEncodingError,
    requests.exceptions.ContentDecodingError,
)
"""Connection failures after which the same request is retried."""


def exchange(
    session: requests.Session,
    message: Message,
    read: Callable[[requests.Response], bytes],
    **options: Any,
) -> Reply | Failure:
    """Sign and send a message, and read the reply; redirects are not followed.

    ``read`` returns the body of a reply requested with ``stream=True``; ``options`` are those of
    ``requests.Session.post``.
    """
    try:
        return _exchange(session, message, read, options)
    except BaseException as error:  # noqa: BLE001 - raised below
        stopped = without_frames(error)
    # Raised outside the except block, so that it has no context.
    raise stopped


def _exchange(
    session: requests.Session,
    message: Message,
    read: Callable[[requests.Response], bytes],
    options: dict[str, Any],
) -> Reply | Failure:
    try:
        with session.post(
            message.url,
            data=message.content,
            auth=message.signer(),
            allow_redirects=False,
            stream=True,
            **options,
        ) as reply:
            return Reply(reply.status_code, reply.headers, read(reply))
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        # A copy: the original holds the signed request, and its traceback the headers.
        kind = next(
            (k for k in RETRY_EXCEPTIONS if isinstance(error, k)), requests.RequestException
        )
        cause = kind(message.redact(str(error)))
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
        one = pending.pop()
        seen.add(id(one))
        one.__traceback__ = one.__context__ = None
        parts = (one.__cause__, *getattr(one, "exceptions", ()))
        pending += [it for it in parts if isinstance(it, BaseException) and id(it) not in seen]
    return error


def _retryable(error: Exception) -> bool:
    """Return whether a retry may succeed; an invalid certificate stays invalid."""
    return isinstance(
        error, (*RETRY_EXCEPTIONS, ProtocolError)
    ) and "CERTIFICATE_VERIFY_FAILED" not in str(error)
