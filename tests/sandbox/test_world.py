"""Accounts, and posts that exist because a schedule says so."""

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
    """Return a world that stands still."""
    return World(lambda: NOW)


def test_a_post_id_is_a_snowflake(world: World) -> None:
    """The moment of posting is in the high bits, by the documented formula."""
    post = world.posts()[-1]
    milliseconds = (int(post.post_id) >> 22) + 1288834974657
    assert post.created_ms == milliseconds
    assert post.created_at == datetime.fromtimestamp(milliseconds / 1000, UTC)


@pytest.mark.parametrize("account", ACCOUNTS, ids=lambda account: account.handle)
def test_a_listed_post_can_be_found_by_its_id(world: World, account: Any) -> None:
    """The ID alone tells the owner."""
    posts = world.posts(account.handle)
    assert len(posts) >= 28
    assert all(world.find(post.post_id) == post for post in posts)
    assert {post.account for post in posts} == {account}


@pytest.mark.parametrize("change", [1, -1, 1 << 8, 1 << 12, -(1 << 12), 1 << 22, -(1 << 22)])
def test_the_neighbours_of_an_id_never_existed(world: World, change: int) -> None:
    """One bit off in the chance, the turn, the account or the time, and there is no post."""
    post = world.posts()[-1]
    assert world.find(str(post.number + change)) is None


@pytest.mark.parametrize("post_id", ["0", "1", "123456789", "9" * 19, "1060976163948904448"])
def test_made_up_ids_never_existed(world: World, post_id: str) -> None:
    """Also those from before snowflakes, and those beyond 63 bits."""
    assert world.find(post_id) is None


def test_an_id_has_one_spelling(world: World) -> None:
    """Leading zeros make another ID."""
    young = next(p for p in world.posts(since=datetime(2014, 1, 1, tzinfo=UTC)))
    assert world.find(young.post_id) is not None
    assert world.find(f"0{young.post_id}") is None


def test_posts_appear_as_the_clock_moves() -> None:
    """A post is found from its moment on, not before."""
    post = World(lambda: NOW).posts()[-1]
    before = World(lambda: post.created_at - timedelta(milliseconds=1))
    then = World(lambda: post.created_at)
    assert before.find(post.post_id) is None
    assert post not in before.posts()
    assert then.find(post.post_id) == post
    assert then.posts()[-1] == post


def test_spans_are_half_open_and_add_up(world: World) -> None:
    """A span cut at a post's very moment has the post in its second part alone."""
    whole = world.posts("sandbox_railway")
    cut = whole[len(whole) // 2].created_at
    first = world.posts("sandbox_railway", whole[0].created_at, cut)
    second = world.posts("sandbox_railway", cut, NOW)
    assert first + second == whole
    assert second[0].created_at == cut


def test_posts_are_listed_oldest_first_since_2014(world: World) -> None:
    """There is no end of old posts, and none is older than the accounts."""
    posts = world.posts(since=datetime(2001, 1, 1, tzinfo=UTC))
    created = [post.created_at for post in posts]
    assert created == sorted(created)
    assert created[0].year == 2014
    assert created[0].month == 1
    assert len({post.post_id for post in posts}) == len(posts) > 5000


def test_a_few_posts_are_deleted_or_protected(world: World) -> None:
    """Of some thousands, 1 to 5 % each."""
    posts = world.posts(since=datetime(2020, 1, 1, tzinfo=UTC))
    for kind in (Availability.DELETED, Availability.PROTECTED):
        share = sum(post.availability(NOW) is kind for post in posts) / len(posts)
        assert 0.01 < share < 0.05


def test_a_deleted_post_could_be_seen_before(world: World) -> None:
    """Deletion happens within the first days, not at birth."""
    gone = next(
        p for p in world.posts("sandbox_railway") if p.availability(NOW) is Availability.DELETED
    )
    assert gone.availability(gone.created_at) is Availability.PUBLIC
    assert gone.availability(gone.created_at + timedelta(days=2)) is Availability.DELETED


def test_a_suspended_account_shows_nothing(world: World) -> None:
    """Its posts are listed for tests, and can be seen by nobody."""
    posts = world.posts("sandbox_closed")
    assert {post.availability(NOW) for post in posts} == {Availability.SUSPENDED}


def test_an_unknown_handle_is_named_with_those_there_are(world: World) -> None:
    """The message says what could have been meant."""
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


@pytest.mark.parametrize("kind", AWKWARD)
def test_texts_are_awkward(world: World, kind: str) -> None:
    """Half a year of posts has each thing that upsets tables, plots and HTML."""
    posts = world.posts(since=NOW - timedelta(days=180))
    assert any(AWKWARD[kind](post.text) for post in posts)


def test_texts_match_what_can_be_clicked(world: World) -> None:
    """A link is in the text where link clicks are counted, and only to nowhere."""
    for post in world.posts(since=NOW - timedelta(days=90)):
        assert ("https://" in post.text) == post.link
        assert post.text.count("https://") == post.text.count("https://sandbox.invalid/")
        assert ("#" in post.text) == post.hashtag


def test_texts_vary(world: World) -> None:
    """Of a month's posts, most say something of their own."""
    texts = [post.text for post in world.posts("sandbox_railway")]
    assert len(set(texts)) > 0.8 * len(texts)


def test_no_secret_is_in_a_repr() -> None:
    """Accounts can be printed."""
    assert all(account.access_token_secret not in repr(account) for account in ACCOUNTS)


@pytest.mark.slow
def test_another_process_has_the_same_world(world: World) -> None:
    """Nothing depends on Python's hash seed."""
    script = (
        "from datetime import UTC, datetime\n"
        "from engagement_pandas.sandbox.world import World\n"
        "from engagement_pandas.sandbox.synthetic_counts import cumulated\n"
        "from engagement_pandas.vocabulary import TOTALS_TYPES\n"
        "now = datetime(2026, 3, 12, 19, 43, 21, tzinfo=UTC)\n"
        "posts = World(lambda: now).posts()\n"
        "ms = int(now.timestamp() * 1000)\n"
        "print([p.post_id for p in posts], cumulated(posts, TOTALS_TYPES, ms).tolist())\n"
    )
    told = {
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", script],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(told) == 1
    assert str([post.post_id for post in world.posts()]) in told.pop()
