"""Several responses to one request have separate rows, and are never summed."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.frame.contract import check_counts, dtype_name

DATED_POST = "2027900000000000000"
"""A post of 2026-03-01 00:13:31.217 UTC: (ID >> 22) + 1288834974657 ms."""

TYPES = ["favorites", "retweets"]


def answer(day: int, *, by: Any = ep.BY_POST, **counts: dict[str, str]) -> ep.EngagementResponse:
    """Return a response of /totals from 9:30 on a day in March."""
    request = ep.totals([name.strip("p") for name in counts], engagement_types=TYPES, by=by)
    body = {"by_post": {name.strip("p"): numbers for name, numbers in counts.items()}}
    return ep.EngagementResponse(request, body, 200, datetime(2026, 3, day, 9, 30, tzinfo=UTC))


def growing() -> list[ep.EngagementResponse]:
    """Return responses for two posts at three times, each in two requests."""
    return [
        answer(day, **{post: {"favorites": str(base + day), "retweets": str(day)}})
        for day in (1, 2, 4)
        for post, base in ((f"p{DATED_POST}", 10), ("p77", 20))
    ]


def test_each_retrieval_time_has_its_rows() -> None:
    """They are sorted by post, type and time, and have the contract's dtypes."""
    counts = ep.flatten(growing(), retrieved_at=True)
    check_counts(counts)
    assert counts.dtypes.map(dtype_name).to_dict() == {
        "post_id": "str",
        "engagement_type": "category",
        "retrieved_at": "datetime64[us, UTC]",
        "count": "Int64",
    }
    favorites = counts[counts["engagement_type"] == "favorites"]
    assert favorites["post_id"].to_list() == [DATED_POST] * 3 + ["77"] * 3
    assert favorites["count"].to_list() == [11, 12, 14, 21, 22, 24]
    assert favorites["retrieved_at"].dt.day.to_list() == [1, 2, 4] * 2
    assert isinstance(counts.index, pd.RangeIndex)


def test_snapshots_without_retrieval_time_are_refused() -> None:
    """The same count would be summed twice."""
    with pytest.raises(ep.RequestError, match="would be added up twice"):
        ep.flatten(growing())


def test_a_type_of_one_response_alone_is_a_category() -> None:
    """The categories are in the vocabulary's order."""
    request = ep.totals(["77"], engagement_types=["replies"])
    retrieved_at = datetime(2026, 3, 5, tzinfo=UTC)
    late = ep.EngagementResponse(request, {"by_post": {"77": {"replies": "3"}}}, 200, retrieved_at)
    counts = ep.flatten([*growing(), late], retrieved_at=True)
    assert list(counts["engagement_type"].cat.categories) == ["favorites", "retweets", "replies"]
    assert len(counts) == 13


def test_refusals_have_no_counts() -> None:
    """A snapshot of refusals alone is an empty frame with its columns."""
    refusal = ep.EngagementResponse(
        ep.totals(["77"], engagement_types=TYPES), {"errors": ["no"]}, 403,
        datetime(2026, 3, 5, tzinfo=UTC),
    )  # fmt: skip
    assert len(ep.flatten([*growing(), refusal], retrieved_at=True)) == 12
    assert ep.flatten(refusal, retrieved_at=True).columns.to_list() == [
        "post_id", "engagement_type", "retrieved_at", "count",
    ]  # fmt: skip


def test_sums_over_posts_have_no_retrieval_time() -> None:
    """The parts of such a sum may come from several times."""
    request = ep.totals(["77"], engagement_types=TYPES, by=["engagement.type"])
    response = ep.EngagementResponse(request, {"counts": {"favorites": "1", "retweets": "2"}})
    with pytest.raises(ep.RequestError, match=r"group by 'tweet.id' too"):
        ep.flatten(response, retrieved_at=True)


def test_sums_over_windows_have_no_retrieval_time() -> None:
    """A historical count without its day may be the sum of several windows."""
    request = ep.historical(
        ["77"], engagement_types=["favorites"], by=ep.BY_POST,
        window=ep.Window.covering("2026-03-01", "2026-03-02"),
    )  # fmt: skip
    response = ep.EngagementResponse(request, {"by_post": {"77": {"favorites": "1"}}})
    with pytest.raises(ep.RequestError, match=r"group by 'engagement.day' too"):
        ep.flatten(response, retrieved_at=True)


def test_the_same_response_twice_is_refused() -> None:
    """One time has one count."""
    with pytest.raises(ep.RequestError, match="both count favorites of post"):
        ep.flatten([growing()[0], growing()[0]], retrieved_at=True)


def test_latest_returns_the_last_count_of_each_post() -> None:
    """A post that was not counted again keeps its last count."""
    without_the_last = [
        response
        for response in growing()
        if not (response.retrieved_at.day == 4 and "77" in str(response.json()))
    ]
    counts = ep.latest(ep.flatten(without_the_last, retrieved_at=True))
    assert counts.columns.to_list() == ["post_id", "engagement_type", "count"]
    assert counts["count"].to_list() == [14, 4, 22, 2]
    assert list(counts.index) == [0, 1, 2, 3]


def test_latest_needs_retrieval_times() -> None:
    """The error names the argument that gives them."""
    with pytest.raises(ep.FrameError, match=r"flatten\(\.\.\., retrieved_at=True\)"):
        ep.latest(ep.flatten(growing()[0]))


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        (ep.top_posts, {"by": "favorites"}),
        (ep.summarise, {}),
        (ep.engagement_rate, {"numerator": "retweets", "denominator": "favorites"}),
    ],
    ids=["top_posts", "summarise", "engagement_rate"],
)
def test_metrics_refuse_several_snapshots(metric: Any, options: dict[str, str]) -> None:
    """11, 12 and 14 likes of one post are not 37."""
    counts = ep.flatten(growing(), retrieved_at=True)
    with pytest.raises(ep.FrameError, match=r"use latest\(counts\)"):
        metric(counts, **options)
    assert len(metric(ep.latest(counts), **options)) == 2


def test_metrics_accept_one_snapshot_of_several_responses() -> None:
    """Each post has one retrieval time, which may differ from the others'."""
    counts = ep.flatten(growing()[:2], retrieved_at=True)
    assert ep.top_posts(counts, by="favorites")["favorites"].to_list() == [21, 11]


def test_ages_are_those_at_retrieval() -> None:
    """They count from the millisecond of posting: a growth curve."""
    counts = ep.flatten(growing(), retrieved_at=True)
    ages = ep.age(counts)[
        (counts["post_id"] == DATED_POST) & (counts["engagement_type"] == "favorites")
    ]
    assert ages.round(3).to_list() == [9.275, 33.275, 81.275]


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_files_keep_retrieval_times(tmp_path: Path, suffix: str) -> None:
    """They are exact to the microsecond."""
    counts = ep.flatten(growing(), retrieved_at=True)
    later = counts["retrieved_at"] + pd.Timedelta(microseconds=1)
    counts["retrieved_at"] = later.dt.as_unit("us")
    path = tmp_path / f"growing.{suffix}"
    getattr(ep, f"write_{suffix}")(counts, path)
    pd.testing.assert_frame_equal(getattr(ep, f"read_{suffix}")(path), counts)


def test_wide_and_tall_keep_snapshots() -> None:
    """The wide frame has a row for each post and time."""
    counts = ep.flatten(growing(), retrieved_at=True)
    table = ep.wide(counts)
    assert table.columns.to_list() == ["post_id", "retrieved_at", "favorites", "retweets"]
    assert len(table) == 6
    pd.testing.assert_frame_equal(ep.tall(table), counts, check_column_type=False)


@pytest.mark.slow
def test_an_archive_of_two_runs_has_two_snapshots(tmp_path: Path) -> None:
    """Each equals a fetch at that time."""
    archive = ep.Archive(tmp_path / "raw")
    fetched: dict[str, pd.DataFrame] = {}
    request = None
    for day in ("14", "15"):
        with ep.demo_client(now=f"2026-04-{day}T12:00:00Z") as demo:
            if request is None:
                posts = demo.posts[demo.posts["created_at"] < "2026-04-10"].tail(12)
                request = ep.totals(posts, engagement_types=["favorites"])
            demo.public.collect(request, into=archive)
            fetched[day] = ep.flatten(demo.public.fetch(request))
    counts = ep.flatten(archive, retrieved_at=True)
    days = counts["retrieved_at"].dt.strftime("%d")
    assert len(counts) == len(fetched["14"]) + len(fetched["15"])
    for day, frame in fetched.items():
        alone = counts[days == day].drop(columns="retrieved_at").reset_index(drop=True)
        pd.testing.assert_frame_equal(alone, frame)
    pd.testing.assert_frame_equal(ep.latest(counts), fetched["15"])
