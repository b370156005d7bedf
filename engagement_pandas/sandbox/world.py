"""The synthetic accounts of the sandbox, and their posts.

Nothing is stored. A post ID encodes the time of posting (its high bits, as in any
snowflake) and the account (in its low 22 bits), and a post exists if the account's schedule
contains that ID. So any ID can be checked without state, however old, and new posts appear
as the clock advances.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from engagement_pandas.sandbox.limits import SNOWFLAKE_EPOCH_MS
from engagement_pandas.sandbox.post_texts import text_of
from engagement_pandas.sandbox.stable_random import hash64, uniform

FIRST_DAY: Final = datetime(2014, 1, 1, tzinfo=UTC)
"""First day with posts."""

DEMO_HANDLE: Final = "sandbox_bakery"

_UNIX_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_SHARE_DELETED: Final = 0.03
_SHARE_PROTECTED: Final = 0.02
# Relative number of posts by hour of the day, starting with the account's busiest hour.
_RHYTHM: Final = (9, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1, 1, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8)
_RHYTHM_SUMS: Final = tuple(sum(_RHYTHM[: hour + 1]) for hour in range(24))


class Availability(StrEnum):
    """The visibility of a post."""

    PUBLIC = "public"
    PROTECTED = "protected"
    DELETED = "deleted"
    SUSPENDED = "suspended"


@dataclass(frozen=True, slots=True)
class SyntheticAccount:
    """An account, whose private metrics need these tokens.

    ``index`` is its number in the low bits of the IDs of its posts. The tokens are granted to the
    sandbox's app; the secret is left out of the ``repr``. ``audience`` is the impressions of a
    typical post, and ``busiest_hour`` is from 0 to 23, UTC. ``posts_a_day`` is a maximum; the
    minimum is one. If ``suspended`` is true, nobody can see its posts.
    """

    index: int
    user_id: str
    handle: str
    access_token: str
    access_token_secret: str = field(repr=False)
    audience: int
    busiest_hour: int
    posts_a_day: int
    suspended: bool = False


ACCOUNTS: Final = (
    SyntheticAccount(
        index=1,
        user_id="9001",
        handle=DEMO_HANDLE,
        access_token="9001-SandboxBakeryAccessToken",  # noqa: S106
        access_token_secret="sandbox-bakery-access-token-secret",  # noqa: S106
        audience=4_000,
        busiest_hour=7,
        posts_a_day=2,
    ),
    SyntheticAccount(
        index=2,
        user_id="9002",
        handle="sandbox_railway",
        access_token="9002-SandboxRailwayAccessToken",  # noqa: S106
        access_token_secret="sandbox-railway-access-token-secret",  # noqa: S106
        audience=25_000,
        busiest_hour=16,
        posts_a_day=6,
    ),
    SyntheticAccount(
        index=3,
        user_id="9003",
        handle="sandbox_observatory",
        access_token="9003-SandboxObservatoryAccessToken",  # noqa: S106
        access_token_secret="sandbox-observatory-access-token-secret",  # noqa: S106
        audience=900,
        busiest_hour=22,
        posts_a_day=1,
    ),
    SyntheticAccount(
        index=4,
        user_id="9004",
        handle="sandbox_closed",
        access_token="9004-SandboxClosedAccessToken",  # noqa: S106
        access_token_secret="sandbox-closed-access-token-secret",  # noqa: S106
        audience=500,
        busiest_hour=12,
        posts_a_day=1,
        suspended=True,
    ),
)
"""All accounts; the last one is suspended."""

_BY_INDEX: Final[Mapping[int, SyntheticAccount]] = MappingProxyType({a.index: a for a in ACCOUNTS})


@dataclass(frozen=True, slots=True)
class Post:
    """One post; all its properties are derived from its ID.

    ``number`` is the post ID as a number, and ``account`` the owner.
    """

    number: int
    account: SyntheticAccount

    @property
    def post_id(self) -> str:
        """The post ID as text."""
        return str(self.number)

    @property
    def handle(self) -> str:
        """The owner's handle."""
        return self.account.handle

    @property
    def created_ms(self) -> int:
        """The time of posting in milliseconds since 1970, UTC."""
        return (self.number >> 22) + SNOWFLAKE_EPOCH_MS

    @property
    def created_at(self) -> datetime:
        """The time of posting, UTC, to the millisecond."""
        return _UNIX_EPOCH + _MILLISECOND * self.created_ms

    @property
    def text(self) -> str:
        """The text of the post."""
        return self.worded(everyday=False)

    def worded(self, *, everyday: bool) -> str:
        """Return the text of the post, optionally without awkward characters."""
        marks = {"link": self.link, "hashtag": self.hashtag, "app": self.app}
        return text_of(self.number, **marks, everyday=everyday)

    @property
    def video(self) -> bool:
        """Whether it contains a video."""
        return uniform(self.number, 1) < 0.3  # noqa: PLR2004

    @property
    def media(self) -> bool:
        """Whether it contains a video, GIF or image."""
        return self.video or uniform(self.number, 2) < 0.5  # noqa: PLR2004

    @property
    def link(self) -> bool:
        """Whether it contains a link."""
        return uniform(self.number, 3) < 0.4  # noqa: PLR2004

    @property
    def hashtag(self) -> bool:
        """Whether it contains a hashtag."""
        return uniform(self.number, 4) < 0.35  # noqa: PLR2004

    @property
    def app(self) -> bool:
        """Whether it advertises an app."""
        return uniform(self.number, 5) < 0.08  # noqa: PLR2004

    def availability(self, at: datetime) -> Availability:
        """Return the visibility of the post at a moment.

        ``at`` is an aware datetime. A post that will be deleted is visible for its first hours.
        """
        if self.account.suspended:
            return Availability.SUSPENDED
        fate = uniform(self.number, 6)
        if fate < _SHARE_DELETED:
            lasted = timedelta(hours=1 + hash64(self.number, 7) % 36)
            if at >= self.created_at + lasted:
                return Availability.DELETED
        elif fate < _SHARE_DELETED + _SHARE_PROTECTED:
            return Availability.PROTECTED
        return Availability.PUBLIC


class World:
    """All posts up to the current time of a clock.

    ``clock`` returns the current time as an aware datetime.
    """

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def now(self) -> datetime:
        """Return the current time, UTC, to the millisecond."""
        moment = self._clock().astimezone(UTC)
        return moment.replace(microsecond=moment.microsecond // 1000 * 1000)

    def account(self, handle: str) -> SyntheticAccount:
        """Return the account with a handle."""
        for account in ACCOUNTS:
            if account.handle == handle:
                return account
        handles = ", ".join(account.handle for account in ACCOUNTS)
        msg = f"the sandbox has no account {handle!r}; choose from {handles}"
        raise KeyError(msg)

    def find(self, post_id: str) -> Post | None:
        """Return the post with an ID, visible or not; None if it never existed."""
        number = int(post_id)
        account = _BY_INDEX.get(number >> 12 & 0x3FF)
        if account is None or str(number) != post_id:
            return None
        post = Post(number, account)
        if not FIRST_DAY <= post.created_at <= self.now():
            return None
        return post if number in _schedule(account, post.created_ms // _DAY_MS) else None

    def posts(
        self,
        handle: str = DEMO_HANDLE,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[Post, ...]:
        """Return an account's posts, oldest first, including deleted and protected ones.

        ``since`` and ``until`` are half-open and aware; by default, they span the last 28 days.
        Future posts are left out.
        """
        account = self.account(handle)
        now = self.now()
        until = now + _MILLISECOND if until is None else min(until, now + _MILLISECOND)
        since = max(until - timedelta(days=28) if since is None else since, FIRST_DAY)
        return tuple(_posts(account, since, until))


def _posts(account: SyntheticAccount, since: datetime, until: datetime) -> Iterator[Post]:
    first = (since - _UNIX_EPOCH) // _MILLISECOND // _DAY_MS
    last = (until - _UNIX_EPOCH) // _MILLISECOND // _DAY_MS
    for day in range(first, last + 1):
        for number in sorted(_schedule(account, day)):
            post = Post(number, account)
            if since <= post.created_at < until:
                yield post


def _schedule(account: SyntheticAccount, day: int) -> tuple[int, ...]:
    """Return the post IDs of one UTC day, counted from 1970-01-01."""
    planned = 1 + hash64(account.index, day) % account.posts_a_day
    return tuple(_number(account, day, turn) for turn in range(planned))


def _number(account: SyntheticAccount, day: int, turn: int) -> int:
    bits = hash64(account.index, day, turn)
    from_busiest = bisect.bisect_right(_RHYTHM_SUMS, bits % _RHYTHM_SUMS[-1])
    hour = (account.busiest_hour + from_busiest) % 24
    milliseconds = day * _DAY_MS + hour * _HOUR_MS + (bits >> 20) % _HOUR_MS
    return (milliseconds - SNOWFLAKE_EPOCH_MS) << 22 | account.index << 12 | turn << 8 | bits >> 56
