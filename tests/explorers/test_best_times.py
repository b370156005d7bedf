"""The week hour by hour: what goes in, what the metric says, and what is shown of it."""

# ruff: noqa: PLR0913, PLR0917  fixtures are arguments

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engagement_pandas.explorers import BestTimesExplorer
from engagement_pandas.metrics import best_times

pytestmark = pytest.mark.usefixtures("sketched")


@pytest.fixture
def explorer(explore: Any, counts: pd.DataFrame) -> Any:
    """Make an explorer of the world's counts, to be drawn when a control is set."""
    return explore.later(counts, kind=BestTimesExplorer)


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("numerator", ["engagements", "favorites"])
def test_both_types_of_the_rate_go_in(
    explorer: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...], picked: Any, numerator: str
) -> None:
    """Of the posts that are chosen, and nothing else."""
    put(explorer, numerator=numerator, posts=ids[1:3])
    expected = picked(counts, posts=ids[1:3], types=["impressions", numerator])
    pd.testing.assert_frame_equal(explorer.selection, expected)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clock", "tz"), [("posting", "Pacific/Pago_Pago"), ("engagement", "Asia/Kathmandu")]
)
def test_the_answer_is_the_metrics(explorer: Any, put: Any, clock: str, tz: str) -> None:
    """168 hours, with the same keywords as the picture has."""
    put(explorer, clock=clock, tz=tz, minimum=2)
    words = {"clock": clock, "tz": tz, "minimum": 2, "numerator": "engagements"}
    pd.testing.assert_frame_equal(explorer.answer, best_times(explorer.selection, **words))
    assert len(explorer.answer) == 168
    assert tz in explorer.chart.label
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_table_is_in_the_order_that_it_says(explore: Any, counts: pd.DataFrame) -> None:
    """By the cautious rate; where that is the same to the eye, by the rate."""
    table = explore(counts, kind=BestTimesExplorer).table.html
    rows = re.findall(r"([0-9.]+) %.*?([0-9.]+) %", table)
    rates = [(float(cautious), float(rate)) for rate, cautious in rows]
    assert len(rates) == 5
    assert rates == sorted(rates, reverse=True)
    assert "cautious rates: the fewer posts, the closer to the average of all hours" in table


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_hours_of_posting_by_hand(explorer: Any, put: Any) -> None:
    """Saturday 10, Sunday 20, Monday 3 and 18, Tuesday 23; in Kathmandu Wednesday 5."""
    answer = explorer.answer
    there = answer[answer["n"] > 0]
    assert [*zip(there["weekday"].astype(str), there["hour"], strict=True)] == [
        ("Monday", 3),
        ("Monday", 18),
        ("Tuesday", 23),
        ("Saturday", 10),
        ("Sunday", 20),
    ]
    put(explorer, tz="Asia/Kathmandu")
    there = explorer.answer[explorer.answer["n"] > 0]
    assert ("Wednesday", 5) in set(zip(there["weekday"].astype(str), there["hour"], strict=True))


@pytest.mark.slow
def test_the_cells_are_the_answers(explorer: Any, put: Any, axes: Any) -> None:
    """A number of posts in each cell that has some."""
    put(explorer, minimum=1)
    texts = axes(explorer).texts
    places = {tuple(np.floor(text.get_position()).astype(int)) for text in texts}
    assert places == {(0, 3), (0, 18), (1, 23), (5, 10), (6, 20)}
    assert {text.get_text() for text in texts} == {"1"}


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_clocks_that_counts_allow(
    explore: Any, frames: dict[str, pd.DataFrame], offered: Any
) -> None:
    """Response needs hours of days; the hour of posting is in the ID."""
    for name, clocks in {
        "by hour": ["posting", "engagement"],
        "by day": ["posting"],
        "totals": ["posting"],
        "hours of the day": ["posting"],
    }.items():
        explorer = explore(frames[name], kind=BestTimesExplorer)
        assert offered(explorer.controls["clock"]) == clocks


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_engagements_come_first(explore: Any, tidy: Any, offered: Any) -> None:
    """Where they were counted, or else the first type that was; never impressions."""
    columns = ("post_id", "engagement_type", "count")
    rows = [("1" * 19, kind, 5) for kind in ("favorites", "impressions", "retweets")]
    explorer = explore(tidy(rows, columns), kind=BestTimesExplorer)
    assert explorer.controls["numerator"].value == "favorites"
    assert set(offered(explorer.controls["numerator"])) == {"favorites", "retweets"}
    rows.append(("1" * 19, "engagements", 5))
    explorer = explore(tidy(rows, columns), kind=BestTimesExplorer)
    assert explorer.controls["numerator"].value == "engagements"


def test_posts_without_the_numerator(explorer: Any, put: Any, ids: tuple[str, ...]) -> None:
    """A post without favorites: a sentence, and no error."""
    put(explorer, posts=ids[1:2], numerator="favorites")
    assert explorer.alert.html == ""
    assert explorer.status.html == "These posts have no counts of one of the rate's types".replace(
        "'", "&#x27;"
    )
    assert explorer.code == ""


@pytest.mark.slow
def test_hours_that_are_better(explore: Any, tidy: Any, post_made: Any) -> None:
    """Posts on 40 Mondays at 9 with 30 %, and at 15 with 3 %: it says so."""
    rows = []
    mondays = pd.date_range("2025-06-02", periods=40, freq="7D")
    for n in range(400):
        hour = 9 if n % 2 else 15
        post = post_made(f"{mondays[n // 2 % 40]:%F}T{hour:02d}:00:00", n)
        engaged = (300 if n % 2 else 30) + n % 7
        rows += [(post, "impressions", 1000), (post, "engagements", engaged)]
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    explorer = explore(counts, kind=BestTimesExplorer)
    explorer.controls["posts"].top.value = 400
    assert explorer.status.html == "400 of 400 posts; best: 09:00 to 10:00, on any day"
    assert "09:00 to 10:00, on any day" in explorer.chart.label


@pytest.mark.slow
def test_the_least_number_of_posts(explorer: Any, put: Any) -> None:
    """Hours with fewer are grey; a number below 1 is 1."""
    put(explorer, minimum=0)
    assert explorer.controls["minimum"].value == 1
    put(explorer, minimum=7)
    assert "grey: fewer than 7" in explorer.chart.label
