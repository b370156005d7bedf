"""flatten_json reads a response of any origin; the documented bodies come first."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.errors import AmbiguousGrouping, RefusedError, ResponseShapeError
from engagement_pandas.flattening.infer_dimensions import LEGAL

SAMPLES = Path(__file__).parents[1] / "samples"
HOURS = '{"1": {"likes": {"2026-03-01": {"07": "2", "00": "1"}}}}'
WINDOW = '"start": "2026-03-01T00:00:00Z", "end": "2026-03-02T00:00:00Z"'

DOCUMENTED: dict[str, list[tuple[Any, ...]]] = {
    "captured_by_tweet_type_response": [
        ("657814465384071168", "impressions", 24884),
        ("657814465384071168", "engagements", 0),
        ("658837741438799873", "impressions", 24905),
        ("658837741438799873", "engagements", 0),
    ],
    "guide_grand_totals_response": [("favorites", 12), ("retweets", 2), ("replies", 2)],
    "guide_hour_without_day_response": [
        ("697506383516729344", name, "2016-02-10", hour, count)
        for name, counts in (("impressions", (551, 412, 371, 280)), ("engagements", (8, 6, 3, 0)))
        for hour, count in enumerate(counts, start=17)
    ],
    "historical_response": [
        (post, name, count)
        for post, counts in (
            ("123456789", (0, 0, 0, 0)),
            ("223456789", (788, 134, 30, 1323)),
            ("323456789", (4, 0, 2, 0)),
        )
        for name, count in zip(
            ("impressions", "engagements", "url_clicks", "detail_expands"), counts, strict=True
        )
    ],
    "totals_owned_response": [
        (post, name, count)
        for post, counts in (
            ("1045709644067471360", (47, 2, 0, 8, 5, 0, 0)),
            ("1060976163948904448", (148, 4, 0, 9, 2, 1, 0)),
        )
        for name, count in zip(ep.TOTALS_TYPES, counts, strict=True)
    ],
    "totals_public_response": [
        (post, name, count)
        for post, counts in (
            ("1021817816134156288", (530, 323, 79, 147, 0)),
            ("1067094924124872705", (1360, 178, 29, 56, 5754512)),
            ("1070059276213702656", (69, 26, 5, 7, 0)),
        )
        for name, count in zip(ep.PUBLIC_TYPES, counts, strict=True)
    ],
    "totals_unavailable_response": [
        ("423456789", "favorites", 67),
        ("423456789", "retweets", 26),
        ("423456789", "quote_tweets", 2),
        ("423456789", "replies", 8),
    ],
    "28hr_4level_response": [
        ("123456789", name, day, hour, count)
        for name, first, second in (
            ("impressions", (551, 412, 371, 280, 100, 19, 6), (5, 2, 7, 3, 1)),
            ("engagements", (0,) * 7, (0,) * 5),
        )
        for day, hour, count in (
            *(("2015-09-14", 17 + n, count) for n, count in enumerate(first)),
            *(("2015-09-15", n, count) for n, count in enumerate(second + (0,) * 17)),
        )
    ],
}


def rows(frame: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return a frame as plain tuples: days as text, missing counts as None."""
    plain = frame.assign(count=frame["count"].astype(object).where(frame["count"].notna(), None))
    if "day" in plain:
        plain["day"] = plain["day"].dt.strftime("%Y-%m-%d")
    return [tuple(row) for row in plain.itertuples(index=False)]


def test_every_documented_response_is_tested() -> None:
    """All samples with counts are in the table above."""
    assert {path.stem for path in SAMPLES.glob("*_response.json")} == set(DOCUMENTED)


@pytest.mark.slow
@pytest.mark.parametrize("name", DOCUMENTED)
@pytest.mark.parametrize("form", ["bytes", "text", "dict", "dict of integers"])
def test_documented_bodies_give_their_counts(name: str, form: str) -> None:
    """The form of the body does not matter."""
    content = (SAMPLES / f"{name}.json").read_bytes()

    def integers(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return {k: int(v) if isinstance(v, str) and v.isdigit() else v for k, v in pairs}

    forms = {
        "bytes": content,
        "text": content.decode(),
        "dict": json.loads(content),
        "dict of integers": json.loads(content, object_pairs_hook=integers),
    }
    assert rows(ep.flatten_json(forms[form])) == DOCUMENTED[name]


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("error_*.json")), ids=lambda path: path.stem)
def test_documented_errors_are_raised(path: Path) -> None:
    """A refusal raises an error with the API's own words; it is not an empty frame."""
    with pytest.raises(RefusedError) as caught:
        ep.flatten_json(path.read_bytes())
    assert caught.value.messages == tuple(json.loads(path.read_text())["errors"])
    assert caught.value.status is None


def test_the_documented_day_level_can_be_summed() -> None:
    """The guide's hour without day is by hour of the day with its own grouping."""
    body = (SAMPLES / "guide_hour_without_day_response.json").read_bytes()
    frame = ep.flatten_json(body, group_by=["tweet.id", "engagement.type", "engagement.hour"])
    assert list(frame.columns) == ["post_id", "engagement_type", "hour", "count"]
    assert frame["count"].to_list() == [551, 412, 371, 280, 8, 6, 3, 0]


def test_there_are_27_legal_groupings() -> None:
    """The dimensions are inferred among all orders of a time series."""
    assert len(LEGAL) == len(set(LEGAL)) == 27


def test_keys_that_may_be_hours_or_posts_are_ambiguous() -> None:
    """The message lists both groupings and names group_by."""
    body = {"g": {"impressions": {"17": "551", "18": "412"}}}
    with pytest.raises(AmbiguousGrouping) as caught:
        ep.flatten_json(body)
    assert "['engagement.type', 'tweet.id']" in str(caught.value)
    assert "['engagement.type', 'engagement.hour']" in str(caught.value)
    assert "group_by" in str(caught.value)


@pytest.mark.parametrize(("last", "column"), [("tweet.id", "post_id"), ("engagement.hour", "hour")])
def test_group_by_decides_an_ambiguous_body(last: str, column: str) -> None:
    """The caller names what the keys leave open."""
    body = {"g": {"impressions": {"17": "551", "18": "412"}}}
    assert column in ep.flatten_json(body, group_by=["engagement.type", last])


def test_hours_below_ten_are_hours() -> None:
    """IDs never begin with a zero."""
    frame = ep.flatten_json({"g": {"impressions": {"09": "1", "10": "2"}}})
    assert frame["hour"].to_list() == [9, 10]


def test_a_short_id_above_four_levels_is_a_post() -> None:
    """Four dimensions have two orders, and in neither is the first an hour."""
    frame = ep.flatten_json({"g": {"17": {"impressions": {"2026-03-01": {"18": "1"}}}}})
    assert rows(frame) == [("17", "impressions", "2026-03-01", 18, 1)]


@pytest.mark.parametrize("empty", [{}, {"1": {}}, {"1": {"impressions": {}}}])
def test_an_empty_grouping_needs_group_by(empty: dict[str, Any]) -> None:
    """Without counts, the columns cannot be inferred."""
    with pytest.raises(AmbiguousGrouping, match="group_by"):
        ep.flatten_json({"g": empty})
    frame = ep.flatten_json(
        {"g": empty},
        group_by=["tweet.id", "engagement.type", "engagement.day", "engagement.hour"],
    )
    assert len(frame) == 0
    assert list(frame.columns) == ["post_id", "engagement_type", "day", "hour", "count"]


def test_a_day_without_hours_needs_group_by() -> None:
    """The same holds for bytes and dicts."""
    body = {"g": {"1": {"impressions": {"2026-03-01": {}}}}}
    for form in (body, json.dumps(body).encode()):
        with pytest.raises(AmbiguousGrouping, match="group_by"):
            ep.flatten_json(form)


@pytest.mark.parametrize("least", [-(2**63), str(-(2**63))])
def test_the_smallest_integer_alone_is_a_count(least: Any) -> None:
    """The fast path uses this integer for absent hours, and yet the dimensions are inferred."""
    body = json.dumps({"g": {"100": {"replies": {"2026-03-01": {"00": least}}}}})
    assert ep.flatten_json(body)["count"].to_list() == [-(2**63)]


def test_a_grouping_is_chosen_by_name() -> None:
    """Without a name or with an unknown one, the error lists the groupings."""
    body = {"a": {"impressions": "5"}, "b": {"1": {"impressions": "5"}}}
    assert rows(ep.flatten_json(body, grouping="b")) == [("1", "impressions", 5)]
    for name in (None, "c"):
        with pytest.raises(AmbiguousGrouping, match=r"\['a', 'b'\]"):
            ep.flatten_json(body, grouping=name)


def test_other_keys_are_ignored() -> None:
    """An unknown key is a grouping only if its value is an object."""
    body = {"trace": "abc", "cost": 5, "g": {"impressions": "5"}, "errors": ["one post is gone"]}
    assert rows(ep.flatten_json(body)) == [("impressions", 5)]


def test_false_zeros_are_found_by_the_lists_of_the_body() -> None:
    """The body lists the posts that are too old."""
    body = {
        "g": {"1": {"video_views": "0"}, "2": {"video_views": "0"}},
        "unsupported_for_video_views_tweet_ids": ["2"],
    }
    assert rows(ep.flatten_json(body)) == [("1", "video_views", 0), ("2", "video_views", None)]


def test_false_zeros_are_found_by_day_or_window() -> None:
    """Days or a window show that it is a time series, and of which time."""
    by_day = {"g": {"favorites": {"2015-09-14": "0", "2015-09-15": "0"}}}
    assert [row[-1] for row in rows(ep.flatten_json(by_day))] == [None, 0]
    window = {"start": "2015-08-01T00:00:00Z", "end": "2015-08-15T00:00:00Z"}
    complete: dict[str, Any] = {"g": {"favorites": "0"}}
    assert rows(ep.flatten_json(complete | window)) == [("favorites", None)]
    assert rows(ep.flatten_json(complete)) == [("favorites", 0)]


@pytest.mark.parametrize(
    "body",
    [
        f'{{"g": {HOURS}}}',
        f'\n {{ "g"\t: {HOURS}, {WINDOW}}}',
        f'{{{WINDOW}, "g": {HOURS}}}',
        f'{{"g": {HOURS}, "h": {{"1": {{"likes": "9"}}}}}}',
        f'{{"h": {{"1": {{"likes": "9"}}}}, "g": {HOURS}}}',
        f'{{"errors": [], "g": {HOURS}, "unavailable_tweet_ids": ["3"]}}',
    ],
)
def test_the_grouping_may_be_anywhere_in_the_body(body: str) -> None:
    """It may be first, last, or next to another grouping and other keys."""
    assert rows(ep.flatten_json(body, grouping="g")) == [
        ("1", "likes", "2026-03-01", 0, 1),
        ("1", "likes", "2026-03-01", 7, 2),
    ]


@pytest.mark.parametrize("key", ["g", "start"])
def test_a_repeated_top_level_key_is_refused(key: str) -> None:
    """One of the two would be lost."""
    again = HOURS if key == "g" else '"2026-02-01T00:00:00Z"'
    with pytest.raises(ResponseShapeError, match=f"'{key}' occurs twice"):
        ep.flatten_json(f'{{"g": {HOURS}, {WINDOW}, "{key}": {again}}}')


def test_a_repeated_and_empty_grouping_is_refused() -> None:
    """An invalid body is reported before an ambiguous one."""
    with pytest.raises(ResponseShapeError, match="'g' occurs twice"):
        ep.flatten_json(f'{{"g": {HOURS}, "g": {{}}}}')


def test_missing_cells_are_not_filled() -> None:
    """The requested types are unknown."""
    body = {"g": {"1": {"impressions": "5"}, "2": {"engagements": "6"}}}
    assert len(ep.flatten_json(body)) == 2


def test_integer_keys_of_a_dict_are_ids() -> None:
    """A program may have converted the IDs; exact integers are still IDs."""
    assert rows(ep.flatten_json({"g": {123: {"impressions": 5}}})) == [("123", "impressions", 5)]  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"[]", "$"),
        (b"\xff", "$"),
        ("", "$"),
        ("{}", "$"),
        ('{"trace": 5}', "$"),
        (5, "$"),
        ({"g": {"impressions": object()}}, "$"),
        (f'{{"start": {HOURS}}}', "$['start']"),
        (f'{{"a\nb": {HOURS}}}', "$"),
        (f'{{"a\x00b": {HOURS}}}', "$"),
        ('{"g": {"impressions": 5.0}}', "$['g']['impressions']"),
        ('{"g": {"1": {"impressions": "5"}, "x": {"2026-03-01": "5"}}}', "$['g']"),
        ('{"g": {"1": {"2": "5"}}}', "$['g']"),
        ('{"g": {"1": {"impressions": "5"}, "2": "7"}}', "$['g']['2']"),
        ('{"g": {"1": {"impressions": {"2026-03-01": {"24": "5"}}}}}', "$['g']"),
        (
            '{"g": {"1": {"impressions": "5"}}, "unavailable_tweet_ids": ["1"]}',
            "$['g']['1']",
        ),
    ],
)
def test_an_invalid_body_is_refused(body: Any, path: str) -> None:
    """The error has the path of the invalid value, if there is one."""
    with pytest.raises(ResponseShapeError) as caught:
        ep.flatten_json(body)
    assert caught.value.path == path


def test_a_day_that_does_not_exist_is_refused() -> None:
    """The error has the path of the date."""
    with pytest.raises(ResponseShapeError, match="'2026-02-30' is not a day") as caught:
        ep.flatten_json({"g": {"impressions": {"2026-02-30": "5"}}})
    assert caught.value.path == "$['g']['impressions']['2026-02-30']"


def test_the_body_is_not_changed() -> None:
    """A dict that is passed stays as it was."""
    body = {"g": {"1": {"impressions": "5"}}}
    ep.flatten_json(body)
    assert body == {"g": {"1": {"impressions": "5"}}}


BODY = b'{"g": {"1": {"impressions": {"2026-03-01": "5"}}}}'


@pytest.mark.parametrize("name", ["body.json", "body.json.gz", "2026-03.json"])
def test_a_body_may_be_a_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path, its text or an open file may be compressed or have a byte order mark."""
    monkeypatch.chdir(tmp_path)
    content = b"\xef\xbb\xbf" + BODY
    Path(name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    counts = ep.flatten_json(BODY)
    with Path(name).open("rb") as file:
        for body in (name, Path(name), tmp_path / name, file):
            pd.testing.assert_frame_equal(ep.flatten_json(body), counts)
    pd.testing.assert_frame_equal(ep.flatten_json(io.StringIO(BODY.decode())), counts)


@pytest.mark.parametrize(
    "content",
    [gzip.compress(BODY), BODY.decode().encode("utf-16"), BODY.decode().encode("utf-16-le")],
    ids=["gzip", "utf-16", "utf-16-le"],  # gzip writes the time, which differs between workers
)
def test_bytes_are_decompressed_and_decoded(content: bytes, tmp_path: Path) -> None:
    """Bytes are read as the file with them is."""
    (tmp_path / "body.json").write_bytes(content)
    for body in (content, tmp_path / "body.json"):
        pd.testing.assert_frame_equal(ep.flatten_json(body), ep.flatten_json(BODY))


def test_an_incomplete_character_is_refused() -> None:
    """The UTF-16 text ends within a character."""
    with pytest.raises(ResponseShapeError, match="is not text in the encoding"):
        ep.flatten_json(BODY.decode().encode("utf-16")[:-1])


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    """A text may be a body or a path, and the message names both."""
    with pytest.raises(FileNotFoundError):
        ep.flatten_json(tmp_path / "none.json")
    with pytest.raises(ResponseShapeError, match="is neither a JSON object nor a file"):
        ep.flatten_json("none.json")
    (tmp_path / "cut.gz").write_bytes(gzip.compress(BODY)[:20])
    with pytest.raises(ResponseShapeError, match="is damaged"):
        ep.flatten_json(tmp_path / "cut.gz")


@pytest.mark.parametrize(("word", "grouping"), [("post", ep.BY_POST), ("day", ep.BY_DAY)])
def test_short_names_of_groupings(word: str, grouping: ep.Grouping) -> None:
    """They are those of historical() and of the command line."""
    body = {"g": {"1": {"impressions": {"2026-03-01": "5"} if word == "day" else "5"}}}
    pd.testing.assert_frame_equal(
        ep.flatten_json(body, group_by=word), ep.flatten_json(body, group_by=grouping)
    )


def test_text_may_begin_with_a_byte_order_mark() -> None:
    """A file with one, read as UTF-8, begins with U+FEFF."""
    pd.testing.assert_frame_equal(ep.flatten_json("\ufeff" + BODY.decode()), ep.flatten_json(BODY))
