"""Synthetic counts: a function of the post, the engagement type and the UTC hour.

Every hour of a post's life has one count, drawn without state, so that it is the same in
every process and for every request. All responses are sums of these: the count between two
moments is *C(end) - C(start)*, where *C(t)* is the sum of the full hours before *t* and the
elapsed part of the hour that contains *t*. So adjacent windows add up, and any grouping is a
sum of the finest one.

``engagements`` are the interactions counted by the other types (all except the views) plus
some that no other type counts, such as clicks on a card. According to X's documentation, they
are not the sum of the other types; so they can be more, and here they are never less, in any
hour and in any part of one. Undoing an interaction reduces the count of its own type, but not
the engagements. Except for promoted posts, whose paid views are not counted, no hour has more
interactions than impressions. ``media_views`` include ``video_views``.

The arrays use only additions, multiplications, divisions and square roots. IEEE 754 rounds
these exactly, so an element does not depend on the shape of its array.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from engagement_pandas.sandbox.stable_random import hash64, mixed, normal, uniform
from engagement_pandas.sandbox.world import Post

HOUR_MS: Final = 3_600_000
LIFE_HOURS: Final = 120 * 24
"""Length of a post's life, from the hour of posting; nothing is counted later."""

HALF_LIFE_MINUTES: Final = 80.0
"""Typical half-life: the median found by Pfeffer, Matter and Sargsyan (arXiv 2302.09654)."""

RUNAWAY: Final = 50.0
"""Factor by which a viral post exceeds a usual one."""

_SHARE_RUNAWAY: Final = 0.02
_SHARE_PROMOTED: Final = 0.06
_POSTS_AT_ONCE: Final = 25
_SALT: Final = 0xC0


@dataclass(frozen=True, slots=True)
class TypeProfile:
    """Parameters of one engagement type.

    ``number`` is part of the seed; it must never change, since all counts would. ``share`` is a
    share of the organic impressions if ``of_impressions``, otherwise of the interactions.
    ``slowness`` is the half-life as a multiple of the impressions'. ``needs`` is the feature of a
    post that is required for counts, empty if none is. If a type is ``undoable``, an hour can be
    negative.
    """

    number: int
    share: float
    of_impressions: bool = False
    slowness: float = 1.0
    needs: str = ""
    undoable: bool = False


_ELSEWHERE: Final = "video_views of other posts"

PROFILES: Final[Mapping[str, TypeProfile]] = MappingProxyType(
    {
        "impressions": TypeProfile(1, 1.0, of_impressions=True),
        "video_views": TypeProfile(7, 0.35, of_impressions=True, needs="video"),
        "media_views": TypeProfile(8, 0.55, of_impressions=True, needs="media"),
        _ELSEWHERE: TypeProfile(101, 0.5, of_impressions=True, slowness=4.0, needs="video"),
        "favorites": TypeProfile(3, 0.30, slowness=0.9, undoable=True),
        "retweets": TypeProfile(4, 0.08, slowness=0.8, undoable=True),
        "quote_tweets": TypeProfile(5, 0.02, slowness=1.2),
        "replies": TypeProfile(6, 0.05, slowness=0.7, undoable=True),
        "media_engagements": TypeProfile(9, 0.18, needs="media"),
        "url_clicks": TypeProfile(10, 0.22, slowness=1.5, needs="link"),
        "hashtag_clicks": TypeProfile(11, 0.02, needs="hashtag"),
        "detail_expands": TypeProfile(12, 0.22),
        "permalink_clicks": TypeProfile(13, 0.04, slowness=2.0),
        "app_install_attempts": TypeProfile(14, 0.03, needs="app"),
        "app_opens": TypeProfile(15, 0.06, needs="app"),
        "email_tweet": TypeProfile(16, 0.002),
        "user_follows": TypeProfile(17, 0.008, slowness=1.3, undoable=True),
        "user_profile_clicks": TypeProfile(18, 0.06),
        # Only those that no other type counts are drawn; the others are added.
        "engagements": TypeProfile(2, 0.05),
    }
)
"""Views first, then interactions, with engagements last."""

_ROWS: Final = {name: row for row, name in enumerate(PROFILES)}
_VIEWS: Final = sum(profile.of_impressions for profile in PROFILES.values())

# Activity relative to the mean, by hours since the account's busiest hour.
_HALF_A_DAY = (1.60, 1.58, 1.51, 1.42, 1.30, 1.15, 1.00, 0.85, 0.70, 0.58, 0.49, 0.42, 0.40)
_DAY_AND_NIGHT: Final = np.array([*_HALF_A_DAY, *_HALF_A_DAY[11:0:-1]])


def bucketed(
    posts: Sequence[Post], types: Sequence[str], start_ms: int, end_ms: int
) -> NDArray[np.int64]:
    """Return counts by post, type and UTC hour: an array of shape (posts, types, hours).

    The span is half-open, in milliseconds since 1970, UTC. The hours are from that of ``start_ms``
    to the one that ends at or after ``end_ms``; a partial first or last hour is counted in part.
    Counts can be negative if interactions were undone.
    """
    parts = [
        _bucketed(posts[at : at + _POSTS_AT_ONCE], types, (start_ms, end_ms))
        for at in range(0, len(posts), _POSTS_AT_ONCE)
    ]
    return np.concatenate(parts)


def cumulated(posts: Sequence[Post], types: Sequence[str], at_ms: int) -> NDArray[np.int64]:
    """Return counts by post and type since posting: an array of shape (posts, types).

    ``at_ms`` is the end, exclusive, in milliseconds since 1970, UTC. Video views include those of
    other posts with the same video.
    """
    counts = np.stack([_since_posting(post, at_ms) for post in posts])
    carried = np.array([hash64(post.number, 21) % 2 for post in posts])
    counts[:, _ROWS["video_views"]] += counts[:, _ROWS[_ELSEWHERE]] * carried
    return counts[:, [_ROWS[name] for name in types]]


@lru_cache(maxsize=4096)
def _since_posting(post: Post, at_ms: int) -> NDArray[np.int64]:
    """Return counts by profile since posting."""
    start_ms = post.created_ms // HOUR_MS * HOUR_MS
    end_ms = min(at_ms, start_ms + LIFE_HOURS * HOUR_MS)
    if end_ms <= start_ms:
        return np.zeros(len(PROFILES), np.int64)
    total: NDArray[np.int64] = _bucketed([post], tuple(PROFILES), (start_ms, end_ms))[0].sum(axis=1)
    return total


def _bucketed(
    posts: Sequence[Post], types: Sequence[str], span: tuple[int, int]
) -> NDArray[np.int64]:
    start_ms, end_ms = span
    first, last = start_ms // HOUR_MS, -(-end_ms // HOUR_MS)
    rows = [_ROWS[name] for name in types]
    # Interactions can only be drawn together.
    drawn = _VIEWS if max(rows) < _VIEWS else len(PROFILES)
    layers = _complete_hours(posts, drawn, np.arange(first, last, dtype=np.int64))
    created = np.array([post.created_ms for post in posts])[:, None]
    for counts in layers:
        # End first: if both cuts are in one hour, the start's part is subtracted from the rest.
        complete = counts[:, :, [0, -1]].copy()
        if end_ms < last * HOUR_MS:
            counts[:, :, -1] = _elapsed(complete[:, :, 1], created, last - 1, end_ms)
        if start_ms > first * HOUR_MS:
            counts[:, :, 0] -= _elapsed(complete[:, :, 0], created, first, start_ms)
    done, undone = layers
    if drawn > _VIEWS:
        done[:, -1] = done[:, _VIEWS:].sum(axis=1)
    return done[:, rows] - undone[:, rows]


def _elapsed(
    complete: NDArray[np.int64], created: NDArray[np.int64], hour: int, at_ms: int
) -> NDArray[np.int64]:
    """Return the part of an hour's counts before a moment in it."""
    opens = np.maximum(created, hour * HOUR_MS)
    lasts = np.maximum((hour + 1) * HOUR_MS - opens, 1)
    passed = np.clip(at_ms - opens, 0, lasts)
    part: NDArray[np.int64] = complete * passed // lasts
    return part


def _complete_hours(
    posts: Sequence[Post], drawn: int, hours: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return what is done and undone in each full hour, for the first ``drawn`` profiles."""
    traits = [_traits(post) for post in posts]
    sizes = np.stack([trait.sizes[:drawn] for trait in traits])[:, :, None]
    slowness = np.array([profile.slowness for profile in PROFILES.values()])[None, :drawn, None]
    half_lives = np.array([trait.half_life for trait in traits])[:, None, None] * slowness
    created = np.array([post.created_ms for post in posts])[:, None]
    ages = np.clip((np.append(hours, hours[-1] + 1) * HOUR_MS - created) / HOUR_MS, 0, None)
    grown = ages * np.sqrt(np.sqrt(ages))
    share = grown[:, None, :] / (grown[:, None, :] + half_lives * np.sqrt(np.sqrt(half_lives)))
    busiest = np.array([post.account.busiest_hour for post in posts])[:, None]
    rhythm = _DAY_AND_NIGHT[(hours - busiest) % 24][:, None, :]
    seeds = np.stack([trait.seeds[:drawn] for trait in traits])[:, :, None]
    draws = mixed(seeds, hours.astype(np.uint64))
    noise = 0.6 + 0.8 * (draws & np.uint64(0xFFFFFFFF)) * 2.0**-32
    luck = (draws >> np.uint64(32)) * 2.0**-32
    expected = sizes * np.diff(share) * rhythm * noise
    # Before posting, growth is zero, but the random part must not count either.
    age_hours = hours - created // HOUR_MS
    alive = ((age_hours >= 0) & (age_hours < LIFE_HOURS))[:, None, :] & (sizes > 0)
    done = np.floor(expected + luck).astype(np.int64) * alive
    undoing = np.stack([trait.undoing[:drawn] for trait in traits])[:, :, None]
    undone = ((luck < undoing) & (ages[:, None, :-1] >= 1) & alive).astype(np.int64)
    videos, media = done[:, _ROWS["video_views"]], done[:, _ROWS["media_views"]]
    np.maximum(media, videos, out=media)
    seen = np.where([[promoted(post)] for post in posts], np.iinfo(np.int64).max, done[:, 0])
    done[:, _VIEWS:] = np.diff(
        np.minimum(done[:, _VIEWS:].cumsum(axis=1), seen[:, None]), axis=1, prepend=0
    )
    return done, undone


class _Traits(NamedTuple):
    """Parameters of a post's counts, for each profile."""

    sizes: NDArray[np.float64]  # expected counts in a complete life
    seeds: NDArray[np.uint64]
    undoing: NDArray[np.float64]  # hourly probability of losing one; too small for a net loss
    half_life: float  # hours


@lru_cache(maxsize=4096)
def _traits(post: Post) -> _Traits:
    impressions = post.account.audience * math.exp(0.8 * normal(post.number, 11))
    if runs_away(post):
        impressions *= RUNAWAY
    interactions = impressions * min(0.5, 0.03 * math.exp(0.6 * normal(post.number, 12)))
    if promoted(post):
        # Paid impressions are not counted, but their interactions are.
        interactions += impressions * (1.2 + uniform(post.number, 13))
    sizes = []
    for profile in PROFILES.values():
        size = (impressions if profile.of_impressions else interactions) * profile.share
        mood = 1 if profile.share == 1 else 0.5 + uniform(post.number, 14, profile.number)
        sizes.append(size * mood if not profile.needs or getattr(post, profile.needs) else 0.0)
    return _Traits(
        np.array(sizes),
        np.array([hash64(post.number, _SALT, p.number) for p in PROFILES.values()], np.uint64),
        np.array(
            [
                min(0.02, 0.05 * size / LIFE_HOURS) if profile.undoable and size >= 20 else 0.0  # noqa: PLR2004
                for size, profile in zip(sizes, PROFILES.values(), strict=True)
            ]
        ),
        HALF_LIFE_MINUTES / 60 * math.exp(0.5 * normal(post.number, 15)),
    )


def runs_away(post: Post) -> bool:
    """Return whether a post goes viral."""
    return uniform(post.number, 16) < _SHARE_RUNAWAY


def promoted(post: Post) -> bool:
    """Return whether a post is promoted, so that engagements can exceed impressions."""
    return uniform(post.number, 17) < _SHARE_PROMOTED
