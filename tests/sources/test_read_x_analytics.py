"""Exports of X Analytics by post; the files are small and follow the specification."""

from __future__ import annotations

import io
import warnings
import zipfile
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from support.exports import (
    BY_TWEET,
    CONTENT,
    EARLIER,
    NUMBERS,
    OLD,
    ONE,
    TWO,
    TYPES,
    by_tweet,
    content,
    link,
    old_row,
    overview,
    row,
)

import engagement_pandas as ep
from engagement_pandas import FrameError
from engagement_pandas.frame.contract import check_counts
from engagement_pandas.sources.x_headings import _BY_TWEET_HEADINGS, _CONTENT_HEADINGS

NAME = "account_analytics_content_2026-08-20_2026-08-26.csv"


def read_text(text: str | bytes, folder: Path, name: str = NAME, **options: Any) -> pd.DataFrame:
    """Write a file and read it."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return ep.read_x_analytics(path, **options)


def counts_of(counts: pd.DataFrame, post: str = ONE) -> dict[str, Any]:
    """Return the counts of one post by type."""
    rows = counts[counts["post_id"] == post]
    return dict(zip(rows["engagement_type"].astype(str), rows["count"], strict=True))


def test_the_content_export_has_13_types(tmp_path: Path) -> None:
    """The retrieval time is the end of the window's last day."""
    counts = read_text(content(row(), row(TWO)), tmp_path)
    check_counts(counts)
    assert list(counts) == ["post_id", "engagement_type", "retrieved_at", "source", "count"]
    assert counts_of(counts) == counts_of(counts, TWO) == TYPES
    assert set(counts["source"]) == {"x_analytics_content"}
    assert set(counts["retrieved_at"]) == {pd.Timestamp("2026-08-27T00:00Z")}
    assert counts.attrs == {
        "retrieved_at": "2026-08-27T00:00:00+00:00",
        "retrieved_at_known_to": "day",
    }


def test_an_export_of_the_earlier_client_is_read(tmp_path: Path) -> None:
    """It has other names, CRLF, and local dates, which may differ by a day."""
    cells = row()
    cells[1] = "Fri Aug 21 2026"
    assert counts_of(read_text(content(cells, header=EARLIER, end="\r\n"), tmp_path)) == TYPES


@pytest.mark.slow
@pytest.mark.parametrize("line", _CONTENT_HEADINGS)
@pytest.mark.parametrize("end", ["", "\\"])
def test_every_language_is_read(line: str, end: str, tmp_path: Path) -> None:
    """Names of shares may end in a backslash."""
    names = [a or b for a, b in zip(line.split(","), CONTENT.split(","), strict=True)]
    names[8] += end
    assert counts_of(read_text(content(header=",".join(names)), tmp_path)) == TYPES


def test_an_unknown_language_is_read_by_position(tmp_path: Path) -> None:
    """The warning has the headings."""
    header = ",".join(f"naslov {n}" for n in range(17))
    with pytest.warns(UserWarning, match=r"\['naslov 0', .* not known and read by position"):
        assert counts_of(read_text(content(header=header), tmp_path)) == TYPES


def test_known_names_may_have_any_order(tmp_path: Path) -> None:
    """They are matched by name."""
    names, cells = CONTENT.split(","), row()
    order = [0, 3, 1, 2, *reversed(range(4, 17))]
    text = content([cells[n] for n in order], header=",".join(names[n] for n in order))
    assert counts_of(read_text(text, tmp_path)) == TYPES


def test_an_unknown_column_is_left_out(tmp_path: Path) -> None:
    """There is a warning."""
    with pytest.warns(UserWarning, match=r"\['Mood'\] are not known and left out"):
        counts = read_text(content([*row(), "good"], header=f"{CONTENT},Mood"), tmp_path)
    assert counts_of(counts) == TYPES


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_file_saved_by_excel_is_read(encoding: str, delimiter: str, tmp_path: Path) -> None:
    """It has other encodings and delimiters."""
    text = content(row(text="Überall"), delimiter=delimiter)
    assert counts_of(read_text(text.encode(encoding), tmp_path)) == TYPES
    assert ep.read_posts(tmp_path / NAME)["text"].to_list() == ["Überall"]


def test_ids_damaged_by_excel_are_read_from_the_link(tmp_path: Path) -> None:
    """The link has all digits."""
    for damaged_id in ("2.09E+18", "2091095333082140000"):
        assert counts_of(read_text(content([damaged_id, *row()[1:]]), tmp_path)) == TYPES


def test_damaged_ids_without_a_link_are_refused(tmp_path: Path) -> None:
    """The error has the line."""
    cells = row()
    cells[0], cells[3] = "2.09E+18", ""
    with pytest.raises(FrameError, match=r"line 3 of .*has no link.*2.09E"):
        read_text(content(row(TWO), cells), tmp_path)


def test_numbers_of_other_programs_are_read(tmp_path: Path) -> None:
    """They have thousands or a decimal point; a dash and an empty cell are unknown."""
    counts = counts_of(
        read_text(content(row(numbers=("1,234", "424.0", "-", "", *NUMBERS[4:]))), tmp_path)
    )
    assert (counts["impressions"], counts["favorites"]) == (1234, 424)
    assert counts["engagements"] is counts["bookmarks"] is pd.NA


@pytest.mark.parametrize("number", ["1.5", "1.2K", "1.234,5", "12,34"])
def test_fractional_numbers_are_refused(number: str, tmp_path: Path) -> None:
    """The error has heading, line and value."""
    with pytest.raises(FrameError, match=rf"'Impressions' in line 3: '{number}'"):
        read_text(content(row(), row(TWO, numbers=(number, *NUMBERS[1:]))), tmp_path)


def test_a_row_of_totals_is_left_out(tmp_path: Path) -> None:
    """The warning has its line."""
    with pytest.warns(UserWarning, match=r"1 row of .* without a post left out: 3"):
        counts = read_text(content(row(), ["Total", "", "", "", *NUMBERS]), tmp_path)
    assert len(counts) == 13


def test_a_duplicate_post_is_refused(tmp_path: Path) -> None:
    """The error has both lines."""
    with pytest.raises(FrameError, match=r"lines 2 and 4 of .*same post"):
        read_text(content(row(), row(TWO), row()), tmp_path)


def test_shifted_columns_are_refused(tmp_path: Path) -> None:
    """For example after one column was sorted: the date differs from that of the ID."""
    cells = row()
    cells[1] = "Sun, Aug 30, 2026"
    with pytest.raises(FrameError, match=r"line 2 .*made on 2026-08-22.*out of step"):
        read_text(content(cells), tmp_path)


def test_texts_are_unescaped(tmp_path: Path) -> None:
    """Quotes and commas stay; replies begin with @; times are those of the IDs."""
    texts = ['He said "a, b" &amp; left &gt;', "@you thanks"]
    path = tmp_path / NAME
    path.write_text(content(row(text=texts[0]), row(TWO, text=texts[1])))
    posts = ep.read_posts(path)
    assert posts.to_dict("list") == {
        "post_id": [ONE, TWO],
        "handle": ["bakery", "bakery"],
        "text": ['He said "a, b" & left >', "@you thanks"],
        "created_at": [pd.Timestamp(ep.created_at(post)) for post in (ONE, TWO)],
        "kind": ["post", "reply"],
    }
    assert posts.dtypes.astype(str)["created_at"] == "datetime64[us, UTC]"


@pytest.mark.parametrize(
    "link", ["https://x.com/i/status/{}", "https://x.com/i/web/status/{}?s=20"]
)
def test_a_link_without_a_handle(link: str, tmp_path: Path) -> None:
    """The post is read from the link, and its handle is missing."""
    cells = row()
    cells[3] = link.format(ONE)
    path = tmp_path / NAME
    path.write_text(content(cells))
    posts = ep.read_posts(path)
    assert posts["post_id"].to_list() == [ONE]
    assert "handle" not in posts or posts["handle"].isna().all()


@pytest.mark.slow
def test_several_files_are_snapshots(tmp_path: Path) -> None:
    """They are a list or a pattern, and each has its own time."""
    later = "account_analytics_content_2026-08-20_2026-09-02 (1).csv"
    (tmp_path / NAME).write_text(content(row()))
    (tmp_path / later).write_text(content(row(numbers=(876, *NUMBERS[1:]))))
    counts = ep.read_x_analytics(f"{tmp_path}/*.csv")
    impressions = counts[counts["engagement_type"] == "impressions"]
    assert impressions["count"].to_list() == [551, 876]
    assert impressions["retrieved_at"].dt.date.astype(str).to_list() == ["2026-08-27", "2026-09-03"]
    assert counts_of(ep.latest(counts))["impressions"] == 876
    from_list = ep.read_x_analytics([tmp_path / NAME, tmp_path / later])
    pd.testing.assert_frame_equal(from_list, counts)
    with pytest.raises(FrameError, match=r"several times"):
        ep.summarise(counts)


@pytest.mark.slow
def test_several_files_need_retrieval_times(tmp_path: Path) -> None:
    """A single file may have none."""
    assert "retrieved_at" not in read_text(content(), tmp_path, "mine.csv")
    (tmp_path / "other.csv").write_text(content(row(TWO)))
    both = [tmp_path / "mine.csv", tmp_path / "other.csv"]
    with pytest.raises(FrameError, match=r"the time of the export .*mine.csv is unknown"):
        ep.read_x_analytics(both)
    counts = ep.read_x_analytics(both, retrieved_at="2026-09-01T09:00:00+02:00")
    assert set(counts["retrieved_at"]) == {pd.Timestamp("2026-09-01T07:00Z")}
    assert "retrieved_at_known_to" not in counts.attrs
    with pytest.raises(FrameError, match=r"1 times for 2 files"):
        ep.read_x_analytics(both, retrieved_at=["2026-09-01T09:00Z"])
    with pytest.raises(FrameError, match=r"has no time zone"):
        ep.read_x_analytics(both, retrieved_at="2026-09-01")


def test_an_open_file_is_read() -> None:
    """A browser's upload is one."""
    assert counts_of(ep.read_x_analytics(io.BytesIO(content().encode()))) == TYPES


@pytest.mark.slow
def test_a_truncated_export_has_a_warning(tmp_path: Path) -> None:
    """It has 1,000 posts, none of them from the window's first days."""
    rows = []
    for n in range(1000):
        post = str(int(ONE) + n)
        rows.append([post, "Sat, Aug 22, 2026", "x", link(post), *NUMBERS])
    with pytest.warns(UserWarning, match=r"1,000 posts.*may have cut it"):
        read_text(content(*rows), tmp_path, NAME.replace("08-20", "08-01"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_text(content(*rows), tmp_path, NAME.replace("08-20", "08-22"))


@pytest.mark.slow
def test_a_by_tweet_file_is_read(tmp_path: Path) -> None:
    """Texts have line breaks; rates are left out, and promoted counts are optional."""
    name = "tweet_activity_metrics_bakery_20150901_20151001_en.csv"
    text = by_tweet(old_row(text='two\nlines, "quoted"'))
    counts = read_text(text, tmp_path, name)
    assert counts_of(counts, OLD) == {
        "impressions": 424,
        "engagements": 3,
        "retweets": 0,
        "replies": 1,
        "favorites": 2,
        "user_profile_clicks": 3,
        "url_clicks": 4,
        "hashtag_clicks": 5,
        "detail_expands": 6,
        "permalink_clicks": 7,
        "app_opens": 8,
        "app_install_attempts": 9,
        "user_follows": 10,
        "email_tweet": 11,
        "dial_phone": 12,
        "media_views": 13,
        "media_engagements": 14,
    }
    assert set(counts["source"]) == {"x_analytics_by_tweet"}
    assert set(counts["retrieved_at"]) == {pd.Timestamp("2015-10-02T00:00Z")}
    with_promoted = counts_of(read_text(text, tmp_path, name, promoted=True), OLD)
    assert with_promoted["promoted_impressions"] is pd.NA
    assert len(with_promoted) == 34
    assert ep.read_posts(tmp_path / name)["text"].to_list() == ['two\nlines, "quoted"']


@pytest.mark.slow
@pytest.mark.parametrize("line", _BY_TWEET_HEADINGS)
def test_every_language_of_by_tweet_files_is_read(line: str, tmp_path: Path) -> None:
    """Unknown names are read by position."""
    names = line.split(",")
    names = [a or b for a, b in zip(names, BY_TWEET.split(","), strict=False)]
    names += [f"naslov {n}" for n in range(len(names), 40)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        counts = counts_of(read_text(by_tweet(old_row(), header=",".join(names)), tmp_path), OLD)
    assert (counts["impressions"], counts["favorites"], counts["media_engagements"]) == (424, 2, 14)


def test_headings_of_2015_are_read(tmp_path: Path) -> None:
    """They have favorites, embedded media clicks and video views, in another order."""
    header = (
        "Tweet id,Tweet permalink,Tweet text,time,impressions,video views,favorites,"
        "embedded media clicks"
    )
    cells = [
        OLD,
        link(OLD, "twitter.com"),
        "x",
        "2015-09-30 18:42 +0000",
        "5.0",
        "4.0",
        "3.0",
        "2.0",
    ]
    assert counts_of(read_text(by_tweet(cells, header=header), tmp_path), OLD) == {
        "impressions": 5,
        "favorites": 3,
        "video_views": 4,
        "media_engagements": 2,
    }


@pytest.mark.slow
def test_a_file_without_rows_has_no_counts(tmp_path: Path) -> None:
    """It may be among others."""
    empty = read_text(by_tweet(), tmp_path, "tweet_activity_metrics_b_20150801_20150901_en.csv")
    assert len(empty) == 0
    check_counts(empty)
    name = "tweet_activity_metrics_b_20150901_20151001_en.csv"
    read_text(by_tweet(old_row()), tmp_path, name)
    assert len(ep.read_x_analytics(f"{tmp_path}/*.csv")) == 17


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        (overview({"Sat, Aug 22, 2026": 5}), r"ep.read_x_overview\(\)"),
        ("Video overview,,,,\nDate,Views\n", "not an export|has 2 columns"),
        ("a,b\n1,2\n", r"columns are \['a', 'b'\]; see ep.counts_from"),
        (content(row()[:9]), "line 2 of .* has 9 columns, and the header 17"),
        (content() + '\n5,"open', "line 3 of .*quotation mark"),
    ],
)
def test_other_files_are_refused(text: str, words: str, tmp_path: Path) -> None:
    """The error has the cure."""
    with pytest.raises(FrameError, match=words):
        read_text(text, tmp_path)


@pytest.mark.slow
def test_an_export_works_with_metrics_and_plots(tmp_path: Path) -> None:
    """Hours are unknown, so counts over time are refused."""
    counts = read_text(content(row(), row(TWO)), tmp_path)
    posts = ep.read_posts(tmp_path / NAME)
    assert ep.engagement_rate(counts)["rate"].round(4).to_list() == [0.0544, 0.0544]
    assert ep.top_posts(counts)["engagements"].to_list() == [30, 30]
    assert ep.summarise(counts)["impressions"].to_list() == [551, 551]
    assert len(ep.best_times(counts))
    ep.plot_by_type(counts)
    ep.plot_top_posts(counts, posts=posts)
    ep.EngagementExplorer(counts, posts).close()
    with pytest.raises(FrameError, match=r"day"):
        ep.over_time(counts)


def test_a_post_after_its_export_is_refused(tmp_path: Path) -> None:
    """ONE was made on 2026-08-22; the day of a file name may be local, so it has a day of doubt."""
    words = "was created at 2026-08-22 .*, and its counts are of 2026-08-21 00:00, by the name"
    with pytest.raises(FrameError, match=f"{words}.*give the right retrieved_at"):
        read_text(content(row()), tmp_path, "content_2026-08-01_2026-08-20.csv")
    assert len(read_text(content(row()), tmp_path, "content_2026-08-01_2026-08-21.csv")) == 13
    with pytest.raises(FrameError, match="give the right retrieved_at"):
        read_text(content(row()), tmp_path, retrieved_at="2026-08-21T23:00Z")


def workbook(folder: Path, *sheets: list[list[Any]]) -> Path:
    """Write sheets as a workbook; openpyxl lists its parts at its end, unlike Excel."""
    path = folder / "export.xlsx"
    with pd.ExcelWriter(path) as writer:
        for number, rows in enumerate(sheets):
            frame = pd.DataFrame(rows, columns=CONTENT.split(","))
            frame.to_excel(writer, sheet_name=f"Sheet{number}", index=False)
    return path


def test_a_workbook_is_read(tmp_path: Path) -> None:
    """A number as long as an ID has lost digits, so the link decides, or there is no ID."""
    cells: list[Any] = [float(ONE), *row()[1:4], *map(int, row()[4:])]
    assert counts_of(ep.read_x_analytics(workbook(tmp_path, [cells]))) == TYPES
    with pytest.raises(FrameError, match=r"line 2 of .* '2\.09.*e\+18' .* was a float"):
        ep.read_x_analytics(workbook(tmp_path, [[*cells[:3], "", *cells[4:]]]))


def test_several_sheets_are_refused(tmp_path: Path) -> None:
    """The second one would be lost."""
    with pytest.raises(FrameError, match=r"has the sheets \['Sheet0', 'Sheet1'\]; save each"):
        ep.read_x_analytics(workbook(tmp_path, [row()], [row(TWO)]))


def test_damaged_and_large_workbooks_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The size is that of the unpacked file."""
    path = workbook(tmp_path, [row()])
    monkeypatch.setattr("engagement_pandas.sources.sheet.MOST_BYTES", 1000)
    with pytest.raises(FrameError, match="more than 1,000 bytes unpacked"):
        ep.read_x_analytics(path)
    monkeypatch.undo()
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("[Content_Types].xml", "<Types")
    with pytest.raises(FrameError, match="is a damaged Excel workbook"):
        ep.read_x_analytics(path)
    path.write_bytes(b"PK\x03\x04" + b"[Content_Types].xml" * 9)
    with pytest.raises(FrameError, match="is damaged and cannot be decompressed"):
        ep.read_x_analytics(path)


@pytest.mark.parametrize("moment", [date(2026, 9, 1), np.datetime64("2026-09-01"), 5])
def test_other_moments_are_refused(moment: Any, tmp_path: Path) -> None:
    """A date is not a time."""
    with pytest.raises(FrameError, match="is not a time; write 2026-03-01T09:30:00Z"):
        read_text(content(row()), tmp_path, retrieved_at=moment)


def test_exports_of_other_tools_are_refused(tmp_path: Path) -> None:
    """Sprout has a link, impressions and likes too, and its shares are reposts."""
    text = (
        "Date,Post ID,Network,Post Type,Profile,Link,Post,Impressions,Engagements,Reactions,"
        f"Likes,Comments,Shares\n08/22/2026 10:05 am,{ONE},X,Post,bakery,{link(ONE)},Hello,551,30,"
        "7,7,4,5\n"
    )
    with pytest.raises(FrameError, match="not an export of X Analytics by post") as caught:
        read_text(text, tmp_path, "sprout.csv")
    assert str(caught.value).endswith("see ep.counts_from(frame, …) for other tables")


def test_columns_of_the_reader_are_left_out(tmp_path: Path) -> None:
    """Four headings may be unknown if seventeen are known."""
    header = f"{CONTENT},campaign,owner,week,note"
    with pytest.warns(UserWarning, match="not known and left out"):
        counts = read_text(content([*row(), "spring", "me", "34", ""], header=header), tmp_path)
    assert counts_of(counts) == TYPES


def test_ids_beside_links_show_that_a_column_has_lost_digits(tmp_path: Path) -> None:
    """One row has no link, and an ID that alone may end in 0000 by chance."""
    damaged = [[f"{post[:15]}0000", *row(post)[1:]] for post in (ONE, TWO)]
    damaged[1][3] = ""
    with pytest.raises(FrameError, match=r"2 of 2 post IDs .* lost their last digits in Excel"):
        read_text(content(*damaged), tmp_path)
    damaged[0][0] = ONE
    assert set(read_text(content(*damaged), tmp_path)["post_id"]) == {ONE, f"{TWO[:15]}0000"}


def test_exports_of_one_day_may_overlap(tmp_path: Path) -> None:
    """A post with the same counts in both is one reading; with others, the files are refused."""
    longer = tmp_path / NAME
    shorter = tmp_path / NAME.replace("08-20", "08-22")
    longer.write_text(content(row(), row(TWO)))
    shorter.write_text(content(row(TWO)))
    counts = ep.read_x_analytics([longer, shorter])
    assert len(counts) == 26
    assert counts_of(counts) == counts_of(counts, TWO) == TYPES
    shorter.write_text(content(row(TWO, numbers=(552, *NUMBERS[1:]))))
    words = rf"post {TWO} has different counts of 'impressions' .* 2026-08-27 .*give retrieved_at"
    with pytest.raises(FrameError, match=words):
        ep.read_x_analytics([longer, shorter])
    hours = ["2026-08-26T09:00Z", "2026-08-26T10:00Z"]
    later = ep.growth(ep.read_x_analytics([longer, shorter], retrieved_at=hours))
    assert later["gained"].to_list() == [1, *[0] * 12]


def test_a_time_known_to_the_day_stays_so(tmp_path: Path) -> None:
    """CSV and Parquet keep the note, and a report has it; an exact time replaces it."""
    counts = read_text(content(), tmp_path)
    ep.write_csv(counts, tmp_path / "counts.csv")
    assert ep.read_csv(tmp_path / "counts.csv").attrs == counts.attrs
    path = tmp_path / "counts.parquet"
    ep.write_parquet(counts, path)
    assert ep.read_parquet(path).attrs == counts.attrs
    words = "2026-08-27 00:00 (UTC)"
    assert f"{words}, known to the day" in str(ep.report(ep.read_parquet(path)))
    untimed = counts.drop(columns="retrieved_at")
    ep.write_parquet(untimed, path, retrieved_at="2026-08-26T09:00Z")
    assert ep.read_parquet(path).attrs == {"retrieved_at": "2026-08-26T09:00:00+00:00"}


def test_a_frame_is_not_a_file() -> None:
    """Its columns are not paths."""
    with pytest.raises(FrameError, match="a frame is given, and not a file; give the file"):
        ep.read_x_analytics(pd.DataFrame({"Post id": [ONE]}))  # type: ignore[arg-type]


def test_shifted_columns_are_refused_in_a_workbook(tmp_path: Path) -> None:
    """Workbooks have dates as 2026-08-22, and one column may have been sorted by itself."""
    shifted = [ONE, "2026-08-25", *row()[2:]]
    with pytest.raises(FrameError, match="its columns are out of step"):
        read_text(content(shifted), tmp_path)
    assert len(read_text(content([ONE, "2026-08-22", *row()[2:]]), tmp_path)) == 13
