"""Stored responses as dask DataFrames have the rows and numbers of those in memory."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dask
import dask.dataframe as dd
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.archive.asking import client_of, question, sandbox
from support.scripted import FakeClock
from support.stored_answers import HOUR, MOMENT, body_of, put, sorted_out

import engagement_pandas as ep
from engagement_pandas import dask as epd
from engagement_pandas import metrics
from engagement_pandas.dask import dataset as datasets
from engagement_pandas.dask.partial_sums import paired_up
from engagement_pandas.dask.unsupported import ELSEWHERE
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.metrics.coverage import ALONE, SIDE

SECOND = timedelta(seconds=1)
POSTS = [str(2_020_000_000_000_000_000 + number) for number in range(6)]
TYPES = ["impressions", "engagements", "favorites"]
START = MOMENT.replace(hour=0, minute=0) - timedelta(days=10)
GROUPINGS = [
    ep.BY_HOUR,
    ep.BY_DAY,
    ep.BY_POST,
    ep.Grouping(["engagement.type", "tweet.id", "engagement.day", "engagement.hour"]),
    ep.Grouping(["tweet.id", "engagement.type", "engagement.hour"]),
    ep.Grouping(["engagement.type"]),
    ep.Grouping(["engagement.day", "engagement.type"]),
    ep.Grouping(["engagement.type", "engagement.hour"]),
    ep.Grouping(["engagement.day", "engagement.type", "engagement.hour"]),
]


@pytest.fixture(autouse=True)
def _here() -> Iterator[None]:
    """Compute in this thread, since the results do not depend on the scheduler."""
    with dask.config.set(scheduler="synchronous"):
        yield


@pytest.fixture
def archive(tmp_path: Path) -> ep.Archive:
    """Return an archive whose folder does not exist yet."""
    return ep.Archive(tmp_path / "raw")


def window(first: int, hours: int) -> ep.Window:
    """Return a window that begins this number of hours after the start."""
    return ep.Window(START + HOUR * first, START + HOUR * (first + hours))


def request_for(
    posts: Sequence[str] = POSTS, first: int = 0, hours: int = 48, by: Any = ep.BY_HOUR
) -> ep.EngagementRequest:
    """Request three types of some posts."""
    return ep.historical(posts, engagement_types=TYPES, window=window(first, hours), by=by)


def in_parts(
    request: ep.EngagementRequest, posts: int, hours: int = 10_000
) -> list[ep.EngagementRequest]:
    """Split a request into requests of this number of posts and hours."""
    assert request.window is not None
    ids, complete = request.post_ids, request.window
    return [
        request.replace(
            post_ids=ids[position : position + posts],
            window=ep.Window(
                complete.start + HOUR * hour,
                min(complete.start + HOUR * (hour + hours), complete.end),
            ),
        )
        for position in range(0, len(ids), posts)
        for hour in range(0, complete.hours, hours)
    ]


def result_of(call: Callable[[], Any]) -> Any:
    """Return the result of a call, or the type of its error."""
    try:
        return call()
    except ep.EngagementError as error:
        return type(error)


def assert_same(found: Any, expected: Any) -> None:
    """Assert that two results are equal, apart from intervals that sums cannot give."""
    if isinstance(expected, pd.DataFrame):
        assert isinstance(found, pd.DataFrame), found
        if "above_one" in expected and "shrunk" not in expected:
            assert "post_id" in expected or found[["low", "high"]].isna().all(axis=None)
            kept = expected.columns.difference(["low", "high", "dispersion"], sort=False)
            found, expected = found[kept], expected[kept]
        if "shrunk" in expected:
            # Sums have no hours and so no dispersion: shrunk rates and the order differ.
            kept = expected.columns.difference(["low", "high", "shrunk", "rank"], sort=False)
            found, expected = (
                frame[kept].sort_values("post_id", ignore_index=True) for frame in (found, expected)
            )
        pd.testing.assert_frame_equal(found, expected)
    else:
        assert found is expected


@st.composite
def archive_fillers(draw: st.DrawFn, by: Any = None) -> Callable[[ep.Archive], None]:
    """Draw a function that puts one to three collections, split anyhow, into an archive."""
    grouping = by or draw(st.sampled_from(GROUPINGS))
    apart = draw(st.booleans())
    puts = []
    for number in range(draw(st.integers(1, 3))):
        posts = draw(st.lists(st.sampled_from(POSTS), min_size=1, unique=True))
        first = draw(st.integers(0, 30)) + (60 * number if apart else 0)
        request = ep.historical(
            posts,
            engagement_types=draw(st.lists(st.sampled_from(TYPES), min_size=1, unique=True)),
            window=window(first, draw(st.integers(1, 50))),
            by=grouping,
        )
        parts = in_parts(request, draw(st.integers(1, 3)), draw(st.integers(5, 60)))
        unavailable = frozenset(draw(st.lists(st.sampled_from(POSTS), max_size=2)))
        puts.append((request, parts, unavailable, str(number)))

    def fill(archive: ep.Archive) -> None:
        for request, parts, unavailable, account in puts:
            put(
                archive,
                request,
                parts,
                account=account,
                body=lambda part, unavailable=unavailable: body_of(part, unavailable),
            )

    return fill


@pytest.mark.slow
@given(fill=archive_fillers(), rows=st.sampled_from([1, 50, 400, 10**6]))
@settings(max_examples=10)
def test_partitions_have_the_rows_in_memory(fill: Any, rows: int) -> None:
    """Any split of a request gives the same rows or the same refusal, at any size."""
    with tempfile.TemporaryDirectory() as folder:
        archive = ep.Archive(folder)
        fill(archive)
        in_memory = result_of(lambda: ep.flatten(archive))
        found = result_of(lambda: sorted_out(epd.flatten(archive, rows=rows).compute()))
        assert_same(found, in_memory)
        pd.testing.assert_frame_equal(
            epd.omissions(archive, rows=rows).compute(), ep.omissions(archive)
        )


POSTS_WITH_COLUMNS = pd.DataFrame(
    {
        "post_id": pd.Series(POSTS, dtype=TEXT),
        "kind": pd.Series(["reply", "post"] * (len(POSTS) // 2) + ["reply"] * (len(POSTS) % 2)),
        "words": range(len(POSTS)),
    }
)
"""A frame of posts with columns that the counts do not have."""

METRICS: list[tuple[Callable[..., pd.DataFrame], Callable[..., pd.DataFrame], dict[str, Any]]] = [
    (epd.over_time, ep.over_time, {}),
    (epd.over_time, ep.over_time, {"by": ["post_id", "engagement_type"]}),
    (epd.over_time, ep.over_time, {"every": "h", "by": "engagement_type"}),
    (epd.over_time, ep.over_time, {"tz": "Asia/Kolkata"}),
    (epd.over_time, ep.over_time, {"window": (START, START + timedelta(days=12))}),
    (epd.running_total, ep.running_total, {}),
    (epd.engagement_rate, ep.engagement_rate, {}),
    (epd.engagement_rate, ep.engagement_rate, {"by": None}),
    (epd.engagement_rate, ep.engagement_rate, {"by": ["day"], "numerator": "favorites"}),
    (epd.engagement_rate, ep.engagement_rate, {"numerator": "Likes", "denominator": "Views"}),
    (epd.top_posts, ep.top_posts, {"by": "Likes", "minimum": 1, "denominator": "Views"}),
    (epd.engagement_rate, ep.engagement_rate, {"by": ["hour", "post_id"]}),
    (epd.engagement_rate, ep.engagement_rate, {"by": ["day", "hour", "post_id"]}),
    (epd.rate_over_time, ep.rate_over_time, {}),
    (epd.rate_over_time, ep.rate_over_time, {"by": "post_id"}),
    (epd.rate_over_time, ep.rate_over_time, {"every": "W", "numerator": "favorites"}),
    (epd.over_time, ep.over_time, {"by": ["kind", "engagement_type"], "posts": POSTS_WITH_COLUMNS}),
    (epd.over_time, ep.over_time, {"by": "engagement_type", "posts": [*POSTS, "7"]}),
    (
        epd.running_total,
        ep.running_total,
        {"by": ["kind", "engagement_type"], "posts": POSTS_WITH_COLUMNS},
    ),
    (epd.engagement_rate, ep.engagement_rate, {"by": "words", "posts": POSTS_WITH_COLUMNS}),
    (epd.rate_over_time, ep.rate_over_time, {"by": "kind", "posts": POSTS_WITH_COLUMNS}),
    (epd.top_posts, ep.top_posts, {}),
    (epd.top_posts, ep.top_posts, {"by": "favorites", "n": 2, "minimum": 20}),
    (epd.top_posts, ep.top_posts, {"by": "rate", "n": 99}),
    (epd.top_posts, ep.top_posts, {"by": "rate", "n": 99, "minimum": 5, "shrinkage": 10}),
]


YOUNG = [
    str((round(datetime(2026, 4, *at, tzinfo=UTC).timestamp() * 1000) - 1_288_834_974_657) << 22)
    for at in ((5, 1, 30), (6, 23, 15))
]
"""Posts that were created during the counts of others."""

COVERS: list[dict[str, str]] = [
    {},
    {"start": "2026-04-05T00:00:00Z", "end": "2026-04-08T00:00:00Z"},
    {"start": "2026-04-05T01:00:00Z", "end": "2026-04-07T23:30:00Z"},
    {"endpoint": "historical", "retrieved_at": "2026-04-15T12:00:00+00:00"},
    {"endpoint": "28hr", "retrieved_at": "2026-04-08T02:20:00+00:00"},
]
"""Attributes of counts: what they cover."""


@st.composite
def tidy(draw: st.DrawFn) -> pd.DataFrame:
    """Draw tidy counts with holes, of any shape that has a post or a day."""
    columns = draw(
        st.sampled_from([(), ("day",), ("day", "hour"), ("hour",)])
        if draw(st.booleans())
        else st.sampled_from([("post",), ("post", "day"), ("post", "day", "hour")])
    )
    cells = st.tuples(
        st.sampled_from([*POSTS[:2], *YOUNG] if "post" in columns else [""]),
        st.sampled_from(TYPES),
        st.integers(0, 2) if "day" in columns else st.just(0),
        st.sampled_from([0, 1, 23]) if "hour" in columns else st.just(0),
    )
    rows = draw(
        st.dictionaries(cells, st.one_of(st.none(), st.integers(-3, 60)), min_size=1, max_size=40)
    )
    keys = sorted(rows)
    frame = pd.DataFrame(
        {
            "post_id": pd.Series([key[0] for key in keys], dtype=TEXT),
            "engagement_type": pd.Categorical([key[1] for key in keys], categories=TYPES),
            "day": pd.DatetimeIndex(["2026-04-05"] * len(keys)).as_unit("us")
            + pd.to_timedelta([key[2] for key in keys], unit="D"),
            "hour": pd.array([key[3] for key in keys], dtype="int8"),
            "count": pd.array([rows[key] for key in keys], dtype="Int64"),
        }
    )
    types = pd.Index(TYPES, dtype=TEXT)
    frame["engagement_type"] = frame["engagement_type"].cat.set_categories(types)
    frame["engagement_type"] = frame["engagement_type"].cat.remove_unused_categories()
    frame["day"] = frame["day"].astype("datetime64[us]")
    absent = [
        column
        for name, column in (("post", "post_id"), ("day", "day"), ("hour", "hour"))
        if name not in columns
    ]
    frame = frame.drop(columns=absent)
    frame.attrs = draw(st.sampled_from(COVERS)).copy()
    return frame


def partitioned(counts: pd.DataFrame, numbers: Sequence[int]) -> dd.DataFrame:
    """Split rows into partitions at random, as drawn."""
    partition_of_row = [numbers[row % len(numbers)] for row in range(len(counts))]
    parts = [counts[[chosen == number for chosen in partition_of_row]] for number in range(10)]
    with dask.config.set({"dataframe.convert-string": False}):
        return dd.from_map(lambda part: part, parts, meta=counts.iloc[:0])


@pytest.mark.slow
@given(
    counts=tidy(),
    numbers=st.lists(st.integers(0, 9), min_size=1, max_size=30),
    metric=st.sampled_from(METRICS),
)
@settings(max_examples=10)
def test_metrics_equal_those_in_memory(
    counts: pd.DataFrame, numbers: list[int], metric: Any
) -> None:
    """The same holds for missing counts and for rows in other partitions; errors are equal."""
    ours, theirs, options = metric
    assert_same(
        result_of(lambda: ours(partitioned(counts, numbers), **options)),
        result_of(lambda: theirs(counts, **options)),
    )


@pytest.mark.slow
@pytest.mark.parametrize("attrs", COVERS)
def test_partitions_cover_the_period_of_the_frame(attrs: dict[str, str]) -> None:
    """A day is complete, in progress, outside, or unknown."""
    counts = ep.flatten_json({"g": {"impressions": {"2026-04-05": "0"}}})
    counts.attrs = dict(attrs)
    assert_same(epd.over_time(partitioned(counts, [0])), ep.over_time(counts))


@pytest.mark.long
@pytest.mark.parametrize(("ours", "theirs", "options"), METRICS)
def test_metrics_of_an_archive_equal_those_in_memory(
    ours: Any, theirs: Any, options: dict[str, Any], archive: ep.Archive
) -> None:
    """Types were requested in separate requests."""
    for types in (["impressions"], ["engagements", "favorites"]):
        request = request_for().replace(engagement_types=types)
        put(archive, request, in_parts(request, 2, 31))
    assert_same(
        ours(epd.flatten(archive, rows=1), **options), theirs(ep.flatten(archive), **options)
    )


@pytest.mark.long
@given(fill=archive_fillers(), rows=st.sampled_from([1, 50, 400]), metric=st.sampled_from(METRICS))
@settings(max_examples=10)
def test_metrics_of_drawn_archives_equal_those_in_memory(fill: Any, rows: int, metric: Any) -> None:
    """All partitions together cover what the frame in memory covers."""
    ours, theirs, options = metric
    with tempfile.TemporaryDirectory() as folder:
        archive = ep.Archive(folder)
        fill(archive)
        counts = result_of(lambda: ep.flatten(archive))
        if isinstance(counts, type):
            return
        assert_same(
            result_of(lambda: ours(epd.flatten(archive, rows=rows), **options)),
            result_of(lambda: theirs(counts, **options)),
        )


LAST = datetime(2026, 4, 15, 12, 20, 30, tzinfo=UTC)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seconds", "known"), [((0, 0, 0), True), ((0, 20, 90), True), ((0, 20, 20), False)]
)
def test_the_last_28_hours_are_complete_or_unknown(
    seconds: Sequence[int],
    known: bool,  # noqa: FBT001
    archive: ep.Archive,
) -> None:
    """Completeness is known if partitions end together or far apart, and otherwise missing."""
    hours = [LAST.replace(minute=0, second=0) - HOUR * back for back in range(28, -1, -1)]
    for post, later in zip(POSTS, seconds, strict=False):
        request = ep.last_28_hours([post], engagement_types=TYPES)
        nested = {
            engagement_type: {
                f"{day:%Y-%m-%d}": {f"{hour:%H}": "1" for hour in hours if hour.date() == day}
                for day in sorted({hour.date() for hour in hours})
            }
            for engagement_type in TYPES
        }
        body = {request.groupings[0].name: {post: nested}}
        put(archive, request, body=lambda _, body=body: body, at=LAST + later * SECOND)
    found = epd.over_time(epd.flatten(archive, rows=1), every="h")
    expected = ep.over_time(ep.flatten(archive), every="h")
    assert expected["complete"].notna().all()
    assert expected["complete"].sum() > 3 * 20
    if known:
        assert_same(found, expected)
    else:
        assert not (found["complete"].fillna(expected["complete"]) != expected["complete"]).any()
        assert found["complete"].isna().any()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{}, {"every": "h", "by": ["post_id", "engagement_type"]}, {"by": "engagement_type"}],
)
def test_a_row_in_two_partitions_is_refused(options: dict[str, Any], archive: ep.Archive) -> None:
    """The error is that in memory."""
    put(archive, request_for())
    counts = ep.flatten(archive)
    with dask.config.set({"dataframe.convert-string": False}):
        twice = dd.concat([dd.from_pandas(counts, npartitions=2), dd.from_pandas(counts[:1])])
    with pytest.raises(ep.FrameError, match="twice"):
        epd.over_time(twice, **options)
    with pytest.raises(ep.FrameError, match="twice"):
        ep.over_time(twice.compute(), **options)


@pytest.mark.slow
def test_counts_from_before_a_post_was_created_fill_no_gap() -> None:
    """Two of three hours of each post's life have counts."""
    day = {"01": "1", "02": "1", "00": "0"}
    body = {
        "g": {POSTS[0]: {"impressions": {"2026-04-05": day | {"03": "1"}}}}
        | {YOUNG[0]: {"impressions": {"2026-04-05": day}}}
    }
    counts = ep.flatten_json(body)
    counts.attrs |= {"start": "2026-04-05T00:00:00Z", "end": "2026-04-05T04:00:00Z"}
    for options in ({}, {"every": "h"}):
        expected = ep.over_time(counts, **options)
        assert expected["complete"].to_list()[-1] is False
        assert_same(epd.over_time(partitioned(counts, [0, 1, 2]), **options), expected)
    found = epd.top_posts(partitioned(counts, [0, 1]), by="impressions")
    assert found["missing"].to_list() == [0, 1]
    assert_same(found, ep.top_posts(counts, by="impressions"))


@pytest.mark.slow
def test_a_missing_hour_of_one_post_is_reported(archive: ep.Archive) -> None:
    """That hour of that type is not complete, and the rate has one missing count."""
    put(archive, request_for(), in_parts(request_for(), 1))
    counts = epd.flatten(archive, rows=1)
    hour = START + 5 * HOUR
    missing = (
        (counts["post_id"] == POSTS[3])
        & (counts["engagement_type"] == "impressions")
        & (counts["day"] == hour.replace(tzinfo=None, hour=0))
        & (counts["hour"] == 5)
    )
    remaining = counts[~missing]
    found = epd.over_time(remaining, every="h")
    incomplete = found[~found["complete"]]
    assert incomplete[["engagement_type", "start"]].to_numpy().tolist() == [["impressions", hour]]
    assert found["complete"].sum() == 3 * 48 - 1
    assert epd.engagement_rate(remaining)["missing"].to_list() == [0, 0, 0, 1, 0, 0]
    assert epd.top_posts(remaining, by="impressions").set_index("post_id")["missing"].sum() == 1


def test_every_metric_is_supported_or_listed_as_unsupported() -> None:
    """Functions without counts as argument or result are left out."""
    others = {"check_addable", "check_comparable", "to_html"}
    assert set(metrics.__all__) - others == (set(epd.__all__) & set(metrics.__all__)) | set(
        ELSEWHERE
    )
    assert not set(epd.__all__) & set(ELSEWHERE)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_an_unsupported_metric_is_refused(name: str, archive: ep.Archive) -> None:
    """The error names the alternative before anything is computed."""
    put(archive, request_for())
    with pytest.raises(ep.FrameError, match=rf"{name}\(\) .*engagement_pandas\.{name}\(counts\["):
        getattr(epd, name)(epd.flatten(archive))


def test_an_unknown_name_raises_attribute_error() -> None:
    """The module behaves as any module does."""
    with pytest.raises(AttributeError, match="has no attribute 'tweets'"):
        _ = epd.tweets


@pytest.mark.slow
@pytest.mark.parametrize("convert", [True, False, None])
def test_dtypes_are_known_before_reading(convert: bool | None, archive: ep.Archive) -> None:  # noqa: FBT001
    """They do not depend on dask's option for strings."""
    put(archive, request_for(), in_parts(request_for(), 2))
    with dask.config.set({"dataframe.convert-string": convert}):
        counts = epd.flatten(archive, rows=1)
        few = counts[counts["post_id"].isin(POSTS[:3])]
        omitted = epd.omissions(archive)
        expected = ep.flatten(archive).dtypes
        assert counts.npartitions == 3
        assert list(counts["engagement_type"].cat.categories) == TYPES
        for frame in (counts, few):
            assert list(frame.dtypes.items()) == list(expected.items())
            assert list(frame.compute().dtypes.items()) == list(expected.items())
        assert list(omitted.dtypes.items()) == list(ep.omissions(archive).dtypes.items())
        assert list(omitted.compute().dtypes.items()) == list(omitted.dtypes.items())


@pytest.mark.slow
def test_metrics_accept_dasks_string_dtype(archive: ep.Archive) -> None:
    """A frame of dask has ``string`` in place of ``str``."""
    put(archive, request_for())
    counts = ep.flatten(archive)
    with dask.config.set({"dataframe.convert-string": True}):
        found = epd.top_posts(dd.from_pandas(counts, npartitions=3), by="favorites")
    assert_same(found, ep.top_posts(counts, by="favorites"))


def test_responses_are_read_only_when_computed(archive: ep.Archive) -> None:
    """All responses are damaged, and only computing raises the error."""
    collection = put(archive, request_for(), in_parts(request_for(), 2))
    responses = [path for path in collection.path.glob("*.gz") if "question" not in path.name]
    assert len(responses) == 3
    for path in responses:
        path.write_bytes(b"damaged")
    counts = epd.flatten(archive)
    with pytest.raises(ep.ArchiveError, match=r"is damaged .*reopen"):
        counts.compute()


def test_a_missing_response_of_a_complete_collection_is_an_error(archive: ep.Archive) -> None:
    """The error is raised when computing."""
    collection = put(archive, request_for(), in_parts(request_for(), 2))
    next(path for path in collection.path.glob("*.gz") if "question" not in path.name).unlink()
    with pytest.raises(ep.ArchiveError, match="missing"):
        epd.flatten(archive).compute()


def test_an_unfinished_collection_is_read_with_a_warning(archive: ep.Archive) -> None:
    """The responses so far are read, and the result is not reused later."""
    put(archive, request_for(), in_parts(request_for(), 1), missing=2)
    with pytest.warns(UserWarning, match="is not finished"):
        counts = epd.flatten(archive, rows=1)
    with pytest.warns(UserWarning, match="is not finished"):
        expected = ep.flatten(archive)
    pd.testing.assert_frame_equal(sorted_out(counts.compute()), expected)
    assert expected["post_id"].nunique() == 4
    with pytest.warns(UserWarning, match="is not finished"):
        assert epd.flatten(archive, rows=1)._name != counts._name


@pytest.mark.slow
def test_an_unfinished_collection_is_appended_with_a_warning(
    archive: ep.Archive, tmp_path: Path
) -> None:
    """Four posts of six have three types and 48 hours each."""
    put(archive, request_for(), in_parts(request_for(), 1), missing=2)
    dataset = ep.Dataset(tmp_path / "counts.ds")
    with pytest.warns(UserWarning, match="is not finished"):
        appended = epd.append(archive, dataset)
    assert appended.added == 4 * 3 * 48


@pytest.mark.slow
def test_the_same_archive_has_the_same_partitions(archive: ep.Archive) -> None:
    """A cluster can then reuse results."""
    put(archive, request_for(), in_parts(request_for(), 1))
    first, second = (epd.flatten(archive, rows=300) for _ in range(2))
    assert first._name == second._name
    for part, same_part in zip(first.partitions, second.partitions, strict=True):
        pd.testing.assert_frame_equal(part.compute(), same_part.compute())


@pytest.mark.slow
def test_rows_limits_the_counts_of_a_partition(archive: ep.Archive) -> None:
    """Two responses of 144 counts fit into 300 or 288; a larger response has its own."""
    put(archive, request_for(), in_parts(request_for(), 1))
    assert epd.flatten(archive, rows=300).map_partitions(len).compute().to_list() == [288] * 3
    assert epd.flatten(archive, rows=288).map_partitions(len).compute().to_list() == [288] * 3
    assert epd.flatten(archive, rows=287).map_partitions(len).compute().to_list() == [144] * 6
    assert epd.flatten(archive, rows=1).npartitions == 6
    assert epd.flatten(archive).npartitions == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("by", "hours", "partitions"),
    [
        (ep.BY_HOUR, 7, 6 * 7),  # no hour is in two responses
        (ep.BY_DAY, 24, 6 * 2),  # no day is in two responses
        (ep.BY_DAY, 7, 6),  # a day is in up to five: they are summed
        (ep.BY_POST, 24, 6),
        (ep.Grouping(["tweet.id", "engagement.type", "engagement.hour"]), 24, 6),
        (ep.Grouping(["engagement.type"]), 24, 1),
    ],
)
def test_only_responses_that_share_rows_share_a_partition(
    by: ep.Grouping, hours: int, partitions: int, archive: ep.Archive
) -> None:
    """Six posts, one in each request, and 48 hours in parts."""
    request = request_for(by=by)
    put(archive, request, in_parts(request, 1, hours))
    counts = epd.flatten(archive, rows=1)
    assert counts.npartitions == partitions
    pd.testing.assert_frame_equal(sorted_out(counts.compute()), ep.flatten(archive))


def test_overlapping_windows_share_a_partition(archive: ep.Archive) -> None:
    """A short window lies between two windows that overlap."""
    for engagement_type, first, hours in (
        ("impressions", 0, 48),
        ("favorites", 5, 5),
        ("engagements", 20, 9),
    ):
        put(
            archive,
            request_for(first=first, hours=hours).replace(engagement_types=[engagement_type]),
        )
    counts = epd.flatten(archive, rows=1)
    assert counts.npartitions == 1
    pd.testing.assert_frame_equal(sorted_out(counts.compute()), ep.flatten(archive))


def test_workers_may_have_another_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A relative folder is still found."""
    monkeypatch.chdir(tmp_path)
    put(ep.Archive("raw"), request_for([POSTS[0], late_post()]))
    counts, omitted = epd.flatten(ep.Archive("raw")), epd.omissions(ep.Archive("raw"))
    expected = ep.flatten(ep.Archive("raw"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    pd.testing.assert_frame_equal(sorted_out(counts.compute()), expected)
    assert len(omitted.compute()) == 1


def late_post() -> str:
    """Return the ID of a post that was created a hundred hours after the start."""
    first = 1_288_834_974_657  # ms since 1970 of the first snowflake
    return str((int((START + HOUR * 100).timestamp() * 1000) - first) << 22)


def test_days_split_between_requests_are_summed(archive: ep.Archive) -> None:
    """A window that begins at 5 is split at 5, so the day between has two parts."""
    request = request_for(POSTS[:1], first=5, hours=48, by=ep.BY_DAY)
    put(
        archive,
        request,
        in_parts(request, 1, 24),
        body=lambda part: body_of(part, (), lambda *_: 1),
    )
    counts = sorted_out(epd.flatten(archive, rows=1).compute())
    favorites = counts[counts["engagement_type"] == "favorites"]
    assert favorites["count"].to_list() == [19, 24, 5]


def snapshots(archive: ep.Archive, *hours: int) -> list[Path]:
    """Put totals of two posts in each of two requests, retrieved this number of hours later."""
    request = ep.totals(POSTS[:4], engagement_types=["favorites"])
    parts = [request.replace(post_ids=POSTS[:2]), request.replace(post_ids=POSTS[2:4])]
    return [put(archive, request, parts, at=MOMENT + HOUR * hour).path for hour in hours]


@pytest.mark.slow
def test_snapshots_need_their_retrieval_time(archive: ep.Archive) -> None:
    """With it, each request has separate rows; without it, the error is that in memory."""
    snapshots(archive, 0, 1, 2)
    counts = epd.flatten(archive, retrieved_at=True, rows=1)
    assert counts.npartitions == 6
    expected = ep.flatten(archive, retrieved_at=True)
    assert list(counts.dtypes.items()) == list(expected.dtypes.items())
    pd.testing.assert_frame_equal(sorted_out(counts.compute()), expected)
    with pytest.raises(ep.RequestError, match="both count favorites of post"):
        epd.flatten(archive, rows=1).compute()
    with pytest.raises(ep.FrameError, match="different times are not summed"):
        epd.top_posts(counts, by="favorites")


def test_single_collections_can_be_flattened(archive: ep.Archive) -> None:
    """One or several collections may be passed instead of the archive."""
    snapshots(archive, 0, 1)
    collection = archive.collections[1]
    expected = ep.flatten(collection)
    for stored in (collection, [collection]):
        pd.testing.assert_frame_equal(sorted_out(epd.flatten(stored).compute()), expected)


def test_a_copy_of_a_snapshot_is_refused(archive: ep.Archive) -> None:
    """Its counts would be summed twice."""
    (path,) = snapshots(archive, 0)
    shutil.copytree(path, path.with_name(path.name + "-copy"))
    with pytest.raises(ep.RequestError, match="would be added up twice"):
        ep.flatten(archive, retrieved_at=True)
    with pytest.raises(ep.RequestError, match="would be added up twice"):
        epd.flatten(archive, retrieved_at=True, rows=1).compute()


def test_sums_over_posts_have_no_retrieval_time(archive: ep.Archive) -> None:
    """The error is raised immediately, as in memory."""
    request = ep.totals(POSTS, engagement_types=["favorites"], by=["engagement.type"])
    put(archive, request)
    with pytest.raises(ep.RequestError, match=r"without 'tweet\.id'"):
        epd.flatten(archive, retrieved_at=True)


@pytest.mark.slow
def test_refused_requests_are_read_with_their_remainder(
    archive: ep.Archive, clock: FakeClock
) -> None:
    """The sandbox refuses some posts."""
    with sandbox(clock) as server, client_of(server, clock) as client:
        client.collect(question(server), into=archive, watch=lambda _: None)
    counts, omitted = epd.flatten(archive, rows=1), epd.omissions(archive, rows=1)
    assert counts.npartitions > 1
    pd.testing.assert_frame_equal(sorted_out(counts.compute()), ep.flatten(archive))
    expected = ep.omissions(archive)
    assert set(expected["reason"]) >= {"forbidden", "unavailable"}
    pd.testing.assert_frame_equal(omitted.compute(), expected)


def test_posts_that_did_not_exist_yet_are_omitted_once(archive: ep.Archive) -> None:
    """Their requests were never sent."""
    put(archive, request_for([*POSTS[:2], late_post()], hours=24))
    omitted = epd.omissions(archive, rows=1)
    expected = ep.omissions(archive)
    assert set(expected["reason"]) == {"not_yet_posted"}
    pd.testing.assert_frame_equal(omitted.compute(), expected)


@pytest.mark.slow
def test_omissions_of_many_partitions_are_sorted_and_unique(archive: ep.Archive) -> None:
    """Omissions of several snapshots are returned once."""
    request = request_for(POSTS[:2])
    parts = in_parts(request, 1, 12)[::-1]
    put(archive, request, parts, body=lambda part: body_of(part, POSTS))
    omitted = epd.omissions(archive, rows=1).compute()
    assert len(omitted) == 8
    pd.testing.assert_frame_equal(omitted, ep.omissions(archive))
    others = ep.Archive(archive.folder / "totals")
    request = ep.totals(POSTS[:2], engagement_types=["favorites"])
    for hour in (0, 1):
        put(
            others,
            request,
            [request.replace(post_ids=[post]) for post in POSTS[:2]],
            body=lambda part: body_of(part, POSTS),
            at=MOMENT + HOUR * hour,
        )
    assert epd.omissions(others, rows=1).compute()["post_id"].to_list() == POSTS[:2]


@pytest.mark.long
def test_append_equals_one_append_in_memory(archive: ep.Archive, tmp_path: Path) -> None:
    """Counts and omissions are the same."""
    request = request_for()
    put(
        archive, request, in_parts(request, 2, 20), body=lambda by_dask: body_of(by_dask, POSTS[:1])
    )
    by_dask, at_once = ep.Dataset(tmp_path / "one"), ep.Dataset(tmp_path / "other")
    found = epd.append(archive, by_dask, rows=1)
    expected = at_once.append(ep.flatten(archive, retrieved_at=True), ep.omissions(archive))
    assert found == expected == (5 * 3 * 48, 0)
    pd.testing.assert_frame_equal(by_dask.read(), at_once.read())
    pd.testing.assert_frame_equal(by_dask.omissions(), at_once.omissions())
    assert len(by_dask.omissions()) == 1
    assert epd.append(archive, by_dask) == (0, 0)


def test_a_relative_data_set_is_found_by_workers(
    archive: ep.Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path is that at the time of the call."""
    put(archive, request_for(hours=1))
    monkeypatch.chdir(tmp_path)
    dataset = ep.Dataset("counts.ds")
    (tmp_path / "elsewhere").mkdir()
    delayed = datasets.delayed

    def moved(value: Any) -> Any:
        monkeypatch.chdir(tmp_path / "elsewhere")
        return delayed(value)

    monkeypatch.setattr(datasets, "delayed", moved)
    epd.append(archive, dataset)
    assert (tmp_path / "counts.ds").is_dir()
    assert dataset.path == "counts.ds"


@pytest.mark.parametrize(
    ("by", "message"), [(ep.BY_DAY, "the counts lack"), (ep.BY_POST, "without 'engagement.day'")]
)
def test_a_frame_without_hourly_counts_is_not_appended(
    by: ep.Grouping, message: str, archive: ep.Archive, tmp_path: Path
) -> None:
    """It is refused before anything is read or written; the response here is damaged."""
    collection = put(archive, request_for(by=by))
    for path in collection.path.glob("*.gz"):
        if "question" not in path.name:
            path.write_bytes(b"damaged")
    with pytest.raises((ep.FrameError, ep.RequestError), match=message):
        epd.append(archive, ep.Dataset(tmp_path / "counts.ds"))
    with pytest.raises(ep.DatasetError, match="the data set is a str"):
        epd.append(archive, "counts.ds")  # type: ignore[arg-type]
    assert not (tmp_path / "counts.ds").exists()


def test_a_sum_beyond_64_bits_is_refused(archive: ep.Archive) -> None:
    """The error is that in memory."""
    request = request_for(by=["engagement.type"], hours=1)
    put(archive, request, in_parts(request, 1), body=lambda one: body_of(one, (), lambda *_: 2**61))
    with pytest.raises(ep.ResponseShapeError, match="more than 64 bits"):
        ep.flatten(archive)
    with pytest.raises(ep.ResponseShapeError, match="more than 64 bits"):
        epd.flatten(archive, rows=1).compute()


def test_types_that_were_not_requested_are_refused(archive: ep.Archive) -> None:
    """The categories are known in advance, so such a count would be lost."""
    request = request_for(hours=1)
    other = request.replace(engagement_types=[*request.engagement_types, "replies"])
    put(archive, request, body=lambda _: body_of(other))
    assert "replies" in set(ep.flatten(archive)["engagement_type"])
    with pytest.raises(ep.RequestError, match=r"counts \['replies'\], which were not"):
        epd.flatten(archive).compute()


@pytest.mark.slow
def test_a_grouping_is_chosen_by_name(archive: ep.Archive) -> None:
    """Without a name, the error lists the groupings."""
    request = request_for(by={"days": ep.BY_DAY, "sums": ["engagement.type"]})
    put(archive, request, in_parts(request, 2))
    with pytest.raises(ep.AmbiguousGrouping, match="choose one by name"):
        epd.flatten(archive)
    for name in ("days", "sums"):
        counts = epd.flatten(archive, name, rows=1).compute()
        pd.testing.assert_frame_equal(sorted_out(counts), ep.flatten(archive, name))


def test_endpoints_are_not_mixed(archive: ep.Archive) -> None:
    """Their counts mean different things; the error is raised before anything is read."""
    put(archive, request_for(by=ep.BY_POST))
    put(archive, ep.totals(POSTS, engagement_types=["favorites"]))
    with pytest.raises(ep.RequestError, match="flatten each on its own"):
        epd.flatten(archive)


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        ("raw", "an Archive or its collections, not a str"),
        (5, "an Archive or its collections, not a int"),
        (
            [ep.EngagementResponse(request_for(), {})],
            "one of the collections is a EngagementResponse",
        ),
        ([], "there are no responses"),
    ],
)
def test_other_arguments_than_archives_are_refused(stored: Any, message: str) -> None:
    """The error names the accepted arguments."""
    with pytest.raises(ep.RequestError, match=message):
        epd.flatten(stored)
    with pytest.raises(ep.RequestError, match=message):
        epd.omissions(stored)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [0, -1, 2.5, "many", None])
def test_an_invalid_number_of_rows_is_refused(rows: Any, archive: ep.Archive) -> None:
    """It is an integer of at least 1."""
    put(archive, request_for())
    with pytest.raises(ep.FrameError, match=r"rows is .* give a whole number"):
        epd.flatten(archive, rows=rows)


def test_a_frame_in_memory_is_refused(archive: ep.Archive) -> None:
    """The error names the function for it."""
    put(archive, request_for())
    with pytest.raises(ep.FrameError, match=r"not a DataFrame.*engagement_pandas\.dask\.flatten"):
        epd.over_time(ep.flatten(archive))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("metric", "options", "message"),
    [
        (epd.over_time, {"by": "handle"}, "by is 'handle'"),
        (epd.over_time, {"every": "minute"}, "every is 'minute'"),
        (epd.over_time, {"tz": "Mars"}, "no time zone 'Mars'"),
        (epd.engagement_rate, {"numerator": "impresions"}, "did you mean 'impressions'"),
        (epd.engagement_rate, {"numerator": "impressions"}, "is 1; name two"),
        (epd.top_posts, {"n": 0}, "n is 0"),
        (epd.top_posts, {"by": "zaps"}, "no engagement type 'zaps'"),
    ],
)
def test_invalid_arguments_of_metrics_are_refused(
    metric: Any, options: dict[str, Any], message: str, archive: ep.Archive
) -> None:
    """The error is raised before anything is read: the only response here is damaged."""
    collection = put(archive, request_for())
    for path in collection.path.glob("*.gz"):
        if "question" not in path.name:
            path.write_bytes(b"damaged")
    with pytest.raises(ep.FrameError, match=message):
        metric(epd.flatten(archive), **options)


def test_numerator_and_denominator_of_one_partition_are_summed() -> None:
    """A worker returns a few sums, for any number of hours."""
    body = {
        "g": {
            post: {
                engagement_type: {"2026-04-05": {f"{hour:02d}": "1" for hour in range(24)}}
                for engagement_type in TYPES[:2]
            }
            for post in POSTS
        }
    }
    rows = paired_up(ep.flatten_json(body), [], TYPES[:2])
    known = rows[rows["count"].notna()]
    assert known["count"].to_list() == [144, 144]
    assert (known[SIDE] == 1).all()
    assert len(rows) < 20


@pytest.mark.slow
def test_counts_of_different_posts_make_no_rate() -> None:
    """One post has one type, and another post the other."""
    body = {"g": {"1": {"favorites": "5"}, "2": {"impressions": "9"}}}
    for numbers in ([0], [0, 1]):
        rates = epd.engagement_rate(
            partitioned(ep.flatten_json(body), numbers), by=None, numerator="favorites"
        )
        assert rates[["favorites", "impressions"]].to_numpy().tolist() == [[5, 9]]
        assert rates["rate"].isna().all()


@pytest.mark.slow
def test_periods_begin_with_the_first_count_of_any_type() -> None:
    """There are four days, though the rate is of the second and third alone."""
    ones = {"2026-03-02": "1", "2026-03-03": "1"}
    body = {
        "g": {
            "impressions": ones,
            "engagements": ones,
            "favorites": {"2026-03-01": "1", "2026-03-04": "1"},
        }
    }
    counts = ep.flatten_json(body)
    found = epd.rate_over_time(partitioned(counts, [0, 1, 2, 3, 4, 5]))
    assert found["start"].dt.day.to_list() == [1, 2, 3, 4]
    assert_same(found, ep.rate_over_time(counts))


def test_a_missing_count_is_not_expected_in_another_partition() -> None:
    """It is missing here, and so in every partition."""
    counts = ep.flatten_json({"g": {"1": {"impressions": "20", "favorites": "5"}}})
    counts["count"] = pd.array([pd.NA, 5], dtype="Int64")
    rows = paired_up(counts, [], ["favorites", "impressions"])
    assert (rows[SIDE] == ALONE).all()


@pytest.mark.slow
def test_the_package_works_without_dask() -> None:
    """Importing engagement_pandas.dask then names the extra."""
    code = (
        "import sys; sys.modules['dask'] = None\n"
        "import engagement_pandas as ep; ep.flatten\n"
        "import engagement_pandas.dask"
    )
    done = subprocess.run(  # noqa: S603 - the tests' own command
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert "pip install 'engagement_pandas[dask]'" in done.stderr.splitlines()[-1]
