"""Frames of other programs are accepted by every function if no cast loses information."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame.coercion import as_counts, to_ids
from engagement_pandas.frame.contract import TEXT, check_counts
from engagement_pandas.frame.parse_numbers import to_hours, to_numbers
from engagement_pandas.frame.parse_times import to_days, to_moments

POSTS = ("2027900000000000001", "2027900000000000002", "2027900000000000003")
TYPES = {"impressions": 900, "engagements": 12, "favorites": 7}


def tidy() -> pd.DataFrame:
    """Return counts of three posts, three types, two hours; one count is unknown."""
    hours = {
        post: {
            engagement_type: {"2026-03-01": {"07": str(size + n), "08": str(size)}}
            for engagement_type, size in TYPES.items()
        }
        for n, post in enumerate(POSTS)
    }
    counts = ep.flatten_json(
        {"start": "2026-03-01T07:00:00Z", "end": "2026-03-01T09:00:00Z", "g": hours}
    )
    counts.loc[3, "count"] = pd.NA
    return counts


def typed_by_hand(_: Path) -> pd.DataFrame:
    """Return these counts as typed by hand: objects, and int64 where nothing is missing."""
    rows = tidy()
    return pd.DataFrame(
        {
            "post_id": rows["post_id"].astype("int64"),
            "engagement_type": rows["engagement_type"].astype(object),
            "day": [date(2026, 3, 1)] * len(rows),
            "hour": rows["hour"].astype("int64"),
            "count": [None if n is pd.NA else f"{n:,}" for n in rows["count"]],
        }
    )


def parquet_path(folder: Path) -> str:
    """Write the counts with write_parquet, and return the path."""
    path = str(folder / "counts.parquet")
    ep.write_parquet(tidy(), path)
    return path


FRAMES: dict[str, Callable[[Path], Any]] = {
    "pd.read_parquet": lambda folder: pd.read_parquet(parquet_path(folder)),
    "pd.read_parquet, pyarrow": lambda folder: pd.read_parquet(
        parquet_path(folder), dtype_backend="pyarrow"
    ),
    "pd.read_parquet, nullable": lambda folder: pd.read_parquet(
        parquet_path(folder), dtype_backend="numpy_nullable"
    ),
    "pd.concat": lambda _: pd.concat([tidy()[:3], tidy()[3:].astype({"engagement_type": TEXT})]),
    "duckdb.df": lambda folder: duckdb.sql(f"from '{parquet_path(folder)}'").df(),
    "duckdb": lambda folder: duckdb.sql(f"from '{parquet_path(folder)}'"),
    "polars": lambda folder: pl.read_parquet(parquet_path(folder)),
    "polars.to_pandas": lambda folder: pl.read_parquet(parquet_path(folder)).to_pandas(),
    "polars.to_pandas, arrow": lambda folder: pl.read_parquet(parquet_path(folder)).to_pandas(
        use_pyarrow_extension_array=True
    ),
    "pyarrow": lambda folder: pq.read_table(parquet_path(folder)),
    "pyarrow batch": lambda folder: pq.read_table(parquet_path(folder)).to_batches()[0],
    "objects": lambda _: tidy().astype(object),
    "pandas 2": lambda _: (
        tidy()
        .assign(day=lambda c: c["day"].astype("datetime64[ns]"))
        .astype({"post_id": object, "engagement_type": object, "hour": "int64", "count": "float64"})
    ),
    "typed by hand": typed_by_hand,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", FRAMES)
def test_frames_of_other_programs_are_cast(name: str, tmp_path: Path) -> None:
    """The result has the contract's dtypes, order and values."""
    counts = as_counts(FRAMES[name](tmp_path))
    check_counts(counts)
    expected = tidy()
    assert_same(counts.reset_index(drop=True), expected)
    if name in {"pd.read_parquet", "pyarrow"}:
        assert counts.attrs == {n: expected.attrs[n] for n in ("start", "end")}


def assert_same(actual: pd.DataFrame, expected: pd.DataFrame) -> None:
    """Assert that frames are equal; pandas 2 reads the names of categories as objects."""
    for name in actual.columns.intersection(["engagement_type"]):
        names = actual[name].cat.categories
        assert names.to_list() == expected[name].cat.categories.to_list()
        actual = actual.assign(**{name: actual[name].cat.rename_categories(names.astype(TEXT))})
    pd.testing.assert_frame_equal(actual, expected)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "over_time": ep.over_time,
    "engagement_rate": ep.engagement_rate,
    "summarise": ep.summarise,
    "top_posts": ep.top_posts,
    "wide": ep.wide,
    "timestamps": ep.timestamps,
    "age": ep.age,
    "plot_by_type": ep.plot_by_type,
    "plot_top_posts": ep.plot_top_posts,
    "write_csv": lambda counts: ep.write_csv(counts, "counts.csv"),
    "write_parquet": lambda counts: ep.write_parquet(counts, "counts.parquet"),
}


# Each function has some of the frames here, and the others in CI only.
PAIRS = [
    pytest.param(function, name, marks=() if (row + column) % 4 == 0 else pytest.mark.long)
    for row, function in enumerate(FUNCTIONS)
    for column, name in enumerate(FRAMES)
]


@pytest.mark.slow
@pytest.mark.parametrize(("function", "name"), PAIRS)
def test_every_function_accepts_them(
    function: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Metrics, plots and writers have the results of the tidy frame."""
    frame = FRAMES[name](tmp_path)
    monkeypatch.chdir(tmp_path)
    actual = FUNCTIONS[function](frame)
    plt.close("all")
    if isinstance(actual, pd.DataFrame | pd.Series):
        expected = tidy()
        if "read_parquet" not in name and name != "pyarrow":
            expected.attrs = {}
            frame = as_counts(frame)
            frame.attrs = {}
            actual = FUNCTIONS[function](frame)
        equal = assert_same if isinstance(actual, pd.DataFrame) else pd.testing.assert_series_equal
        equal(actual.reset_index(drop=True), FUNCTIONS[function](expected).reset_index(drop=True))  # type: ignore[operator]


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "typed by hand",
        *(pytest.param(n, marks=pytest.mark.long) for n in ("pd.read_parquet", "duckdb", "polars")),
    ],
)
def test_explorers_accept_them(name: str, tmp_path: Path) -> None:
    """All three explorers of counts do."""
    for explorer in (ep.EngagementExplorer, ep.CompareExplorer, ep.BestTimesExplorer):
        explorer(FRAMES[name](tmp_path)).close()


def test_the_accessor_accepts_them() -> None:
    """The frame was typed by hand."""
    frame = pd.DataFrame({"count": [7], "engagement_type": ["favorites"], "post_id": ["1"]})
    assert frame.engagement.top_posts(by="favorites")["favorites"].to_list() == [7]


@pytest.mark.parametrize("dtype", [object, "category", TEXT])
def test_engagement_types_have_any_of_their_names(dtype: Any) -> None:
    """A rate of likes is a rate of favorites; names without a meaning are kept."""
    names = {"impressions": " Impressions", "engagements": "profile_banner_clicks"}
    types = tidy()["engagement_type"].astype(object).replace({**names, "favorites": "Likes"})
    counts = tidy().assign(engagement_type=types.astype(dtype))
    assert set(as_counts(counts)["engagement_type"]) == {
        "impressions",
        "favorites",
        "profile_banner_clicks",
    }
    rate = ep.engagement_rate(counts, numerator="favorites", by="post_id")
    expected = ep.engagement_rate(tidy(), numerator="favorites", by="post_id")
    pd.testing.assert_frame_equal(rate, expected)


def test_a_type_by_two_names_is_refused() -> None:
    """Its counts would be added twice."""
    counts = tidy()[lambda c: c["engagement_type"] == "favorites"]
    both = [counts.assign(engagement_type=name) for name in ("likes", "favorites")]
    with pytest.raises(FrameError, match="favorites"):
        ep.summarise(pd.concat(both))


def test_a_tidy_frame_is_returned_unchanged() -> None:
    """It is not copied, and additional columns are kept."""
    counts = tidy()
    assert as_counts(counts) is counts
    with_campaign = counts.assign(campaign="a")
    assert as_counts(with_campaign) is with_campaign


def test_the_input_is_not_changed() -> None:
    """A cast makes another frame."""
    frame = typed_by_hand(Path())
    before = frame.copy()
    as_counts(frame)
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize(
    ("value", "expected_count"),
    [
        ("1,234", 1234),
        ("1,234,567", 1234567),
        ("424.0", 424),
        ("1 234", 1234),
        ("-", None),
        ("", None),
        ("N/A", None),
        ("-3", -3),
        (5.0, 5),
        (np.int64(5), 5),
        (None, None),
        (float("nan"), None),
        (2**63 - 1, 2**63 - 1),
    ],
)
def test_counts_are_parsed(value: Any, expected_count: int | None) -> None:
    """Programs write numbers in several ways; a dash is unknown, not 0."""
    frame = pd.DataFrame(
        {"engagement_type": ["favorites"], "count": pd.Series([value], dtype=object)}
    )
    count = as_counts(frame)["count"]
    assert str(count.dtype) == "Int64"
    assert count.to_list() == [pd.NA if expected_count is None else expected_count]


@pytest.mark.parametrize(
    ("column", "values", "words"),
    [
        ("count", [1, 2.5], "'count' in row 1 is 2.5, not a whole number"),
        ("count", ["1", "1.2K"], "'count' in row 1: '1.2K' is not a whole number"),
        ("count", ["1", "12,34"], "'12,34'"),
        ("count", ["1.234", "2"], "'1.234'"),
        ("count", [True, False], "not a count"),
        ("count", [2.0**60, 1.0], "lost digits"),
        ("count", [float("inf"), 1.0], "not a whole number"),
        ("count", np.array([2**63, 1], dtype="uint64"), "64 bits"),
        ("post_id", [2.0279e18, 1.0], "'post_id' in row 0 .*dtype={'post_id': str}"),
        ("post_id", ["7", "2.0279E+18"], "'post_id' in row 1: .*lost"),
        ("post_id", ["7", None], "'post_id' is missing in row 1"),
        ("post_id", ["7", "https://example.com/7"], "'post_id' in row 1"),
        (
            "post_id",
            [2125450880059700000, 2125883449981010000],
            "lost their last digits in Excel",
        ),
        ("engagement_type", ["favorites", 5], "'engagement_type' in row 1 is 5, not text"),
        ("hour", [5, 24], "'hour' in row 1 is 24, not an hour"),
        ("hour", [5, None], "'hour' in row 1 is nan, missing"),
        ("day", ["2026-03-01", "03/01/2026"], "'day' in row 1 is '03/01/2026', not a time"),
        ("day", [20260301, 20260302], "a number, not a time"),
        ("day", ["2026-03-01", "2026-03-01T05:00"], "not at midnight"),
        (
            "day",
            pd.to_datetime(["2026-03-01", "2026-03-02"]).tz_localize("Europe/Berlin"),
            "days of Europe/Berlin.*counts_from",
        ),
        ("retrieved_at", pd.to_datetime(["2026-03-01", "2026-03-02"]), "without a time zone"),
    ],
)
def test_a_cast_that_loses_information_is_refused(column: str, values: Any, words: str) -> None:
    """The error has the row, the value and the cure."""
    columns = {
        "post_id": ["1", "2"],
        "engagement_type": ["favorites", "favorites"],
        "day": ["2026-03-01", "2026-03-01"],
        "count": [1, 2],
        column: pd.Series(values, dtype=object)
        if isinstance(values, list) and isinstance(values[-1], str)
        else values,
    }
    with pytest.raises(FrameError, match=words):
        ep.over_time(pd.DataFrame(columns))


def test_links_are_ids() -> None:
    """The ID is extracted."""
    frame = pd.DataFrame(
        {
            "post_id": [f"https://x.com/bakery/status/{POSTS[0]}?s=20"],
            "engagement_type": ["favorites"],
            "count": [1],
        }
    )
    assert as_counts(frame)["post_id"].to_list() == [POSTS[0]]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        ([1], "not a list"),
        (pd.Series([1], name="count"), "not a Series"),
        (pl.LazyFrame({"count": [1]}), r"frame.collect\(\)"),
        ("counts.csv", "not a str"),
    ],
)
def test_other_objects_are_refused(frame: Any, words: str) -> None:
    """The error has the accepted types."""
    with pytest.raises(FrameError, match=words):
        ep.over_time(frame)


def test_arrow_integers_may_have_any_width() -> None:
    """Unsigned ones are accepted too."""
    table = pa.table(
        {
            "post_id": pa.array([2027900000000000001], pa.uint64()),
            "engagement_type": ["favorites"],
            "count": pa.array([7], pa.uint16()),
        }
    )
    assert as_counts(table).to_dict("list") == {
        "post_id": ["2027900000000000001"],
        "engagement_type": ["favorites"],
        "count": [7],
    }


@pytest.mark.parametrize("text", ["1.000", "12.000", "-950.000"])
def test_a_dot_before_three_zeros_is_refused(text: str) -> None:
    """It may separate thousands, so it is not read as a decimal point."""
    with pytest.raises(FrameError, match="not a whole number"):
        to_numbers(pd.Series(["7", text], name="Likes"))


@pytest.mark.parametrize(("text", "number"), [("0.000", 0), ("1234.000", 1234), ("1.00", 1)])
def test_other_zeros_after_a_dot_are_decimals(text: str, number: int) -> None:
    """The value is an integer."""
    assert to_numbers(pd.Series([text])).to_list() == [number]


def test_a_time_without_a_zone_among_others_is_refused() -> None:
    """It is not assumed to be UTC."""
    times = pd.Series(["2026-03-01T09:00+02:00", "2026-03-01T09:00"], name="retrieved_at")
    with pytest.raises(FrameError, match=r"in row 1 is .*without a time zone, among others"):
        to_moments(times)


def test_times_of_several_zones_become_utc() -> None:
    """Each distinct text is parsed once; missing times stay missing."""
    texts = ["2026-03-01T09:00+02:00", None, "2026-03-01T09:00Z", "2026-03-01T09:00+02:00"]
    assert to_moments(pd.Series(texts)).to_list() == [
        pd.Timestamp("2026-03-01T07:00Z"),
        pd.NaT,
        pd.Timestamp("2026-03-01T09:00Z"),
        pd.Timestamp("2026-03-01T07:00Z"),
    ]


@pytest.mark.parametrize("days", [["0999-12-31", "9999-12-31"], [date(999, 12, 31), date.max]])
def test_days_may_exceed_the_range_of_nanoseconds(days: list[Any]) -> None:
    """The contract has microseconds."""
    days_read = to_days(pd.Series(days)).to_numpy()
    assert days_read.tolist() == [datetime(999, 12, 31), datetime(9999, 12, 31)]  # noqa: DTZ001


@pytest.mark.parametrize("value", [["2026-03-01"], "1 March 0999", "03/04/0999"])
def test_an_invalid_time_is_refused(value: Any) -> None:
    """The error has the row."""
    with pytest.raises(FrameError, match=r"'day' in row 1 is .*not a time; write days as"):
        to_days(pd.Series(["2026-03-01", value], name="day"))


@pytest.mark.parametrize(
    "values",
    [
        np.array([2**24 + 1], dtype="float32"),
        pd.array([2**24 + 2], dtype="Float32"),
        pd.array([2.0**24], dtype="float[pyarrow]"),
        np.array([2049], dtype="float16"),
        np.array([np.float32(2**24 + 1)], dtype=object),
        np.array([2**53 + 1], dtype="float64"),
    ],
)
def test_each_float_has_its_own_digits(values: Any) -> None:
    """A float32 of 16,777,217 is 16,777,216."""
    with pytest.raises(FrameError, match=r"in row 0.* float"):
        to_numbers(pd.Series(values, name="count"))


@pytest.mark.parametrize("number", ["Infinity", "-Infinity", "1e30", "5.5"])
def test_decimals_that_are_not_counts_are_refused(number: str) -> None:
    """They are refused as objects and as Arrow's decimals."""
    with pytest.raises(FrameError, match=f"in row 0: Decimal.*{number[:1]}"):
        to_numbers(pd.Series([Decimal(number)], name="count"))
    if number == "5.5":
        decimals = pd.array([Decimal(number)], dtype=pd.ArrowDtype(pa.decimal128(5, 2)))
        with pytest.raises(FrameError, match="not a whole number"):
            to_numbers(pd.Series(decimals, name="count"))


def test_complex_numbers_are_refused() -> None:
    """Their imaginary part would be lost."""
    with pytest.raises(FrameError, match="is not a count"):
        to_numbers(pd.Series([1j], name="count"))


@pytest.mark.parametrize("kind", ["period", object])
def test_periods_of_a_day_are_days(kind: Any) -> None:
    """Longer ones are not, in a column of their own or of objects."""
    days = pd.Series(pd.period_range("2026-03-01", periods=1, freq="D"), name="day")
    months = pd.Series(pd.period_range("2026-03-01", periods=1, freq="M"), name="day")
    if kind is object:
        days, months = days.astype(object), months.astype(object)
    assert to_days(days).to_list() == [pd.Timestamp("2026-03-01")]
    with pytest.raises(FrameError, match=r"'day' in row 0 is Period.*not a time"):
        to_days(months)


@pytest.mark.parametrize("day", ["2026-03", "2026"])
def test_months_and_years_are_not_days(day: str) -> None:
    """ISO 8601 has them too."""
    with pytest.raises(FrameError, match=f"'day' in row 0 is '{day}', not a time"):
        to_days(pd.Series([day], name="day"))


@pytest.mark.parametrize("text", ["0,065", "0 500", "-0,123", "012,345"])
def test_a_group_of_thousands_does_not_begin_with_zero(text: str) -> None:
    """A rate of 0,065 is not a count of 65."""
    with pytest.raises(FrameError, match="is not a whole number"):
        to_numbers(pd.Series([text], name="count"))


def test_lists_of_other_columns_do_not_matter() -> None:
    """Polars has views of texts, also in lists and structs, which pandas cannot hold."""
    rows = {"post_id": POSTS[:1], "engagement_type": ["favorites"], "count": [7]}
    tags: dict[str, Any] = {"tags": [["a", "b"]], "place": [{"name": "Bonn", "words": ["x"]}]}
    counts = ep.counts_from(pl.DataFrame({**rows, **tags}))
    assert counts["count"].to_list() == [7]


def test_decimal_ids_are_exact() -> None:
    """Warehouses have numbers of 38 digits, and DuckDB's HUGEINT is one of them."""
    ids = pd.Series([Decimal(POSTS[0]), Decimal(f"{POSTS[1]}.0")])
    assert to_ids(ids).to_list() == list(POSTS[:2])
    relation = duckdb.sql(f"select {POSTS[0]}::hugeint as post_id, 7 as Likes")
    assert ep.counts_from(relation)["post_id"].to_list() == [POSTS[0]]
    with pytest.raises(FrameError, match=r"Decimal\('7.5'\) is not a post ID"):
        to_ids(pd.Series([Decimal("7.5")]))
    with pytest.raises(FrameError, match=r"Decimal\('Infinity'\) is not a post ID"):
        to_ids(pd.Series([Decimal("Infinity"), "7"]))


def test_days_may_have_blanks_and_are_no_numbers() -> None:
    """Tables that were aligned for reading have blanks."""
    assert to_days(pd.Series([" 2026-03-01 "])).to_list() == [pd.Timestamp("2026-03-01")]
    for number in (Decimal(20260301), 20260301):
        with pytest.raises(FrameError, match="not a time; write days as"):
            to_days(pd.Series([number], dtype=object))


def test_the_smallest_integer_is_no_count() -> None:
    """-2**63 stands for a missing value in other programs, and has no positive counterpart."""
    with pytest.raises(FrameError, match="-9223372036854775808, more than 64 bits hold"):
        to_numbers(pd.Series([-(2**63), 1]))


def test_no_times_of_retrieval_are_none() -> None:
    """An empty column has no dtype that states a zone."""
    for empty in (pd.Series([], dtype=object), pd.Series([], dtype="datetime64[ns]")):
        assert str(to_moments(empty).dtype) == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    "hour", ["05:00", " 5:00:00", time(5), pd.Timestamp("2026-03-01 05:00").time()]
)
def test_hours_may_be_times_of_the_clock(hour: Any) -> None:
    """As those of workbooks and of TIME in SQL; minutes would be lost."""
    assert to_hours(pd.Series([hour])).to_list() == [5]
    assert to_hours(pd.Series([hour], dtype="category")).to_list() == [5]
    for wrong in ("05:30", time(5, 30), "24:00", "5 PM"):
        with pytest.raises(FrameError, match="'hour' in row 1"):
            to_hours(pd.Series([hour, wrong], name="hour"))


def test_hours_of_duckdb_may_be_times() -> None:
    """It has a type for them."""
    query = (
        f"select {POSTS[0]} as post_id, date '2026-03-01' as day, time '05:00' as hour, 7 as Likes"
    )
    assert ep.counts_from(duckdb.sql(query))["hour"].to_list() == [5]
