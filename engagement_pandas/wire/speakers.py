"""Who speaks for which posts: their owner, the app, or the one account there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial

from engagement_pandas.archive import OWNERS
from engagement_pandas.auth import AppOnly, UserContext
from engagement_pandas.errors import CredentialsError
from engagement_pandas.identity import same_handle
from engagement_pandas.owners.accounts import Accounts
from engagement_pandas.owners.ledger import Ledger
from engagement_pandas.request import EngagementRequest
from engagement_pandas.wire.speaker import Speaker
from engagement_pandas.wire.transport import Transport
from engagement_pandas.wording import counted, listed

Owners = Mapping[str, str]
"""Handles by post ID."""


def whoever_may_ask(owners: Owners) -> UserContext | Accounts:
    """Return what a client needs to ask for such posts: from the environment, or who logged in.

    The tokens of the environment are one owner's, and are asked with whatever the posts. Else
    each post is asked with its owner's, if there is word of owners; without, with those of
    the only account there is.

    Raises
    ------
    MissingCredentials
        Where there are neither.
    """
    accounts = Accounts()
    return accounts if owners and not accounts.in_environment else accounts.credentials()


class Speakers:
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
        self._known: dict[str, Speaker] = {}

    @property
    def account(self) -> str:
        """Who asks, for the name of a collection; no secret."""
        return OWNERS if isinstance(self.credentials, Accounts) else self.credentials.account

    def of(self, request: EngagementRequest, owners: Owners) -> Speaker:
        """Return who signs a request, of which :meth:`refusal` told nothing."""
        name = self._name(request, owners)
        if name not in self._known:
            note = partial(self._ledger.note, name) if self._ledger and name else None
            credentials = self._credentials(name)
            self._known[name] = Speaker(credentials, self._token_url, self._transport, note)
        return self._known[name]

    def refusal(self, requests: Iterable[EngagementRequest], owners: Owners) -> str | None:
        """Tell why some of the requests cannot be asked, and the cure; None where they can."""
        private = [request for request in requests if request.owner_only]
        if not private or isinstance(self.credentials, UserContext):
            return None
        why = private[0].owner_only
        if isinstance(self.credentials, AppOnly):
            return f"{why}; use UserContext with the owner's access token"
        whose = [{owners.get(post, "") for post in request.post_ids} for request in private]
        strangers = set().union(*whose) - set(map(same_handle, self.credentials.handles))
        if "" in strangers:
            posts = sum(post not in owners for one in private for post in one.post_ids)
            return (
                f"{why}, and whose {counted(posts, 'post')} {'are' if posts > 1 else 'is'} nobody "
                "told; give a frame with a handle column, or a client of the one owner"
            )
        if strangers:
            return (
                f"{why}, and nobody has logged in as {listed(sorted(strangers))}; have them "
                "authorise the app (engagement-pandas login), or leave their posts out"
            )
        if any(len(handles) > 1 for handles in whose):
            return f"{why}, and a request has posts of two; plan the question once more"
        return None

    def check(self, requests: Iterable[EngagementRequest], owners: Owners) -> None:
        """Tell the ledger who is about to be asked for.

        Raises
        ------
        LedgerFull
            Where they are more than the limit leaves room for.
        """
        if self._ledger is not None:
            self._ledger.check({name for one in requests if (name := self._name(one, owners))})

    def _name(self, request: EngagementRequest, owners: Owners) -> str:
        """Return what the ledger calls the one who signs: a handle, or "user_9"; "": the app."""
        credentials = self.credentials
        if isinstance(credentials, UserContext):
            return credentials.account.replace(" ", "_")
        if isinstance(credentials, AppOnly) or request.owner_only is None:
            return ""
        return owners[request.post_ids[0]]

    def _credentials(self, name: str) -> UserContext | AppOnly:
        if not isinstance(self.credentials, Accounts):
            return self.credentials
        return self.credentials.credentials(name) if name else self.credentials.app()

    def __repr__(self) -> str:
        return f"Speakers({self.credentials!r})"
