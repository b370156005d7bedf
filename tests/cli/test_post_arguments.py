"""The argument POSTS: IDs, and files of them."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest

import engagement_pandas as ep
from engagement_pandas.cli import main, parser
from engagement_pandas.request.post_files import read_records


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("posts.txt", "# mine\n1060976163948904448\n\n  7 \n"),
        ("posts", "1060976163948904448\r\n7\r\n"),
        ("posts.csv", "\ufeffpost_id,text\n1060976163948904448,a\n7,b\n"),
        ("posts.tsv", "text\tpost_id\na\t1060976163948904448\nb\t7\n"),
        ("posts.jsonl", '{"post_id": "1060976163948904448"}\n{"post_id": 7}\n'),
        ("posts.ndjson", '"1060976163948904448"\n\n7\n'),
        ("posts.json", '["1060976163948904448", 7]'),
    ],
)
def test_ids_are_read_from_files(folder: Path, name: str, text: str) -> None:
    """Text, CSV, TSV and JSON lines keep every digit."""
    (folder / name).write_text(text, encoding="utf-8")
    arguments = parser().parse_args(["totals", name])
    assert arguments.question(arguments).post_ids == ("1060976163948904448", "7")


def test_links_are_read_as_ids(folder: Path) -> None:
    """They may be arguments or in a file."""
    (folder / "posts.txt").write_text("https://x.com/bakery/status/8\n")
    link = "https://twitter.com/bakery/status/1060976163948904448?s=20"
    arguments = parser().parse_args(["totals", link, "posts.txt"])
    assert arguments.question(arguments).post_ids == ("1060976163948904448", "8")


@pytest.mark.parametrize("word", ["type", "post", "day", "hour"])
def test_by_takes_the_words_of_historical(word: str) -> None:
    """The option --by has the same words as ``by=``."""
    arguments = parser().parse_args(["historical", "7", "--by", word])
    request = ep.historical(["7"], engagement_types=["favorites"], window=7, by=word)
    assert arguments.by == request.groupings[0]


def test_ids_are_read_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """``-`` reads a list that another program writes."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("7\n8\n"))
    assert [record.post_id for record in read_records("-")] == ["7", "8"]


def test_a_repeated_post_is_requested_once(folder: Path) -> None:
    """It is an argument and in a file."""
    (folder / "posts.txt").write_text("7\n8\n")
    arguments = parser().parse_args(["totals", "8", "posts.txt"])
    assert arguments.question(arguments).post_ids == ("8", "7")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("posts.csv", "id\n7\n", "line 2 of posts.csv has no post_id, only ['id'], and '7'"),
        ("posts.csv", "post_id\n1.06098E+18\n", "'1.06098E+18' is missing, or was a float"),
        ("posts.jsonl", '{"id": 7}\n', "line 1 of posts.jsonl has no post_id, only ['id']"),
        ("posts.jsonl", '{"post_id": 1.0e18}\n', "is missing, or was a float"),
        ("posts.jsonl", "{\n", "line 1 of posts.jsonl is not valid JSON"),
        ("posts.txt", "# none\n", "no post IDs in ['posts.txt']"),
        ("posts.txt", "hello\n", "'hello' is not a post ID"),
        ("posts.txt", b"\xff\xfe7", "not text in UTF-8"),
        ("posts.txt", "1060976163948904448 7\n", "line 1 of posts.txt: '7' is too short"),
    ],
)
@pytest.mark.usefixtures("keys")
def test_invalid_files_are_reported(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, text: Any, message: str
) -> None:
    """The exit code is 2, and the message has the value and the cure."""
    (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    assert main(["totals", name]) == 2
    assert message in capsys.readouterr().err
