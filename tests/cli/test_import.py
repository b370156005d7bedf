"""``import`` reads exports and archives into one table."""

from __future__ import annotations

import csv
import json
import zipfile
from pathlib import Path

import pytest
from support.exports import NUMBERS, ONE, TWO, content, row

import engagement_pandas as ep
from engagement_pandas.cli import main

NAME = "account_analytics_content_2026-08-20_2026-08-26.csv"


@pytest.mark.slow
def test_an_export_is_imported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Counts go to Parquet and posts to CSV, as the readers return them."""
    path = tmp_path / NAME
    path.write_text(content(row(text="@you &amp; me")))
    out, posts = tmp_path / "counts.parquet", tmp_path / "posts.csv"
    assert main(["import", str(path), "--out", str(out), "--posts", str(posts)]) == 0
    assert "13 rows in " in capsys.readouterr().err
    assert ep.read_parquet(out).equals(ep.read_x_analytics(path))
    assert ep.read_posts(posts)["text"].to_list() == ["@you & me"]


@pytest.mark.slow
def test_json_and_several_files_are_imported(tmp_path: Path) -> None:
    """Two exports are snapshots, and JSON is known by its suffix."""
    later = tmp_path / NAME.replace("08-26", "09-02")
    (tmp_path / NAME).write_text(content())
    later.write_text(content(row(numbers=(876, *NUMBERS[1:]))))
    out = tmp_path / "counts.csv"
    assert main(["import", str(tmp_path / NAME), str(later), "--out", str(out)]) == 0
    assert ep.growth(ep.read_csv(out))["gained"].max() == 876 - NUMBERS[0]
    body = tmp_path / "lookup.json"
    body.write_text(json.dumps({"data": [{"id": ONE, "public_metrics": {"like_count": 5}}]}))
    assert main(["import", str(body), "--out", str(out)]) == 0
    assert ep.read_csv(out)["count"].to_list() == [5]


@pytest.mark.slow
@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@you", "'=1", " =1", "\uff1d1", "'tis", '"'])
def test_a_spreadsheet_runs_no_text_of_a_post(tmp_path: Path, text: str) -> None:
    """Texts of posts are written like those of omissions, and read as they were."""
    body, out, posts = (tmp_path / name for name in ("tweets.js", "counts.csv", "posts.csv"))
    tweets = [{"tweet": {"id_str": ONE, "favorite_count": "5", "full_text": text}}]
    body.write_text("window.YTD.tweets.part0 = " + json.dumps(tweets))
    assert main(["import", str(body), "--out", str(out), "--posts", str(posts)]) == 0
    with posts.open(newline="", encoding="utf-8") as file:
        written = list(csv.DictReader(file))
    assert not written[0]["text"].lstrip(' "').startswith(("=", "+", "-", "@", "\uff1d"))
    assert ep.read_posts(posts)["text"].to_list() == [text]


def test_the_posts_of_an_archive_are_imported(tmp_path: Path) -> None:
    """Counts leave reposts out; the posts include them, with their kind."""
    texts = {"7": "Hi", "8": "RT @you: Hi"}
    posts = [
        {"tweet": {"id_str": n, "favorite_count": "5", "full_text": t}} for n, t in texts.items()
    ]
    with zipfile.ZipFile(tmp_path / "archive.zip", "w") as members:
        members.writestr("data/account.js", "window.YTD.account.part0 = []")
        members.writestr("data/tweets.js", "window.YTD.tweets.part0 = " + json.dumps(posts))
    out, posts_csv = tmp_path / "counts.csv", tmp_path / "posts.csv"
    command = [
        "import",
        str(tmp_path / "archive.zip"),
        "--out",
        str(out),
        "--posts",
        str(posts_csv),
    ]
    assert main(command) == 0
    assert ep.read_csv(out)["post_id"].to_list() == ["7"]
    found = ep.read_posts(posts_csv)
    assert dict(zip(found["post_id"], found["kind"], strict=True)) == {"7": "post", "8": "repost"}


def bucket(timestamp: str) -> dict[str, object]:
    """Return a bucket of a ``/2/tweets/analytics`` response."""
    return {"timestamp": timestamp, "metrics": {"impressions": 90}}


@pytest.mark.slow
def test_responses_of_analytics_are_imported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hours are known by their times; for a single bucket, the granularity is required."""
    body, out = tmp_path / "analytics.json", tmp_path / "counts.parquet"
    post = {"id": ONE, "timestamped_metrics": [bucket("2026-08-22T10:00:00Z")]}
    body.write_text(json.dumps({"data": [post]}))
    assert main(["import", str(body), "--out", str(out)]) == 0
    assert ep.read_parquet(out)[["hour", "count"]].to_numpy().tolist() == [[10, 90]]
    assert set(ep.read_parquet(out)["source"]) == {"x_post_analytics"}
    post["timestamped_metrics"] = [bucket("2026-08-22T00:00:00Z")]
    body.write_text(json.dumps({"data": [post]}))
    assert main(["import", str(body), "--out", str(out)]) != 0
    assert "which may be hours, days or weeks" in capsys.readouterr().err
    assert main(["import", str(body), "--out", str(out), "--granularity", "daily"]) == 0
    assert "hour" not in ep.read_parquet(out)
    body.write_text(json.dumps({"data": [{"id": ONE, "impressions": 90, "likes": 4}]}))
    assert main(["import", str(body), "--out", str(out)]) == 0
    assert ep.read_parquet(out)["count"].to_list() == [90, 4]


@pytest.mark.slow
def test_a_zipped_export_is_imported(tmp_path: Path) -> None:
    """A ZIP is not always an account's archive."""
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        archive.writestr(NAME, content())
    out = tmp_path / "counts.csv"
    assert main(["import", str(tmp_path / "export.zip"), "--out", str(out)]) == 0
    assert ep.read_csv(out)["count"].sum() == sum(NUMBERS)


@pytest.mark.slow
def test_posts_without_counts_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The number and the reasons of those that X API v2 has not answered."""
    body, out = tmp_path / "lookup.json", tmp_path / "counts.csv"
    problem = {"type": "https://api.x.com/2/problems/resource-not-found", "resource_id": TWO}
    posts = [{"id": ONE, "public_metrics": {"like_count": 5}}, {"id": "7"}]
    body.write_text(json.dumps({"data": posts, "errors": [problem]}))
    assert main(["import", str(body), "--out", str(out)]) == 0
    words = "2 posts without counts, or some of them (1 unavailable, 1 not_answered)"
    assert words in capsys.readouterr().err


def test_totals_and_hours_have_no_common_table(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message has the columns of both."""
    (tmp_path / NAME).write_text(content())
    body = tmp_path / "analytics.json"
    post = {"id": ONE, "timestamped_metrics": [bucket("2026-08-22T10:00:00Z")]}
    body.write_text(json.dumps({"data": [post]}))
    assert main(["import", str(tmp_path / NAME), str(body)]) != 0
    assert "read each kind into a table of its own" in capsys.readouterr().err


def test_other_files_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message is the reader's, and the exit code that of files."""
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n")
    assert main(["import", str(path)]) == 7
    assert "is not an export of X Analytics by post" in capsys.readouterr().err


def test_invalid_posts_leave_no_counts(tmp_path: Path) -> None:
    """Neither counts nor posts are written."""
    body = tmp_path / "lookup.json"
    body.write_text(json.dumps({"data": [{"id": ONE, "public_metrics": {"like_count": 5}}]}))
    other = tmp_path / "other.json"
    user = {"screen_name": "no handle"}
    other.write_text(json.dumps([{"id_str": TWO, "favorite_count": 5, "user": user}]))
    out = tmp_path / "counts.csv"
    command = ["import", str(other), str(body), "--out", str(out)]
    assert main([*command, "--posts", str(tmp_path / "posts.csv")]) != 0
    assert not out.exists()


@pytest.mark.parametrize(
    "words", [["--out", NAME], ["--posts", NAME], ["--out", "x.csv", "--posts", "./x.csv"]]
)
def test_no_file_is_written_over_another(
    words: list[str], folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The export is as it was, and nothing was written."""
    (folder / NAME).write_text(content(row()))
    before = (folder / NAME).read_bytes()
    assert main(["import", NAME, *words]) == 7
    assert "is named twice, and would be overwritten" in capsys.readouterr().err
    assert [(path.name, path.read_bytes()) for path in folder.iterdir()] == [(NAME, before)]
