"""Accounts that authorised the app, with their tokens in a private file or the keyring.

The environment takes precedence, as everywhere: tokens that it holds are never looked up here.
The app's own key and secret are never stored.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal

from engagement_pandas.auth import keyring_store
from engagement_pandas.auth.account import TOKENS, Account, dump_accounts, load_accounts
from engagement_pandas.auth.credentials import (
    VARIABLES,
    AppOnly,
    Consumer,
    UserContext,
    lookup,
    user_id_of,
)
from engagement_pandas.auth.token_file import TokenFile
from engagement_pandas.errors import AccountsError, MissingCredentials, RequestError
from engagement_pandas.files.settings import config_file
from engagement_pandas.request.handle import normalize_handle, parse_handle
from engagement_pandas.request.owners import PostOwners
from engagement_pandas.request.post_ids import parse_post_ids
from engagement_pandas.text import format_list

PATH_VARIABLE: Final = "X_ACCOUNTS"
HANDLE_VARIABLE: Final = "X_HANDLE"
PLACES: Final = ("file", "keyring")


class Accounts:
    """Owners who authorised the app, by handle.

    Handles are compared without case and ``@``. The file is private to its owner, and rejected
    if others can read or replace it. Several processes may change it concurrently.

    Parameters
    ----------
    path : str or path, optional
        A file, created with the first account. By default the file named by ``X_ACCOUNTS``,
        or ``engagement_pandas/accounts.json`` in your settings folder (``~/.config``).
    tokens_in : {"file", "keyring"}
        Where :meth:`add` stores tokens: in that file, or in the system's keyring with only
        names in the file. Existing tokens are found in both.
    consumer : Consumer, optional
        The app; by default that of the environment.
    environ : mapping of str to str, optional
        The environment; a replacement for tests.

    Raises
    ------
    AccountsError
        If ``tokens_in`` has another value, or there is no keyring.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import UTC, datetime
    >>> folder = tempfile.TemporaryDirectory()
    >>> environ = {"X_CONSUMER_KEY": "key", "X_CONSUMER_SECRET": "secret"}
    >>> accounts = Accounts(Path(folder.name, "accounts.json"), environ=environ)
    >>> accounts.add(Account("bakery", "9", "2c70e12b7a06", datetime.now(UTC), "9-t", "s"))
    >>> accounts.handles
    ('bakery',)
    >>> accounts.credentials("@Bakery").account
    'user 9'
    >>> accounts.split(["1", "2", "3"], {"1": "@Bakery", "2": "railway"})
    {'bakery': ('1',), None: ('2', '3')}
    >>> folder.cleanup()
    """

    def __init__(
        self,
        path: str | Path | None = None,
        *,
        tokens_in: Literal["file", "keyring"] = "file",
        consumer: Consumer | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        if tokens_in not in PLACES:
            msg = f"tokens_in is {tokens_in!r}; give one of {format_list(PLACES)}"
            raise AccountsError(msg)
        self._environ = environ = os.environ if environ is None else environ
        self._given = path or environ.get(PATH_VARIABLE)
        self.tokens_in = tokens_in
        self._consumer = consumer
        if tokens_in == "keyring":
            keyring_store.check()

    @cached_property
    def path(self) -> Path:
        """Path of the accounts file."""
        if self._given:
            return Path(self._given)
        return config_file("accounts.json", PATH_VARIABLE, AccountsError, self._environ)

    @property
    def _box(self) -> TokenFile:
        return TokenFile(self.path)

    @property
    def handles(self) -> tuple[str, ...]:
        """The handles that have tokens, sorted; including that of the environment."""
        named = [account.handle for account in self]
        own = self._environ.get(HANDLE_VARIABLE)
        if (
            own
            and self.in_environment
            and normalize_handle(own) not in map(normalize_handle, named)
        ):
            named.append(parse_handle(own))
        return tuple(sorted(named, key=normalize_handle))

    def __iter__(self) -> Iterator[Account]:
        """Yield the accounts in the file, by handle; tokens in the keyring are not fetched."""
        return iter(sorted(self._read(), key=lambda account: normalize_handle(account.handle)))

    def __contains__(self, handle: object) -> bool:
        return normalize_handle(handle) in map(normalize_handle, self.handles)

    def credentials(self, handle: str | None = None) -> UserContext:
        """Return the credentials of an owner, for a client.

        Tokens in the environment take precedence for the account that they belong to: the
        one that ``X_HANDLE`` names, or else the one whose number the access token begins
        with. Then come those that :meth:`add` stored in the file or the keyring. The app's
        key and secret are in neither.

        Parameters
        ----------
        handle : str, optional
            By default the owner of the tokens in the environment; if it has none,
            ``X_HANDLE``; otherwise the only account.

        Raises
        ------
        MissingCredentials
            If nobody has logged in with this handle, or the app's keys are unset.
        AccountsError
            If another app was authorised, or tokens cannot be read.
        RequestError
            If the handle is not valid.
        """
        if handle is None:
            return self._default()
        account = self._stored(handle)
        if account is None:
            return replace(UserContext.from_env(self._environ), handle=parse_handle(handle))
        consumer = self._consumer or Consumer.from_env(self._environ)
        kept = keyring_store.fetch(account) if account.in_keyring else account
        return kept.credentials(consumer)

    def app(self) -> AppOnly:
        """Return the credentials for public counts: the app's own bearer token.

        Raises
        ------
        MissingCredentials
            If the app's keys are unset.
        """
        if self._consumer is None:
            return AppOnly.from_env(self._environ)
        return AppOnly.from_consumer(self._consumer.consumer_key, self._consumer.consumer_secret)

    def source(self, handle: str) -> str:
        """Return where :meth:`credentials` finds the tokens of one of :attr:`handles`.

        Returns
        -------
        str
            ``"environment"``, ``"file"`` or ``"keyring"``.

        Raises
        ------
        MissingCredentials, AccountsError, RequestError
            As in :meth:`credentials`.
        """
        account = self._stored(handle)
        return "environment" if account is None else PLACES[account.in_keyring]

    def split(self, posts: Any, owners: Any = None) -> dict[str | None, tuple[str, ...]]:
        """Group posts by the owner whose tokens must sign their requests.

        Parameters
        ----------
        posts : iterable of str or int, Series, or frame with a ``post_id`` column
        owners : mapping from post ID to handle, optional
            By default the ``handle`` column of the frame.

        Returns
        -------
        dict
            From handle, as in :attr:`handles`, to the posts of that owner, in order,
            without duplicates. The key None holds posts whose owner has not authorised the
            app or is not known; a bearer token can request their public counts.

        Raises
        ------
        InvalidPostId
            If a value is not a post ID, or there are no posts.
        RequestError
            If a value is not a handle, or a post has two.
        """
        owner_of = PostOwners.of(posts if owners is None else owners)
        handle_of = {normalize_handle(handle): handle for handle in self.handles}
        parts: dict[str | None, list[str]] = {}
        for post_id in parse_post_ids(posts):
            parts.setdefault(handle_of.get(owner_of.get(post_id, "")), []).append(post_id)
        return {owner: tuple(ids) for owner, ids in parts.items()}

    @property
    def storage(self) -> str:
        """Where :meth:`add` stores tokens, in words."""
        return f"{'the keyring, with names in ' * (self.tokens_in == 'keyring')}{self.path}"

    def check(self) -> None:
        """Check that an account can be stored, before its owner is asked to log in.

        Raises
        ------
        AccountsError
            If the file cannot be read or written.
        """
        with self._box.exclusive():
            self._read()

    def add(self, account: Account) -> None:
        """Store an account, replacing any of the same owner or handle.

        Raises
        ------
        AccountsError
            If it has no tokens, or cannot be stored in the file or the keyring.
        """
        if account.in_keyring:
            msg = f"{account!r} has no tokens to store; log in again"
            raise AccountsError(msg)
        with self._box.exclusive():
            accounts = self._read()
            gone = [a for a in accounts if a.is_of(account)]
            kept = account
            if self.tokens_in == "keyring":
                keyring_store.store_tokens(account)
                kept = account.without_tokens()
            self._write([*(a for a in accounts if a not in gone), kept])
            for old in gone:
                if old.in_keyring and not (kept.in_keyring and keyring_store.same_entry(old, kept)):
                    keyring_store.forget(old)

    def remove(self, handle: str) -> bool:
        """Delete an account's tokens and return whether it existed; X's grant remains valid.

        Raises
        ------
        AccountsError
            If the file or the keyring cannot be changed.
        RequestError
            If the handle is not valid.
        """
        wanted = normalize_handle(handle)
        with self._box.exclusive():
            accounts = self._read()
            gone = [a for a in accounts if normalize_handle(a.handle) == wanted]
            for account in gone:
                if account.in_keyring:
                    keyring_store.forget(account)
            if gone:
                self._write([a for a in accounts if a not in gone])
        return bool(gone)

    def __repr__(self) -> str:
        try:
            known = ", ".join(f"@{handle}" for handle in self.handles) or "nobody yet"
            shown = f"{self.path}: {known}"
        except (AccountsError, RequestError) as error:
            shown = str(error)
        return f"Accounts({shown})"

    def _default(self) -> UserContext:
        named = self._environ.get(HANDLE_VARIABLE)
        if self.in_environment:
            handle = parse_handle(named) if named else self._known_by_number()
            return replace(UserContext.from_env(self._environ), handle=handle)
        if named:
            return self.credentials(named)
        accounts = list(self)
        if len(accounts) > 1:
            owners = ", ".join(f"@{account.handle}" for account in accounts)
            msg = f"several owners have logged in: {owners}; name one of them in {HANDLE_VARIABLE}"
            raise MissingCredentials(msg, [HANDLE_VARIABLE])
        if accounts:
            return self.credentials(accounts[0].handle)
        try:
            return UserContext.from_env(self._environ)
        except MissingCredentials as error:
            msg = f"{error}, or have the owner of the posts log in: engagement-pandas login"
            raise MissingCredentials(msg, error.variables) from None

    def _stored(self, handle: str) -> Account | None:
        """Return the account of a handle; None if its tokens are in the environment."""
        if self._in_environment_for(handle):
            return None
        account = self._find(handle)
        if account is None:
            known = ", ".join(f"@{name}" for name in self.handles) or "nobody yet"
            msg = (
                f"@{parse_handle(handle)} has not logged in (logged in: {known}); have the owner "
                "authorise the app: engagement-pandas login"
            )
            raise MissingCredentials(msg, [VARIABLES[name] for name in TOKENS])
        return account

    @property
    def in_environment(self) -> bool:
        """Whether the environment has an owner's tokens, even if incomplete."""
        return any(lookup(self._environ, name) for name in TOKENS)

    def _in_environment_for(self, handle: str) -> bool:
        """Return whether the tokens in the environment belong to a handle."""
        if not self.in_environment:
            return False
        named = self._environ.get(HANDLE_VARIABLE)
        if named and normalize_handle(named) != normalize_handle(handle):
            return False
        number = user_id_of(lookup(self._environ, "access_token") or "")
        known = self._find(handle)
        if known is None or number is None:
            return bool(named)
        if named and known.user_id != number:
            msg = (
                f"{HANDLE_VARIABLE} is {named}, user {known.user_id}, but "
                f"{VARIABLES['access_token']} belongs to user {number}; unset one of the two"
            )
            raise AccountsError(msg)
        return known.user_id == number

    def _known_by_number(self) -> str | None:
        """Return the handle of the owner of the environment's tokens, if stored here too."""
        number = user_id_of(lookup(self._environ, "access_token") or "")
        with suppress(AccountsError):  # a damaged file does not matter if it is not used
            return next((a.handle for a in self._read() if a.user_id == number), None)
        return None

    def _find(self, handle: str) -> Account | None:
        wanted = normalize_handle(handle)
        return next((a for a in self._read() if normalize_handle(a.handle) == wanted), None)

    def _read(self) -> list[Account]:
        # No local name holds the content of the file: a traceback would show it.
        return load_accounts(self._box.read(), self.path)

    def _write(self, accounts: Iterable[Account]) -> None:
        self._box.write(dump_accounts(accounts))
