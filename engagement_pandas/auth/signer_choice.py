"""Selection of the signer for each request: the owner, the app, or the only account."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import suppress

from engagement_pandas.auth.accounts import Accounts
from engagement_pandas.auth.credentials import AppOnly, UserContext
from engagement_pandas.auth.ledger import Ledger
from engagement_pandas.auth.signer import Signer, number_name
from engagement_pandas.errors import CredentialsError, UserContextRequired
from engagement_pandas.request.handle import normalize_handle
from engagement_pandas.request.owners import OWNERS
from engagement_pandas.request.request import EngagementRequest
from engagement_pandas.text import format_list
from engagement_pandas.transport.transport import Transport

Owners = Mapping[str, str]
"""Handles by post ID."""


def default_credentials(owners: Owners) -> UserContext | Accounts:
    """Return the credentials for such posts: from the environment or the stored accounts.

    Tokens in the environment belong to one owner and are used for all posts. Otherwise each
    post is requested with its owner's tokens, if owners are known; if not, with those of the
    only account.
    """
    accounts = Accounts()
    several = owners and not accounts.in_environment and accounts.handles
    return accounts if several else accounts.credentials()


class Signers:
    """Finds the signer of each request, and records the billed handles.

    With accounts, requests that only the owner may send are signed by the owner, and all
    others by the app. Without, there is one signer for everything. The app gets its bearer token
    from ``token_url``.
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
        """The account, for the name of a collection; not secret."""
        return OWNERS if isinstance(self.credentials, Accounts) else self.credentials.account

    def handle(self, request: EngagementRequest, owners: Owners) -> str:
        """Return the handle that signs a request; "" if there is one signer for all."""
        many = isinstance(self.credentials, Accounts) and request.owner_only is not None
        return owners[request.post_ids[0]] if many else ""

    def several(self, requests: Collection[EngagementRequest], owners: Owners) -> bool:
        """Return whether the requests have more than one signer."""
        return len({self.handle(request, owners) for request in requests}) > 1

    def signer(self, handle: str) -> Signer:
        """Return the signer of a handle, "" for that of the app or the only account."""
        if handle not in self._known:
            credentials, ledger = self._credentials(handle), self._ledger
            if ledger is not None and isinstance(credentials, UserContext) and credentials.handle:
                ledger.alias(number_name(credentials), credentials.handle)
            self._known[handle] = Signer(credentials, self._token_url, self._transport, ledger)
        return self._known[handle]

    def refusal(self, requests: Collection[EngagementRequest], owners: Owners) -> str | None:
        """Return why some requests cannot be sent, and the remedy; None if all can."""
        private = [request for request in requests if request.owner_only]
        if not private or isinstance(self.credentials, UserContext):
            return None
        why = private[0].owner_only
        if isinstance(self.credentials, AppOnly):
            return f"{why}; use UserContext with the owner's access token"
        handles_of = [{owners.get(post, "") for post in request.post_ids} for request in private]
        strangers = set().union(*handles_of) - set(map(normalize_handle, self.credentials.handles))
        if "" in strangers:
            posts = {post for part in private for post in part.post_ids if post not in owners}
            return (
                f"{why}, and the owner of {len(posts):,} of the posts is unknown; give a frame "
                "with a handle column, or use the credentials of one owner"
            )
        if strangers:
            return (
                f"{why}, and nobody has logged in as {format_list(sorted(strangers))}; have them "
                "authorise the app (engagement-pandas login), or leave their posts out"
            )
        if any(len(handles) > 1 for handles in handles_of):
            return f"{why}, and a request has posts of two owners; call plan() again"
        return None

    def check(self, requests: Collection[EngagementRequest], owners: Owners) -> None:
        """Look up the tokens of all signers, and check their handles with the ledger."""
        if why := self.refusal(requests, owners):
            raise UserContextRequired(why)
        names = set[str]()
        for handle in {self.handle(request, owners) for request in requests}:
            with suppress(CredentialsError):  # only the requests of this handle fail
                names.add(self.signer(handle).billed_name)
        names.discard("")  # the app's requests are not billed
        if self._ledger is not None and names:
            self._ledger.check(names)

    def _credentials(self, handle: str) -> UserContext | AppOnly:
        if not isinstance(self.credentials, Accounts):
            return self.credentials
        return self.credentials.credentials(handle) if handle else self.credentials.app()

    def __repr__(self) -> str:
        return f"Signers({self.credentials!r})"
