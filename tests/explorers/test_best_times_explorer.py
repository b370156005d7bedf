"""The explorer of best times: its selection, the metric's result and the page."""

# ruff: noqa: PLR0913, PLR0917  fixtures are arguments

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engagement_pandas.explorers import BestTimesExplorer
from engagement_pandas.metrics import best_times

pytestmark = pytest.mark.usefixtures("without_svg")


@pytest.fixture
def explorer(explore: Any, counts: pd.DataFrame) -> Any:
    """Make an explorer of the counts, which is drawn when a control is set."""
    return explore.without_drawing(counts, explorer_class=BestTimesExplorer)


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize("numerator", ["engagements", "favorites"])
def test_the_selection_has_both_types_of_the_rate(
    explorer: Any,
    set_controls: Any,
    counts: pd.DataFrame,
    ids: tuple[str, ...],
    filtered: Any,
    numerator: str,
) -> None:
    """It has the selected posts only."""
    set_controls(explorer, numerator=numerator, posts=ids[1:3])
    expected = filtered(counts, posts=ids[1:3], types=["impressions", numerator])
    pd.testing.assert_frame_equal(explorer.selection, expected)


@pytest.mark.long
@pytest.mark.parametrize(
    ("clock", "tz"), [("posting", "Pacific/Pago_Pago"), ("engagement", "Asia/Kathmandu")]
)
def test_the_answer_is_the_metrics_result(
    explorer: Any, set_controls: Any, clock: str, tz: str
) -> None:
    """It has 168 hours, for the keywords of the chart."""
    set_controls(explorer, clock=clock, tz=tz, minimum=2)
    arguments = {"clock": clock, "tz": tz, "minimum": 2, "numerator": "engagements"}
    pd.testing.assert_frame_equal(explorer.answer, best_times(explorer.selection, **arguments))
    assert len(explorer.answer) == 168
    assert tz in explorer.chart.label
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_the_table_has_the_order_of_its_caption(explore: Any, counts: pd.DataFrame) -> None:
    """Rows are ordered by the cautious rate; equal ones by the rate."""
    table = explore(counts, explorer_class=BestTimesExplorer).table.html
    rows = re.findall(r"([0-9.]+) %.*?([0-9.]+) %", table)
    rates = [(float(cautious), float(rate)) for rate, cautious in rows]
    assert len(rates) == 5
    assert rates == sorted(rates, reverse=True)
    assert "cautious rates: the fewer posts, the closer to the average of all hours" in table


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_hours_of_posting_match_a_calculation_by_hand(explorer: Any, set_controls: Any) -> None:
    """Saturday 10, Sunday 20, Monday 3 and 18, Tuesday 23; in Kathmandu Wednesday 5."""
    answer = explorer.answer
    with_posts = answer[answer["n"] > 0]
    assert [*zip(with_posts["weekday"].astype(str), with_posts["hour"], strict=True)] == [
        ("Monday", 3),
        ("Monday", 18),
        ("Tuesday", 23),
        ("Saturday", 10),
        ("Sunday", 20),
    ]
    set_controls(explorer, tz="Asia/Kathmandu")
    with_posts = explorer.answer[explorer.answer["n"] > 0]
    assert ("Wednesday", 5) in set(
        zip(with_posts["weekday"].astype(str), with_posts["hour"], strict=True)
    )


@pytest.mark.slow
def test_cells_have_the_numbers_of_posts(explorer: Any, set_controls: Any, axes: Any) -> None:
    """Empty cells have no number."""
    set_controls(explorer, minimum=1)
    texts = axes(explorer).texts
    drawn_cells = {tuple(np.floor(text.get_position()).astype(int)) for text in texts}
    assert drawn_cells == {(0, 3), (0, 18), (1, 23), (5, 10), (6, 20)}
    assert {text.get_text() for text in texts} == {"1"}


@pytest.mark.long
@pytest.mark.usefixtures("fake_drawing")
def test_the_clocks_fit_the_counts(
    explore: Any, frames: dict[str, pd.DataFrame], options_of: Any
) -> None:
    """The engagement clock needs hours of days; the posting hour is in the ID."""
    for name, clocks in {
        "by hour": ["posting", "engagement"],
        "by day": ["posting"],
        "totals": ["posting"],
        "hours of the day": ["posting"],
    }.items():
        explorer = explore(frames[name], explorer_class=BestTimesExplorer)
        assert options_of(explorer.controls["clock"]) == clocks


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_engagements_are_the_default_numerator(explore: Any, tidy: Any, options_of: Any) -> None:
    """Without them it is the first other type, and never impressions."""
    columns = ("post_id", "engagement_type", "count")
    rows = [
        ("1" * 19, engagement_type, 5)
        for engagement_type in ("favorites", "impressions", "retweets")
    ]
    explorer = explore(tidy(rows, columns), explorer_class=BestTimesExplorer)
    assert explorer.controls["numerator"].value == "favorites"
    assert set(options_of(explorer.controls["numerator"])) == {"favorites", "retweets"}
    rows.append(("1" * 19, "engagements", 5))
    explorer = explore(tidy(rows, columns), explorer_class=BestTimesExplorer)
    assert explorer.controls["numerator"].value == "engagements"


def test_posts_without_the_numerator_have_a_message(
    explorer: Any, set_controls: Any, ids: tuple[str, ...]
) -> None:
    """A post without favorites is not an error."""
    set_controls(explorer, posts=ids[1:2], numerator="favorites")
    assert explorer.alert.html == ""
    assert explorer.status.html == "These posts have no counts of one of the rate's types".replace(
        "'", "&#x27;"
    )
    assert explorer.code == ""


@pytest.mark.slow
def test_the_status_has_the_best_hours(explore: Any, tidy: Any, post_id_at: Any) -> None:
    """Posts on 40 Mondays at 9 have 30 %, those at 15 have 3 %."""
    rows = []
    mondays = pd.date_range("2025-06-02", periods=40, freq="7D")
    for n in range(400):
        hour = 9 if n % 2 else 15
        post = post_id_at(f"{mondays[n // 2 % 40]:%F}T{hour:02d}:00:00", n)
        engaged = (300 if n % 2 else 30) + n % 7
        rows += [(post, "impressions", 1000), (post, "engagements", engaged)]
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    explorer = explore(counts, explorer_class=BestTimesExplorer)
    explorer.controls["posts"].top.value = 400
    assert explorer.status.html == "400 of 400 posts; best: 09:00 to 10:00, on any day"
    assert "09:00 to 10:00, on any day" in explorer.chart.label


@pytest.mark.slow
def test_hours_below_the_minimum_are_grey(explorer: Any, set_controls: Any) -> None:
    """A number below 1 becomes 1."""
    set_controls(explorer, minimum=0)
    assert explorer.controls["minimum"].value == 1
    set_controls(explorer, minimum=7)
    assert "grey: fewer than 7" in explorer.chart.label
