"""Token storage in the system's keyring; an optional extra.

``pip install 'engagement_pandas[keyring]'``; that package selects the keyring.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from types import ModuleType
from typing import Final, TypeVar

import msgspec

from engagement_pandas.auth.account import Account
from engagement_pandas.errors import AccountsError, CredentialsError

SERVICE: Final = "engagement_pandas"

T = TypeVar("T")


class _Tokens(msgspec.Struct):
    access_token: str
    access_token_secret: str


def store_tokens(account: Account) -> None:
    """Store an account's tokens in the keyring, replacing older ones."""
    _call(account, lambda keyring: keyring.set_password(SERVICE, _name(account), _encoded(account)))


def fetch(account: Account) -> Account:
    """Return an account with its tokens."""
    complete = _call(
        account,
        lambda keyring: _with_tokens(account, keyring.get_password(SERVICE, _name(account))),
    )
    if complete is None:
        msg = (
            f"the tokens of @{account.handle} are no longer in the keyring; "
            "log in again: engagement-pandas login --keyring"
        )
        raise AccountsError(msg)
    return complete


def forget(account: Account) -> None:
    """Delete an account's tokens from the keyring; do nothing if there are none."""

    def delete(keyring: ModuleType) -> None:
        with suppress(keyring.errors.PasswordDeleteError):
            keyring.delete_password(SERVICE, _name(account))

    _call(account, delete)


def same_entry(first: Account, second: Account) -> bool:
    """Return whether both accounts share one keyring entry."""
    return _name(first) == _name(second)


def check() -> None:
    """Check that a usable keyring exists, before the owner types a PIN."""
    keyring = _imported()
    if keyring.get_keyring().priority <= 0:
        msg = "this system has no usable keyring; store the tokens in the file"
        raise AccountsError(msg)


def _call(account: Account, verb: Callable[[ModuleType], T]) -> T:
    keyring = _imported()
    try:
        return verb(keyring)
    except Exception as error:  # noqa: BLE001 - each keyring has its own errors
        error_name = type(error).__name__
    # Raised outside the except block, so that no context leads to the keyring's arguments.
    msg = (
        f"the system keyring failed for @{account.handle} ({error_name}); unlock it, or store "
        "the tokens in the file"
    )
    raise AccountsError(msg)


def _imported() -> ModuleType:
    try:
        import keyring  # noqa: PLC0415 - an extra
        import keyring.errors  # noqa: PLC0415
    except ImportError as error:
        msg = "the package keyring is not installed: pip install 'engagement_pandas[keyring]'"
        raise AccountsError(msg) from error
    return keyring


def _name(account: Account) -> str:
    return f"{account.user_id} {account.app}"


def _encoded(account: Account) -> str:
    tokens = _Tokens(account.access_token or "", account.access_token_secret or "")
    return msgspec.json.encode(tokens).decode()


def _with_tokens(account: Account, found: str | None) -> Account | None:
    try:
        tokens = msgspec.json.decode(found or "", type=_Tokens)
        return replace(account, **msgspec.structs.asdict(tokens))
    except (msgspec.DecodeError, CredentialsError):
        return None
