"""Whether requests cover a question, held against a count of every post, type and hour."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.request.uncovered import uncovered

START = datetime(2026, 5, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
TYPES = ("favorites", "replies", "impressions")

posts = st.sets(st.sampled_from("123"), min_size=1).map(sorted)
types = st.sets(st.sampled_from(TYPES), min_size=1).map(sorted)
windows = st.tuples(st.integers(0, 3), st.integers(1, 3)).map(
    lambda it: ep.Window(START + it[0] * HOUR, START + (it[0] + it[1]) * HOUR)
)
groupings = st.sampled_from([ep.BY_HOUR, ep.BY_DAY])
series = st.builds(
    lambda p, t, w, by: ep.historical(p, engagement_types=t, window=w, by=by),
    posts,
    types,
    windows,
    groupings,
)
sums = st.builds(lambda p, t: ep.totals(p, engagement_types=t), posts, types)
requests = st.one_of(series, sums)


def cells(parts: Iterable[ep.EngagementRequest]) -> Counter[object]:
    """Return how often each post, type and hour is asked for, one by one."""
    found: Counter[object] = Counter()
    for part in parts:
        hours = range(part.window.hours) if part.window else [None]
        for post in part.post_ids:
            for kind in part.engagement_types:
                for hour in hours:
                    at = part.window and hour is not None and part.window.start + hour * HOUR
                    found[part.endpoint, part.groupings, post, kind, at] += 1
    return found


@pytest.mark.slow
@given(st.lists(requests, max_size=3), st.lists(requests, max_size=4))
def test_any_requests(asked: list[ep.EngagementRequest], parts: list[ep.EngagementRequest]) -> None:
    """They cover each other where every single cell is there as often; else a word says so."""
    assert (uncovered(asked, parts) is None) == (cells(asked) == cells(parts))


@pytest.mark.slow
@given(st.data(), requests)
def test_a_question_that_is_cut(data: st.DataObject, asked: ep.EngagementRequest) -> None:
    """However it is cut, the pieces cover it; with one missing or twice, that one is named."""
    pieces = [asked]
    for _ in range(data.draw(st.integers(0, 4))):
        whole = pieces.pop(data.draw(st.integers(0, len(pieces) - 1)))
        pieces += data.draw(st.sampled_from(list(halves(whole)) or [[whole]]))
    pieces = data.draw(st.permutations(pieces))
    assert uncovered([asked], pieces) is None
    lost = data.draw(st.sampled_from(pieces))
    without = [piece for piece in pieces if piece is not lost]
    for told, word in (
        (uncovered([asked], without), "missing: "),
        (uncovered([asked], [*pieces, lost]), "duplicate: "),
    ):
        assert told is not None
        assert told.startswith(word)
        assert any(
            f"{kind} of post {post}" in told
            for kind in lost.engagement_types
            for post in lost.post_ids
        )


def halves(whole: ep.EngagementRequest) -> Iterable[list[ep.EngagementRequest]]:
    """Yield the ways to cut a request in two: by posts, by types and by hours."""
    for name in ("post_ids", "engagement_types"):
        values = getattr(whole, name)
        if len(values) > 1:
            yield [whole.replace(**{name: values[:1]}), whole.replace(**{name: values[1:]})]
    if whole.window and whole.window.hours > 1:
        cut = whole.window.start + HOUR
        yield [
            whole.replace(window=ep.Window(whole.window.start, cut)),
            whole.replace(window=ep.Window(cut, whole.window.end)),
        ]


def test_each_hour_weighs_differently() -> None:
    """No hour, and no other span, stands for another of the same length."""
    hours = [ep.Window(START + n * HOUR, START + (n + 1) * HOUR) for n in range(48)]
    asked = ep.historical(["1"], engagement_types=["favorites"], window=hours[0])
    for other in hours[1:]:
        assert uncovered([asked], [asked.replace(window=other)]) is not None


def test_each_pair_of_grouping_and_type_weighs_differently() -> None:
    """By day and by hour, two types cannot be swapped."""
    window = ep.Window(START, START + 24 * HOUR)
    names = [str(name) for name in ep.SERIES_TYPES]
    for first, second in itertools.combinations(names, 2):
        by_hour = ep.historical(["1"], engagement_types=[first], window=window, by=ep.BY_HOUR)
        by_day = ep.historical(["1"], engagement_types=[second], window=window, by=ep.BY_DAY)
        swapped = [
            by_hour.replace(engagement_types=[second]),
            by_day.replace(engagement_types=[first]),
        ]
        assert uncovered([by_hour, by_day], swapped) is not None


def test_pieces_that_only_add_up() -> None:
    """As many cells, and even the same sums of IDs and hours: it is the cells that count."""
    asked = ep.totals(["1", "2", "3", "4"], engagement_types=["favorites"])
    told = uncovered([asked], [asked.replace(post_ids=["1", "4"])] * 2)
    assert told == "duplicate: favorites of post 1 (and 3 more) (totals by_post)"
    window = ep.Window(START, START + 4 * HOUR)
    series = ep.historical(["1"], engagement_types=["replies"], window=window)
    inner = series.replace(window=ep.Window(START + HOUR, START + 3 * HOUR))
    told = uncovered([series], [inner, inner])
    assert told == "missing: replies of post 1 from 2026-05-01 00:00 UTC (historical by_hour)"
