"""Everything to try the package with, and nothing to sign up for."""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from engagement_pandas.sandbox.server import SandboxServer
from engagement_pandas.sandbox.service import as_clock
from engagement_pandas.sandbox.world import DEMO_HANDLE, Availability, Post, World
from engagement_pandas.vocabulary import IMPRESSIONS_OLDEST_POST, VIDEO_VIEWS_OLDEST_POST

if TYPE_CHECKING:
    import pandas as pd

    from engagement_pandas.client import EngagementClient

OTHER_HANDLE: Final = "sandbox_railway"
"""Owns the posts that ``.client`` may not look into."""

_OLD: Final = 4
_VERY_OLD: Final = 2
_DELETED: Final = 1
_UNOWNED: Final = 2
_SPECIAL: Final = _OLD + _VERY_OLD + _DELETED + _UNOWNED


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Demo:
    """A sandbox in this process, two clients of it, and posts to ask about.

    A context manager; one that is never closed ends with the process.

    Attributes
    ----------
    client : EngagementClient
        Speaks for the account that owns most of the posts.
    public : EngagementClient
        Speaks for the app alone: public types, any post.
    posts : DataFrame
        ``post_id``, ``handle``, ``text`` (``str``) and ``created_at``
        (``datetime64[us, UTC]``), oldest first. A few are too old for some types, one is
        deleted and a couple belong to another account, so that omissions can be seen.
    server : SandboxServer
    """

    client: EngagementClient
    public: EngagementClient
    posts: pd.DataFrame
    server: SandboxServer

    def close(self) -> None:
        """Close the clients and the server; again does nothing."""
        self.client.close()
        self.public.close()
        self.server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"Demo({len(self.posts)} posts, most of them {DEMO_HANDLE}'s, "
            f"at {self.server.base_url}; all counts are synthetic)"
        )


def demo_client(
    now: datetime | str | Callable[[], datetime] | None = None, *, posts: int = 40
) -> Demo:
    """Start a sandbox in this process, with clients that are allowed in.

    Parameters
    ----------
    now : datetime or str or callable, optional
        The present in the sandbox's world; the real time by default.
    posts : int
        How many posts to list, at least 10.

    Returns
    -------
    Demo

    Raises
    ------
    ValueError
        Where ``posts`` is less than 10, or ``now`` is not a time.

    Examples
    --------
    >>> with demo_client(now="2026-04-15T12:20:00Z") as demo:
    ...     demo.posts.dtypes["created_at"], len(demo.posts)
    (datetime64[us, UTC], 40)
    """
    if posts <= _SPECIAL:
        msg = f"a demo of {posts} posts cannot show everything; ask for {_SPECIAL + 1} or more"
        raise ValueError(msg)
    # Not before it is wanted: the rest of the sandbox needs neither pandas nor a client.
    from engagement_pandas.auth import AppOnly, UserContext  # noqa: PLC0415
    from engagement_pandas.client import EngagementClient  # noqa: PLC0415

    # One clock for the wire, which runs on from the sandbox's present: so the answers are
    # retrieved when the demo plays, whenever it is run.
    ahead = as_clock(now)().timestamp() - time.time()

    def wall() -> float:
        return time.time() + ahead

    server = SandboxServer(now, wall=wall)
    keys = server.keys(DEMO_HANDLE)
    owner = UserContext(
        keys.consumer_key, keys.consumer_secret, keys.access_token, keys.access_token_secret
    )
    app = AppOnly.from_consumer(keys.consumer_key, keys.consumer_secret)
    url, token_url = server.base_url, server.token_url
    client = EngagementClient(owner, base_url=url, token_url=token_url, clock=wall)
    public = EngagementClient(app, base_url=url, token_url=token_url, clock=wall)
    for user in (client, public):
        # The server outlives a demo of which only a client was kept.
        weakref.finalize(user, id, server)
    return Demo(client, public, _frame(_chosen(server.world, posts)), server)


def _chosen(world: World, number: int) -> list[Post]:
    """Mostly the latest posts, and a few of each kind that cannot be answered."""
    now = world.now()
    old = now - IMPRESSIONS_OLDEST_POST - timedelta(days=1)
    very_old = now - VIDEO_VIEWS_OLDEST_POST - timedelta(days=1)
    spans = {
        "recent": (now - timedelta(days=60 + 2 * number), now),
        "old": (old - timedelta(days=60), old),
        "very_old": (very_old - timedelta(days=60), very_old),
    }
    found = {name: world.posts(DEMO_HANDLE, *span)[::-1] for name, span in spans.items()}
    other = world.posts(OTHER_HANDLE)[::-1]

    def visible(posts: tuple[Post, ...], count: int) -> list[Post]:
        seen = (p for p in posts if p.availability(now) is Availability.PUBLIC)
        return list(islice(seen, count))

    gone = (p for p in found["recent"] if p.availability(now) is Availability.DELETED)
    chosen = [
        *visible(found["recent"], number - _SPECIAL),
        *visible(found["old"], _OLD),
        *visible(found["very_old"], _VERY_OLD),
        *islice(gone, _DELETED),
        *visible(other, _UNOWNED),
    ]
    return sorted(chosen, key=lambda post: post.number)


def _frame(posts: list[Post]) -> pd.DataFrame:
    import pandas as pd  # noqa: PLC0415 - it takes longer than all the rest

    frame = pd.DataFrame(
        {
            "post_id": pd.Series([post.post_id for post in posts], dtype="str"),
            "handle": pd.Series([post.handle for post in posts], dtype="str"),
            "text": pd.Series([post.text for post in posts], dtype="str"),
            "created_at": pd.Series([post.created_at for post in posts]),
        }
    )
    return frame.astype({"created_at": "datetime64[us, UTC]"})
