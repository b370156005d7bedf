"""The exception hierarchy.

::

    EngagementError
    ├── RequestError (ValueError)      invalid request; nothing was sent
    │   ├── UnsupportedEngagementType  this endpoint does not count that type
    │   ├── UnsupportedGrouping        the API has no such grouping
    │   ├── InvalidPostId              not a valid post ID, or no longer one
    │   ├── InvalidWindow              a time span that the API does not support
    │   ├── AmbiguousGrouping          no or several groupings fit; name one
    │   └── LedgerFull                 more handles in a month than allowed
    ├── CredentialsError               missing or insufficient credentials
    │   ├── MissingCredentials         .variables: the environment variables to set
    │   ├── UserContextRequired        only the owner of the posts may request this
    │   ├── LoginRefused               an owner did not authorise the app: .status, .messages
    │   └── AccountsError (OSError)    stored tokens cannot be read, written or used
    ├── TransportError                 no answer: .status, .attempts
    │   └── QuotaExceeded              every attempt exceeded the rate limit
    ├── RefusedError                   the API refused the request: .status, .messages
    │   └── Unauthorized               the credentials were not accepted
    ├── ResponseShapeError             the JSON does not fit the request: .path
    ├── FrameError (ValueError)        the frame or file is not tidy counts or omissions
    ├── ArchiveError (OSError)         stored answers cannot be read or written
    ├── LedgerError (OSError)          the ledger of handles cannot be read or written
    └── DatasetError (OSError)         stored counts cannot be read or written
        ├── AlreadySyncing             another process is syncing it
        └── DamagedDataset             its files are lost or have changed

If an error ends :meth:`~engagement_pandas.EngagementClient.fetch` midway, its ``.responses``
holds the answers that had already arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class EngagementError(Exception):
    """Base class of all errors raised by this package.

    Attributes
    ----------
    responses : tuple of EngagementResponse
        Answers that arrived before the failure; empty unless a fetch failed midway.
    """

    responses: tuple[Any, ...] = ()

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""  # the other arguments are attributes


class RequestError(EngagementError, ValueError):
    """The request is invalid; nothing was sent."""


class UnsupportedEngagementType(RequestError):
    """An engagement type that does not exist, or that this endpoint does not count."""


class UnsupportedGrouping(RequestError):
    """A grouping, or a set of groupings, that the API refuses."""


class InvalidPostId(RequestError):
    """A value that is not a post ID, or that is no longer one."""


class InvalidWindow(RequestError):
    """A time span that the API does not support."""


class AmbiguousGrouping(RequestError):
    """The grouping is not clear: several fit, or none has the name, or there are no counts.

    The message lists the groupings.
    """


class LedgerFull(RequestError):
    """More handles in a month than the ledger allows.

    Nothing was sent with the tokens of a handle beyond the limit. May be raised midway, if other
    processes use the same ledger: answers that had arrived are in ``.responses``.
    """


class CredentialsError(EngagementError):
    """The credentials are missing or not sufficient for this request."""


class MissingCredentials(CredentialsError):
    """Credentials are neither in the environment nor among the accounts.

    Attributes
    ----------
    variables : tuple of str
        The environment variables that would supply them.
    """

    def __init__(self, message: str, variables: Sequence[str] = ()) -> None:
        super().__init__(message, tuple(variables))
        self.variables = tuple(variables)


class UserContextRequired(CredentialsError):
    """Only the owner of the posts may send this request: use OAuth 1.0a (``UserContext``)."""


class LoginRefused(CredentialsError):
    """An owner did not authorise the app, or not in time; or the PIN was wrong or missing.

    Also raised if the app is not allowed to log in owners by PIN.

    Attributes
    ----------
    status : int or None
        The HTTP status; None if nothing was sent for lack of a PIN.
    messages : tuple of str
        X's own words.
    """

    def __init__(
        self, message: str, status: int | None = None, messages: Sequence[str] = ()
    ) -> None:
        super().__init__(message, status, tuple(messages))
        self.status = status
        self.messages = tuple(messages)


class AccountsError(CredentialsError, OSError):
    """Stored tokens that cannot be read, written or used; the file is not changed."""


class TransportError(EngagementError):
    """No answer arrived.

    Attributes
    ----------
    status : int or None
        The last HTTP status, if there was one.
    attempts : int
        How often the request was sent.
    """

    def __init__(self, message: str, status: int | None = None, attempts: int = 0) -> None:
        super().__init__(message, status, attempts)
        self.status = status
        self.attempts = attempts


class QuotaExceeded(TransportError):
    """Every attempt exceeded the rate limit (HTTP 429)."""


class RefusedError(EngagementError):
    """The API refused the request.

    Attributes
    ----------
    status : int or None
        The HTTP status; None for a stored body of unknown status.
    messages : tuple of str
        The API's own words.
    """

    def __init__(
        self, message: str, status: int | None = None, messages: Sequence[str] = ()
    ) -> None:
        super().__init__(message, status, tuple(messages))
        self.status = status
        self.messages = tuple(messages)


class Unauthorized(RefusedError):
    """The credentials were not accepted (HTTP 401)."""


class ResponseShapeError(EngagementError):
    """The JSON does not fit the request.

    Attributes
    ----------
    path : str
        The position, as a JSONPath: ``$['by_post']['123']['impressions']``.
    """

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message, path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.args[0]} (at {self.path})"


class FrameError(EngagementError, ValueError):
    """A frame or a file that is not tidy counts or omissions."""


class ArchiveError(EngagementError, OSError):
    """Stored answers that cannot be read or written; no stored answer is lost."""


class LedgerError(EngagementError, OSError):
    """A ledger of handles that cannot be read or written; its content is not changed."""


class DatasetError(EngagementError, OSError):
    """A data set that cannot be read or written; its content is not changed."""


class AlreadySyncing(DatasetError):
    """Another process is syncing the same data set; this one has done nothing."""


class DamagedDataset(DatasetError):
    """A file of a data set is lost or has changed; ``sync()`` creates it again from ``raw/``."""
