"""An owner who authorised the app, and the tokens that were granted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from engagement_pandas.auth.credentials import Consumer, Credentials, UserContext, is_header_safe
from engagement_pandas.errors import AccountsError, CredentialsError
from engagement_pandas.request.handle import normalize_handle, parse_handle

TOKENS: Final = ("access_token", "access_token_secret")
VERSION: Final = 1
"""Version of the accounts file."""

_NAMES: Final = ("handle", "user_id", "app", "added_at")


@dataclass(frozen=True, slots=True, repr=False)
class Account(Credentials):
    """An owner of posts who authorised the app.

    Parameters
    ----------
    handle : str
        Stored without its ``@``.
    user_id : str
        The owner's number, which stays the same if the handle changes.
    app : str
        The authorised app (``Consumer.app``); the tokens are valid for no other.
    added_at : datetime
        Aware.
    access_token, access_token_secret : str, optional
        None if they are stored in the system's keyring.

    Raises
    ------
    RequestError
        If the handle is not valid.
    CredentialsError
        If anything else is empty, damaged, or of another type.

    Examples
    --------
    >>> Account("@bakery", "9", "2c70e12b7a06", datetime(2026, 4, 15, tzinfo=UTC), "9-t", "s")
    Account(@bakery, user 9, app 2c70e12b7a06, tokens hidden)
    """

    handle: str
    user_id: str
    app: str
    added_at: datetime
    access_token: str | None = None
    access_token_secret: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "handle", parse_handle(self.handle))
        tokens = [self.access_token, self.access_token_secret]
        valid = (
            is_header_safe(self.user_id) and self.user_id.isdigit(),
            is_header_safe(self.app),
            isinstance(self.added_at, datetime) and self.added_at.tzinfo is not None,
            all(map(is_header_safe, tokens)) or tokens == [None, None],
        )
        del tokens  # so that no traceback shows them
        if not all(valid):
            msg = f"the account @{self.handle} is incomplete or damaged; log in again"
            raise CredentialsError(msg)

    @property
    def in_keyring(self) -> bool:
        """Whether its tokens are stored in the system's keyring."""
        return self.access_token is None

    def is_of(self, other: Account) -> bool:
        """Return whether both have the same owner; a handle may have passed to another user."""
        return self.user_id == other.user_id or normalize_handle(self.handle) == normalize_handle(
            other.handle
        )

    def without_tokens(self) -> Self:
        """Return a copy without the tokens."""
        return replace(self, access_token=None, access_token_secret=None)

    def credentials(self, consumer: Consumer) -> UserContext:
        """Return the credentials for a client.

        Raises
        ------
        AccountsError
            If another app was authorised, or the account has no tokens here.
        """
        if consumer.app != self.app:
            msg = (
                f"@{self.handle} authorised app {self.app}, but the consumer key is that of app "
                f"{consumer.app}; set the key and secret of {self.app}, or log in again with these"
            )
            raise AccountsError(msg)
        if self.access_token is None or self.access_token_secret is None:
            msg = (
                f"the tokens of @{self.handle} are in the keyring; "
                f"call Accounts().credentials({self.handle!r})"
            )
            raise AccountsError(msg)
        return UserContext(
            consumer.consumer_key,
            consumer.consumer_secret,
            self.access_token,
            self.access_token_secret,
            self.user_id,
            self.handle,
        )

    def to_json(self) -> dict[str, str]:
        """Return the account for a file, including its tokens if it has them."""
        stored = {name: str(getattr(self, name)) for name in _NAMES[:-1]}
        stored["added_at"] = self.added_at.astimezone(UTC).isoformat()
        return stored | self._secrets()

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Return the account from a file.

        Raises
        ------
        KeyError, TypeError, ValueError, CredentialsError
            If it is not an account.
        """
        handle, user_id, app, added_at = (stored[name] for name in _NAMES)
        tokens = [stored.get(name) for name in TOKENS]
        return cls(handle, user_id, app, datetime.fromisoformat(added_at), *tokens)

    def _secrets(self) -> dict[str, str]:
        named = {name: getattr(self, name) for name in TOKENS}
        return {name: value for name, value in named.items() if value is not None}

    def __repr__(self) -> str:
        where = "tokens in the keyring" if self.in_keyring else "tokens hidden"
        return f"Account(@{self.handle}, user {self.user_id}, app {self.app}, {where})"


class _Version(msgspec.Struct):
    version: int


class _Roster(msgspec.Struct):
    version: int
    accounts: list[dict[str, Any]]


def dump_accounts(accounts: Iterable[Account]) -> bytes:
    """Return the content of an accounts file, tokens included."""
    stored = _Roster(VERSION, [account.to_json() for account in accounts])
    return msgspec.json.format(msgspec.json.encode(stored), indent=2)


def load_accounts(content: bytes | None, path: Path) -> list[Account]:
    """Return the accounts in a file; an empty list if there is no file."""
    version, accounts = (VERSION, []) if content is None else _decoded(content)
    del content  # so that no traceback shows it
    if accounts is not None:
        return accounts
    msg = (
        f"{path} is damaged, or not an accounts file; move it away and log in again"
        if version is None
        else f"{path} has version {version}, and this package reads version {VERSION}; update "
        "engagement_pandas, or name another file"
    )
    raise AccountsError(msg)


def _decoded(content: bytes) -> tuple[int | None, list[Account] | None]:
    try:
        version = msgspec.json.decode(content, type=_Version).version
        if version != VERSION:
            return version, None
        found = msgspec.json.decode(content, type=_Roster).accounts
        return version, [Account.from_json(stored) for stored in found]
    except (KeyError, TypeError, ValueError, CredentialsError):
        return None, None
