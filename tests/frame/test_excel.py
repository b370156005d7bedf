"""Excel workbooks, read back with openpyxl."""

from __future__ import annotations

import datetime as dt
import inspect
import io
import re
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest
from support.tidy_frames import hourly, missing, omitted

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame import excel
from engagement_pandas.frame.contract import TEXT

POST = "2091095333082140951"
OTHER_POST = "2091095333082140999"
POSTS = f"post_id,handle,text,created_at\n{POST},@baker,=Bread,2026-08-22T09:30:00Z\n"


def cells(frame: Any, path: Path) -> list[tuple[Any, ...]]:
    """Write a frame, and return the cells of the sheet."""
    ep.write_excel(frame, path / "frame.xlsx")
    return list(openpyxl.load_workbook(path / "frame.xlsx").active.iter_rows(values_only=True))


def test_counts_are_typed(tmp_path: Path) -> None:
    """IDs have all digits, days are dates, and counts numbers."""
    body = {"g": {POST: {"impressions": {"2026-03-01": {"07": "551"}}}}}
    assert cells(ep.flatten_json(body), tmp_path) == [
        ("post_id", "engagement_type", "day", "hour", "count"),
        (POST, "impressions", dt.datetime(2026, 3, 1), 7, 551),  # noqa: DTZ001 - as in Excel
    ]
    cell = openpyxl.load_workbook(tmp_path / "frame.xlsx").active["A2"]
    assert (cell.data_type, cell.number_format) == ("s", "@")


def test_time_zones_are_in_the_heading(tmp_path: Path) -> None:
    """Times are local, so that a day begins at midnight."""
    body = {"g": {"impressions": {"2026-03-01": {"23": "5"}}}}
    counts = ep.flatten_json(
        body, group_by=["engagement.type", "engagement.day", "engagement.hour"]
    )
    days = cells(ep.over_time(counts, by=None, tz="Europe/Berlin"), tmp_path)
    assert days[0][0] == "start (Europe/Berlin)"
    assert days[1][0] == dt.datetime(2026, 3, 2)  # noqa: DTZ001
    assert cells(ep.over_time(counts, by=None), tmp_path)[0][0] == "start (UTC)"


def test_a_missing_value_is_an_empty_cell(tmp_path: Path) -> None:
    """It is neither 0 nor a text."""
    assert cells(missing(), tmp_path)[1] == ("1", "video_views", None)
    frame = pd.DataFrame({"a": [1.5, float("nan"), float("inf")], "b": [1, 2, 3]})
    assert cells(frame, tmp_path)[1:] == [(1.5, 1), (None, 2), (None, 3)]


@pytest.mark.parametrize("text", ["=1+1", "=HYPERLINK(1)", "+1", "@you", "-", "TRUE", "1e5"])
def test_texts_are_not_formulas(text: str, tmp_path: Path) -> None:
    """A post may begin with an equals sign."""
    ep.write_excel(pd.DataFrame({"text": [text]}), tmp_path / "frame.xlsx")
    cell = openpyxl.load_workbook(tmp_path / "frame.xlsx").active["A2"]
    assert (cell.value, cell.data_type) == (text, "s")


def test_invalid_characters_are_replaced(tmp_path: Path) -> None:
    """Line breaks and other scripts stay."""
    frame = pd.DataFrame({"text": ["a\x0bb", "投稿\n🥖"]})
    assert cells(frame, tmp_path)[1:] == [("a\ufffdb",), ("投稿\n🥖",)]


def test_numbers_of_16_digits_are_texts(tmp_path: Path) -> None:
    """Excel has 15 digits."""
    rows = [row[-1] for row in cells(hourly(), tmp_path)[1:]]
    assert sorted(map(str, rows)) == sorted(map(str, hourly()["count"]))
    assert cells(pd.DataFrame({"n": [10**15 - 1, 10**15]}), tmp_path)[1:] == [
        (10**15 - 1,),
        (str(10**15),),
    ]


def test_an_index_with_names_or_values_is_written(tmp_path: Path) -> None:
    """Names of columns may be numbers."""
    series = pd.Series([5], index=pd.Index([POST], name="post_id"), name="count")
    assert cells(series, tmp_path) == [("post_id", "count"), (POST, 5)]
    assert cells(pd.DataFrame({0: [1]}), tmp_path)[0] == ("0",)


def readings(counts: pd.DataFrame) -> pd.DataFrame:
    """Return totals with two retrieval times."""
    times = pd.to_datetime(["2026-08-28T09:30Z", "2026-09-04T09:30Z"]).as_unit("us")
    totals = counts.drop(columns=["day", "hour"]).drop_duplicates(["post_id", "engagement_type"])
    frames = []
    for retrieved_at in times:
        frame = totals.copy()
        frame.insert(2, "retrieved_at", pd.Series(retrieved_at, frame.index, dtype=times.dtype))
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def other_post(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the same counts of another post."""
    return counts.assign(post_id=pd.Series(OTHER_POST, counts.index, dtype=TEXT))


def adjusted() -> pd.DataFrame:
    """Return the comparison of three accounts with thirty posts each."""
    sizes = {str(2027900000000000000 + (n << 44)): 100 + n % 7 for n in range(90)}
    counts = ep.flatten_json({"g": {post: {"impressions": size} for post, size in sizes.items()}})
    posts = pd.DataFrame({"post_id": list(sizes), "handle": list("abc") * 30, "followers": 500})
    return ep.adjusted_comparison(counts, posts, exponent=1, at=None)


FRAMES: dict[str, Any] = {
    "omissions": lambda _: omitted(),
    "latest": lambda counts: ep.latest(readings(counts)),
    "growth": lambda counts: ep.growth(readings(counts)),
    "compare": lambda counts: ep.compare(counts, other_post(counts)),
    "power": ep.power,
    "rate_by_age": ep.rate_by_age,
    "running_total": ep.running_total,
    "tall": lambda counts: ep.tall(ep.wide(counts)),
    "created_at": lambda counts: ep.created_at(counts["post_id"]),
    "read_posts": lambda _: ep.read_posts(io.StringIO(POSTS)),
    "adjusted_comparison": lambda _: adjusted(),
    "age": ep.age,
    "benchmark": ep.benchmark,
    "best_times": ep.best_times,
    "breakouts": ep.breakouts,
    "by_age": ep.by_age,
    "concentration": ep.concentration,
    "cumulative": ep.cumulative,
    "engagement_rate": ep.engagement_rate,
    "forecast": lambda counts: ep.forecast(counts, at=24),
    "funnel": ep.funnel,
    "half_life": ep.half_life,
    "median_half_life": ep.median_half_life,
    "over_time": ep.over_time,
    "rate_over_time": ep.rate_over_time,
    "standing": ep.standing,
    "summarise": ep.summarise,
    "timestamps": ep.timestamps,
    "top_posts": ep.top_posts,
    "type_correlation": ep.type_correlation,
    "versus_previous": lambda counts: ep.versus_previous(counts, days=1),
    "wide": ep.wide,
}


TIDY = {
    "counts_from",
    "flatten",
    "flatten_analytics",
    "flatten_json",
    "flatten_lookup",
    "read_csv",
    "read_parquet",
    "read_x_analytics",
    "read_x_overview",
    "v2_omissions",
}
"""Functions that return counts or omissions, which are tested below other names."""


def test_the_list_of_frames_is_complete() -> None:
    """Each public function that returns a frame or a column is in it."""
    functions = {name: getattr(ep, name) for name in dir(ep)}
    returned = {
        name: str(inspect.signature(function).return_annotation)
        for name, function in functions.items()
        if inspect.isfunction(function)
    }
    frames_ = {
        name
        for name, annotation in returned.items()
        if re.search(r"\b(DataFrame|Series)\b", annotation)
    }
    assert frames_ - TIDY <= FRAMES.keys()


@pytest.mark.slow
@pytest.mark.parametrize("name", FRAMES)
def test_every_frame_is_written(name: str, tmp_path: Path) -> None:
    """All rows and columns are there, with unchanged IDs."""
    hours = {f"{hour:02d}": "7" for hour in range(24)}
    days = {f"2026-08-{day}": hours for day in range(23, 28)}
    types = {"impressions": days, "engagements": days}
    body = {"start": "2026-08-23T00:00:00Z", "end": "2026-08-28T00:00:00Z", "g": {POST: types}}
    frame = FRAMES[name](ep.flatten_json(body))
    rows = cells(frame, tmp_path)
    assert len(rows) == len(frame) + 1
    if isinstance(frame, pd.DataFrame):
        assert [str(cell).split(" (")[0] for cell in rows[0]] == list(map(str, frame.columns))
        if "post_id" in frame:
            assert [row[list(frame.columns).index("post_id")] for row in rows[1:]] == list(
                frame["post_id"]
            )


@pytest.mark.parametrize(
    ("frame", "name", "words"),
    [
        (pd.DataFrame(), "frame.xls", "does not end in .xlsx"),
        ([], "frame.xlsx", "not a list"),
        (pd.DataFrame(index=range(9)), "frame.xlsx", "has 9 rows, and a sheet of Excel holds 8"),
    ],
)
def test_refused(
    frame: Any, name: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before anything is written; a file that is there stays."""
    monkeypatch.setattr(excel, "MOST_ROWS", 8)
    (tmp_path / name).write_text("mine")
    with pytest.raises(FrameError, match=words):
        ep.write_excel(frame, tmp_path / name)
    assert (tmp_path / name).read_text() == "mine"


def test_without_openpyxl_the_error_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has the command."""

    def refuse(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(excel, "import_module", refuse)
    with pytest.raises(FrameError, match=r"pip install 'engagement_pandas\[excel\]'"):
        ep.write_excel(missing(), tmp_path / "frame.xlsx")


def test_characters_invalid_in_xml_are_replaced(tmp_path: Path) -> None:
    """The workbook can be read."""
    path = tmp_path / "odd.xlsx"
    ep.write_excel(pd.DataFrame({"text": ["a\uffffb", "c\x00d"]}), path)
    assert pd.read_excel(path)["text"].to_list() == ["a\ufffdb", "c\ufffdd"]


def test_a_text_longer_than_a_cell_is_refused(tmp_path: Path) -> None:
    """Excel would cut it; nothing is written."""
    path = tmp_path / "long.xlsx"
    with pytest.raises(FrameError, match="40,000 characters in row 1"):
        ep.write_excel(pd.DataFrame({"text": ["a", "x" * 40_000]}), path)
    assert not path.exists()


def test_an_index_named_like_a_column_is_refused(tmp_path: Path) -> None:
    """The error has the cure."""
    frame = pd.DataFrame({"post_id": ["7"]}, index=pd.Index(["8"], name="post_id"))
    with pytest.raises(FrameError, match="named like a column"):
        ep.write_excel(frame, tmp_path / "twice.xlsx")


def test_times_of_several_zones_are_texts(tmp_path: Path) -> None:
    """They keep their offsets."""
    times = [pd.Timestamp("2026-03-01T09:00+01:00"), pd.Timestamp("2026-03-01T09:00Z")]
    path = tmp_path / "zones.xlsx"
    ep.write_excel(pd.DataFrame({"at": pd.Series(times, dtype=object)}), path)
    expected = ["2026-03-01T09:00:00+01:00", "2026-03-01T09:00:00+00:00"]
    assert pd.read_excel(path)["at"].to_list() == expected
