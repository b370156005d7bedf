"""How long one big answer takes from bytes to the tidy frame.

The answer is the biggest that the API gives: 25 posts, 17 types, 28 days by hour, which is
285,600 counts as strings. Everything is timed on the same bytes in the same run::

    python -m pytest tests/benchmarks/test_flattening.py -o addopts= --benchmark-only

The bound is ``test_flatten`` at most 1.5 times ``test_orjson_loads``, by the column Min:
pytest-benchmark puts behind each time, in brackets, how many times the fastest it is.
``orjson.loads`` makes dicts and no frame; the row loop
makes tuples and then a frame; ``json_normalize`` gets one post of the 25, or it would take
minutes.
"""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from typing import Any

import orjson
import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.vocabulary import SERIES_TYPES

START = date(2026, 3, 1)
DAYS = 28


def make() -> ep.EngagementResponse:
    """Answer with shuffled posts and types, as the API does; the seed is fixed."""
    dice = random.Random(20260301)  # noqa: S311  counts, not secrets
    posts = [str(2_020_000_000_000_000_000 + dice.randrange(10**16)) for _ in range(25)]
    types = [str(kind) for kind in SERIES_TYPES]
    days = [str(START + timedelta(days=day)) for day in range(DAYS)]

    def of_a_day() -> dict[str, str]:
        return {f"{hour:02d}": str(int(dice.paretovariate(0.5)) - 1) for hour in range(24)}

    counts: dict[str, Any] = {}
    for post in posts:
        dice.shuffle(types)
        counts[post] = {kind: {day: of_a_day() for day in days} for kind in types}
    request = ep.historical(
        sorted(posts),
        engagement_types=SERIES_TYPES,
        window=ep.Window.covering(START, START + timedelta(days=DAYS)),
    )
    return ep.EngagementResponse(request, json.dumps({"by_hour": counts}))


@pytest.fixture(scope="module")
def answer() -> ep.EngagementResponse:
    """Make the answer once."""
    return make()


def row_loop(content: bytes) -> pd.DataFrame:
    """Flatten as a first draft would: one tuple a count."""
    rows = [
        (post, kind, day, int(hour), int(count))
        for post, kinds in json.loads(content)["by_hour"].items()
        for kind, days in kinds.items()
        for day, hours in days.items()
        for hour, count in hours.items()
    ]
    frame = pd.DataFrame(rows, columns=["post_id", "engagement_type", "day", "hour", "count"])
    frame["engagement_type"] = frame["engagement_type"].astype("category")
    frame["day"] = pd.to_datetime(frame["day"])
    return frame.sort_values(["post_id", "engagement_type", "day", "hour"], ignore_index=True)


def test_orjson_loads(benchmark: Any, answer: ep.EngagementResponse) -> None:
    """The yardstick: bytes to nested dicts."""
    benchmark.pedantic(orjson.loads, args=(answer.content,), rounds=30, warmup_rounds=2)


def test_flatten(benchmark: Any, answer: ep.EngagementResponse) -> None:
    """Bytes to the tidy frame, the request known."""
    frame = benchmark.pedantic(ep.flatten, args=(answer,), rounds=30, warmup_rounds=2)
    assert len(frame) == 25 * 17 * DAYS * 24


def test_flatten_json(benchmark: Any, answer: ep.EngagementResponse) -> None:
    """Bytes to the tidy frame, the dimensions inferred."""
    frame = benchmark.pedantic(ep.flatten_json, args=(answer.content,), rounds=30, warmup_rounds=2)
    assert len(frame) == 25 * 17 * DAYS * 24


def test_flatten_in_parts(benchmark: Any, answer: ep.EngagementResponse) -> None:
    """The same counts in 25 answers of one post each."""
    counts = orjson.loads(answer.content)["by_hour"]
    parts = [
        ep.EngagementResponse(answer.request.replace(post_ids=[post]), {"by_hour": {post: of_it}})
        for post, of_it in counts.items()
    ]
    frame = benchmark.pedantic(ep.flatten, args=(parts,), rounds=10, warmup_rounds=1)
    pd.testing.assert_frame_equal(frame, ep.flatten(answer))


def test_flatten_a_thousand_answers(benchmark: Any) -> None:
    """Many small answers: 25,000 posts, two types, totals."""
    parts = []
    for batch in range(1000):
        posts = [str(10**18 + batch * 25 + n) for n in range(25)]
        request = ep.totals(posts, engagement_types=["favorites", "replies"])
        counts = {post: {"favorites": "5", "replies": "6"} for post in posts}
        parts.append(ep.EngagementResponse(request, {"by_post": counts}))
    frame = benchmark.pedantic(ep.flatten, args=(parts,), rounds=3)
    assert len(frame) == 50_000


def test_row_loop(benchmark: Any, answer: ep.EngagementResponse) -> None:
    """One tuple a count."""
    frame = benchmark.pedantic(row_loop, args=(answer.content,), rounds=3)
    assert frame["count"].sum() == ep.flatten(answer)["count"].sum()
    assert len(frame) == 25 * 17 * DAYS * 24


def test_json_normalize_of_one_post(benchmark: Any, answer: ep.EngagementResponse) -> None:
    """A 25th of the counts, by pandas' own way."""
    post, counts = next(iter(orjson.loads(answer.content)["by_hour"].items()))
    content = orjson.dumps({post: counts})

    def normalize() -> pd.DataFrame:
        return pd.json_normalize(json.loads(content)).T.reset_index()

    frame = benchmark.pedantic(normalize, rounds=3)
    assert len(frame) == 17 * DAYS * 24
