"""Files of post IDs from common tools: tables, JSON and lists, in several encodings."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import os
import re
import sys
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import engagement_pandas as ep
from engagement_pandas.cli import main, parser
from engagement_pandas.errors import EngagementError, RequestError
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.request.post_files import PASTED, ids_in, read_records, reader, records_in

FILES = Path(__file__).parents[1] / "post_files"
A, B, C = "2125450880059707756", "2125883449981014166", "2126138811200049196"
ALL = [A, B, C]

READ: dict[str, list[str]] = {
    "POSTS.CSV.txt": ALL,
    "UPPER.CSV": ALL,
    "blank_lines.csv": [A],
    "bom_quoted.csv": ALL,
    "c_backslash.csv": [A, B],
    "c_double.csv": [A],
    "c_na.csv": ALL,
    "c_trailing_reply.csv": ALL,
    "c_trailing_reply_handle.csv": ALL,
    "columns.json": ALL,
    "columns_pandas.json": ALL,
    "cp1252.csv": ALL,
    "decimal_zero.csv": [A, B],
    "heading_Post_ID.csv": ALL,
    "heading_in.txt": ALL,
    "heading_spaces.csv": ALL,
    "links.csv": [A],
    "links.json": [A],
    "links.txt": ALL,
    "links_column.csv": [A],
    "mac_cr.csv": ALL,
    "mac_cr.txt": ALL,
    "nbsp.csv": ALL,
    "posts.csv.gz": ALL,
    "quoted.txt": ALL,
    "quoted_comma.txt": ALL,
    "semicolon.csv": ALL,
    "sep_comma_line.csv": ALL,
    "sep_line.csv": ALL,
    "t_closed_ok.csv": ALL,
    "t_openquote_mid.tsv": ALL,
    "t_openquote_two.tsv": ALL,
    "tab_in_csv.csv": ALL,
    "thousands.csv": ALL,
    "trailing_commas.csv": [A, B],
    "twarc1.jsonl": ALL,
    "twarc2.jsonl": ALL,
    "twarc2_flat.jsonl": ALL,
    "tweets.js": ALL,
    "tweets_js.json": ALL,
    "two_exports.csv": [A, B],
    "utf16_excel.csv": ALL,
    "utf16le_nobom.csv": ALL,
    "utf16le_nobom.txt": ALL,
}
REFUSED: dict[str, str] = {
    "c_nul.csv": r"line 2 of c_nul.csv has '\x00'",
    "c_openquote.csv": "line 2 of c_openquote.csv: a quotation mark is not closed",
    "c_quoteinside.csv": "line 2 of c_quoteinside.csv has 4 columns, but the heading has 3",
    "c_ragged_first.csv": "line 2 of c_ragged_first.csv has 4 columns, but the heading has 3",
    "c_twice.csv": "line 1 of c_twice.csv: two columns have the same name, ['post_id', 'post_id']",
    "empty_row.csv": "line 3 of empty_row.csv has no post ID",
    "excel15.csv": "excel15.csv: 3 of 3 post IDs",
    "excel15_mixed.csv": "excel15_mixed.csv: 2 of 3 post IDs",
    "jq_rounded.jsonl": "jq_rounded.jsonl: 3 of 3 post IDs",
    "js_rounded.txt": "js_rounded.txt: 3 of 3 post IDs",
    "sci_comma.csv": "line 2 of sci_comma.csv: post ID '2,12545E+18' is missing, or was a float",
    "sci_comma_quoted.csv": "line 2 of sci_comma_quoted.csv: post ID '2,12545E+18' is missing",
    "t_openquote_last.csv": "line 3 of t_openquote_last.csv: a quotation mark is not closed",
    "t_openquote_pair.csv": "line 2 of t_openquote_pair.csv: a quotation mark is not closed",
    "truncated.jsonl": "line 2 of truncated.jsonl is not valid JSON",
    "unquoted_text.csv": "line 3 of unquoted_text.csv has 5 columns, but the heading has 3",
}
WARNED = {"float_int.txt"}


def refusal(content: str | bytes, name: str = PASTED, **options: Any) -> str:
    """Return the message with which a file is refused."""
    with pytest.raises(EngagementError) as caught:
        records_in(name, content, **options)
    return str(caught.value)


def test_each_file_has_an_expected_outcome() -> None:
    """Every file of the folder is listed."""
    assert {path.name for path in FILES.iterdir()} == {*READ, *REFUSED, *WARNED}


@pytest.mark.slow
@pytest.mark.parametrize("name", READ)
def test_valid_files_are_read(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path, an upload, an open file and the command line return the same posts."""
    monkeypatch.chdir(FILES)
    content = Path(name).read_bytes()
    assert ep.read_posts(name)["post_id"].to_list() == READ[name]
    assert ep.read_posts(io.BytesIO(content))["post_id"].to_list() == READ[name]
    assert list(dict.fromkeys(ids_in(name, memoryview(content)))) == READ[name]
    arguments = parser().parse_args(["totals", name])
    assert list(arguments.question(arguments).post_ids) == READ[name]


@pytest.mark.parametrize("name", REFUSED)
def test_invalid_files_are_refused(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """All readers give the same message with file and line."""
    monkeypatch.chdir(FILES)
    assert refusal(Path(name).read_bytes(), name).startswith(REFUSED[name])
    with pytest.raises(ep.InvalidPostId) as caught:
        ep.read_posts(name)
    assert str(caught.value).startswith(REFUSED[name])
    assert type(caught.value) is ep.InvalidPostId


def test_ids_that_may_have_been_floats_give_a_warning() -> None:
    """Two of three IDs end in eight zero bits, and are not multiples of 4096."""
    with pytest.warns(UserWarning, match="float_int.txt: 2 of 3 post IDs"):
        ep.read_posts(FILES / "float_int.txt")


@pytest.mark.parametrize(
    ("name", "handles", "texts"),
    [
        ("c_trailing_reply.csv", ["sandbox_bakery"] * 3, ["first", "second", "third"]),
        ("c_na.csv", ["NA", "null", "sandbox_bakery"], ["N/A", "None of us", "null"]),
        ("c_backslash.csv", ["sandbox_bakery"] * 2, ['say "hi", all', "two"]),
        ("semicolon.csv", ["sandbox_bakery"] * 3, ["Grüße, 0", "Grüße, 1", "Grüße, 2"]),
        ("c_double.csv", ["sandbox_bakery"], ["old text"]),
    ],
)
def test_handles_and_texts_are_kept(name: str, handles: list[str], texts: list[str]) -> None:
    """NA and null are ordinary words."""
    posts = ep.read_posts(FILES / name)
    assert posts["handle"].to_list() == handles
    assert posts["text"].to_list() == texts
    assert set(posts.dtypes) == {TEXT}


@pytest.mark.parametrize("name", ["cp1252.csv", "utf16_excel.csv"])
def test_umlauts_are_kept(name: str) -> None:
    """Files from Excel keep their letters."""
    assert ep.read_posts(FILES / name)["text"].to_list() == ["Grüße"] * 3


def test_quoted_texts_are_read() -> None:
    """A quoted text may have line ends and quotation marks."""
    texts = ep.read_posts(FILES / "t_closed_ok.csv")["text"].to_list()
    assert texts == ['Big "news", all', "line one\nline two", "x"]


@pytest.mark.parametrize("name", ["twarc1.jsonl", "tweets.js"])
def test_times_of_archives(name: str) -> None:
    """X's own format is read as UTC."""
    posts = ep.read_posts(FILES / name)
    assert str(posts["created_at"].dtype) == "datetime64[us, UTC]"
    assert posts["created_at"].unique().tolist() == [pd.Timestamp("2026-11-24T10:00Z")]


@pytest.mark.parametrize(
    "text",
    [
        *("2026-11-24T10:00:00Z", "2026-11-24 11:00:00+01:00", "2026-11-24 10:00"),
        *("1795514400", "1795514400000", "1795514400000000", "Tue Nov 24 10:00:00 +0000 2026"),
    ],
)
def test_formats_of_times(text: str) -> None:
    """Times without a zone are UTC; numbers count since 1970, as in `to_json`."""
    posts = ep.read_posts(io.StringIO(f'[{{"id": "{A}", "created_at": "{text}"}}]'))
    assert posts["created_at"].to_list() == [pd.Timestamp("2026-11-24T10:00Z")]


@pytest.mark.parametrize(
    "text",
    [
        *("yesterday", "01.03.2026", "03/01/2026 9:30", "46082", "46082.395833", "9" * 19),
        *("20260", "0001-01-01", "9999-12-31T23:00:00-05:00", "9" * 5000),
    ],
)
def test_invalid_times_are_missing(text: str) -> None:
    """A warning names the line, and no ID is lost."""
    content = io.StringIO(f"post_id;created_at\n{A};2026-11-24T10:00:00Z\n{B};{text}\n{C};\n")
    message = rf"of 1 post ignored.* line 3 of the file: '{re.escape(text[:15])}.*write"
    with pytest.warns(UserWarning, match=message):
        posts = ep.read_posts(content)
    assert posts["post_id"].to_list() == ALL
    assert str(posts["created_at"].dtype) == "datetime64[us, UTC]"
    assert posts["created_at"].isna().to_list() == [False, True, True]


def test_several_invalid_times_give_one_warning() -> None:
    """It shows the first three; the column has only missing values."""
    rows = [f"{10**18 + number},{number}.3.2026" for number in range(1, 6)]
    with pytest.warns(UserWarning, match="of 5 posts ignored") as caught:
        posts = ep.read_posts(io.StringIO("\n".join(["post_id,created_at", *rows])))
    assert len(caught) == 1
    message = "line 4 of the file: '3.3.2026'; …; write 2026-03-01T09:30:00Z"
    assert message in str(caught[0].message)
    assert posts["created_at"].isna().to_list() == [True] * 5


# Tables


DELIMITERS = [",", ";", "\t", "|"]
WORDS = "一二三 日本語の文章 一一一一 " * 20


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf_16_of_chinese_text(encoding: str) -> None:
    """Without a byte order mark few bytes are zero, and one byte of U+4E00 is."""
    text = f"text,post_id\n{WORDS},{A}\n{WORDS},{B}\n"
    records = records_in("posts.csv", text.encode(encoding))
    assert [(record.text, record.post_id) for record in records] == [(WORDS, A), (WORDS, B)]


def test_zero_bytes_in_utf_8_are_damage() -> None:
    """A zero byte, or a lost block of them, is not taken for UTF-16."""
    for zeros in (1, 2, 512):
        text = f"post_id,text\n{A},café{chr(0) * zeros} noir\n"
        with pytest.raises(ep.InvalidPostId, match=r"line 2 of posts.csv has '\\x00'"):
            ids_in("posts.csv", text.encode())


ENCODINGS = ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
ENDS = ["\n", "\r\n", "\r"]


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ENCODINGS)
@given(
    st.sampled_from(DELIMITERS),
    st.sampled_from(ENDS),
    st.sampled_from(["post_id", "Post ID", "Tweet id", "tweet_id", "id_str", "ID"]),
    st.tuples(st.booleans(), st.sampled_from(["", ",", ",,"])),
    st.lists(st.text('ab é"\n,;\t|0'), min_size=3, max_size=3),
)
def test_tables_of_all_formats(  # noqa: PLR0913, PLR0917 - what programs differ in
    encoding: str,
    delimiter: str,
    end: str,
    heading: str,
    more: tuple[bool, str],
    texts: list[str],
) -> None:
    """Delimiter, encoding, line end and heading vary, and texts are arbitrary."""
    sep, extra = more
    ends = extra.replace(",", delimiter)
    rows = [f"text{delimiter}{heading}{ends}"]
    for post, text in zip(ALL, texts, strict=True):
        quoted = text.replace('"', '""')
        rows.append(f'"{quoted}"{delimiter}{post}{ends}')
    first = f"sep={delimiter}{end}" if sep else ""
    body = (first + end.join(rows) + end).encode(encoding)
    records = records_in("posts.csv", body)
    assert [record.post_id for record in records] == ALL
    expected = [text.replace("\r", "\n") if text.strip() else None for text in texts]
    assert [record.text for record in records] == expected


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            f'post_id,text\n{A},"Big\n{B},middle"\n{C},x\n',
            "line 2 of t.csv: a quoted text spans",
        ),
        (f'text,post_id\n"Quote,{A}\nsaid so",{B}\n', "line 2 of t.csv: a quoted text spans"),
        (f'post_id,text\n{A},x\n{B},"a" b\n', "line 3 of t.csv: a quotation mark"),
        (
            f"post_id,handle,text\n{A},hello\n",
            "line 2 of t.csv has 2 columns, but the heading has 3",
        ),
        (f"post_id,text\n{A},x\n{B},y,z\n", "line 3 of t.csv has 3 columns, but the heading has 2"),
        (f"Post ID,post_id\n{A},{B}\n", "line 1 of t.csv: two columns have the same name"),
        (f"post_id,text,Text\n{A},x,y\n", "line 1 of t.csv: two columns have the same name"),
        (f"post_id,text\n{A},x\nTotal,2\n", "line 3 of t.csv: 'Total' is not a post ID"),
        (f"post_id,handle\n{A},a b\n", "line 2 of t.csv: 'a b' is not a handle"),
        ("id,text\n1,x\n2,y\n", "line 2 of t.csv has no post_id, only ['id'], and '1' is too"),
        ("a,b\n1,2\n", "t.csv has no post_id column, only ['a', 'b']"),
        (f"post_id\n{A}\n2.12588E+18\n", "line 3 of t.csv: post ID '2.12588E+18' is missing, or"),
        (f"post_id\n{A}\n{A[:-3]}000.0\n{'9' * 5000}\n", "line 4 of t.csv: '99999"),
        (b"post_id\n\x81\x8d\n", "t.csv is not text in UTF-8, UTF-16 or Windows-1252"),
    ],
)
def test_invalid_tables_are_refused(body: str | bytes, words: str) -> None:
    """The error names the line; no cell is lost or shifted."""
    assert refusal(body if isinstance(body, bytes) else body.encode(), "t.csv").startswith(words)


@pytest.mark.parametrize("before", ["one\ntwo", "one\n\nthree", f"see {A}\nnot {B}", f"{A}\nx"])
def test_texts_of_several_lines_are_one_cell(before: str) -> None:
    """Lines that look like rows do not matter."""
    assert ids_in("t.csv", f'text,post_id\n"{before}",{A}\nx,{B}\n') == [A, B]
    assert ids_in("t.csv", f'post_id,text\n{A},"{before}"\n{B},x\n') == [A, B]


def test_tables_with_tabs_may_have_no_quoting() -> None:
    """A quotation mark is an ordinary character there."""
    assert ids_in("t.tsv", f'post_id\ttext\n{A}\t"to be\n{B}\tor not"\n{C}\tx\n') == ALL


def test_rows_without_an_id() -> None:
    """They are refused with the line, or skipped with a warning."""
    body = f"post_id,text\n{A},x\n,no id\nn/a,y\n{B},z\n"
    message = refusal(body, "b.csv")
    assert message.startswith("line 3 of b.csv has no post ID")
    assert "missing='skip'" in message
    with pytest.warns(UserWarning, match="skipped 2 rows of b.csv without a post ID: 3, 4"):
        records = records_in("b.csv", body, missing="skip")
    assert [record.post_id for record in records] == [A, B]
    with pytest.raises(RequestError, match="missing is 'drop'; choose one of"):
        records_in("b.csv", body, missing="drop")  # type: ignore[arg-type]


def test_a_csv_without_a_heading() -> None:
    """It is read if each line is one post."""
    assert ids_in("posts.csv", f"{A}\n{B},\n") == [A, B]
    assert refusal(f"{A},x\n{B},y\n", "p.csv").startswith("p.csv has no post_id column, only")


def test_links_and_guards_in_tables() -> None:
    """They are accepted as in lists."""
    cells = [f"https://x.com/a/status/{A}", f'"=""{B}"""', f"'{C}"]
    assert ids_in("t.csv", "Post Link,text\n" + "".join(f"{cell},x\n" for cell in cells)) == ALL


# JSON


def documents() -> dict[str, Any]:
    """Return posts in the formats of common tools."""
    frame = pd.DataFrame({"post_id": ALL, "text": ["x", "y", "z"]})
    orients = ("columns", "records", "split", "index", "values", "table")
    tweets = [{"id": int(post), "id_str": post, "user": {"screen_name": "a"}} for post in ALL]
    users = {"users": [{"id": "9", "username": "bakery"}]}
    v2 = [{"id": post, "text": "x", "author_id": "9"} for post in ALL]
    return {
        **{orient: json.loads(frame.to_json(orient=orient)) for orient in orients},
        "Series": json.loads(frame["post_id"].to_json()),
        "to_dict": frame.to_dict("list"),
        "integers": [int(post) for post in ALL],
        "links": [f"https://x.com/a/status/{post}" for post in ALL],
        "nested": [[post] for post in ALL],
        "search": {"statuses": tweets},
        "timeline": tweets,
        "archive": [{"tweet": tweet} for tweet in tweets],
        "v2": {"data": v2, "includes": users, "meta": {}},
        "flat": v2,
        "odd includes": {"data": v2, "includes": [], "meta": None},
        "odd users": {"data": v2, "includes": {"users": [7]}},
        "mongo": [{"_id": {"$oid": "5f"}, "id": 1, "id_str": post} for post in ALL],
        "body": {"tweet_ids": ALL, "engagement_types": ["favorites"]},
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", documents())
def test_json_of_common_tools(name: str) -> None:
    """Every format is read with and without indentation, from a file and pasted."""
    for indent in (None, 1):
        body = json.dumps(documents()[name], indent=indent)
        assert ids_in("posts.json", body.encode()) == ALL
        assert ids_in(PASTED, body) == ALL
        assert ids_in("tweets.js", f"window.YTD.tweets.part0 = {body};\n".encode()) == ALL


@pytest.mark.parametrize(
    "lines",
    [
        [*ALL],
        [json.dumps(post) for post in ALL],
        [json.dumps({"post_id": post}) for post in ALL],
        [json.dumps({"id": post, "text": "x"}) for post in ALL],
        [json.dumps({"data": [{"id": A}, {"id": B}], "meta": {}}), json.dumps({"data": {"id": C}})],
        [json.dumps({"id": post}, indent=2) for post in ALL],
        ["", json.dumps({"meta": {"result_count": 0}}), json.dumps(ALL), ""],
    ],
)
def test_json_lines(lines: list[str]) -> None:
    """Each value may take one line or several."""
    for name in ("posts.jsonl", "posts.ndjson", "posts.json"):
        assert ids_in(name, "\n".join(lines).encode()) == ALL


@pytest.mark.parametrize("name", ["search", "v2"])
def test_handles_in_json(name: str) -> None:
    """The account is inside the post or separate."""
    handle = {"search": "a", "v2": "bakery"}[name]
    records = records_in("p.json", json.dumps(documents()[name]))
    assert [record.handle for record in records] == [handle] * 3


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "[2.125450880059707756e18]",
            "item 1 of p.json: post ID '2.1254508",
        ),
        (f'{{"post_id": "{A}"}}\n{{"post_id": 1.5}}', "line 2 of p.json: post ID '1.5' is missing"),
        ("[" + "9" * 5000 + "]", "item 1 of p.json: '99999"),
        (f'{{"id": {"9" * 5000}}}', "item 1 of p.json: '99999"),
        ("[" * 100_000, "p.json is not a list of post IDs: it is nested too deeply"),
        ("[7, true]", "item 2 of p.json: True is not a post ID"),
        ("[null]", "item 1 of p.json has no post ID"),
        ('[{"x": 1}]', "item 1 of p.json has no post_id, only ['x']"),
        ('{"post_id": "7", "post_id": "8"}', "line 1 of p.json has ['post_id'] twice"),
        (f'\n\n{{"post_id": "{A}"', "line 3 of p.json is not valid JSON"),
        (f"[{A},\n{B}", "line 2 of p.json is not valid JSON"),
        ("0123", "line 1 of p.json is not valid JSON"),
        (f'{{"columns": ["post_id"], "data": ["{A}"]}}', "item 1 of p.json: '2125450880"),
        (f'{{"columns": ["post_id", "x"], "data": [["{A}"]]}}', "item 1 of p.json: ['2125"),
        (
            f'{{"post_id": ["{A}", "{B}"], "handle": ["a"]}}',
            "item 1 of p.json: ['a'] should have 2",
        ),
        ('{"_id": "7", "id": "8"}', "item 1 of p.json: two columns have the same name"),
        ('{"columns": [["a"]], "data": [[1]]}', "item 1 of p.json has no post_id"),
        (f'[["{A}", "{B}"]]', "item 1 of p.json is a row with 2 post IDs"),
    ],
)
def test_invalid_json_is_refused(body: str, words: str) -> None:
    """The error is the package's own, with a line or an item."""
    assert refusal(body.encode(), "p.json").startswith(words)


# Compressed files


def _zip(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("__MACOSX/x", b"?")
        archive.writestr("inside/posts.csv", content)
    return file.getvalue()


COMPRESSORS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": _zip,
}
BODY = "post_id,text\n" + "".join(f"{post},x\n" for post in ALL)


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_compressed_files_are_read(ending: str) -> None:
    """The file's name does not matter; damaged files are refused."""
    compressed = COMPRESSORS[ending](BODY.encode())
    assert ids_in(f"posts.csv.{ending}", compressed) == ALL
    assert ids_in("posts", compressed) == ALL
    offset = compressed.find(b"inside/posts.csv") + 20
    for damaged in (compressed[:-9], compressed[:offset] + b"\xff" * 9 + compressed[offset + 9 :]):
        assert f"posts.csv.{ending} is damaged" in refusal(damaged, f"posts.csv.{ending}")


@pytest.mark.parametrize("ending", COMPRESSORS)
def test_decompression_is_limited(ending: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than the limit is decompressed."""
    monkeypatch.setattr(reader, "MOST_BYTES", 1000)
    compressed = COMPRESSORS[ending](b"7\n" * 1000)
    assert refusal(compressed, "b.gz") == "b.gz has more than 1,000 bytes; split it"
    with pytest.raises(ep.InvalidPostId, match="has more than 1,000 bytes; split it"):
        ep.read_posts(io.BytesIO(b"7\n" * 1000))


def test_an_open_archive_is_refused(tmp_path: Path) -> None:
    """The object is refused; its path, its file and its members are read."""
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("posts.txt", "7\n")
    with (
        zipfile.ZipFile(path) as archive,
        pytest.raises(ep.InvalidPostId, match="nor an open file; give the archive by its path"),
    ):
        ep.read_posts(archive)  # type: ignore[arg-type]
    with path.open("rb") as file, zipfile.ZipFile(path) as archive:
        for source in (path, file, archive.open("posts.txt")):
            assert ep.read_posts(source)["post_id"].to_list() == ["7"]


def test_a_workbook_is_refused() -> None:
    """A workbook is a zip file too."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("[Content_Types].xml", b"")
    assert refusal(file.getvalue(), "p.xlsx").startswith("p.xlsx is a workbook; save it as CSV")


# Pasted lists


@pytest.mark.parametrize(
    "text",
    [
        f"{A} {B}",
        f"{A},{B}",
        f"{A}; {B};",
        f"  {A}\r\n{B}\r\n",
        f"{A}\t{B}",
        f"{A}|{B}",
        f"['{A}', '{B}']",
        f"[{A}, {B}]",
        f'["{A}","{B}"]',
        f"('{A}', '{B}',)",
        f"{{'{A}', {B}}}",
        f"post_id\n{A}\n{B}\n",
        f'"post_id"\n"{A}"\n""\n"{B}"\n',
        f"\ufeffpost_id\r\n{A}\r\n{B}",
        f"# mine\n{A}  \n\t# 8 not yet\n{B}",
        f"\u201c{A}\u201d, \u2018{B}\u2019",
        f"`{A}`\u00a0\u200b`{B}`",
        f"{A}\u2028[[{B}]]",
        f"1) https://x.com/bakery/status/{A}\n2) {B}",
        f"1. https://x.com/bakery/status/{A}\n2. https://x.com/bakery/status/{B}",
        f"- https://x.com/bakery/status/{A}\n- {B}",
        f"\u2022 {A}\n* {B}",
        f"[1] {A}\n[2] {B}",
        f"[one (1)](https://x.com/a/status/{A}), [two](<https://x.com/a/status/{B}>)",
        f"https://x.com/a/status/{A}?s=20,https://x.com/a/status/{B}?s=20&t=a,b;c=d",
        f"<https://x.com/a/status/{A}>; x.com/a/status/{B}.",
        f"ID: {A}\nID: {B}",
        f"'{A}\n'{B}",
        f'="{A}"\n="{B}"',
        f"{A}.0\n{B}.0",
        f"Post Link\thandle\nhttps://x.com/a/status/{A}\ta\nhttps://x.com/a/status/{B}\tb",
    ],
)
def test_pasted_lists_are_read(text: str) -> None:
    """Lists of Python, JSON and Markdown, columns, tables and messages are read."""
    assert ids_in(PASTED, text) == [A, B]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (f"{A}\t551\n{B}\t412", "line 1 of the pasted text: '551' is too short"),
        (f"{A} 2026", "'2026' is too short"),
        (f"[{A}, 551]", "item 2 of the pasted text: '551' is too short"),
        (f"{A}\n551\n{B}", "line 2 of the pasted text: '551' is too short"),
        (f"0    {A}\n1    {B}", "'0' is too short"),
        (f"{A} hello", "'hello' is not a post ID"),
        (f"{A} # mine", "'#' is not a post ID"),
        (f"{A}abc", "is not a post ID"),
        ("https://x.com/name", "'https://x.com/name' is not a post ID"),
        (f"https://evilx.com/a/status/{A}", "is not a post ID"),
        ("21,25,45,08,80,05,97,07,756", "looks like one number"),
        ("2125 4508 8005 9707 756", "looks like one number"),
        ("1,060,976,163,948,900,000", "looks like one number"),
        (f"{A}\n1 060 976 163 948 900 000", "line 2 of the pasted text: '1 060 976"),
        ("1\u202f060\u202f976\u202f163\u202f948\u202f900\u202f000", "looks like one number"),
        ("1.06e18", "is missing, or was a float"),
        ("[1.06098E+18, 7]", "'1.06098E+18' is missing, or was a float"),
        ("1060976163948904448.0", "is missing, or was a float"),
        ("[7, null]", "item 2 of the pasted text has no post ID"),
        ("7 nan", "has no post ID"),
        ("12345678901234567890", "is not a post ID"),
        ("\u0667", "is not a post ID"),
        ("a" * 10_000, "…' is not a post ID"),
    ],
)
def test_other_pasted_text_is_refused(text: str, words: str) -> None:
    """A count, a year or a rank is not a post ID; a number in groups is not several IDs."""
    message = refusal(text)
    assert words in message
    assert len(message) < 300


@pytest.mark.parametrize("text", ["1,234,567", "[100, 200, 300, 400, 500]", "1,2,3,4,5,6", "20"])
def test_pasted_short_ids(text: str) -> None:
    """Posts of the first years have short IDs, which are accepted if all are short."""
    assert ids_in(PASTED, text) == text.strip("[]").replace(" ", "").split(",")


def test_short_ids_among_long_ones() -> None:
    """They are accepted below a heading."""
    assert ids_in(PASTED, f"post_id\n{A}\n20\n") == [A, "20"]
    assert ids_in("p.jsonl", f'{{"post_id": "{A}"}}\n{{"post_id": 20}}') == [A, "20"]


def test_short_ids_in_files() -> None:
    """They are accepted as a separate line or item, but not next to another ID."""
    assert ids_in("p.txt", f"{A}\n20\n") == [A, "20"]
    assert ids_in("p.json", f"[{A}, 20]") == [A, "20"]
    assert refusal(f"{A} 20\n", "p.txt").startswith("line 1 of p.txt: '20' is too short")


SEPARATORS = [" ", "\n", "\r\n", "\t", ",", ", ", ";", ";\n", "\u00a0", "\u2028", ",,", "\n\n# 7\n"]
AROUND = [
    ("", ""),
    ("'", "'"),
    ('"', '"'),
    ("[", "]"),
    ("('", "')"),
    ("\u201c", "\u201d"),
    ("https://x.com/i/web/status/", "?s=20"),
    ("<x.com/name/status/", "/photo/1>"),
    ("mobile.twitter.com/#!/a/status/", "?t=a,b;c"),
]


@pytest.mark.slow
@given(
    st.lists(
        st.tuples(
            st.integers(10**10, 10**19 - 1).filter(lambda n: n % 10 and n % 8).map(str),
            st.sampled_from(AROUND),
            st.sampled_from(SEPARATORS),
        )
    ),
    st.sampled_from(["", "[", "\n"]),
    st.sampled_from(["", "]", ",\n]\n"]),
)
def test_all_forms_of_lists(
    pieces: list[tuple[str, tuple[str, str], str]], before: str, after: str
) -> None:
    """Separators, brackets and links do not matter: all IDs come back complete and in order."""
    joined = "".join(left + post + right + separator for post, (left, right), separator in pieces)
    assert ids_in(PASTED, before + joined + after) == [post for post, _, _ in pieces]


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:.*lost their last digits")
@pytest.mark.filterwarnings("ignore:created_at of .* ignored")
@given(st.text() | st.text('0123456789,;\t "\n[]{}:.post_id'), st.sampled_from(["a.csv", "a.json"]))
def test_arbitrary_text(text: str, name: str) -> None:
    """It is read or refused with an error of the package; only IDs are returned."""
    for file in (name, PASTED):
        for content in (text, text.encode("utf-8", "surrogatepass")):
            try:
                ids = ids_in(file, content)
            except RequestError:
                continue
            assert all(post.isascii() and post.isdigit() and len(post) < 20 for post in ids)


@pytest.mark.filterwarnings("ignore:.*lost their last digits")
@pytest.mark.filterwarnings("ignore:created_at of .* ignored")
@given(st.binary(), st.sampled_from([b"", b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00", b"PK\x03\x04"]))
def test_arbitrary_bytes(content: bytes, mark: bytes) -> None:
    """They are read or refused with an error of the package."""
    try:
        records_in("posts", mark + content)
    except RequestError:
        return


# Owners, and several files


def test_two_handles_of_one_post(tmp_path: Path) -> None:
    """The error names both lines, also of different files."""
    for name, handle in (("a.csv", "one"), ("b.csv", "two")):
        (tmp_path / name).write_text(f"post_id,handle\n{A},{handle}\n")
    paths = [str(tmp_path / name) for name in ("a.csv", "b.csv")]
    arguments = parser().parse_args(["totals", *paths])
    with pytest.raises(RequestError) as caught:
        arguments.question(arguments)
    first, second = (f"line 2 of {path}" for path in paths)
    assert (
        str(caught.value) == f"{second}: post {A} belongs to two, but to one in {first}; keep one"
    )


@pytest.mark.parametrize("handle", ["@Bakery", "bakery ", "BAKERY"])
def test_two_spellings_of_one_handle(handle: str) -> None:
    """They are the same handle."""
    body = f"post_id,handle\n{A},bakery\n{A},{handle}\n"
    assert len(ep.read_posts(io.StringIO(body))) == 1


def test_an_error_in_the_second_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It names that file and its line; rows without an ID are skipped on request."""
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text(f"post_id,text\n{A},x\n")
    rows = "".join(f"{number},x\n" for number in range(int(B), int(B) + 401))
    Path("b.csv").write_text(f"post_id,text\n{rows},no id\n{C},y\n")
    assert main(["totals", "a.csv", "b.csv"]) == 2
    assert "line 403 of b.csv has no post ID" in capsys.readouterr().err
    arguments = parser().parse_args(["totals", "a.csv", "b.csv", "--missing", "skip"])
    with pytest.warns(UserWarning, match="skipped 1 row of b.csv without a post ID: 403"):
        assert len(arguments.question(arguments).post_ids) == 403


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        (f"https://x.com/bakery/status/{A}?s=20", (A,)),
        (f"x.com/bakery/status/{A}", (A,)),
        (f"{A},{B}", (A, B)),
        (f"{A},", (A,)),
        (f"'{A}'", (A,)),
        ("7", ("7",)),
    ],
)
def test_typed_posts(typed: str, ids: tuple[str, ...]) -> None:
    """Links, and IDs separated by commas, are accepted."""
    arguments = parser().parse_args(["totals", typed])
    assert arguments.question(arguments).post_ids == ids
    assert ep.totals(ids, engagement_types=["likes"]).post_ids == ids


@pytest.mark.parametrize("typed", ["hello", "https://x.com/bakery", "x" * 5000, "a\0b"])
def test_invalid_typed_posts(typed: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit code is 2, and the message lists valid forms."""
    assert main(["totals", typed]) == 2
    assert "is neither a post ID nor a file; links can be https://x.com" in capsys.readouterr().err


@pytest.mark.parametrize("stream", [None, io.StringIO("")])
def test_empty_standard_input(
    stream: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may also be closed, as under cron: no posts were given."""
    monkeypatch.setattr(sys, "stdin", stream)
    assert main(["totals", "-"]) == 2
    assert "no post IDs in ['standard input']" in capsys.readouterr().err


@pytest.mark.parametrize("other", [[A], A.encode(), None, 7])
def test_other_objects_are_refused(other: Any) -> None:
    """Only paths and open files are accepted."""
    with pytest.raises(ep.InvalidPostId, match="is neither a path nor an open file"):
        ep.read_posts(other)


ARBITRARY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**19) | st.floats() | st.sampled_from([A, "x"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *("post_id", "id", "data", "columns", "includes", "users", "user", "handle"),
                    *("tweet", "meta", "text", "author_id", "0", "created_at"),
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*lost their last digits")
@pytest.mark.filterwarnings("ignore:created_at of .* ignored")
@given(ARBITRARY_JSON)
def test_arbitrary_json(value: Any) -> None:
    """It is read or refused with an error of the package."""
    try:
        posts = ep.read_posts(io.StringIO(json.dumps([value])))
    except (RequestError, ep.FrameError):
        return
    assert posts["post_id"].str.fullmatch("[0-9]{1,19}").all()


def test_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its format is detected."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(gzip.compress(BODY.encode()))))
    assert [record.post_id for record in read_records("-")] == ALL


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    """As with ``<(grep …)`` in a shell, it can be read only once."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_bytes, args=(b"post_id\n7\n",))
    writer.start()
    try:
        assert [post.post_id for post in read_records(path)] == ["7"]
    finally:
        writer.join()


def test_only_known_kinds_are_read() -> None:
    """Other columns may have that name."""
    records = records_in("posts.csv", b"post_id,kind\n7,photo\n8,Reply\n")
    assert [post.kind for post in records] == [None, "reply"]
