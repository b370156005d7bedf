"""Demo of the package without registration: sandbox, clients and posts."""

from __future__ import annotations

import tempfile
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from engagement_pandas.auth.account import Account
from engagement_pandas.auth.accounts import Accounts
from engagement_pandas.auth.credentials import Consumer
from engagement_pandas.client.client import EngagementClient
from engagement_pandas.errors import RequestError
from engagement_pandas.sandbox.limits import VIDEO_AGE, YOUNG
from engagement_pandas.sandbox.server import SandboxServer
from engagement_pandas.sandbox.service import as_clock
from engagement_pandas.sandbox.synthetic_counts import promoted
from engagement_pandas.sandbox.world import DEMO_HANDLE, Availability, Post, World

if TYPE_CHECKING:
    import pandas as pd


OTHER_HANDLE: Final = "sandbox_railway"
"""Owner of the posts that ``.client`` may not access."""

_OLD: Final = 4
_VERY_OLD: Final = 2
_DELETED: Final = 1
_UNOWNED: Final = 2
_SPECIAL: Final = _OLD + _VERY_OLD + _DELETED + _UNOWNED
_ORDINARY: Final = timedelta(days=8)
"""Promoted posts younger than this are not listed, so that first figures show ordinary rates."""

_EVERYDAY_FIRST: Final = 5
_EVERYDAY_LAST: Final = 30
"""Ordinary texts at the start and the end of the list; the unusual ones are between them."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Demo:
    """A sandbox in this process, clients for it, and posts to request.

    A context manager; if it is never closed, it ends with the process.

    Attributes
    ----------
    client : EngagementClient
        Client for the account that owns most of the posts.
    owners : EngagementClient
        Requests each post with the tokens of the account in the ``handle`` column; both
        accounts have authorised the app.
    public : EngagementClient
        Client for the app alone: public types, any post.
    posts : DataFrame
        ``post_id``, ``handle``, ``text`` (``str``) and ``created_at``
        (``datetime64[us, UTC]``), oldest first. A few are too old for some types, one is
        deleted and two belong to another account, to show omissions.
    server : SandboxServer
    """

    client: EngagementClient
    owners: EngagementClient
    public: EngagementClient
    posts: pd.DataFrame
    server: SandboxServer

    def close(self) -> None:
        """Close the clients and the server; closing again does nothing."""
        for client in (self.client, self.owners, self.public):
            client.close()
        self.server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"Demo({len(self.posts)} posts, most of them {DEMO_HANDLE}'s, "
            f"at {self.server.base_url}; all counts are synthetic)"
        )


def demo_client(
    now: datetime | str | Callable[[], datetime] | None = None, *, posts: int = 40
) -> Demo:
    """Start a sandbox in this process, with clients that have access to it.

    Parameters
    ----------
    now : datetime or str or callable, optional
        The sandbox's current time; the real time by default.
    posts : int
        Number of posts to list, at least 10.

    Returns
    -------
    Demo

    Raises
    ------
    RequestError
        If ``posts`` is less than 10 or more than there are, or ``now`` is not a time.

    Examples
    --------
    >>> with demo_client(now="2026-04-15T12:20:00Z") as demo:
    ...     demo.posts.dtypes["created_at"], len(demo.posts)
    (datetime64[us, UTC], 40)
    """
    if not isinstance(posts, int) or posts <= _SPECIAL:
        msg = f"a demo of {posts!r} posts cannot show everything; request {_SPECIAL + 1} or more"
        raise RequestError(msg)

    # One clock for the transport, which runs on from the sandbox's time, so that answers get
    # retrieval times of the demo, whenever it is run.
    try:
        ahead = as_clock(now)().timestamp() - time.time()
    except (ValueError, TypeError, AttributeError) as error:
        msg = f"now is {now!r}, which is not a time with a zone; write '2026-04-15T12:20:00Z'"
        raise RequestError(msg) from error

    def wall() -> float:
        return time.time() + ahead

    server = SandboxServer(now, wall=wall)
    keys = server.keys(DEMO_HANDLE)
    app = Consumer(keys.consumer_key, keys.consumer_secret)
    folder = tempfile.TemporaryDirectory(prefix="engagement-pandas-demo-")
    accounts = Accounts(Path(folder.name, "accounts.json"), consumer=app, environ={})
    for account in map(server.world.account, (DEMO_HANDLE, OTHER_HANDLE)):
        added = server.world.now()
        tokens = account.access_token, account.access_token_secret
        accounts.add(Account(account.handle, account.user_id, app.app, added, *tokens))
    client, owners, public = (
        EngagementClient(
            credentials, base_url=server.base_url, token_url=server.token_url, clock=wall
        )
        for credentials in (accounts.credentials(DEMO_HANDLE), accounts, accounts.app())
    )
    for user in (client, owners, public):
        # The server must outlive a demo of which only a client is still referenced.
        weakref.finalize(user, id, server)
    weakref.finalize(owners, folder.cleanup)
    return Demo(client, owners, public, _frame(_chosen(server.world, posts)), server)


def _chosen(world: World, number: int) -> list[Post]:
    """Return mostly the latest posts, plus a few of each kind that cannot be answered."""
    now = world.now()

    def latest(count: int, handle: str = DEMO_HANDLE, age: timedelta = timedelta(0)) -> list[Post]:
        posts = world.posts(handle, now - age - timedelta(days=60 + 2 * count), now - age)
        seen = (p for p in reversed(posts) if p.availability(now) is Availability.PUBLIC)
        return list(islice(seen, count))

    recent = world.posts(DEMO_HANDLE, now - timedelta(days=60 + 2 * number))
    gone = (p for p in reversed(recent) if p.availability(now) is Availability.DELETED)
    special = {
        *latest(_OLD, age=YOUNG + timedelta(days=1)),
        *latest(_VERY_OLD, age=VIDEO_AGE + timedelta(days=1)),
        *islice(gone, _DELETED),
        *latest(_UNOWNED, OTHER_HANDLE),
    }
    others = (
        post
        for post in latest(2 * number)
        if post not in special and not (promoted(post) and now - post.created_at < _ORDINARY)
    )
    chosen = [*special, *islice(others, number - len(special))]
    if len(chosen) < number:
        msg = f"at {now} the sandbox has {len(chosen)} posts to list; request no more"
        raise RequestError(msg)
    return sorted(chosen, key=lambda post: post.number)


def _frame(posts: list[Post]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - a slow import

    from engagement_pandas.frame.contract import TEXT  # noqa: PLC0415 - imports pandas

    unusual = range(_EVERYDAY_FIRST, len(posts) - _EVERYDAY_LAST)
    texts = [post.worded(everyday=place not in unusual) for place, post in enumerate(posts)]
    frame = pd.DataFrame(
        {
            "post_id": pd.Series([post.post_id for post in posts], dtype=TEXT),
            "handle": pd.Series([post.handle for post in posts], dtype=TEXT),
            "text": pd.Series(texts, dtype=TEXT),
            "created_at": pd.Series([post.created_at for post in posts]),
        }
    )
    return frame.astype({"created_at": "datetime64[us, UTC]"})
