"""Tidy counts from tables of other programs."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame.contract import check_counts

ONE, TWO = "2027900000000000001", "2027900000000000002"


def suite_export() -> pd.DataFrame:
    """Return a wide table as exported by a social media suite."""
    return pd.DataFrame(
        {
            "Date": ["03/15/2024 10:05 am", "03/15/2024 11:05 am"],
            "Link": [f"https://x.com/bakery/status/{TWO}", f"https://twitter.com/b/status/{ONE}"],
            "Post": ["one", "two"],
            "Impressions": ["1,200", "90"],
            "Reactions": ["7", "-"],
            "Shares": [2, 0],
            "Engagement Rate (per Impression)": ["6.5%", "0%"],
        }
    )


def test_a_wide_table_of_a_suite_is_accepted() -> None:
    """IDs are in links, numbers have thousands or are a dash; other columns are left out."""
    types = {"Impressions": "impressions", "Reactions": "Likes", "Shares": "retweets"}
    counts = ep.counts_from(suite_export(), types=types, source="sprout")
    assert counts.to_dict("list") == {
        "post_id": [ONE, ONE, ONE, TWO, TWO, TWO],
        "engagement_type": ["impressions", "favorites", "retweets"] * 2,
        "source": ["sprout"] * 6,
        "count": [90, None, 0, 1200, 7, 2],
    }
    check_counts(counts)


def test_columns_named_like_types_are_recognised() -> None:
    """Ambiguous names are refused."""
    table = pd.DataFrame({"Tweet id": [ONE], "Views": [90], "Likes": [7], "mood": ["good"]})
    counts = ep.counts_from(table)
    assert counts["engagement_type"].to_list() == ["impressions", "favorites"]
    with pytest.raises(FrameError, match=r"\['Likes', 'favourites'\] are all 'favorites'"):
        ep.counts_from(table.assign(favourites=[6]))


def test_a_long_table_may_have_other_names() -> None:
    """Arguments name its columns."""
    table = pd.DataFrame(
        {"id": [ONE], "metric": ["url_clicks"], "value": [7.0], "at": ["2026-03-01"]}
    )
    counts = ep.counts_from(table, engagement_type="metric", count="value", day="at")
    assert counts.to_dict("records") == [
        {
            "post_id": ONE,
            "engagement_type": "url_clicks",
            "day": pd.Timestamp("2026-03-01"),
            "count": 7,
        }
    ]


def test_tables_of_other_libraries_are_accepted() -> None:
    """Polars and DuckDB are read through Arrow; an object without columns is refused."""
    likes = pd.DataFrame({"post_id": [ONE, TWO], "Likes": [3, None], "day": ["2026-03-01"] * 2})
    for table_ in (pl.from_pandas(likes), duckdb.sql("select * from likes")):
        assert ep.counts_from(table_)["count"].to_list() == [3, pd.NA]
    with pytest.raises(FrameError, match="tables of other libraries"):
        ep.counts_from(likes.to_dict())


def hourly(times: list[str]) -> pd.DataFrame:
    """Return likes of one post at these times."""
    return pd.DataFrame({"post_id": ONE, "at": pd.to_datetime(times), "Likes": range(len(times))})


def test_local_hours_become_utc_hours() -> None:
    """Berlin is UTC+1 until 2026-03-29 02:00, then UTC+2."""
    table = hourly(["2026-03-29 00:00", "2026-03-29 01:00", "2026-03-29 03:00"])
    counts = ep.counts_from(table, day="at", hour="at", tz="Europe/Berlin")
    starts = [str(start) for start in ep.timestamps(counts)]
    assert starts == [
        "2026-03-28 23:00:00+00:00",
        "2026-03-29 00:00:00+00:00",
        "2026-03-29 01:00:00+00:00",
    ]


def test_day_and_hour_may_be_in_two_columns() -> None:
    """They are local."""
    table = pd.DataFrame({"post_id": [ONE], "d": ["2026-03-01"], "h": ["00"], "Likes": [1]})
    counts = ep.counts_from(table, day="d", hour="h", tz="America/New_York")
    assert counts[["day", "hour"]].astype(str).to_dict("list") == {
        "day": ["2026-03-01"],
        "hour": ["5"],
    }


@pytest.mark.parametrize(
    ("times", "options", "words"),
    [
        (["2026-03-01"], {"day": "at", "tz": "Europe/Berlin"}, "begin at other hours than UTC"),
        (["2026-03-29 02:30"], {"day": "at", "hour": "at", "tz": "Europe/Berlin"}, "or never"),
        (["2026-10-25 02:30"], {"day": "at", "hour": "at", "tz": "Europe/Berlin"}, "row 0 .*twice"),
        (["2026-03-29 02:30"], {"day": "at", "hour": "at", "tz": "Mars"}, "no time zone 'Mars'"),
        (["2026-03-01 05:30"], {"day": "at", "hour": "at"}, "not a whole hour of UTC"),
        (
            ["2026-03-01 05:00"],
            {"day": "at", "hour": "at", "tz": "Asia/Kolkata"},
            "not a whole hour of UTC",
        ),
        (["2026-03-01 05:00"], {"day": "at"}, "not at midnight UTC; .*hour=…"),
        (["2026-03-01", "2026-03-01"], {"day": "at"}, "twice"),
        (["2026-03-01"], {"day": "nowhere"}, "day is 'nowhere', and the table has"),
        (["2026-03-01"], {"post_id": "nowhere"}, "post_id is 'nowhere'"),
        (["2026-03-01"], {"types": {"Hearts": "favorites"}}, "'Hearts'"),
        (["2026-03-01"], {"types": {"Likes": "favorites"}, "count": "Likes"}, "give either"),
        (["2026-03-01"], {"types": {}}, "none is called like"),
    ],
)
def test_invalid_tables_and_arguments_are_refused(
    times: list[str], options: dict[str, Any], words: str
) -> None:
    """The error has the value and the cure."""
    with pytest.raises(FrameError, match=words):
        ep.counts_from(hourly(times), **options)


def test_ids_from_excel_are_refused() -> None:
    """Excel keeps 15 digits, so they end in zeros."""
    ids = [f"{n}0000" for n in (212545088005970, 212588344998101, 212613881120004)]
    with pytest.raises(FrameError, match="Excel"):
        ep.counts_from(pd.DataFrame({"post_id": ids, "Likes": [1, 2, 3]}))


def test_float_ids_are_refused() -> None:
    """The message has the row and the cure."""
    table = pd.DataFrame({"post_id": [2.0279e18, np.nan], "Likes": [1, 2]})
    with pytest.raises(FrameError, match=r"'post_id' in row 1 .*dtype={'post_id': str}"):
        ep.counts_from(table)


@pytest.mark.slow
@given(st.lists(st.integers(-5, 10**12) | st.none(), min_size=1, max_size=6))
def test_any_numbers_are_read(numbers: list[int | None]) -> None:
    """They may be written in any of four ways."""
    posts = [str(10**18 + 7919 * n) for n in range(len(numbers))]
    expected = [pd.NA if n is None else n for n in numbers]
    for write in (str, "{:,}".format, lambda n: f"{n}.0", int):
        texts = ["-" if n is None else write(n) for n in numbers]
        table = pd.DataFrame({"post_id": posts, "favorites": pd.Series(texts, dtype=object)})
        assert ep.counts_from(table)["count"].to_list() == expected


def test_a_wide_frame_is_accepted() -> None:
    """It is the result of ``wide``."""
    body = {"g": {ONE: {"impressions": "90", "favorites": "7"}, TWO: {"impressions": "8"}}}
    counts = ep.flatten_json(body)
    restored = ep.counts_from(ep.wide(counts))
    pd.testing.assert_frame_equal(restored, ep.tall(ep.wide(counts)), check_column_type=False)


def test_two_sources_are_not_added_or_compared() -> None:
    """They are refused after pd.concat too."""
    table = pd.DataFrame({"post_id": [ONE], "impressions": [5], "engagements": [1]})
    a = ep.counts_from(table, source="x_analytics_content")
    b = ep.counts_from(table.assign(post_id=[TWO]), source="x_lookup_public")
    both = pd.concat([a, b])
    with pytest.raises(FrameError, match=r"organic and promoted.*are not added or compared"):
        ep.engagement_rate(both)
    with pytest.raises(FrameError, match="take both from one source"):
        ep.compare(a, b)
    unknown = ep.counts_from(table.assign(post_id=[TWO]))
    with pytest.raises(FrameError, match="no source"):
        ep.summarise(pd.concat([a, unknown]))


@pytest.mark.slow
def test_sources_are_kept(tmp_path: Any) -> None:
    """CSV, Parquet, merge, concat, wide, tall, DuckDB and polars keep them."""
    table = pd.DataFrame({"post_id": [ONE, TWO], "impressions": [5, 6]})
    counts = ep.counts_from(table, source="x_lookup_public")
    posts = pd.DataFrame({"post_id": [ONE, TWO], "campaign": ["a", "b"]})
    ep.write_csv(counts, tmp_path / "c.csv")
    ep.write_parquet(counts, tmp_path / "c.parquet")
    path = f"{tmp_path}/c.parquet"
    for restored in (
        ep.read_csv(tmp_path / "c.csv"),
        ep.read_parquet(path),
        pd.read_parquet(path),
        counts.merge(posts),
        pd.concat([counts[:1], counts[1:]]),
        ep.tall(ep.wide(counts)),
        ep.counts_from(duckdb.sql(f"from '{path}'")),
        ep.counts_from(pl.read_parquet(path)),
    ):
        assert restored["source"].astype(str).to_list() == ["x_lookup_public"] * 2
        assert ep.summarise(restored)["impressions"].to_list() == [5, 6]


def test_created_at_accepts_a_series() -> None:
    """The result has its index."""
    posts = pd.Series([ONE, "123"], index=["a", "b"])
    created = ep.created_at(posts)
    assert str(created.dtype) == "datetime64[us, UTC]"
    assert created["a"] == ep.created_at(ONE)
    assert pd.isna(created["b"])


def test_omissions_of_counts_are_refused() -> None:
    """The message has the accepted type."""
    counts = ep.counts_from(pd.DataFrame({"post_id": [ONE], "favorites": [5]}))
    with pytest.raises(ep.RequestError, match=r"take the responses of client.fetch\(\)"):
        ep.omissions(counts)


def test_named_levels_of_the_index_are_columns() -> None:
    """Otherwise a post's counts would lose their post."""
    wide = pd.DataFrame({"Views": [90], "Likes": [7]}, index=pd.Index([ONE], name="post_id"))
    expected = [[ONE, "impressions", 90], [ONE, "favorites", 7]]
    assert ep.counts_from(wide).to_numpy().tolist() == expected
    tall = ep.counts_from(wide).set_index(["post_id", "engagement_type"])
    assert ep.counts_from(tall).to_numpy().tolist() == expected


def test_names_have_one_meaning_in_tall_and_wide_tables() -> None:
    """Likes are favorites, and promoted ones are not."""
    wide = pd.DataFrame({"post_id": [ONE], "Likes": [7], "Views": [90]})
    tall = wide.melt("post_id", var_name="engagement_type", value_name="count")
    pd.testing.assert_frame_equal(ep.counts_from(tall), ep.counts_from(wide))
    other = tall.assign(engagement_type=["promoted_favorites", "favorites"])
    assert list(ep.counts_from(other)["engagement_type"]) == ["favorites", "promoted_favorites"]


def test_numbers_of_rows_are_not_posts() -> None:
    """A column called id may number the rows, with links in another column."""
    table = pd.DataFrame({"id": [1], "url": [f"https://x.com/b/status/{ONE}"], "Likes": [7]})
    with pytest.raises(FrameError, match="'id' in row 0 is '1', too short for a post ID"):
        ep.counts_from(table)
    assert ep.counts_from(table, post_id="url")["post_id"].to_list() == [ONE]
    assert ep.counts_from(table, post_id="id")["post_id"].to_list() == ["1"]


def test_hours_are_those_of_the_clock() -> None:
    """5:00 on 2026-11-01 is 6 hours after midnight in New York, at 10:00 UTC."""
    table = {"post_id": [ONE], "Likes": [7], "day": ["2026-11-01"], "hour": [5]}
    for frame in (
        pd.DataFrame(table),
        pd.DataFrame({**table, "day": pd.to_datetime(["2026-11-01"]).tz_localize("US/Eastern")}),
    ):
        counts = ep.counts_from(frame, tz="US/Eastern")
        assert counts[["day", "hour"]].to_numpy().tolist() == [[pd.Timestamp("2026-11-01"), 10]]


def test_a_time_beside_an_hour_is_refused() -> None:
    """Nor are local hours without days those of UTC."""
    table = pd.DataFrame({"post_id": [ONE], "Likes": [7], "day": ["2026-11-01 05:00"], "hour": [5]})
    with pytest.raises(FrameError, match=r"2026-11-01 05:00:00, a time, .* give hour='day'"):
        ep.counts_from(table, tz="US/Eastern")
    with pytest.raises(FrameError, match=r"hours of US/Eastern .* give day="):
        ep.counts_from(table.drop(columns="day"), tz="US/Eastern")


def test_types_are_a_mapping() -> None:
    """A list is refused."""
    with pytest.raises(FrameError, match=r"types is \['Likes'\]; write"):
        ep.counts_from(pd.DataFrame({"Likes": [7]}), types=["Likes"])  # type: ignore[arg-type]


def test_types_of_columns_that_arrow_lacks_are_refused() -> None:
    """Polars has integers of 128 bits."""
    table = pl.DataFrame({"Likes": [7]}, schema={"Likes": pl.Int128})
    with pytest.raises(FrameError, match="cannot be converted"):
        ep.counts_from(table)


def test_names_of_columns_may_be_numbers() -> None:
    """Column 0 holds the posts, as in a table without a header."""
    counts = ep.counts_from(pd.DataFrame([[ONE, 7]]), post_id=0, types={1: "Likes"})  # type: ignore[arg-type, dict-item]
    assert counts.to_numpy().tolist() == [[ONE, "favorites", 7]]


def test_names_of_columns_have_any_spelling() -> None:
    """Warehouses write them in capitals; a day that is left out would make a total of its count."""
    wide = pd.DataFrame(
        {"POST_ID": [ONE], "DAY": ["2026-03-01"], "HOUR": [5], "IMPRESSIONS": [90], "LIKES": [7]}
    )
    counts = ep.counts_from(wide)
    assert list(counts) == ["post_id", "engagement_type", "day", "hour", "count"]
    assert counts["count"].to_list() == [90, 7]
    tall = counts.rename(columns=lambda name: name.replace("_", " ").title())
    pd.testing.assert_frame_equal(ep.counts_from(tall), counts)
    with pytest.raises(FrameError, match=r"day may be any of the columns \['DAY', 'Day'\]; give"):
        ep.counts_from(wide.assign(Day="2026-03-02"))


def test_a_workbook_of_snapshots_is_read(tmp_path: Any) -> None:
    """Its heading states the zone of the times of retrieval, which Excel does not keep."""
    pytest.importorskip("openpyxl")
    rows = {"post_id": [ONE] * 2, "engagement_type": ["favorites"] * 2, "count": [5, 8]}
    times = ["2026-03-02T09:00Z", "2026-03-03T09:00Z"]
    counts = ep.counts_from(pd.DataFrame({**rows, "retrieved_at": times}))
    ep.write_excel(counts, tmp_path / "a.xlsx")
    table = pd.read_excel(tmp_path / "a.xlsx")
    pd.testing.assert_frame_equal(ep.counts_from(table), counts)
    name = "retrieved_at (UTC)"
    pd.testing.assert_frame_equal(ep.counts_from(table, retrieved_at=name), counts)


def test_a_post_is_not_counted_before_its_creation() -> None:
    """ONE was created on 2026-03-01; a time of another year is a mistake."""
    rows = pd.DataFrame({"post_id": [ONE], "Likes": [5], "retrieved_at": ["2025-03-02T09:00Z"]})
    with pytest.raises(FrameError, match=r"created at 2026-03-01 .* counts are of 2025-03-02"):
        ep.counts_from(rows)
    body = {"data": [{"id": ONE, "public_metrics": {"like_count": 5}}]}
    with pytest.raises(FrameError, match="give the right retrieved_at"):
        ep.flatten_lookup(body, retrieved_at="2025-03-02T09:00Z")
    assert len(ep.flatten_lookup(body, retrieved_at="2026-03-02T09:00Z")) == 1


@pytest.mark.parametrize("tz", ["utc", "GMT", "Z"])
def test_utc_has_several_names(tz: str) -> None:
    """Its days are those of the contract."""
    table = pd.DataFrame({"post_id": [ONE], "day": ["2026-03-01"], "Likes": [7]})
    assert ep.counts_from(table, tz=tz)["day"].to_list() == [pd.Timestamp("2026-03-01")]


def test_arguments_of_other_types_are_refused() -> None:
    """A list is no name of a column, and a number no time zone."""
    table = pd.DataFrame({"post_id": [ONE], "at": ["2026-03-01 05:00"], "Likes": [7]})
    with pytest.raises(FrameError, match=r"post_id is \['post_id'\], and the table has"):
        ep.counts_from(table, post_id=["post_id"])  # type: ignore[arg-type]
    with pytest.raises(FrameError, match="there is no time zone 3600"):
        ep.counts_from(table, day="at", hour="at", tz=3600)  # type: ignore[arg-type]


def test_created_at_of_a_frame_is_refused() -> None:
    """It has more than IDs; the message has the cure."""
    with pytest.raises(ep.InvalidPostId, match=r"columns \['post_id', 'text'\]; give one: frame"):
        ep.created_at(pd.DataFrame({"post_id": [ONE], "text": ["one"]}))


POST = "2043975803238093234"  # created on 2026-04-14 at 08:53 UTC


@pytest.mark.parametrize(
    ("day", "hour"),
    [
        ("2026-04-13", None),  # the local day in California, called UTC
        ("2026-04-13", 23),
        ("2026-04-14", 7),
        ("2026-01-05", None),  # 1 May, read as in the US
    ],
)
def test_counts_before_the_creation_of_a_post_are_refused(day: str, hour: int | None) -> None:
    """Then day and month are confused, or days are local."""
    table = pd.DataFrame({"post_id": [POST], "day": [day], "Likes": [5]})
    table = table if hour is None else table.assign(hour=hour)
    with pytest.raises(
        FrameError, match=f"created at 2026-04-14 08:53 UTC, and has counts of {day}"
    ):
        ep.counts_from(table)
    assert ep.counts_from(table.assign(Likes=0))["count"].to_list() == [0]
    assert ep.counts_from(table.assign(Likes=None))["count"].isna().all()


def test_counts_of_the_hour_of_creation_are_accepted() -> None:
    """So are those of its day, and of a post whose ID holds no time."""
    table = pd.DataFrame({"post_id": [POST, "7"], "day": ["2026-04-14"] * 2, "Likes": [5, 6]})
    assert len(ep.counts_from(table)) == len(ep.counts_from(table.assign(hour=8))) == 2
    assert len(ep.counts_from(table.iloc[:0])) == 0
