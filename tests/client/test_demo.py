"""The demo, and the sandbox seen through the package's own client."""

from __future__ import annotations

import ast
import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas import sandbox
from engagement_pandas.client.demo import Demo, demo_client
from engagement_pandas.response.response import NOT_SENT
from engagement_pandas.sandbox.world import Availability

NOW = "2026-03-12T19:43:21Z"
MOMENT = datetime(2026, 3, 12, 19, 43, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """Return a demo that stands still."""
    with demo_client(NOW) as made:
        yield made


def test_the_posts_are_a_tidy_frame(demo: Demo) -> None:
    """40 rows, IDs and texts as str, times in UTC, oldest first."""
    assert {name: str(dtype) for name, dtype in demo.posts.dtypes.items()} == {
        "post_id": "str",
        "handle": "str",
        "text": "str",
        "created_at": "datetime64[us, UTC]",
    }
    assert len(demo.posts) == 40
    assert demo.posts["created_at"].is_monotonic_increasing
    assert demo.posts["post_id"].is_unique
    assert isinstance(demo.posts.index, pd.RangeIndex)


def test_the_posts_have_some_of_each_kind(demo: Demo) -> None:
    """Mostly recent and owned; a few old, two very old, one deleted, two another's."""
    ages = MOMENT - demo.posts["created_at"]
    assert (ages <= timedelta(days=28)).sum() >= 28
    assert (ages > timedelta(days=90)).sum() == 6
    assert (ages > timedelta(days=1800)).sum() == 2
    assert (demo.posts["handle"] == "sandbox_bakery").sum() == 38
    fates = []
    for post_id in demo.posts["post_id"]:
        post = demo.server.world.find(post_id)
        assert post is not None
        fates.append(post.availability(MOMENT))
    assert fates.count(Availability.DELETED) == 1
    assert fates.count(Availability.PUBLIC) == 39


@pytest.mark.slow
@pytest.mark.parametrize("posts", [10, 25, 160, 161, 300, 2_700])
@pytest.mark.parametrize("now", [NOW, "2026-04-15T12:20:00Z", "2021-07-04T00:00:00Z"])
def test_there_can_be_more_posts_or_fewer(posts: int, now: str) -> None:
    """Exactly as many as asked for, and none twice, though the recent ones grow old."""
    with demo_client(now, posts=posts) as made:
        assert len(made.posts) == posts
        assert made.posts["post_id"].is_unique
        assert made.posts["created_at"].is_monotonic_increasing


def test_there_are_only_so_many_posts() -> None:
    """More than the account has ever made are refused, and the message says how many."""
    with pytest.raises(ValueError, match=r"the sandbox has \d+ posts to list; request no more"):
        demo_client("2014-02-01", posts=200)


@pytest.mark.slow
@pytest.mark.parametrize("day", range(0, 200, 29))
def test_the_first_picture_has_ordinary_rates(day: int) -> None:
    """The last week and the last 28 hours, all posts together: engagements below impressions."""
    now = MOMENT + timedelta(days=day)
    with demo_client(now) as made:
        posts = made.posts[made.posts["handle"] == "sandbox_bakery"]
        week = ep.historical(
            posts,
            engagement_types=["impressions", "engagements"],
            window=ep.Window.last(7, now=now),
        )
        hours = ep.last_28_hours(posts, engagement_types=["impressions", "engagements"])
        for request in (week, hours):
            counts = ep.flatten(made.client.fetch(request))
            seen, engaged = (
                rows.groupby(["day", "hour"])["count"].sum()
                for _, rows in counts.groupby("engagement_type", observed=True)
            )
            assert (engaged <= seen).all()
            assert 0.01 < engaged.sum() / seen.sum() < 0.1


@pytest.mark.parametrize("posts", [10, 40, 130])
def test_everyday_texts_come_first(posts: int) -> None:
    """At both ends of the list: short, plain, on one line, and no formula; the odd ones between."""
    with demo_client(NOW, posts=posts) as made:
        texts = list(made.posts["text"])
    plain = [text.isascii() and text.isprintable() and len(text) < 140 for text in texts]
    plain = [
        so and text[0] not in "=+-@" and not set(text) & set('$<>&*"')
        for so, text in zip(plain, texts, strict=True)
    ]
    assert all(plain[:5])
    assert all(plain[-30:])
    assert posts < 130 or not all(plain)


def test_two_accounts_can_be_read(demo: Demo) -> None:
    """Each post with its owner's tokens: both handles have private counts, nothing is forbidden."""
    request = ep.last_28_hours(demo.posts, engagement_types=["impressions"])
    answers = demo.owners.fetch(request)
    counts = ep.flatten(answers).merge(demo.posts, on="post_id")
    seen = counts.groupby("handle")["count"].sum()
    assert set(seen.index) == {"sandbox_bakery", "sandbox_railway"}
    assert seen.min() > 0
    assert "forbidden" not in set(ep.omissions(answers)["reason"])
    favorites = ep.totals(demo.posts, engagement_types=["favorites"])
    assert [answer.status for answer in demo.owners.fetch(favorites)] == [200]


def test_too_few_posts_are_refused() -> None:
    """Nine are needed to show what can be missing."""
    with pytest.raises(ValueError, match="10 or more"):
        demo_client(NOW, posts=9)


@pytest.mark.slow
@pytest.mark.parametrize("day", range(0, 365, 13))
def test_every_day_has_a_demo(day: int) -> None:
    """Whatever the clock says, all kinds of posts are found."""
    with demo_client(MOMENT + timedelta(days=day)) as later:
        assert len(later.posts) == 40
        assert later.posts["handle"].nunique() == 2


def test_the_owner_is_answered_and_told_what_is_missing(demo: Demo) -> None:
    """Another's posts are forbidden, the deleted one is unavailable, old ones unsupported."""
    request = ep.totals(demo.posts, engagement_types=["impressions", "favorites"])
    answers = [(r.status, r.request.post_ids) for r in demo.client.fetch(request)]
    others = set(demo.posts.loc[demo.posts["handle"] != "sandbox_bakery", "post_id"])
    assert {p for status, ids in answers if status == 403 for p in ids} == others
    assert {p for status, ids in answers if status == 200 for p in ids} == set(
        demo.posts["post_id"]
    ) - others


def test_the_public_client_sees_every_owner(demo: Demo) -> None:
    """One answer, and nothing is forbidden."""
    request = ep.totals(demo.posts, engagement_types=["favorites"])
    (answer,) = demo.public.fetch(request)
    assert answer.status == 200


@pytest.mark.slow
def test_all_three_endpoints_answer(demo: Demo) -> None:
    """Through the package's own client, whose signatures are thereby verified."""
    owned = demo.posts[demo.posts["handle"] == "sandbox_bakery"]
    window = ep.Window.covering("2026-02-20", "2026-03-10")
    for request in (
        ep.totals(owned, engagement_types=["favorites"]),
        ep.last_28_hours(owned, engagement_types=["favorites"]),
        ep.historical(owned, engagement_types=["favorites"], window=window),
    ):
        assert {answer.status for answer in demo.client.fetch(request)} - {NOT_SENT} == {200}


def test_the_repr_says_that_counts_are_synthetic(demo: Demo) -> None:
    """A sentence, without a secret."""
    assert repr(demo).endswith("all counts are synthetic)")
    assert demo.server.keys().consumer_secret not in repr(demo)


@pytest.mark.slow
def test_a_client_keeps_its_server_alive() -> None:
    """Who keeps only the client of a demo can go on asking."""
    client = demo_client(NOW).client
    gc.collect()
    request = ep.totals(["1"], engagement_types=["favorites"])
    (answer,) = client.fetch(request)
    assert answer.status == 400
    client.close()


def test_closing_twice_is_harmless() -> None:
    """And the clients are closed with it."""
    made = demo_client(NOW)
    made.close()
    made.close()


PACKAGE = Path(sandbox.__file__).parent


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_the_sandbox_is_independent(path: Path) -> None:
    """Of the package it imports nothing, so that each finds the other's mistakes."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
        elif isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
    ours = {name for name in modules if name.startswith("engagement_pandas")}
    others = {n for n in ours if not n.startswith("engagement_pandas.sandbox")}
    assert others == set()


@pytest.mark.slow
def test_answers_are_retrieved_when_the_demo_plays() -> None:
    """Whatever the real date is, so that the ages of posts make sense."""
    with demo_client(now="2026-04-15T12:20:00Z") as demo:
        request = ep.totals(demo.posts.tail(1), engagement_types=["favorites"])
        (response,) = demo.client.fetch(request)
    late = response.retrieved_at - datetime(2026, 4, 15, 12, 20, tzinfo=UTC)
    assert timedelta(0) <= late < timedelta(minutes=5)
