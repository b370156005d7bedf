"""Who speaks for which posts: their owner, the app, or the one account there is."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial

from engagement_pandas.auth.accounts import Accounts
from engagement_pandas.auth.credentials import AppOnly, UserContext
from engagement_pandas.auth.ledger import Ledger
from engagement_pandas.auth.signer import Signer
from engagement_pandas.errors import CredentialsError, UserContextRequired
from engagement_pandas.request.handle import normalize_handle
from engagement_pandas.request.owners import OWNERS
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.text import format_list
from engagement_pandas.transport.transport import Transport

Owners = Mapping[str, str]
"""Handles by post ID."""


def default_credentials(owners: Owners) -> UserContext | Accounts:
    """Return what a client needs to ask for such posts: from the environment, or who logged in.

    The tokens of the environment are one owner's, and are asked with whatever the posts. Else
    each post is asked with its owner's, if there is word of owners; without, with those of
    the only account there is.
    """
    accounts = Accounts()
    several = owners and not accounts.in_environment and accounts.handles
    return accounts if several else accounts.credentials()


class Signers:
    """Finds who signs a request, and notes on whose behalf is asked.

    With accounts, what only the owner is told is signed by the owner, and all else by the
    app. Without, there is one speaker for everything.

    Parameters
    ----------
    credentials : UserContext, AppOnly or Accounts
    token_url : str
        Where the app gets its bearer token.
    transport : Transport
    ledger : Ledger, optional
    """

    def __init__(
        self,
        credentials: UserContext | AppOnly | Accounts,
        token_url: str,
        transport: Transport,
        ledger: Ledger | None = None,
    ) -> None:
        if not isinstance(credentials, UserContext | AppOnly | Accounts):
            msg = (
                f"credentials are a {type(credentials).__name__}; give UserContext, AppOnly or "
                "Accounts"
            )
            raise CredentialsError(msg)
        self.credentials = credentials
        self._token_url = token_url
        self._transport = transport
        self._ledger = ledger
        self._known: dict[str, Signer] = {}

    @property
    def account(self) -> str:
        """Who asks, for the name of a collection; no secret."""
        return OWNERS if isinstance(self.credentials, Accounts) else self.credentials.account

    def handle(self, request: EngagementRequest, owners: Owners) -> str:
        """Return the handle of who signs a request; "" where there is one speaker for all."""
        many = isinstance(self.credentials, Accounts) and request.owner_only is not None
        return owners[request.post_ids[0]] if many else ""

    def several(self, requests: Collection[EngagementRequest], owners: Owners) -> bool:
        """Return whether the requests are signed by more than one."""
        return len({self.handle(one, owners) for one in requests}) > 1

    def named(self, handle: str) -> Signer:
        """Return who signs for a handle."""
        if handle not in self._known:
            credentials = self._credentials(handle)
            allow = note = None
            if self._ledger is not None and isinstance(credentials, UserContext):
                if credentials.handle:
                    self._ledger.identify(_number(credentials), credentials.handle)
                allow, note = (
                    partial(one, _billed_name(credentials))
                    for one in (self._ledger.allow, self._ledger.note)
                )
            self._known[handle] = Signer(credentials, self._token_url, self._transport, allow, note)
        return self._known[handle]

    def refusal(self, requests: Collection[EngagementRequest], owners: Owners) -> str | None:
        """Tell why some of the requests cannot be asked, and the cure; None where they can."""
        private = [request for request in requests if request.owner_only]
        if not private or isinstance(self.credentials, UserContext):
            return None
        why = private[0].owner_only
        if isinstance(self.credentials, AppOnly):
            return f"{why}; use UserContext with the owner's access token"
        whose = [{owners.get(post, "") for post in request.post_ids} for request in private]
        strangers = set().union(*whose) - set(map(normalize_handle, self.credentials.handles))
        if "" in strangers:
            posts = {post for one in private for post in one.post_ids if post not in owners}
            return (
                f"{why}, and nobody told who owns {len(posts):,} of the posts; give a frame with "
                "a handle column, or a client of the one owner"
            )
        if strangers:
            return (
                f"{why}, and nobody has logged in as {format_list(sorted(strangers))}; have them "
                "authorise the app (engagement-pandas login), or leave their posts out"
            )
        if any(len(handles) > 1 for handles in whose):
            return f"{why}, and a request has posts of two; plan the question once more"
        return None

    def check(self, requests: Collection[EngagementRequest], owners: Owners) -> None:
        """Look up the tokens of all who are to sign, and tell the ledger who they are."""
        if why := self.refusal(requests, owners):
            raise UserContextRequired(why)
        names = set[str]()
        for handle in {self.handle(one, owners) for one in requests}:
            with suppress(CredentialsError):  # its requests fail, and not those of the others
                signing = self.named(handle).credentials
                if isinstance(signing, UserContext):
                    names.add(_billed_name(signing))
        if self._ledger is not None and names:
            self._ledger.check(names)

    def _credentials(self, handle: str) -> UserContext | AppOnly:
        if not isinstance(self.credentials, Accounts):
            return self.credentials
        return self.credentials.credentials(handle) if handle else self.credentials.app()

    def __repr__(self) -> str:
        return f"Signers({self.credentials!r})"


def _billed_name(owner: UserContext) -> str:
    """Return what the ledger calls an owner."""
    return owner.handle or _number(owner)


def _number(owner: UserContext) -> str:
    """Return what stands in the place of a handle: "user_9", say."""
    return owner.account.replace(" ", "_")
