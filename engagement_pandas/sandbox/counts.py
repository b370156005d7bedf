"""Synthetic counts: a function of the post, the engagement type and the UTC hour.

Every hour of a post's life has one count, drawn without state, so that it is the same
in every process and for every request. All answers are sums of these: the count between
two moments is *C(end) - C(start)*, where *C(t)* adds up the whole hours before *t* and
the elapsed part of the hour that *t* lies in. So windows telescope, and any grouping is
a sum of the finest one.

Only additions, multiplications, divisions and square roots touch the arrays. IEEE 754
rounds these exactly, so the same element comes out alike in an array of any shape.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement_pandas.sandbox.dice import (
    FIRST_FACTOR,
    GOLDEN,
    SECOND_FACTOR,
    bell,
    roll,
    uniform,
)
from engagement_pandas.sandbox.world import Post
from engagement_pandas.vocabulary import EngagementType

HOUR_MS: Final = 3_600_000
LIFE_HOURS: Final = 120 * 24
"""Nothing is counted later than this after the hour of posting."""

HALF_LIFE_MINUTES: Final = 80.0
"""Of a middling post: the median found by Pfeffer, Matter and Sargsyan (arXiv 2302.09654)."""

RUNAWAY: Final = 50.0
"""How much larger than usual a runaway post grows."""

_SHARE_RUNAWAY: Final = 0.02
_SHARE_PROMOTED: Final = 0.06
_POSTS_AT_ONCE: Final = 25
_SALT: Final = 0xC0


@dataclass(frozen=True, slots=True)
class TypeProfile:
    """How one engagement type is drawn.

    Attributes
    ----------
    number : int
        Part of the draw; never to be changed, or all counts change.
    share : float
        Of the organic impressions, or else of the engagements.
    of_impressions : bool
    slowness : float
        Half-life as a multiple of the impressions'.
    needs : str
        The feature of a post without which nothing is counted; empty where none is needed.
    undoable : bool
        Whether it can be taken back, which shows as a negative hour.
    """

    number: int
    share: float
    of_impressions: bool = False
    slowness: float = 1.0
    needs: str = ""
    undoable: bool = False


PROFILES: Final[Mapping[EngagementType, TypeProfile]] = MappingProxyType(
    {
        EngagementType.IMPRESSIONS: TypeProfile(1, 1.0, of_impressions=True),
        EngagementType.ENGAGEMENTS: TypeProfile(2, 1.0),
        EngagementType.FAVORITES: TypeProfile(3, 0.30, slowness=0.9, undoable=True),
        EngagementType.RETWEETS: TypeProfile(4, 0.08, slowness=0.8, undoable=True),
        EngagementType.QUOTE_TWEETS: TypeProfile(5, 0.02, slowness=1.2),
        EngagementType.REPLIES: TypeProfile(6, 0.05, slowness=0.7, undoable=True),
        EngagementType.VIDEO_VIEWS: TypeProfile(7, 0.35, of_impressions=True, needs="video"),
        EngagementType.MEDIA_VIEWS: TypeProfile(8, 0.55, of_impressions=True, needs="media"),
        EngagementType.MEDIA_ENGAGEMENTS: TypeProfile(9, 0.18, needs="media"),
        EngagementType.URL_CLICKS: TypeProfile(10, 0.22, slowness=1.5, needs="link"),
        EngagementType.HASHTAG_CLICKS: TypeProfile(11, 0.02, needs="hashtag"),
        EngagementType.DETAIL_EXPANDS: TypeProfile(12, 0.22),
        EngagementType.PERMALINK_CLICKS: TypeProfile(13, 0.04, slowness=2.0),
        EngagementType.APP_INSTALL_ATTEMPTS: TypeProfile(14, 0.03, needs="app"),
        EngagementType.APP_OPENS: TypeProfile(15, 0.06, needs="app"),
        EngagementType.EMAIL_TWEET: TypeProfile(16, 0.002),
        EngagementType.USER_FOLLOWS: TypeProfile(17, 0.008, slowness=1.3, undoable=True),
        EngagementType.USER_PROFILE_CLICKS: TypeProfile(18, 0.06),
    }
)

_CARRIED_ELSEWHERE: Final = TypeProfile(101, 0.5, of_impressions=True, slowness=4.0, needs="video")

# Activity by hours from the account's busiest hour, as a multiple of the mean.
_HALF_A_DAY = (1.60, 1.58, 1.51, 1.42, 1.30, 1.15, 1.00, 0.85, 0.70, 0.58, 0.49, 0.42, 0.40)
_DAY_AND_NIGHT: Final = np.array([*_HALF_A_DAY, *_HALF_A_DAY[11:0:-1]])


def bucketed(
    posts: Sequence[Post], types: Sequence[EngagementType], start_ms: int, end_ms: int
) -> NDArray[np.int64]:
    """Count by post, type and UTC hour.

    Parameters
    ----------
    posts : sequence of Post
    types : sequence of EngagementType
    start_ms, end_ms : int
        Half-open, milliseconds since 1970, UTC. The first and the last hour are counted
        in part where they are cut.

    Returns
    -------
    ndarray of int64, shape (posts, types, hours)
        Counts per hour, from the hour of ``start_ms`` to the hour that ends at or after
        ``end_ms``. Hours of unlikes are negative.
    """
    profiles = [PROFILES[t] for t in types]
    first, last = start_ms // HOUR_MS, -(-end_ms // HOUR_MS)
    parts = [
        _bucketed(posts[at : at + _POSTS_AT_ONCE], profiles, first, last, (start_ms, end_ms))
        for at in range(0, len(posts), _POSTS_AT_ONCE)
    ]
    return np.concatenate(parts)


def cumulated(
    posts: Sequence[Post], types: Sequence[EngagementType], at_ms: int
) -> NDArray[np.int64]:
    """Count by post and type from the moment of posting on.

    Parameters
    ----------
    posts : sequence of Post
    types : sequence of EngagementType
    at_ms : int
        Up to, without, this moment; milliseconds since 1970, UTC.

    Returns
    -------
    ndarray of int64, shape (posts, types)
        Video views include those of other posts that carry the same video.
    """
    profiles = [PROFILES[t] for t in types]
    totals = np.stack([_cumulated(post, profiles, at_ms) for post in posts])
    for place, name in enumerate(types):
        if name is EngagementType.VIDEO_VIEWS:
            totals[:, place] += [
                _cumulated(post, [_CARRIED_ELSEWHERE], at_ms)[0] if roll(post.number, 21) % 2 else 0
                for post in posts
            ]
    return totals


def _cumulated(post: Post, profiles: Sequence[TypeProfile], at_ms: int) -> NDArray[np.int64]:
    first = post.created_ms // HOUR_MS
    last = min(-(-at_ms // HOUR_MS), first + LIFE_HOURS)
    if last <= first:
        return np.zeros(len(profiles), np.int64)
    span = (first * HOUR_MS, min(at_ms, last * HOUR_MS))
    hours: NDArray[np.int64] = _bucketed([post], profiles, first, last, span)[0].sum(axis=1)
    return hours


def _bucketed(
    posts: Sequence[Post],
    profiles: Sequence[TypeProfile],
    first: int,
    last: int,
    span: tuple[int, int],
) -> NDArray[np.int64]:
    counts = _whole_hours(posts, profiles, np.arange(first, last, dtype=np.int64))
    start_ms, end_ms = span
    created = np.array([post.created_ms for post in posts])[:, None]
    # The end first: where both cuts fall into one hour, the start's part comes off what is left.
    whole = counts[:, :, [0, -1]].copy()
    if end_ms < last * HOUR_MS:
        counts[:, :, -1] = _elapsed(whole[:, :, 1], created, last - 1, end_ms)
    if start_ms > first * HOUR_MS:
        counts[:, :, 0] -= _elapsed(whole[:, :, 0], created, first, start_ms)
    return counts


def _elapsed(
    whole: NDArray[np.int64], created: NDArray[np.int64], hour: int, at_ms: int
) -> NDArray[np.int64]:
    """Return the part of an hour's counts that falls before a moment in it."""
    opens = np.maximum(created, hour * HOUR_MS)
    lasts = np.maximum((hour + 1) * HOUR_MS - opens, 1)
    passed = np.clip(at_ms - opens, 0, lasts)
    part: NDArray[np.int64] = whole * passed // lasts
    return part


def _whole_hours(
    posts: Sequence[Post], profiles: Sequence[TypeProfile], hours: NDArray[np.int64]
) -> NDArray[np.int64]:
    sizes = np.array([[_size(post, profile) for profile in profiles] for post in posts])[:, :, None]
    slowness = np.array([profile.slowness for profile in profiles])[None, :, None]
    half_lives = np.array([_half_life(post) for post in posts])[:, None, None] * slowness
    created = np.array([post.created_ms for post in posts])[:, None]
    ages = np.clip((np.append(hours, hours[-1] + 1) * HOUR_MS - created) / HOUR_MS, 0, None)
    grown = ages * np.sqrt(np.sqrt(ages))
    share = grown[:, None, :] / (grown[:, None, :] + half_lives * np.sqrt(np.sqrt(half_lives)))
    busiest = np.array([post.account.busiest_hour for post in posts])[:, None]
    rhythm = _DAY_AND_NIGHT[(hours - busiest) % 24][:, None, :]
    draws = _draws(posts, profiles, hours)
    noise = 0.6 + 0.8 * (draws & np.uint64(0xFFFFFFFF)) * 2.0**-32
    luck = (draws >> np.uint64(32)) * 2.0**-32
    expected = sizes * np.diff(share) * rhythm * noise
    counts: NDArray[np.int64] = np.floor(expected + luck).astype(np.int64)
    undoing = np.array([[_undoing(post, profile) for profile in profiles] for post in posts])
    settled = ages[:, None, :-1] >= 1
    counts -= (luck < undoing[:, :, None]) & settled
    # Before posting, the share does not grow; luck alone must not count there.
    age_hours = hours - created // HOUR_MS
    counts *= ((age_hours >= 0) & (age_hours < LIFE_HOURS))[:, None, :] & (sizes > 0)
    return counts


def _draws(
    posts: Sequence[Post], profiles: Sequence[TypeProfile], hours: NDArray[np.int64]
) -> NDArray[np.uint64]:
    seeds = np.array(
        [[roll(post.number, _SALT, profile.number) for profile in profiles] for post in posts],
        dtype=np.uint64,
    )
    return rolled(seeds[:, :, None], hours.astype(np.uint64))


def rolled(bits: NDArray[np.uint64], part: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return what ``dice.roll`` makes of one more part, over whole arrays."""
    bits = (bits ^ part) + np.uint64(GOLDEN)
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(FIRST_FACTOR)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(SECOND_FACTOR)
    return bits ^ (bits >> np.uint64(31))


def _size(post: Post, profile: TypeProfile) -> float:
    """Return the counts of that type in a whole life, before chance."""
    if profile.needs and not getattr(post, profile.needs):
        return 0.0
    impressions = post.account.audience * math.exp(0.8 * bell(post.number, 11))
    if runs_away(post):
        impressions *= RUNAWAY
    if profile.of_impressions:
        return impressions * profile.share * (1 if profile.share == 1 else _mood(post, profile))
    engagements = impressions * min(0.5, 0.03 * math.exp(0.6 * bell(post.number, 12)))
    if promoted(post):
        # Paid impressions are not counted, the engagements they bring are.
        engagements += impressions * (1.2 + uniform(post.number, 13))
    return engagements * profile.share * (1 if profile.share == 1 else _mood(post, profile))


def _mood(post: Post, profile: TypeProfile) -> float:
    return 0.5 + uniform(post.number, 14, profile.number)


def _half_life(post: Post) -> float:
    """In hours."""
    return HALF_LIFE_MINUTES / 60 * math.exp(0.5 * bell(post.number, 15))


def _undoing(post: Post, profile: TypeProfile) -> float:
    """Return an hour's chance to lose one; far too small for a total below zero."""
    size = _size(post, profile)
    return min(0.02, 0.05 * size / LIFE_HOURS) if profile.undoable and size >= 20 else 0.0  # noqa: PLR2004


def runs_away(post: Post) -> bool:
    """Return whether a post grows far beyond its account's usual."""
    return uniform(post.number, 16) < _SHARE_RUNAWAY


def promoted(post: Post) -> bool:
    """Return whether a post is paid for, so that engagements can exceed impressions."""
    return uniform(post.number, 17) < _SHARE_PROMOTED
