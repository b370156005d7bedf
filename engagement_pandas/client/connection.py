"""The API where the environment has credentials, the demo where it has none.

So a notebook is the same for somebody who tries it and for somebody who has a contract.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from engagement_pandas.auth import accounts, ledger
from engagement_pandas.auth.accounts import HANDLE_VARIABLE
from engagement_pandas.auth.credentials import VARIABLES, AppOnly
from engagement_pandas.auth.ledger import LIMIT_VARIABLE, Ledger
from engagement_pandas.auth.login import LOGIN_URL_VARIABLE
from engagement_pandas.auth.signers import default_credentials
from engagement_pandas.client.client import EngagementClient
from engagement_pandas.client.demo import demo_client
from engagement_pandas.client.url_overrides import url_overrides
from engagement_pandas.errors import InvalidPostId, MissingCredentials
from engagement_pandas.request.post_files import PostEntry, handles_in, read_records
from engagement_pandas.request.post_ids import created_at
from engagement_pandas.sandbox.world import DEMO_HANDLE
from engagement_pandas.text import pluralize
from engagement_pandas.transport.urls import (
    BASE_URL,
    BASE_URL_VARIABLE,
    TOKEN_URL_VARIABLE,
    is_loopback,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from engagement_pandas.client.demo import Demo

POSTS_VARIABLE: Final = "X_POSTS"

POSTS_FILE: Final = "posts.csv"
"""Where the IDs of the posts are looked for, if nobody says."""

_YOURS: Final = (accounts.PATH_VARIABLE, ledger.PATH_VARIABLE)
"""Which files note who logs in and who is asked for."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Connection:
    """Two clients and the posts to ask about, of the API or of the demo.

    A context manager; printing it says which of the two it is.

    Attributes
    ----------
    client : EngagementClient
        Speaks for the owner of the posts.
    public : EngagementClient
        Speaks for the app alone: public types, any post.
    posts : DataFrame
        ``post_id`` (``str``), ``handle`` and ``text`` (``str``, where they are known) and
        ``created_at`` (``datetime64[us, UTC]``), oldest first.
    until : datetime
        The last whole hour when the connection was made, UTC: where a window ends that
        reaches up to the present.
    source : str
        Whose counts these are, in words that may stand below a picture.
    base_url : str
    """

    client: EngagementClient
    public: EngagementClient
    posts: pd.DataFrame
    until: datetime
    source: str
    base_url: str
    _told: str
    _demo: Demo | None = None
    _stands_still: bool = False

    def cite(self, ax: Axes) -> None:
        """Write below a picture whose counts it shows; above all, that they are synthetic."""
        figure = ax.get_figure(root=True)
        if figure is not None:
            figure.supxlabel(self.source, x=0.99, ha="right", size="small")

    @contextmanager
    def environment(self) -> Iterator[None]:
        """Lend the environment this connection's variables: for the command line.

        Live there is nothing to lend. In the demo, keys and address of the sandbox are
        set, and within the block ``connect`` and ``from_env`` find those. Your accounts and
        your ledger are left alone: who logs in and who is asked for is noted in files that go
        with the block, without a limit.
        """
        if self._demo is None:
            yield
            return
        if self._stands_still:
            msg = "the demo plays at a fixed time; connect without demo_now for this"
            raise ValueError(msg)
        server = self._demo.server
        keys = server.keys()
        lent = {variable: getattr(keys, name) for name, variable in VARIABLES.items()}
        lent |= {BASE_URL_VARIABLE: server.base_url, TOKEN_URL_VARIABLE: server.token_url}
        lent |= {LOGIN_URL_VARIABLE: server.login_url, HANDLE_VARIABLE: DEMO_HANDLE}
        before = {name: os.environ.get(name) for name in (*lent, *_YOURS, LIMIT_VARIABLE)}
        with TemporaryDirectory() as folder:
            os.environ.update(lent | {name: str(Path(folder, name)) for name in _YOURS})
            os.environ.pop(LIMIT_VARIABLE, None)
            try:
                yield
            finally:
                for name, value in before.items():
                    os.environ.pop(name, None)
                    if value is not None:
                        os.environ[name] = value

    def close(self) -> None:
        """Close the clients, and the demo's server; again does nothing."""
        self.client.close()
        self.public.close()
        if self._demo is not None:
            self._demo.close()

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
        return f"Connection({self._told})"


def connect(
    posts: str | os.PathLike[str] | None = None,
    *,
    demo_now: datetime | str | Callable[[], datetime] | None = None,
    demo_posts: int = 40,
) -> Connection:
    """Connect to the API with the credentials in the environment, or else to the demo.

    Live with ``X_CONSUMER_KEY``, ``X_CONSUMER_SECRET``, ``X_ACCESS_TOKEN`` and
    ``X_ACCESS_TOKEN_SECRET`` (``TWITTER_…`` where ``X_…`` is unset); the demo where none
    of these is set and no ``X_BEARER_TOKEN`` either. Without the latter two of the four, with
    the tokens of an owner who has logged in: the one that ``X_HANDLE`` names, or the only one.

    Parameters
    ----------
    posts : str or path, optional
        Live: a file with the IDs of your posts and perhaps ``handle`` and ``text``, as
        :func:`read_posts` reads it. By default the file that
        ``X_POSTS`` names, or ``posts.csv`` in the current folder.
    demo_now : datetime or str or callable, optional
        Demo: its present; the real time by default.
    demo_posts : int
        Demo: how many posts, at least 10.

    Returns
    -------
    Connection

    Raises
    ------
    MissingCredentials
        Where some are set, and not all four, and nobody has logged in or several have:
        whoever set them did not mean the demo.
    AccountsError
        Where the tokens of who has logged in cannot be read or used.
    RequestError
        Where ``X_BASE_URL`` (instead of ``https://data-api.twitter.com``) or
        ``X_TOKEN_URL`` is not https; plain http is for this machine only.
    FileNotFoundError
        Live, where there is no file of posts.
    InvalidPostId
        Live, where something in it is no ID, or there is none.

    See Also
    --------
    demo_client : the demo, whatever the environment has

    Examples
    --------
    >>> with connect(demo_now="2026-04-15T12:20:00Z") as connection:
    ...     connection
    Connection(demo, no credentials in the environment; 40 posts of the sandbox; all counts
    are synthetic)
    """
    if not any(_set(variable) for variable in VARIABLES.values()):
        return _demo(demo_now, demo_posts)
    file = Path(posts or os.environ.get(POSTS_VARIABLE) or POSTS_FILE)
    records = read_records(file) if file.exists() else []
    try:
        owner = default_credentials(handles_in(records))
    except MissingCredentials as error:
        msg = f"{error}; or unset all of them, which is the demo"
        raise MissingCredentials(msg, error.variables) from None
    named = url_overrides()
    base_url = named.get("base_url", BASE_URL)
    client = EngagementClient(
        owner, ledger=Ledger.from_env(base_url=named.get("base_url")), **named
    )
    public = EngagementClient(AppOnly.from_env(), **named)
    frame = _frame(records, file)
    far = f"X, Engagement API at {urlsplit(base_url).hostname}"
    whose = "a server on this machine, not X" if is_loopback(base_url) else far
    return Connection(
        client,
        public,
        frame,
        _whole_hour(datetime.now(UTC)),
        f"Counts: {whose}",
        base_url,
        f"live at {base_url}; {pluralize(len(frame), 'post')} from {file}; counts are of {whose}",
    )


def _demo(now: datetime | str | Callable[[], datetime] | None, posts: int) -> Connection:
    demo = demo_client(now, posts=posts)
    return Connection(
        demo.client,
        demo.public,
        demo.posts,
        _whole_hour(demo.server.world.now()),
        "Counts: synthetic, from the sandbox",
        demo.server.base_url,
        f"demo, no credentials in the environment; {pluralize(posts, 'post')} of the sandbox; "
        "all counts are synthetic",
        demo,
        _stands_still=now is not None,
    )


def _set(variable: str) -> bool:
    return bool(os.environ.get(variable) or os.environ.get(variable.replace("X_", "TWITTER_", 1)))


def _whole_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _frame(records: Sequence[PostEntry], file: Path) -> pd.DataFrame:
    """Return the posts in a file, with the times that their IDs hold."""
    import pandas as pd  # noqa: PLC0415 - it takes longer than all the rest

    from engagement_pandas.client.read_posts import frame_of  # noqa: PLC0415

    if not file.exists():
        msg = (
            f"there are credentials, and no posts: write the IDs of yours into {file}, below "
            f"the heading post_id, or name a file in {POSTS_VARIABLE}"
        )
        raise FileNotFoundError(msg)
    if not records:
        msg = f"{file} has no posts in it; write their IDs below the heading post_id"
        raise InvalidPostId(msg)
    frame = frame_of([record._replace(created_at=None) for record in records])
    frame["created_at"] = pd.Series(
        [created_at(post_id) for post_id in frame["post_id"]], dtype="datetime64[us, UTC]"
    )
    return frame.sort_values("created_at", kind="stable", na_position="first", ignore_index=True)
