"""The notebook of explorers in JupyterLab, used with a pointer and a keyboard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import pandas as pd
import pytest
from browser.cells import COUNTS, FETCHER, TIMES
from browser.conftest import monitored_page, open_copy
from browser.lab import Explorer, Notebook, expect, pattern_of
from browser.servers import Server
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

SENT: Final = "print(len(demo.server.requests))"
"""How many requests the sandbox has received."""


def test_counts_are_explored_and_exported(explorers_notebook: Notebook, artefacts: Path) -> None:
    """Posts, types, clock and lines change chart, table and code; the file has the selection."""
    explorer = explorers_notebook.explorer()
    expect(explorer.chart).to_have_attribute("aria-label", pattern_of("cumulative impressions"))
    explorer.choose("Along", "dates")
    explorer.choose("Show", "counts")
    expect(explorer.chart).to_have_attribute("aria-label", pattern_of("impressions per hour"))
    expect(explorer.rows).not_to_have_count(0)
    all_posts = explorer.rows.count()
    assert all_posts > 10

    explorer.press("None")
    expect(explorer.chart).to_have_attribute("aria-label", pattern_of("No post is selected"))
    explorer.pick("Posts", "Sold out", "Lost and found")
    expect(explorer.rows).to_have_count(2)
    expect(explorer.status).to_have_text(pattern_of(f"2 of {all_posts} posts"))
    chosen = explorer.root.locator("td a").all_inner_texts()
    explorer.draws(*chosen)

    explorer.choose("Along", "the age of each post")
    expect(explorer.chart).to_have_attribute(
        "aria-label", pattern_of("hours since the post was made")
    )
    expect(explorer.control("Up to age")).to_be_visible()
    expect(explorer.control("From")).to_be_hidden()

    explorer.choose("Along", "dates")
    explorer.choose("Show", "cumulative counts")
    explorer.choose("One line per", "engagement type")
    explorer.pick("Types", "impressions", "engagements", "favorites")
    expect(explorer.status).to_have_text(pattern_of("3 of 17 engagement types"))
    explorer.draws("impressions", "engagements", "favorites")
    expect(explorer.code).to_contain_text('by="engagement_type"')

    explorer.date("From", "2026-04-08")
    expect(explorer.status).to_have_text(pattern_of(f"{2 * 3 * 24 * 7 + 2 * 3 * 12:,} counts"))
    explorer.write("File", "chosen.parquet")
    explorer.press("Export")
    path = explorers_notebook.folder / "chosen.parquet"
    expect(explorer.status).to_have_text(pattern_of("Exported 1,080 rows to", str(path)))
    frame = pd.read_parquet(path)
    assert len(frame) == 1080
    assert set(frame["post_id"]) == set(chosen)
    assert frame["day"].min() == pd.Timestamp("2026-04-08")

    explorer.press("Export")
    expect(explorer.alert).to_have_text(pattern_of("already", "Replace"))
    expect(explorer.control("File")).to_have_attribute("aria-invalid", "true")
    explorer.tick("Replace")
    explorer.press("Export")
    expect(explorer.alert).to_be_empty()
    explorer.picture(artefacts / "counts.png")

    explorer.press("24 hours")
    expect(explorer.control("From")).to_have_value("2026-04-14")
    expect(explorer.control("To")).to_have_value("2026-04-15")
    explorer.press("All days")
    expect(explorer.control("From")).to_have_value("2026-03-18")


def test_best_times_are_explored(explorers_notebook: Notebook, artefacts: Path) -> None:
    """Clock, time zone and minimum change the week and its table."""
    explorer = explorers_notebook.explorer("BestTimesExplorer")
    # A chart that cannot be zoomed has no hint, and no gap in its place.
    expect(explorer.root.locator(".engagement-hint")).to_have_css("display", "none")
    expect(explorer.chart).to_have_attribute("aria-label", pattern_of("hour of posting (UTC)"))
    explorer.choose("By", "the hour of response")
    expect(explorer.chart).to_have_attribute("aria-label", pattern_of("hour of engagement (UTC)"))
    explorer.choose("Time zone", "Asia/Tokyo")
    expect(explorer.chart).to_have_attribute("aria-label", pattern_of("Asia/Tokyo"))
    explorer.choose("Rate of", "favorites")
    expect(explorer.code).to_contain_text('numerator="favorites"')
    explorer.write("Minimum posts", "1")
    expect(explorer.code).to_contain_text("minimum=1")
    expect(explorer.rows).to_have_count(10)
    expect(explorer.alert).to_be_empty()
    explorer.picture(artefacts / "best-times.png")
    frame = export_frame(explorers_notebook, explorer, "times.csv")
    assert set(frame["engagement_type"]) == {"impressions", "favorites"}
    assert len(frame) == int(explorers_notebook.python("print(len(times.selection))")) > 0


def test_two_sets_are_compared(explorers_notebook: Notebook, artefacts: Path) -> None:
    """Another split has its own controls, names and difference."""
    explorer = explorers_notebook.explorer("CompareExplorer")
    expect(explorer.status).to_have_text(pattern_of("before", "posts; from", "posts"))
    explorer.choose("Split by", "words in the text: with, and without")
    expect(explorer.control("Day")).to_be_hidden()
    explorer.write("Words", "season")
    expect(explorer.status).to_have_text(pattern_of("season", "posts"))
    explorer.choose("Split by", "hour of posting: inside, and outside")
    explorer.choose("From hour", "06:00")
    expect(explorer.chart).to_have_attribute("aria-label", pattern_of("06:00"))
    explorer.choose("Compare", "impressions")
    expect(explorer.code).to_contain_text('by="impressions"')
    explorer.choose("At the age of", "3 days")
    expect(explorer.code).to_contain_text("at=72")
    explorer.draws("typical:a", "typical:b", "posts:a", "posts:b", "equal", "difference")
    expect(explorer.alert).to_be_empty()
    explorer.picture(artefacts / "comparison.png")
    frame = export_frame(explorers_notebook, explorer, "sides.csv")
    assert set(frame["engagement_type"]) == {"impressions"}
    assert len(frame) == int(explorers_notebook.python("print(len(sides.selection))")) > 0


def test_a_request_is_planned_and_sent(explorers_notebook: Notebook, artefacts: Path) -> None:
    """Nothing is sent before Fetch; afterwards the counts are in Python and in a file."""
    explorer = explorers_notebook.explorer("FetchExplorer")
    expect(explorer.status).to_have_text(pattern_of("nothing is sent before you press Fetch"))
    ids = explorer.control("Posts").input_value().split()[:3]
    explorer.write("Posts", " ".join(ids))
    expect(explorer.status).to_have_text(pattern_of("1 request for 3 posts"))
    explorer.choose("Request", "days since September 2014")
    expect(explorer.control("From (UTC)")).to_be_visible()
    explorer.choose("Request", "totals since creation")
    expect(explorer.control("From (UTC)")).to_be_hidden()
    explorer.pick("Types", "favorites", "retweets")
    expect(explorer.status).to_have_text(pattern_of("1 request for 3 posts, up to 6 counts"))
    expect(explorer.chart).to_be_hidden()
    explorer.press("Fetch")
    expect(explorer.status).to_have_text(
        pattern_of("Done: 1 of 1 request settled", "6 counts in asking.counts")
    )
    expect(explorer.chart).to_be_visible()
    explorer.draws(*ids)
    expect(explorer.code).to_contain_text("api.client.fetch(request)")
    assert explorers_notebook.python("print(len(asking.counts))") == "6"
    explorer.write("File", "answer.csv")
    explorer.press("Export")
    path = explorers_notebook.folder / "answer.csv"
    expect(explorer.status).to_have_text(pattern_of("Exported 6 rows to", str(path)))
    assert set(pd.read_csv(path, dtype=str)["post_id"]) == set(ids)
    explorer.picture(artefacts / "question.png")


def test_a_fetch_is_cancelled_and_repeated(
    open_notebook: Callable[[Sequence[str]], Notebook], artefacts: Path
) -> None:
    """Cancel ends a waiting fetch without further requests; Fetch then returns all counts."""
    notebook = open_notebook([COUNTS, FETCHER])
    notebook.run_all()
    explorer = notebook.explorer("FetchExplorer")
    notebook.python("demo.server.faults.push(*['503'] * 20)")
    sent_before = int(notebook.python(SENT))
    explorer.press("Fetch")
    expect(explorer.root.get_by_role("button", name="Fetch", exact=True)).to_be_disabled()
    expect(explorer.status).to_have_text(pattern_of("waiting", "to try again"))
    explorer.picture(artefacts / "waiting.png")
    explorer.press("Cancel")
    expect(explorer.status).to_have_text(pattern_of("Cancelled: 0 of 1 request settled"))
    assert 1 <= int(notebook.python(SENT)) - sent_before < 20
    notebook.python("demo.server.faults.clear()")
    explorer.press("Fetch")
    expect(explorer.status).to_have_text(pattern_of("Done: 1 of 1 request settled"))
    assert int(notebook.python("print(len(asking.counts))")) > 0
    expect(explorer.alert).to_be_empty()


def export_frame(notebook: Notebook, explorer: Explorer, name: str) -> pd.DataFrame:
    """Export by a click, and return the content of the file."""
    explorer.write("File", name)
    explorer.press("Export")
    path = notebook.folder / name
    expect(explorer.status).to_have_text(pattern_of("Exported", str(path)))
    return pd.read_csv(path, dtype={"post_id": str})


def test_the_browsers_time_zone_is_the_first_option(
    browser: Browser, lab_server: Server, artefacts: Path
) -> None:
    """A browser in Auckland has Auckland, UTC and the usual zones; UTC stays selected."""
    window = browser.new_context(timezone_id="Pacific/Auckland", locale="en-GB")
    name = "a zone of its own"
    with (
        monitored_page(window, name, artefacts) as page,
        open_copy(page, lab_server, name, [COUNTS, TIMES]) as notebook,
    ):
        notebook.run_all()
        zone = notebook.explorer("BestTimesExplorer").control("Time zone")
        expect(zone.locator("option").first).to_have_text("Pacific/Auckland")
        first_options = zone.locator("option").all_inner_texts()[:3]
        assert first_options == ["Pacific/Auckland", "UTC", "America/Los_Angeles"]
        expect(zone.locator("option:checked")).to_have_text("UTC")
    window.close()
