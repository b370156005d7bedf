"""Connection to the API if the environment has credentials, otherwise to the demo.

So the same notebook works for a person trying it and for one with a contract.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final, Self
from urllib.parse import urlsplit

from engagement_pandas.auth import accounts, ledger
from engagement_pandas.auth.accounts import HANDLE_VARIABLE
from engagement_pandas.auth.credentials import VARIABLES, AppOnly, lookup
from engagement_pandas.auth.ledger import LIMIT_VARIABLE, Ledger
from engagement_pandas.auth.pin_login import LOGIN_URL_VARIABLE
from engagement_pandas.auth.signer_choice import default_credentials
from engagement_pandas.client.client import EngagementClient
from engagement_pandas.client.demo import demo_client
from engagement_pandas.client.url_overrides import url_overrides
from engagement_pandas.errors import InvalidPostId, MissingCredentials, RequestError
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
"""Default file with the IDs of the posts."""

_YOURS: Final = (accounts.PATH_VARIABLE, ledger.PATH_VARIABLE)
"""Variables of the files that record logins and requested handles."""


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Connection:
    """Two clients and the posts to request, for the API or for the demo.

    A context manager; its printed form shows which of the two it is.

    Attributes
    ----------
    client : EngagementClient
        Client for the owner of the posts.
    public : EngagementClient
        Client for the app alone: public types, any post.
    posts : DataFrame
        ``post_id`` (``str``), ``handle`` and ``text`` (``str``, if known) and
        ``created_at`` (``datetime64[us, UTC]``), oldest first.
    until : datetime
        The last complete hour when the connection was created, UTC: the end of a window
        that reaches up to the present.
    source : str
        Source of the counts, as a caption for figures.
    base_url : str
    """

    client: EngagementClient
    public: EngagementClient
    posts: pd.DataFrame
    until: datetime
    source: str
    base_url: str
    _description: str
    _demo: Demo | None = None
    _fixed_time: bool = False

    def cite(self, ax: Axes) -> None:
        """Write the source of the counts below a figure, especially that they are synthetic."""
        figure = ax.get_figure(root=True)
        if figure is not None:
            figure.supxlabel(self.source, x=0.99, ha="right", size="small")

    @contextmanager
    def environment(self) -> Iterator[None]:
        """Set this connection's environment variables within a block, for the command line.

        Does nothing for the live API. In the demo, keys and URLs of the sandbox are set, so
        that ``connect`` and ``from_env`` find them within the block. Your accounts and your
        ledger are not touched: logins and requested handles are recorded in temporary files
        that are deleted after the block, without a limit.
        """
        if self._demo is None:
            yield
            return
        if self._fixed_time:
            msg = "the demo runs at a fixed time; connect without demo_now to use its environment"
            raise RequestError(msg)
        server = self._demo.server
        keys = server.keys()
        variables = {variable: getattr(keys, name) for name, variable in VARIABLES.items()}
        variables |= {BASE_URL_VARIABLE: server.base_url, TOKEN_URL_VARIABLE: server.token_url}
        variables |= {LOGIN_URL_VARIABLE: server.login_url, HANDLE_VARIABLE: DEMO_HANDLE}
        before = {name: os.environ.get(name) for name in (*variables, *_YOURS, LIMIT_VARIABLE)}
        with TemporaryDirectory() as folder:
            os.environ.update(variables | {name: str(Path(folder, name)) for name in _YOURS})
            os.environ.pop(LIMIT_VARIABLE, None)
            try:
                yield
            finally:
                for name, value in before.items():
                    os.environ.pop(name, None)
                    if value is not None:
                        os.environ[name] = value

    def close(self) -> None:
        """Close the clients, and the demo's server; closing again does nothing."""
        self.client.close()
        self.public.close()
        if self._demo is not None:
            self._demo.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Connection({self._description})"


def connect(
    posts: str | os.PathLike[str] | None = None,
    *,
    demo_now: datetime | str | Callable[[], datetime] | None = None,
    demo_posts: int = 40,
) -> Connection:
    """Connect to the API with the credentials in the environment, or else to the demo.

    Live with ``X_CONSUMER_KEY``, ``X_CONSUMER_SECRET``, ``X_ACCESS_TOKEN`` and
    ``X_ACCESS_TOKEN_SECRET`` (``TWITTER_…`` if ``X_…`` is unset); the demo if none of these is
    set and no ``X_BEARER_TOKEN`` either. Without the last two of the four, the tokens of an
    owner who has logged in are used: the one that ``X_HANDLE`` names, or the only one.

    Parameters
    ----------
    posts : str or path, optional
        Live: a file with the IDs of your posts and optionally ``handle`` and ``text``, as
        for :func:`read_posts`. By default the file named by ``X_POSTS``, or ``posts.csv`` in
        the current folder.
    demo_now : datetime or str or callable, optional
        Demo: its current time; the real time by default.
    demo_posts : int
        Demo: number of posts, at least 10.

    Returns
    -------
    Connection

    Raises
    ------
    MissingCredentials
        If some but not all four are set, and no owner or several owners have logged in: the
        demo was not intended then.
    AccountsError
        If the stored tokens of an owner cannot be read or used.
    RequestError
        If ``X_BASE_URL`` (instead of ``https://data-api.twitter.com``) or ``X_TOKEN_URL`` is
        not https; plain http is allowed for this machine only.
    FileNotFoundError
        Live, if there is no file of posts.
    InvalidPostId
        Live, if a value in it is not a post ID, or there are no posts.

    See Also
    --------
    demo_client : the demo, whatever the environment

    Examples
    --------
    >>> with connect(demo_now="2026-04-15T12:20:00Z") as connection:
    ...     connection
    Connection(demo, no credentials in the environment; 40 posts of the sandbox; all counts
    are synthetic)
    """
    if not any(lookup(None, name) for name in VARIABLES):
        return _demo(demo_now, demo_posts)
    file = Path(posts or os.environ.get(POSTS_VARIABLE) or POSTS_FILE)
    records = read_records(file) if file.exists() else []
    try:
        owner = default_credentials(handles_in(records))
    except MissingCredentials as error:
        msg = f"{error}; or unset all of them to use the demo"
        raise MissingCredentials(msg, error.variables) from None
    named = url_overrides()
    base_url = named.get("base_url", BASE_URL)
    client = EngagementClient(
        owner, ledger=Ledger.from_env(base_url=named.get("base_url")), **named
    )
    public = EngagementClient(AppOnly.from_env(), **named)
    frame = _frame(records, file)
    far = f"X, Engagement API at {urlsplit(base_url).hostname}"
    server = "a server on this machine, not X" if is_loopback(base_url) else far
    return Connection(
        client,
        public,
        frame,
        _full_hour(datetime.now(UTC)),
        f"Counts: {server}",
        base_url,
        f"live at {base_url}; {pluralize(len(frame), 'post')} from {file}; counts from {server}",
    )


def _demo(now: datetime | str | Callable[[], datetime] | None, posts: int) -> Connection:
    demo = demo_client(now, posts=posts)
    return Connection(
        demo.client,
        demo.public,
        demo.posts,
        _full_hour(demo.server.world.now()),
        "Counts: synthetic, from the sandbox",
        demo.server.base_url,
        f"demo, no credentials in the environment; {pluralize(posts, 'post')} of the sandbox; "
        "all counts are synthetic",
        demo,
        _fixed_time=now is not None,
    )


def _full_hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)


def _frame(records: Sequence[PostEntry], file: Path) -> pd.DataFrame:
    """Return the posts in a file, with the creation times in their IDs."""
    import pandas as pd  # noqa: PLC0415 - a slow import

    from engagement_pandas.sources.read_posts import frame_of  # noqa: PLC0415

    if not file.exists():
        msg = (
            f"there are credentials, but no file of posts: write post IDs into {file}, "
            f"below the heading post_id, or name a file in {POSTS_VARIABLE}"
        )
        raise FileNotFoundError(msg)
    if not records:
        msg = f"{file} has no posts; write their IDs below the heading post_id"
        raise InvalidPostId(msg)
    frame = frame_of([record._replace(created_at=None) for record in records])
    frame["created_at"] = pd.Series(
        [created_at(post_id) for post_id in frame["post_id"]], dtype="datetime64[us, UTC]"
    )
    return frame.sort_values("created_at", kind="stable", na_position="first", ignore_index=True)
