"""Who may see which posts and types: what is refused, and what is only listed as unavailable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from engagement_pandas.sandbox import limits
from engagement_pandas.sandbox.http_answer import Refusal
from engagement_pandas.sandbox.validation import ParsedRequest
from engagement_pandas.sandbox.world import Availability, Post, SyntheticAccount, World

TOO_OLD_KEY: Final = "unsupported_for_impressions_engagements_tweet_ids"
VIDEO_TOO_OLD_KEY: Final = "unsupported_for_video_views_tweet_ids"
UNAVAILABLE_KEY: Final = "unavailable_tweet_ids"


def visible_posts(
    world: World, request: ParsedRequest, now: datetime
) -> tuple[list[Post], list[str]]:
    """Return the public posts, and the IDs of the others, which not even owners can see."""
    seen, unavailable = [], []
    for post_id in request.post_ids:
        post = world.find(post_id)
        if post is not None and post.availability(now) is Availability.PUBLIC:
            seen.append(post)
        else:
            unavailable.append(post_id)
    return seen, unavailable


def refuse_unowned(
    posts: Sequence[Post], account: SyntheticAccount, wording: Literal["posts", "by_author"]
) -> None:
    """Raise if posts are not those of the requesting account."""
    unowned = [post for post in posts if post.account != account]
    if not unowned:
        return
    if wording == "posts":
        names = ", ".join(post.post_id for post in unowned)
        raise Refusal(403, f"Forbidden to access tweets: {names}")
    authors: dict[str, list[str]] = {}
    for post in unowned:
        authors.setdefault(post.account.user_id, []).append(post.post_id)
    raise Refusal(
        403,
        *(
            f"Forbidden to access tweets for author id {author}: {', '.join(names)}"
            for author, names in authors.items()
        ),
    )


def refuse_private(request: ParsedRequest) -> None:
    """Raise if an app-only request has types that only an owner may see."""
    public = limits.PUBLIC_TYPES if request.endpoint == limits.TOTALS else ()
    private = [name for name in request.types if name not in public]
    if private:
        raise Refusal(403, f"Forbidden to access metrics: {', '.join(private)}")


def too_old(
    request: ParsedRequest, posts: Sequence[Post], now: datetime, notes: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the keys that list posts too old for a requested type."""
    found: dict[str, Any] = {}
    types = set(request.types)
    if request.endpoint == limits.TOTALS and types & set(limits.YOUNG_TYPES):
        old = _older(posts, now, limits.YOUNG)
        if old:
            found[TOO_OLD_KEY] = old
        if len(old) == len(posts) and types <= set(limits.YOUNG_TYPES):
            raise Refusal(
                400,
                error_texts(found, now)[TOO_OLD_KEY],
                keys={**notes, **found},
            )
    if limits.VIDEO_VIEWS in types:
        old = _older(posts, now, limits.VIDEO_AGE)
        if old:
            found[VIDEO_TOO_OLD_KEY] = old
    return found


def error_texts(notes: Mapping[str, Any], now: datetime) -> dict[str, str]:
    """Return the error text for each key that lists posts."""
    oldest = f"{now - limits.YOUNG:%Y-%m-%dT%H:%M:%SZ}"
    return {
        UNAVAILABLE_KEY: f"{len(notes.get(UNAVAILABLE_KEY, ()))} Tweet ID(s) are unavailable",
        TOO_OLD_KEY: (
            f"Impressions & engagements for tweets older than {limits.YOUNG.days} "
            f"days ({oldest}) are not supported"
        ),
        VIDEO_TOO_OLD_KEY: (
            f"Video views for tweets older than {limits.VIDEO_AGE.days} days are not supported"
        ),
    }


def _older(posts: Sequence[Post], now: datetime, age: timedelta) -> list[str]:
    return [post.post_id for post in posts if now - post.created_at > age]
