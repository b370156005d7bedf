"""``report`` makes a page of a counts file or a data set."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.cli import main

BODY = {
    "start": "2026-03-01T00:00:00Z",
    "end": "2026-03-05T00:00:00Z",
    "g": {
        "1060976163948904448": {
            "impressions": {f"2026-03-0{day}": {"23": str(day)} for day in (1, 2, 3, 4)}
        }
    },
}


@pytest.fixture
def counts(folder: Path) -> pd.DataFrame:
    """Write counts and posts to the working folder."""
    frame = ep.flatten_json(BODY)
    ep.write_parquet(frame, folder / "counts.parquet")
    ep.write_csv(frame, folder / "counts.csv")
    (folder / "posts.csv").write_text(
        "post_id,handle,text\n1060976163948904448,bakery,Two for one\n"
    )
    return frame


@pytest.mark.slow
@pytest.mark.usefixtures("counts")
@pytest.mark.parametrize("name", ["counts.parquet", "counts.csv"])
def test_a_file_is_reported_as_a_page(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page has title, period and posts; standard error names the file."""
    options = ["--posts", "posts.csv", "--title", "Our week", "--period", "2d"]
    assert main(["report", name, *options, "--out", "week.html"]) == 0
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err == "4 counts reported in week.html\n"
    page = (folder / "week.html").read_text(encoding="utf-8")
    assert "<title>Our week</title>" in page
    assert "3 Mar 2026 to 4 Mar 2026 (UTC), against the 2 days before; 1 post" in page
    assert "Two for one" in page


@pytest.mark.slow
def test_the_page_goes_to_standard_output(
    counts: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a file, the page is the result."""
    assert main(["report", "counts.csv"]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"{ep.report(counts)}\n"
    assert shown.err == ""


@pytest.mark.slow
def test_a_data_set_is_reported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The report includes its omissions, and --since limits what is read."""
    posts = ["2043975803238093234"]
    with ep.demo_client("2026-04-15") as demo:
        known = list(demo.posts["post_id"][:3])
        dataset = ep.Dataset(folder / "set")
        wanted = [*known, *posts]
        ep.sync(demo.client, dataset, wanted, engagement_types=["replies"], since="2026-03-20")
    assert main(["report", "set", "--out", "week.html", "--since", "2026-04-01"]) == 0
    assert f"{len(dataset.read('2026-04-01')):,} counts reported" in capsys.readouterr().err
    page = (folder / "week.html").read_text(encoding="utf-8")
    assert "8 Apr 2026 to 14 Apr 2026" in page
    assert main(["report", "set", "--since", "2027-01-01"]) == 7
    assert "set has no counts since 2027-01-01" in capsys.readouterr().err


@pytest.mark.slow
def test_an_export_is_reported(folder: Path) -> None:
    """It needs no import before."""
    (folder / "account_analytics_content_2026-03-01_2026-03-28.csv").write_text(
        "Post id,Date,Post text,Post Link,Impressions,Likes\n"
        '1060976163948904448,"Fri, Nov 9, 2018",Two for one,'
        "https://x.com/bakery/status/1060976163948904448,900,7\n"
    )
    name = "account_analytics_content_2026-03-01_2026-03-28.csv"
    assert main(["report", name, "--posts", name, "--out", "week.html"]) == 0
    page = (folder / "week.html").read_text(encoding="utf-8")
    assert "Two for one" in page
    assert "<b>900</b>" in page


@pytest.mark.slow
@pytest.mark.usefixtures("counts")
@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["nothing.csv"], "engagement-pandas: nothing.csv does not exist"),
        (["nothing.parquet"], "nothing.parquet does not exist"),
        (["counts.csv", "--posts", "nothing.csv"], "nothing.csv does not exist"),
        (["counts.csv", "--period", "36h"], "period is '36h'; write whole days"),
        (["counts.csv", "--tz", "Berlin"], "there is no time zone 'Berlin'"),
        (["counts.csv", "--out", "missing/week.html"], "week.html cannot be written"),
        (["counts.csv", "--out", "./counts.csv"], "counts.csv is named twice, and would be over"),
        (["counts.csv", "--posts", "posts.csv", "--out", "posts.csv"], "posts.csv is named twice"),
        (["counts.csv", "--since", "7d"], "--since is for data sets, and counts.csv is a file"),
        (["counts.csv", "--omissions", "counts.csv"], "has counts, not omissions"),
        (["posts.csv"], "engagement-pandas import makes counts of other files"),
        (["."], "has no counts; is it a data set of sync?"),
    ],
)
def test_errors_are_reported(
    command: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit code is 7, and the message has the cure."""
    assert main(["report", *command]) == 7
    assert message in capsys.readouterr().err
