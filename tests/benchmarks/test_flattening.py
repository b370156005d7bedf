"""The time from bytes to the tidy frame, compared with code that a user would write.

All ways read the same bytes in one run. In brackets after each time, pytest-benchmark prints its
ratio to the fastest of the group::

    python -m pytest tests/benchmarks/test_flattening.py -o addopts= --benchmark-only

*One answer* is the largest of the API: 25 posts, 17 types, 28 days by hour, which are
285,600 counts as strings. The reference is ``orjson.loads``, which makes dicts and no
frame: ``test_flatten`` takes at most 0.8 times as long, by the column Min. *Answers* are
1 to 1,000 of 4,200 counts each, with different posts. Slow ways get fewer answers, since they
would take an hour.

``test_a_shape`` prints the times of each shape that the API documents, with and without
missing counts, as multiples of ``orjson.loads`` and of a plain loop over rows: the minimum of
several alternate rounds, in CPU time. Only the second ratio has a bound, and a wide one.

``test_memory_and_growth`` (which ``--benchmark-only`` leaves out) uses new processes: 1,000
answers in an archive, with the peak of memory relative to the finished frame, and the CPU
seconds per answer.
"""

from __future__ import annotations

import io
import json
import math
import random
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import engagement_pandas as ep
from engagement_pandas.vocabulary.engagement_types import SERIES_TYPES

START: Final = date(2026, 3, 1)
DAYS: Final = 28
KEYS: Final = ["post_id", "engagement_type", "day", "hour"]
FEW: Final = 24 * 7 * 25
"""Counts of each answer where there are many."""

FRAMES: Final = 3.0
"""The maximum memory for 1,000 answers, as a multiple of the finished frame."""

GROWTH: Final = 1.5
"""The maximum time per answer of 1,000, as a multiple of that of 100."""

one_answer = pytest.mark.benchmark(group="one answer of 285,600 counts")


def make(seed: int = 20260301, kinds: int = 17, days: int = DAYS) -> ep.EngagementResponse:
    """Return a response with shuffled posts and types, like the API's; the seed is fixed."""
    rng = random.Random(seed)  # noqa: S311  counts, not secrets
    posts = [str(2_020_000_000_000_000_000 + rng.randrange(10**16)) for _ in range(25)]
    types = [str(engagement_type) for engagement_type in SERIES_TYPES[:kinds]]
    dates = [str(START + timedelta(days=day)) for day in range(days)]

    def hours_of_a_day() -> dict[str, str]:
        return {f"{hour:02d}": str(int(rng.paretovariate(0.5)) - 1) for hour in range(24)}

    counts: dict[str, Any] = {}
    for post in posts:
        rng.shuffle(types)
        counts[post] = {
            engagement_type: {day: hours_of_a_day() for day in dates} for engagement_type in types
        }
    request = ep.historical(
        sorted(posts),
        engagement_types=types,
        window=ep.Window.covering(START, START + timedelta(days=days)),
    )
    return ep.EngagementResponse(request, json.dumps({"by_hour": counts}))


@pytest.fixture(scope="module")
def answer() -> ep.EngagementResponse:
    """Make the answer once."""
    return make()


@pytest.fixture(scope="module")
def answers() -> list[ep.EngagementResponse]:
    """Make a thousand small answers."""
    return [make(seed, kinds=1, days=7) for seed in range(1000)]


def row_loop(contents: Sequence[bytes]) -> pd.DataFrame:
    """Flatten with a plain loop: one tuple per count."""
    rows = [
        (post, engagement_type, day, int(hour), int(count))
        for content in contents
        for post, by_type in json.loads(content)["by_hour"].items()
        for engagement_type, days in by_type.items()
        for day, hours in days.items()
        for hour, count in hours.items()
    ]
    frame = pd.DataFrame(rows, columns=[*KEYS, "count"])
    frame["engagement_type"] = frame["engagement_type"].astype("category")
    frame["day"] = pd.to_datetime(frame["day"])
    return frame.sort_values(KEYS, ignore_index=True)


def by_pandas(contents: Sequence[bytes]) -> pd.DataFrame:
    """Flatten by pandas' own ``json_normalize``, and split its names."""
    frames = [
        pd.json_normalize(json.loads(content)["by_hour"], sep="/").T.reset_index()
        for content in contents
    ]
    frame = pd.concat(frames, ignore_index=True)
    parts = frame["index"].str.split("/", expand=True).set_axis(KEYS, axis=1)
    parts["day"] = pd.to_datetime(parts["day"])
    parts["hour"] = parts["hour"].astype("int8")
    parts["count"] = frame[0].astype("int64")
    return parts.sort_values(KEYS, ignore_index=True)


def by_duckdb(contents: Sequence[bytes]) -> pd.DataFrame:
    """Flatten by unnesting maps."""
    bodies = pa.table({"body": [content.decode() for content in contents]})
    nested = "MAP(VARCHAR, MAP(VARCHAR, MAP(VARCHAR, MAP(VARCHAR, VARCHAR))))"
    query = f"""
        with posts as (
            select unnest(map_entries(json_extract(body, '$.by_hour')::{nested})) p from bodies),
        types as (select p.key post_id, unnest(map_entries(p.value)) t from posts),
        days as (
            select post_id, t.key engagement_type, unnest(map_entries(t.value)) d from types),
        hours as (
            select post_id, engagement_type, d.key::date as day, unnest(map_entries(d.value)) h
            from days)
        select post_id, engagement_type, day, h.key::tinyint as hour, h.value::bigint as count
        from hours order by all"""  # noqa: S608  without external input
    with duckdb.connect() as connection:
        connection.register("bodies", bodies)
        return connection.execute(query).df()


def by_polars(contents: Sequence[bytes]) -> pl.DataFrame:
    """Flatten by unnesting structs, level by level."""
    frames = []
    for content in contents:
        frame = pl.read_json(io.BytesIO(content)).select("by_hour").unnest("by_hour")
        for i, name in enumerate(KEYS[:-1]):
            frame = frame.unpivot(index=KEYS[:i], variable_name=name, value_name="inner")
            frame = frame.unnest("inner")
        frames.append(frame.unpivot(index=KEYS[:-1], variable_name="hour", value_name="count"))
    return (
        pl.concat(frames)
        .with_columns(
            pl.col("day").str.to_date(),
            pl.col("hour").cast(pl.Int8),
            pl.col("count").cast(pl.Int64),
        )
        .sort(KEYS)
    )


@one_answer
def test_orjson_loads(benchmark: Any, answer: ep.EngagementResponse) -> None:
    """The reference: bytes to nested dicts."""
    benchmark.pedantic(orjson.loads, args=(answer.content,), rounds=30, warmup_rounds=2)


@one_answer
def test_flatten(benchmark: Any, answer: ep.EngagementResponse) -> None:
    """Bytes to the tidy frame, with a known request."""
    frame = benchmark.pedantic(ep.flatten, args=(answer,), rounds=30, warmup_rounds=2)
    assert len(frame) == 25 * 17 * DAYS * 24


@one_answer
def test_flatten_json(benchmark: Any, answer: ep.EngagementResponse) -> None:
    """Bytes to the tidy frame, with inferred dimensions."""
    frame = benchmark.pedantic(ep.flatten_json, args=(answer.content,), rounds=30, warmup_rounds=2)
    assert len(frame) == 25 * 17 * DAYS * 24


@one_answer
def test_flatten_in_parts(benchmark: Any, answer: ep.EngagementResponse) -> None:
    """The same counts in 25 answers of one post each."""
    counts = orjson.loads(answer.content)["by_hour"]
    parts = [
        ep.EngagementResponse(answer.request.replace(post_ids=[post]), {"by_hour": {post: of_it}})
        for post, of_it in counts.items()
    ]
    frame = benchmark.pedantic(ep.flatten, args=(parts,), rounds=10, warmup_rounds=1)
    pd.testing.assert_frame_equal(frame, ep.flatten(answer))


@one_answer
@pytest.mark.parametrize("way", [row_loop, by_duckdb, by_polars])
def test_one_answer_otherwise(
    benchmark: Any, answer: ep.EngagementResponse, way: Callable[..., Any]
) -> None:
    """Code that a user would write instead."""
    frame = benchmark.pedantic(way, args=([answer.content],), rounds=3)
    assert int(frame["count"].sum()) == ep.flatten(answer)["count"].sum()
    assert len(frame) == 25 * 17 * DAYS * 24


WAYS: Final[dict[Callable[..., Any], int]] = {
    ep.flatten: 1000,
    row_loop: 1000,
    by_duckdb: 1000,
    by_polars: 100,
    by_pandas: 10,
}
"""Each way, and the maximum number of answers for which it is measured."""


@pytest.mark.parametrize(
    ("number", "way"),
    [
        pytest.param(number, way, id=f"{way.__name__}-{number}")
        for number in (1, 10, 100, 1000)
        for way, maximum in WAYS.items()
        if number <= maximum
    ],
)
def test_answers(
    benchmark: Any, answers: list[ep.EngagementResponse], number: int, way: Callable[..., Any]
) -> None:
    """Many answers as one frame."""
    benchmark.group = f"answers of {FEW:,} counts: {number:5,}"
    selected = answers[:number]
    arguments: Sequence[Any] = selected if way is ep.flatten else [one.content for one in selected]
    frame = benchmark.pedantic(way, args=(arguments,), rounds=3, warmup_rounds=1)
    assert len(frame) == number * FEW


@pytest.mark.benchmark(group="totals")
def test_a_thousand_answers_of_totals(benchmark: Any) -> None:
    """Many small answers: 25,000 posts, two types, totals."""
    parts = []
    for batch in range(1000):
        posts = [str(10**18 + batch * 25 + n) for n in range(25)]
        request = ep.totals(posts, engagement_types=["favorites", "replies"])
        counts = {post: {"favorites": "5", "replies": "6"} for post in posts}
        parts.append(ep.EngagementResponse(request, {"by_post": counts}))
    frame = benchmark.pedantic(ep.flatten, args=(parts,), rounds=3)
    assert len(frame) == 50_000


HOURS: Final = tuple(f"{hour:02d}" for hour in range(24))
DATES: Final = tuple(str(START + timedelta(days=day)) for day in range(DAYS))
TYPES: Final = tuple(map(str, SERIES_TYPES))[:17]
WINDOW: Final = ep.Window.covering(START, START + timedelta(days=DAYS))
SERIES: Final = ["tweet.id", "engagement.type", "engagement.day", "engagement.hour"]
Body = tuple[ep.EngagementRequest, bytes]


def nested(rng: random.Random, levels: Sequence[Sequence[str]], left_out: float = 0) -> Any:
    """Return nested objects without a share of the innermost keys."""
    if not levels:
        return str(int(rng.paretovariate(0.5)) - 1)
    keys = [key for key in levels[0] if len(levels) > 1 or rng.random() >= left_out]
    return {key: nested(rng, levels[1:], left_out) for key in keys}


def ids(number: int, seed: int) -> list[str]:
    """Return post IDs."""
    rng = random.Random(seed)  # noqa: S311  IDs, not secrets
    return sorted(str(2 * 10**18 + rng.randrange(10**16)) for _ in range(number))


def series(by: Sequence[str], left_out: float = 0, change: Any = None, seed: int = 7) -> Body:
    """Return a response of /historical, with the window and empty lists as in real ones."""
    rng = random.Random(seed)  # noqa: S311  counts, not secrets
    keys = dict(zip(SERIES, (ids(25, seed), TYPES, DATES, HOURS), strict=True))
    request = ep.historical(
        keys["tweet.id"],
        engagement_types=TYPES,
        window=WINDOW,
        by={"g": by},  # type: ignore[dict-item]
    )
    body = {
        "start": f"{WINDOW.start:%Y-%m-%dT%H:%M:%SZ}",
        "end": f"{WINDOW.end:%Y-%m-%dT%H:%M:%SZ}",
        "unavailable_tweet_ids": [],
        "g": nested(rng, [keys[name] for name in by], left_out),
    }
    text = json.dumps(body)
    return request, (text if change is None else text.replace(*change)).encode()


def compact(body: Body) -> Body:
    """Return an answer without spaces, each count cut to one digit."""
    request, content = body
    return request, re.sub(rb'": "(-?[0-9])[0-9]*"', rb'":"\1"', content).replace(b", ", b",")


def totals(posts: int, types: Sequence[str], seed: int = 7) -> Body:
    """Return a response of /totals."""
    rng = random.Random(seed)  # noqa: S311  counts, not secrets
    request = ep.totals(ids(posts, seed), engagement_types=types)
    return request, json.dumps({"by_post": nested(rng, [request.post_ids, types])}).encode()


BOTH: Final = 2
"""The maximum time for counts and omissions, as a multiple of counts; 1.0 as measured."""

BY_HOUR_OF_DAY: Final = [*SERIES[:2], SERIES[3]]
ALL_TOTALS: Final = tuple(map(str, ep.TOTALS_TYPES))
TWO: Final = ("favorites", "replies")
SHAPES: Final[dict[str, Callable[[], list[Body]]]] = {
    "hours": lambda: [series(SERIES)],
    "hours, a name with an escape": lambda: [
        series(SERIES, change=('"replies"', '"repl\\u0069es"', 1))
    ],
    "hours, one in ten left out": lambda: [series(SERIES, 0.1)],
    "hours, half left out": lambda: [series(SERIES, 0.5)],
    "hours, half left out, few bytes": lambda: [compact(series(SERIES, 0.5))],
    "hours, nine in ten left out": lambda: [series(SERIES, 0.9)],
    "days": lambda: [series(SERIES[:3])],
    "hours of the day": lambda: [series(BY_HOUR_OF_DAY)],
    "totals, 250 posts of 7 types": lambda: [totals(250, ALL_TOTALS)],
    "totals, 250 posts of 2 types": lambda: [totals(250, TWO)],
    "totals, 25 posts of 2 types": lambda: [totals(25, TWO)],
    "100 answers of 25 posts of 2 types": lambda: [totals(25, TWO, seed) for seed in range(100)],
    "100 answers of totals": lambda: [totals(250, ALL_TOTALS, seed) for seed in range(100)],
    "20 answers by day": lambda: [series(SERIES[:3], seed=seed) for seed in range(20)],
}
"""The answers of each shape; those with half of the counts have more than a million bytes."""

LOOP: Final = 2.5
"""The maximum time of any shape, as a multiple of a loop over rows; at most 1.1 as measured.

The loop makes no rows for missing counts; ``flatten`` does.
"""


def loop_over_rows(bodies: Sequence[Body]) -> pd.DataFrame:
    """Flatten with a plain loop at any depth: one tuple per count."""
    rows: list[tuple[Any, ...]] = []
    for request, content in bodies:
        tree = json.loads(content)[request.groupings[0].name]
        match len(request.groupings[0].dimensions):
            case 2:
                rows += [(a, b, int(n)) for a, x in tree.items() for b, n in x.items()]
            case 3:
                rows += [
                    (a, b, c, int(n))
                    for a, x in tree.items()
                    for b, y in x.items()
                    for c, n in y.items()
                ]
            case _:
                rows += [
                    (a, b, c, d, int(n))
                    for a, x in tree.items()
                    for b, y in x.items()
                    for c, z in y.items()
                    for d, n in z.items()
                ]
    columns = [dimension.column for dimension in bodies[0][0].groupings[0].dimensions]
    frame = pd.DataFrame(rows, columns=[*columns, "count"])
    frame["engagement_type"] = frame["engagement_type"].astype("category")
    if "day" in frame:
        frame["day"] = pd.to_datetime(frame["day"])
    if "hour" in frame:
        frame["hour"] = frame["hour"].astype("int8")
    return frame.sort_values(columns, ignore_index=True)


def least(rounds: int, *ways: Callable[[], object]) -> list[float]:
    """Return the minimum CPU seconds of each way; they alternate, so that load affects all."""
    seconds = [math.inf] * len(ways)
    for _ in range(rounds):
        for i, way in enumerate(ways):
            start = time.process_time()
            way()
            seconds[i] = min(seconds[i], time.process_time() - start)
    return seconds


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_no_shape_takes_much_longer_than_a_loop(
    shape: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Most take a third of its time."""
    bodies = SHAPES[shape]()

    def flat() -> None:
        ep.flatten([ep.EngagementResponse(request, content) for request, content in bodies])

    def loads() -> None:
        for _, content in bodies:
            orjson.loads(content)

    flat()  # the imports of the first call do not count
    rounds = 8 if sum(len(content) for _, content in bodies) > 10**6 else 50
    taken, loaded, looped = least(rounds, flat, loads, lambda: loop_over_rows(bodies))
    with capsys.disabled():
        print(f"\n{shape}: {taken / loaded:.2f} x orjson.loads, {taken / looped:.2f} x row loop")  # noqa: T201
    assert taken <= LOOP * looped


@pytest.mark.slow
def test_omissions_need_no_second_parse(
    answer: ep.EngagementResponse, capsys: pytest.CaptureFixture[str]
) -> None:
    """Counts and omissions take less than twice the time of the counts."""

    def read(*readers: Callable[[ep.EngagementResponse], object]) -> None:
        new = ep.EngagementResponse(answer.request, answer.content)
        for reader in readers:
            reader(new)

    read(ep.flatten, ep.omissions)
    counts, both = least(10, lambda: read(ep.flatten), lambda: read(ep.flatten, ep.omissions))
    with capsys.disabled():
        print(f"\ncounts and omissions: {both / counts:.2f} x counts")  # noqa: T201
    assert both <= BOTH * counts


COLLECT: Final = """
import sys
from datetime import timedelta
from pathlib import Path
sys.path.insert(0, {here!r})
import test_flattening as benchmark
import engagement_pandas as ep
from engagement_pandas.request.plan import plan

proto = benchmark.make(kinds=2)
ids = proto.request.post_ids
posts = [str(int(post) + 4 * n) for n in range({number}) for post in ids]
request = proto.request.replace(post_ids=posts)
planned = plan(request, now=proto.request.window.end + timedelta(days=1))
collection = ep.Archive({folder!r}).collection(planned, "nobody", planned.now)
for part in collection.requests:
    content = proto.content
    for old, new in zip(ids, part.post_ids):
        content = content.replace(old.encode(), new.encode())
    collection.keep(ep.EngagementResponse(part, content, 200, planned.now))
collection.finish()
"""
"""Store ``number`` answers of 33,600 counts."""

MEASURE: Final = """
import json, resource
import pyarrow.compute
import engagement_pandas as ep

ep.flatten  # imports do not count
def now():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
def peak():
    lines = open("/proc/self/status").read().splitlines()
    return 1024 * int(next(line.split()[1] for line in lines if line.startswith("VmHWM")))
before, start = now(), resource.getrusage(resource.RUSAGE_SELF)
frame = ep.flatten(ep.Archive({folder!r}))
done = resource.getrusage(resource.RUSAGE_SELF)
spent = dict(user=done.ru_utime - start.ru_utime, system=done.ru_stime - start.ru_stime)
size = int(frame.memory_usage(deep=True).sum())
print(json.dumps(dict(rows=len(frame), frame=size, peak=peak() - before, **spent)))
"""


def measured(folder: Path, number: int) -> dict[str, Any]:
    """Store this number of answers, and measure how the archive is flattened in a new process."""
    here = str(Path(__file__).parent)
    for script in (COLLECT, MEASURE):
        code = script.format(here=here, folder=str(folder), number=number)
        report = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)  # noqa: S603
    return dict(json.loads(report.stdout))


@pytest.mark.long
def test_memory_and_growth(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """1,000 answers take at most three frames of memory, and time linear in their number.

    The time is that of the program. The system's time depends on the memory that it clears, which
    is reused only while there is little of it.
    """
    report = {number: measured(tmp_path / str(number), number) for number in (100, 1000)}
    per_answer, system = (
        {number: result[clock] / number for number, result in report.items()}
        for clock in ("user", "system")
    )
    frames = {number: result["peak"] / result["frame"] for number, result in report.items()}
    with capsys.disabled():
        print(f"\nCPU ms an answer: { {n: round(1e3 * s, 1) for n, s in per_answer.items()} }")  # noqa: T201
        print(f"and of the system: { {n: round(1e3 * s, 1) for n, s in system.items()} }")  # noqa: T201
        print(f"peak in frames: { {n: round(f, 2) for n, f in frames.items()} }")  # noqa: T201
    assert report[1000]["rows"] == 1000 * 25 * 2 * DAYS * 24
    assert frames[1000] <= FRAMES
    assert per_answer[1000] <= GROWTH * per_answer[100]
