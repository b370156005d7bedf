"""The demo, and the sandbox as the package's client sees it."""

from __future__ import annotations

import ast
import gc
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas import sandbox
from engagement_pandas.client.demo import Demo, demo_client
from engagement_pandas.frame.contract import dtype_name
from engagement_pandas.response.response import NOT_SENT
from engagement_pandas.sandbox.world import Availability

NOW = "2026-03-12T19:43:21Z"
NOW_UTC = datetime(2026, 3, 12, 19, 43, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def demo() -> Iterator[Demo]:
    """Return a demo at a fixed time."""
    with demo_client(NOW) as running:
        yield running


def test_the_posts_are_a_tidy_frame(demo: Demo) -> None:
    """It has 40 rows, IDs and texts as str, UTC times, and the oldest post first."""
    assert demo.posts.dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "handle": "str",
        "text": "str",
        "created_at": "datetime64[us, UTC]",
    }
    assert len(demo.posts) == 40
    assert demo.posts["created_at"].is_monotonic_increasing
    assert demo.posts["post_id"].is_unique
    assert isinstance(demo.posts.index, pd.RangeIndex)


def test_the_posts_are_of_all_kinds(demo: Demo) -> None:
    """Most are recent and owned; a few are old, two very old, one deleted, two another owner's."""
    ages = NOW_UTC - demo.posts["created_at"]
    assert (ages <= timedelta(days=28)).sum() >= 28
    assert (ages > timedelta(days=90)).sum() == 6
    assert (ages > timedelta(days=1800)).sum() == 2
    assert (demo.posts["handle"] == "sandbox_bakery").sum() == 38
    availabilities = []
    for post_id in demo.posts["post_id"]:
        post = demo.server.world.find(post_id)
        assert post is not None
        availabilities.append(post.availability(NOW_UTC))
    assert availabilities.count(Availability.DELETED) == 1
    assert availabilities.count(Availability.PUBLIC) == 39


@pytest.mark.slow
@pytest.mark.parametrize("posts", [10, 25, 160, 161, 300, 2_700])
@pytest.mark.parametrize("now", [NOW, "2026-04-15T12:20:00Z", "2021-07-04T00:00:00Z"])
def test_the_number_of_posts_can_be_chosen(posts: int, now: str) -> None:
    """There are exactly as many as requested, and no duplicates among the older ones."""
    with demo_client(now, posts=posts) as demo:
        assert len(demo.posts) == posts
        assert demo.posts["post_id"].is_unique
        assert demo.posts["created_at"].is_monotonic_increasing


def test_too_many_posts_are_refused() -> None:
    """The error has the number of posts in the sandbox."""
    with pytest.raises(
        ep.RequestError, match=r"the sandbox has \d+ posts to list; request no more"
    ):
        demo_client("2014-02-01", posts=200)


@pytest.mark.slow
@pytest.mark.parametrize("day", range(0, 200, 29))
def test_the_first_picture_has_ordinary_rates(day: int) -> None:
    """In the last week and the last 28 hours, all posts have fewer engagements than impressions."""
    now = NOW_UTC + timedelta(days=day)
    with demo_client(now) as demo:
        posts = demo.posts[demo.posts["handle"] == "sandbox_bakery"]
        week = ep.historical(
            posts,
            engagement_types=["impressions", "engagements"],
            window=ep.Window.last(7, now=now),
        )
        hours = ep.last_28_hours(posts, engagement_types=["impressions", "engagements"])
        for request in (week, hours):
            counts = ep.flatten(demo.client.fetch(request))
            impressions, engagements = (
                rows.groupby(["day", "hour"])["count"].sum()
                for _, rows in counts.groupby("engagement_type", observed=True)
            )
            assert (engagements <= impressions).all()
            assert 0.01 < engagements.sum() / impressions.sum() < 0.1


@pytest.mark.parametrize("posts", [10, 40, 130])
def test_ordinary_texts_come_first(posts: int) -> None:
    """Both ends of the list are short, plain, on one line, and no formula."""
    with demo_client(NOW, posts=posts) as demo:
        texts = list(demo.posts["text"])
    plain = [text.isascii() and text.isprintable() and len(text) < 140 for text in texts]
    plain = [
        printable and text[0] not in "=+-@" and not set(text) & set('$<>&*"')
        for printable, text in zip(plain, texts, strict=True)
    ]
    assert all(plain[:5])
    assert all(plain[-30:])
    assert posts < 130 or not all(plain)


def test_two_accounts_can_be_read(demo: Demo) -> None:
    """With its owner's tokens, each post has private counts, and no post is forbidden."""
    request = ep.last_28_hours(demo.posts, engagement_types=["impressions"])
    responses = demo.owners.fetch(request)
    counts = ep.flatten(responses).merge(demo.posts, on="post_id")
    impressions = counts.groupby("handle")["count"].sum()
    assert set(impressions.index) == {"sandbox_bakery", "sandbox_railway"}
    assert impressions.min() > 0
    assert "forbidden" not in set(ep.omissions(responses)["reason"])
    favorites = ep.totals(demo.posts, engagement_types=["favorites"])
    assert [response.status for response in demo.owners.fetch(favorites)] == [200]


@pytest.mark.parametrize("posts", [9, 10.5, "40"])
def test_too_few_posts_are_refused(posts: Any) -> None:
    """Examples of all omissions need ten posts."""
    with pytest.raises(ep.RequestError, match=f"{posts!r} posts .* 10 or more"):
        demo_client(NOW, posts=posts)


@pytest.mark.parametrize("now", ["soon", datetime(2026, 4, 15), 7, ""])  # noqa: DTZ001
def test_a_demo_needs_a_time_with_a_zone(now: Any) -> None:
    """The error has the value and a time to write."""
    with pytest.raises(ep.RequestError, match=re.escape(f"now is {now!r}, which is not a time")):
        demo_client(now)


@pytest.mark.slow
@pytest.mark.parametrize("day", range(0, 365, 13))
def test_every_day_has_a_demo(day: int) -> None:
    """On every day, posts of all kinds are found."""
    with demo_client(NOW_UTC + timedelta(days=day)) as demo:
        assert len(demo.posts) == 40
        assert demo.posts["handle"].nunique() == 2


def test_the_owner_gets_reasons_for_missing_counts(demo: Demo) -> None:
    """Another owner's posts are forbidden, the deleted one is unavailable, old ones unsupported."""
    request = ep.totals(demo.posts, engagement_types=["impressions", "favorites"])
    responses = [(r.status, r.request.post_ids) for r in demo.client.fetch(request)]
    others = set(demo.posts.loc[demo.posts["handle"] != "sandbox_bakery", "post_id"])
    assert {p for status, ids in responses if status == 403 for p in ids} == others
    assert {p for status, ids in responses if status == 200 for p in ids} == set(
        demo.posts["post_id"]
    ) - others


def test_the_public_client_sees_every_owner(demo: Demo) -> None:
    """There is one response, and no post is forbidden."""
    request = ep.totals(demo.posts, engagement_types=["favorites"])
    (response,) = demo.public.fetch(request)
    assert response.status == 200


@pytest.mark.slow
def test_all_three_endpoints_answer(demo: Demo) -> None:
    """The package's client sends the requests, so its signatures are verified too."""
    owned = demo.posts[demo.posts["handle"] == "sandbox_bakery"]
    window = ep.Window.covering("2026-02-20", "2026-03-10")
    for request in (
        ep.totals(owned, engagement_types=["favorites"]),
        ep.last_28_hours(owned, engagement_types=["favorites"]),
        ep.historical(owned, engagement_types=["favorites"], window=window),
    ):
        assert {response.status for response in demo.client.fetch(request)} - {NOT_SENT} == {200}


def test_the_repr_says_that_counts_are_synthetic(demo: Demo) -> None:
    """It is a sentence without a secret."""
    assert repr(demo).endswith("all counts are synthetic)")
    assert demo.server.keys().consumer_secret not in repr(demo)


@pytest.mark.slow
def test_a_client_keeps_its_server_alive() -> None:
    """A client works after its demo is no longer referenced."""
    client = demo_client(NOW).client
    gc.collect()
    request = ep.totals(["1"], engagement_types=["favorites"])
    (response,) = client.fetch(request)
    assert response.status == 400
    client.close()


def test_closing_twice_is_harmless() -> None:
    """The clients are closed too."""
    demo = demo_client(NOW)
    demo.close()
    demo.close()


PACKAGE = Path(sandbox.__file__).parent


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("*.py")), ids=lambda path: path.stem)
def test_the_sandbox_is_independent(path: Path) -> None:
    """It imports nothing from the package, so that each can find the other's mistakes."""
    modules = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
        elif isinstance(node, ast.Import):
            modules.update(alias.name for alias in node.names)
    imported = {name for name in modules if name.startswith("engagement_pandas")}
    others = {n for n in imported if not n.startswith("engagement_pandas.sandbox")}
    assert others == set()


@pytest.mark.slow
def test_responses_have_the_demos_time() -> None:
    """The retrieval time is not the real date, so the ages of posts are right."""
    with demo_client(now="2026-04-15T12:20:00Z") as demo:
        request = ep.totals(demo.posts.tail(1), engagement_types=["favorites"])
        (response,) = demo.client.fetch(request)
    late = response.retrieved_at - datetime(2026, 4, 15, 12, 20, tzinfo=UTC)
    assert timedelta(0) <= late < timedelta(minutes=5)
