"""Laws of flatten, for every grouping that the API has.

``true_count`` has every count, hour by hour. ``answer`` stands in for the API: it sums and nests
the requested counts. The expected values do not come from the code under test.
"""

from __future__ import annotations

import json
import random
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.errors import ResponseShapeError
from engagement_pandas.flattening.combine import add
from engagement_pandas.flattening.count_arrays import to_arrays
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.response.nested_counts.checking_reader import read_objects
from engagement_pandas.response.nested_counts.expected_shape import ExpectedShape
from engagement_pandas.response.nested_counts.fast_reader import decode_grouping
from engagement_pandas.response.nested_counts.levels import meanings
from engagement_pandas.response.validation import Valid, valid_counts
from engagement_pandas.vocabulary.dimensions import Dimension
from engagement_pandas.vocabulary.limits import FOUR_DIMENSION_ORDERS

HOUR = timedelta(hours=1)
POST, TYPE, DAY, TIME = "tweet.id", "engagement.type", "engagement.day", "engagement.hour"
SERIES = [
    order
    for length in range(1, 5)
    for order in permutations((POST, TYPE, DAY, TIME), length)
    if TYPE in order and (length < 4 or order in {(POST, TYPE, DAY, TIME), (TYPE, POST, DAY, TIME)})
]
SOME_SERIES = [
    order if len(order) == 4 else pytest.param(order, marks=pytest.mark.long) for order in SERIES
]
TOTALS = [order for order in SERIES if not {DAY, TIME} & set(order)]
TYPES = ["impressions", "favorites", "video_views"]
TOO_OLD, GONE = {"30", "4"}, {"5"}
COLUMNS = {POST: "post_id", TYPE: "engagement_type", DAY: "day", TIME: "hour"}
FALSE_UNTIL = datetime(2015, 9, 15, tzinfo=UTC)

requested_posts = st.lists(st.sampled_from(["1", "2", "30", "4", "5"]), min_size=1, unique=True)
starts = st.builds(
    lambda day, hour: day + hour * HOUR,
    st.sampled_from([datetime(2015, 9, 14, tzinfo=UTC), datetime(2026, 3, 1, tzinfo=UTC)]),
    st.integers(0, 23),
)
lengths = st.integers(1, 60)
hour_cuts = st.lists(st.integers(1, 59))


def test_the_api_has_27_groupings() -> None:
    """They are orders of one to four dimensions with the type; of four there are two."""
    assert (len(SERIES), len(TOTALS)) == (27, 3)


def true_count(post: str, engagement_type: str, hour: datetime) -> int:
    """Return the true count of an hour: small, sometimes negative, 0 if the API counts nothing."""
    early = engagement_type == "favorites" and hour < FALSE_UNTIL
    if early or (engagement_type == "video_views" and post in TOO_OLD):
        return 0
    return zlib.crc32(f"{post} {engagement_type} {hour}".encode()) % 9 - 2


def nest(cells: dict[tuple[str, ...], Any]) -> dict[str, Any]:
    """Nest counts by their keys, in a shuffled order."""
    top: dict[str, Any] = {}
    pairs = list(cells.items())
    random.Random(len(pairs)).shuffle(pairs)  # noqa: S311  a shuffle, not a secret
    for keys, count in pairs:
        level = top
        for key in keys[:-1]:
            level = level.setdefault(key, {})
        level[keys[-1]] = count if count % 5 == 0 else str(count)
    return top


def answer(request: ep.EngagementRequest) -> ep.EngagementResponse:
    """Return the response of the API to a request."""
    (grouping,) = request.groupings
    window = request.window
    hours = [datetime(2026, 1, 1, tzinfo=UTC)]
    if window is not None:
        hours = [window.start + n * HOUR for n in range((window.end - window.start) // HOUR)]
    cells: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for post in set(request.post_ids) - GONE:
        for engagement_type in request.engagement_types:
            for hour in hours:
                keys = {
                    POST: post,
                    TYPE: engagement_type,
                    DAY: f"{hour:%Y-%m-%d}",
                    TIME: f"{hour:%H}",
                }
                cells[tuple(keys[d] for d in grouping.dimensions)] += true_count(
                    post, engagement_type, hour
                )
    body: dict[str, Any] = {grouping.name: nest(cells)} if cells else {}
    requested = set(request.post_ids)
    body |= {"unavailable_tweet_ids": sorted(requested & GONE)} if requested & GONE else {}
    old = sorted(requested & TOO_OLD)
    if old and "video_views" in request.engagement_types:
        body["unsupported_for_video_views_tweet_ids"] = old
    return ep.EngagementResponse(request, body)


def expected(request: ep.EngagementRequest) -> dict[tuple[Any, ...], int | None]:
    """Sum the true counts over the columns of the frame; None if no part is a count."""
    (grouping,) = request.groupings
    cells: dict[tuple[Any, ...], int | None] = {}
    window = request.window
    hours = [None]
    if window is not None:
        hours = [window.start + n * HOUR for n in range((window.end - window.start) // HOUR)]
    for post in set(request.post_ids) - GONE:
        for engagement_type in request.engagement_types:
            for hour in hours:
                at = hour or datetime(2026, 1, 1, tzinfo=UTC)
                early = hour is not None and engagement_type == "favorites" and at < FALSE_UNTIL
                false = early or (engagement_type == "video_views" and post in TOO_OLD)
                keys = {
                    POST: post,
                    TYPE: engagement_type,
                    DAY: pd.Timestamp(at.date()),
                    TIME: at.hour,
                }
                cell = tuple(keys[d] for d in COLUMNS if d in grouping.dimensions)
                part = None if false else true_count(post, engagement_type, at)
                so_far = cells.get(cell)
                cells[cell] = so_far if part is None else (so_far or 0) + part
    return cells


def as_cells(frame: pd.DataFrame) -> dict[tuple[Any, ...], int | None]:
    """Return a frame as a mapping of keys to counts."""
    keys = frame.drop(columns="count").astype({"engagement_type": TEXT}).itertuples(index=False)
    counts = (None if count is pd.NA else int(count) for count in frame["count"])
    return dict(zip(map(tuple, keys), counts, strict=True))


def split(items: Sequence[Any], positions: Iterable[int]) -> list[Sequence[Any]]:
    """Split a sequence at some positions into parts that are not empty."""
    bounds = [
        0,
        *sorted({position for position in positions if 0 < position < len(items)}),
        len(items),
    ]
    return [items[a:b] for a, b in pairwise(bounds)]


def historical(posts: Sequence[str], order: Sequence[str], start: datetime, hours: int) -> Any:
    """Request some hours of some posts."""
    window = ep.Window(start, start + hours * HOUR)
    return ep.historical(posts, engagement_types=TYPES, window=window, by={"g": order})


@pytest.mark.slow
@pytest.mark.parametrize("order", SOME_SERIES, ids=" > ".join)
@settings(max_examples=6, deadline=None)
@given(requested_posts, starts, lengths, st.tuples(st.lists(st.integers(1, 4)), hour_cuts))
def test_splitting_a_series_never_changes_the_frame(
    order: Sequence[str],
    posts: list[str],
    start: datetime,
    length: int,
    cuts: tuple[list[int], list[int]],
) -> None:
    """Batches of posts and windows split at any hour give the same sums."""
    complete = historical(posts, order, start, length)
    parts = [
        historical(batch, order, start + span[0] * HOUR, len(span))
        for batch in split(posts, cuts[0])
        for span in split(range(length), cuts[1])
    ]
    frame = ep.flatten(answer(complete))
    assert as_cells(frame) == expected(complete)
    of_parts = ep.flatten(answer(part) for part in parts)
    pd.testing.assert_frame_equal(of_parts, frame)


@pytest.mark.slow
@pytest.mark.parametrize("order", TOTALS, ids=" > ".join)
@settings(max_examples=25, deadline=None)
@given(requested_posts, st.lists(st.integers(1, 4)))
def test_splitting_totals_never_changes_the_frame(
    order: Sequence[str], posts: list[str], post_cuts: list[int]
) -> None:
    """Batches of posts give the same sums."""

    def totals(ids: Sequence[str]) -> ep.EngagementRequest:
        return ep.totals(ids, engagement_types=TYPES, by={"g": order})

    frame = ep.flatten(answer(totals(posts)))
    assert as_cells(frame) == expected(totals(posts))
    of_parts = ep.flatten([answer(totals(batch)) for batch in split(posts, post_cuts)])
    pd.testing.assert_frame_equal(of_parts, frame)


@st.composite
def frames(draw: st.DrawFn, order: Sequence[str]) -> pd.DataFrame:
    """Draw a tidy frame with any counts of 64 bits, unknown types, days and IDs."""
    counts = st.integers(-(2**63), 2**63 - 1)
    keys: dict[str, st.SearchStrategy[Any]] = {
        POST: st.from_regex(r"[1-9][0-9]{2,18}", fullmatch=True),
        TYPE: st.sampled_from(["impressions", "url_clicks", "zaps", "boosts"]),
        DAY: st.dates().map(pd.Timestamp),
        TIME: st.integers(0, 23),
    }
    columns = [dimension for dimension in COLUMNS if dimension in order]
    cells = draw(
        st.dictionaries(st.tuples(*(keys[d] for d in columns)), counts, min_size=1, max_size=12)
    )
    vocabulary = ["impressions", "url_clicks", "boosts", "zaps"]
    position = columns.index(TYPE)
    ordered = sorted(
        cells, key=lambda k: (*k[:position], vocabulary.index(k[position]), *k[position + 1 :])
    )
    frame = pd.DataFrame(ordered, columns=[COLUMNS[d] for d in columns])
    frame["count"] = pd.array([cells[key] for key in ordered], dtype="Int64")
    present = [known for known in vocabulary if known in set(frame["engagement_type"])]
    dtypes = {"post_id": TEXT, "day": "datetime64[us]", "hour": "int8"}
    frame = frame.astype({name: dtype for name, dtype in dtypes.items() if name in frame})
    categories = pd.CategoricalDtype(pd.Index(present, dtype=TEXT))
    return frame.astype({"engagement_type": categories})


def nested(frame: pd.DataFrame, order: Sequence[str]) -> dict[str, Any]:
    """Nest a frame in the order of a grouping."""
    cells = {}
    for row in frame.astype({"engagement_type": TEXT}).to_dict("records"):
        texts = {
            POST: row.get("post_id"),
            TYPE: row["engagement_type"],
            DAY: str(row["day"].date()) if "day" in row else None,
            TIME: f"{row['hour']:02d}" if "hour" in row else None,
        }
        cells[tuple(str(texts[dimension]) for dimension in order)] = int(row["count"])
    return nest(cells)


@pytest.mark.slow
@pytest.mark.parametrize("order", SOME_SERIES, ids=" > ".join)
def test_flattening_a_nested_frame_gives_the_frame_back(order: Sequence[str]) -> None:
    """The dimensions are inferred from the keys, and no value changes."""

    @settings(max_examples=8, deadline=None)
    @given(frames(order))
    def there_and_back(frame: pd.DataFrame) -> None:
        body = {"g": nested(frame, order)}
        explicit = ep.flatten_json(body, group_by=order)
        pd.testing.assert_frame_equal(explicit, frame)
        # Two digits may be an hour or a post, unless a zero leads or the order is known.
        if "hour" not in frame or len(order) == 4 or frame["hour"].min() < 10:
            pd.testing.assert_frame_equal(ep.flatten_json(json.dumps(body)), frame)

    there_and_back()


def result_of(read: Callable[[], Valid], dimensions: Sequence[Dimension]) -> Any:
    """Return the result of a reading: sorted counts as lists, or the error."""
    try:
        counts = add([to_arrays(read(), dimensions)], "g")
    except ResponseShapeError as error:
        return str(error)
    types = np.asarray(counts.types, object)[counts.type].tolist()
    posts = np.asarray(counts.posts, object)[counts.post].tolist()
    return counts.posts, counts.types, posts, types, counts.bucket.tolist(), counts.count.tolist()


def both_readers(raw: bytes, shape: ExpectedShape) -> tuple[Any, Any]:
    """Read by the fast path first, and object by object alone."""

    def by_object() -> Valid:
        members, order = read_objects(raw, shape.name, shape)
        return Valid(members, meanings(members, order, shape) or ())

    return (
        result_of(lambda: valid_counts(raw, shape), shape.dimensions),
        result_of(by_object, shape.dimensions),
    )


hour_objects = st.dictionaries(
    st.sampled_from([f"{hour:02d}" for hour in range(24)]),
    st.integers(-5, 10**6).flatmap(lambda n: st.sampled_from([n, str(n)])),
    max_size=24,
)
trees = st.dictionaries(
    st.sampled_from(["1", "20", "3", "900"]),
    st.dictionaries(
        st.sampled_from(["replies", "impressions", "zEbras", "e"]),
        st.dictionaries(st.sampled_from(["2026-03-02", "2026-03-01", "2015-12-31"]), hour_objects),
    ),
)


@pytest.mark.long
@settings(max_examples=60, deadline=None)
@given(trees, st.booleans())
def test_both_readers_give_the_same_counts(
    tree: dict[str, Any],
    spaced: bool,  # noqa: FBT001  drawn
) -> None:
    """Keys come in any order, with partial days and empty objects."""
    raw = json.dumps(tree, separators=None if spaced else (",", ":")).encode()
    fast, slow = both_readers(raw, ExpectedShape("g", FOUR_DIMENSION_ORDERS[0]))
    assert fast == slow
    decoded = decode_grouping(raw, 4)
    assert decoded is not None
    assert decoded.members() is not None


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        st.from_regex(r'"[-+0-9eE. _]{0,6}"', fullmatch=True),
        st.from_regex(
            r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,2})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
        ),
        st.sampled_from(["true", "null", '"true"', "[]", "{}", "NaN", '"\\u0035"', '"٣"', "-", ""]),
        st.sampled_from(['"1e3"', "1e3", '"-2e0"']),
        st.integers(-(2**64), 2**65).map(lambda n: f'"{n}"'),
    ),
    st.sampled_from(["07", "7", "24", "e7", "0\\u0037", "2026-03-01"]),
    st.sampled_from(["impressions", "1e3", "", "\\u0065", "r\\u0065plies"]),
)
def test_both_readers_refuse_the_same_with_the_same_path(count: str, hour: str, name: str) -> None:
    """Any JSON in place of a count is read by both, or refused by both with one path."""
    raw = f'{{"1": {{"{name}": {{"2026-03-01": {{"{hour}": {count}, "08": "1"}}}}}}}}'.encode()
    fast, slow = both_readers(raw, ExpectedShape("g", FOUR_DIMENSION_ORDERS[0], frozenset({"1"})))
    assert fast == slow


@pytest.mark.parametrize("order", FOUR_DIMENSION_ORDERS)
def test_an_exponent_is_refused_next_to_an_escaped_key(order: Any) -> None:
    """The body has as many E's as its keys, and yet ``1e3`` is not a count."""
    keys = {POST: "7", TYPE: "r\\u0065plies", DAY: "2026-03-01", TIME: "00"}
    raw = '"1e3"'
    for dimension in reversed(order):
        raw = f'{{"{keys[dimension]}":{raw}}}'
    with pytest.raises(ResponseShapeError, match="1e3"):
        ep.flatten_json(f'{{"g":{raw}}}', group_by=order)


def test_the_dimensions_are_those_of_the_package() -> None:
    """The names above are those of the API."""
    assert set(COLUMNS) == {str(dimension) for dimension in Dimension}
