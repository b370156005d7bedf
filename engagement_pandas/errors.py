"""The exception tree.

::

    EngagementError
    ├── RequestError (ValueError)      you asked wrongly; nothing was sent
    │   ├── UnsupportedEngagementType  this endpoint does not count that type
    │   ├── UnsupportedGrouping        the API has no such grouping
    │   ├── InvalidPostId              not the ID of a post, or no longer
    │   ├── InvalidWindow              a time span that the API does not have
    │   ├── AmbiguousGrouping          several groupings fit; name one
    │   └── LedgerFull                 more handles in a month than were allowed
    ├── CredentialsError               the keys do not do
    │   ├── MissingCredentials         .variables: the environment variables to set
    │   ├── UserContextRequired        only the owner of the posts may ask this
    │   ├── LoginRefused               an owner did not authorise the app: .status, .messages
    │   └── AccountsError (OSError)    stored tokens cannot be read, written or used
    ├── TransportError                 no answer to be had: .status, .attempts
    │   └── QuotaExceeded              every attempt met a spent quota
    ├── RefusedError                   an answer, and it was no: .status, .messages
    │   └── Unauthorized               the credentials were not accepted
    ├── ResponseShapeError             the JSON is not what was asked for: .path
    ├── FrameError (ValueError)        the frame or file is not tidy counts or omissions
    ├── ArchiveError (OSError)         stored answers cannot be read or written
    ├── LedgerError (OSError)          the ledger of handles cannot be read or written
    └── DatasetError (OSError)         stored counts cannot be read or written
        ├── AlreadySyncing             another process brings them up to date
        └── DamagedDataset             its files are not what was written

An error that ends :meth:`~engagement_pandas.EngagementClient.fetch` midway
carries in ``.responses`` the answers that had already arrived.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class EngagementError(Exception):
    """Whatever this package has to complain about.

    Attributes
    ----------
    responses : tuple of EngagementResponse
        What had been answered before the failure; empty unless a fetch failed midway.
    """

    responses: tuple[Any, ...] = ()


class RequestError(EngagementError, ValueError):
    """You asked wrongly; nothing was sent."""


class UnsupportedEngagementType(RequestError):
    """An engagement type that does not exist, or that this endpoint does not count."""


class UnsupportedGrouping(RequestError):
    """A grouping, or a set of groupings, that the API refuses."""


class InvalidPostId(RequestError):
    """Something that is not the ID of a post, or no longer is."""


class InvalidWindow(RequestError):
    """A time span that the API does not have."""


class AmbiguousGrouping(RequestError):
    """Several groupings fit; the message lists them."""


class LedgerFull(RequestError):
    """More handles in a month than the ledger allows.

    Nothing was sent with the tokens of one beyond the limit. It may come midway, where other
    processes keep the same ledger: what had been answered is in ``.responses``.
    """


class CredentialsError(EngagementError):
    """The credentials do not do for what was asked."""


class MissingCredentials(CredentialsError):
    """Credentials are not in the environment, and not among the accounts.

    Attributes
    ----------
    variables : tuple of str
        The environment variables that would supply them.
    """

    def __init__(self, message: str, variables: Sequence[str] = ()) -> None:
        super().__init__(message, tuple(variables))
        self.variables = tuple(variables)

    def __str__(self) -> str:
        return str(self.args[0])


class UserContextRequired(CredentialsError):
    """Only the owner of the posts may ask this: use OAuth 1.0a (``UserContext``)."""


class LoginRefused(CredentialsError):
    """An owner did not authorise the app, or not in time, or with another PIN.

    Attributes
    ----------
    status : int or None
        The HTTP status; None where nothing was sent, for want of a PIN.
    messages : tuple of str
        X's own words.
    """

    def __init__(
        self, message: str, status: int | None = None, messages: Sequence[str] = ()
    ) -> None:
        super().__init__(message, status, tuple(messages))
        self.status = status
        self.messages = tuple(messages)

    def __str__(self) -> str:
        return str(self.args[0])


class AccountsError(CredentialsError, OSError):
    """Stored tokens that cannot be read, written or used; what is in the file stays there."""


class TransportError(EngagementError):
    """No answer was to be had.

    Attributes
    ----------
    status : int or None
        The last HTTP status, where there was one.
    attempts : int
        How often the request was sent.
    """

    def __init__(self, message: str, status: int | None = None, attempts: int = 0) -> None:
        super().__init__(message, status, attempts)
        self.status = status
        self.attempts = attempts

    def __str__(self) -> str:
        return str(self.args[0])


class QuotaExceeded(TransportError):
    """Every attempt met a spent quota (HTTP 429)."""


class RefusedError(EngagementError):
    """The API answered, and the answer was no.

    Attributes
    ----------
    status : int or None
        The HTTP status; None for a stored body whose status is not known.
    messages : tuple of str
        The API's own words.
    """

    def __init__(
        self, message: str, status: int | None = None, messages: Sequence[str] = ()
    ) -> None:
        super().__init__(message, status, tuple(messages))
        self.status = status
        self.messages = tuple(messages)

    def __str__(self) -> str:
        return str(self.args[0])


class Unauthorized(RefusedError):
    """The credentials were not accepted (HTTP 401)."""


class ResponseShapeError(EngagementError):
    """The JSON is not what was asked for.

    Attributes
    ----------
    path : str
        The spot, as a JSONPath: ``$['by_post']['123']['impressions']``.
    """

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message, path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.args[0]} (at {self.path})"


class FrameError(EngagementError, ValueError):
    """A frame or a file that is not tidy counts or omissions."""


class ArchiveError(EngagementError, OSError):
    """Stored answers that cannot be read or written; nothing that was stored is lost."""


class LedgerError(EngagementError, OSError):
    """A ledger of handles that cannot be read or written; what is in it stays there."""


class DatasetError(EngagementError, OSError):
    """A data set that cannot be read or written; what is in it stays as it is."""


class AlreadySyncing(DatasetError):
    """Another process brings the same data set up to date; this one has done nothing."""


class DamagedDataset(DatasetError):
    """A file of a data set is lost or has changed; ``sync()`` makes it again from ``raw/``."""
