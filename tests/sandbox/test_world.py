"""Accounts and the posts that their schedules produce."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engagement_pandas.sandbox.world import ACCOUNTS, Availability, World

NOW = datetime(2026, 3, 12, 19, 43, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def world() -> World:
    """Return a world whose clock does not move."""
    return World(lambda: NOW)


def test_a_post_id_is_a_snowflake(world: World) -> None:
    """The high bits hold the time of posting, by the documented formula."""
    post = world.posts()[-1]
    milliseconds = (int(post.post_id) >> 22) + 1288834974657
    assert post.created_ms == milliseconds
    assert post.created_at == datetime.fromtimestamp(milliseconds / 1000, UTC)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.handle)
def test_a_listed_post_can_be_found_by_its_id(world: World, account: Any) -> None:
    """The ID alone determines the owner."""
    posts = world.posts(account.handle)
    assert len(posts) >= 28
    assert all(world.find(post.post_id) == post for post in posts)
    assert {post.account for post in posts} == {account}


@pytest.mark.parametrize("change", [1, -1, 1 << 8, 1 << 12, -(1 << 12), 1 << 22, -(1 << 22)])
def test_neighbouring_ids_do_not_exist(world: World, change: int) -> None:
    """Changing one part of an ID gives an ID without a post."""
    post = world.posts()[-1]
    assert world.find(str(post.number + change)) is None


@pytest.mark.parametrize("post_id", ["0", "1", "123456789", "9" * 19, "1060976163948904448"])
def test_invented_ids_do_not_exist(world: World, post_id: str) -> None:
    """IDs from before snowflakes and IDs beyond 63 bits have no post either."""
    assert world.find(post_id) is None


def test_an_id_has_one_spelling(world: World) -> None:
    """An ID with leading zeros is another ID."""
    young = next(p for p in world.posts(since=datetime(2014, 1, 1, tzinfo=UTC)))
    assert world.find(young.post_id) is not None
    assert world.find(f"0{young.post_id}") is None


def test_posts_appear_as_the_clock_moves() -> None:
    """A post can be found from its creation time on, not before."""
    post = World(lambda: NOW).posts()[-1]
    before = World(lambda: post.created_at - timedelta(milliseconds=1))
    then = World(lambda: post.created_at)
    assert before.find(post.post_id) is None
    assert post not in before.posts()
    assert then.find(post.post_id) == post
    assert then.posts()[-1] == post


def test_time_spans_are_half_open_and_add_up(world: World) -> None:
    """A post at the boundary of two spans belongs to the second."""
    complete = world.posts("sandbox_railway")
    cut = complete[len(complete) // 2].created_at
    first = world.posts("sandbox_railway", complete[0].created_at, cut)
    second = world.posts("sandbox_railway", cut, NOW)
    assert first + second == complete
    assert second[0].created_at == cut


def test_posts_are_listed_oldest_first_since_2014(world: World) -> None:
    """Old posts are plentiful, and none is older than the accounts."""
    posts = world.posts(since=datetime(2001, 1, 1, tzinfo=UTC))
    created = [post.created_at for post in posts]
    assert created == sorted(created)
    assert created[0].year == 2014
    assert created[0].month == 1
    assert len({post.post_id for post in posts}) == len(posts) > 5000


def test_a_few_posts_are_deleted_or_protected(world: World) -> None:
    """Of some thousands of posts, 1 to 5 % are deleted and as many protected."""
    posts = world.posts(since=datetime(2020, 1, 1, tzinfo=UTC))
    for availability in (Availability.DELETED, Availability.PROTECTED):
        share = sum(post.availability(NOW) is availability for post in posts) / len(posts)
        assert 0.01 < share < 0.05


def test_a_deleted_post_was_public_before(world: World) -> None:
    """Posts are deleted within the first days, not at creation."""
    deleted = next(
        p for p in world.posts("sandbox_railway") if p.availability(NOW) is Availability.DELETED
    )
    assert deleted.availability(deleted.created_at) is Availability.PUBLIC
    assert deleted.availability(deleted.created_at + timedelta(days=2)) is Availability.DELETED


def test_all_posts_of_a_suspended_account_are_suspended(world: World) -> None:
    """They are listed for tests, and no one can see them."""
    posts = world.posts("sandbox_closed")
    assert {post.availability(NOW) for post in posts} == {Availability.SUSPENDED}


def test_an_unknown_handle_is_reported_with_the_known_ones(world: World) -> None:
    """The message lists the handles that exist."""
    with pytest.raises(KeyError, match=r"nobody.*sandbox_bakery"):
        world.posts("nobody")


AWKWARD: dict[str, Callable[[str], bool]] = {
    "dollar": lambda text: "$" in text,
    "markup": lambda text: "<" in text and "&" in text,
    "right to left": lambda text: any(unicodedata.bidirectional(c) in {"R", "AL"} for c in text),
    "emoji": lambda text: any(ord(c) > 0x1F000 for c in text),
    "long": lambda text: len(text) > 200,
    "line break": lambda text: "\n" in text,
    "quote": lambda text: '"' in text,
}


@pytest.mark.parametrize("feature", AWKWARD)
def test_post_texts_include_awkward_ones(world: World, feature: str) -> None:
    """Half a year of posts has each thing that breaks tables, plots and HTML."""
    posts = world.posts(since=NOW - timedelta(days=180))
    assert any(AWKWARD[feature](post.text) for post in posts)


def test_a_text_has_a_link_where_link_clicks_are_counted(world: World) -> None:
    """Links point to sandbox.invalid only."""
    for post in world.posts(since=NOW - timedelta(days=90)):
        assert ("https://" in post.text) == post.link
        assert post.text.count("https://") == post.text.count("https://sandbox.invalid/")
        assert ("#" in post.text) == post.hashtag


def test_texts_differ(world: World) -> None:
    """Most texts of a month's posts are unique."""
    texts = [post.text for post in world.posts("sandbox_railway")]
    assert len(set(texts)) > 0.8 * len(texts)


def test_the_repr_of_an_account_hides_its_secret() -> None:
    """Accounts can be printed safely."""
    assert all(account.access_token_secret not in repr(account) for account in ACCOUNTS)


@pytest.mark.slow
def test_another_process_has_the_same_world(world: World) -> None:
    """Nothing depends on Python's hash seed."""
    script = (
        "from datetime import UTC, datetime\n"
        "from engagement_pandas.sandbox.world import World\n"
        "from engagement_pandas.sandbox.synthetic_counts import cumulated\n"
        "from engagement_pandas.vocabulary.engagement_types import TOTALS_TYPES\n"
        "now = datetime(2026, 3, 12, 19, 43, 21, tzinfo=UTC)\n"
        "posts = World(lambda: now).posts()\n"
        "ms = int(now.timestamp() * 1000)\n"
        "print([p.post_id for p in posts], cumulated(posts, TOTALS_TYPES, ms).tolist())\n"
    )
    outputs = {
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert str([post.post_id for post in world.posts()]) in outputs.pop()
