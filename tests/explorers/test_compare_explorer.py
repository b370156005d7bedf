"""The explorer of comparisons: each way to divide posts into two sets."""

# ruff: noqa: PLR0913, PLR0917  fixtures are arguments

from __future__ import annotations

import html
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engagement_pandas.explorers import CompareExplorer
from engagement_pandas.explorers.widgets import MARK
from engagement_pandas.metrics import compare

pytestmark = pytest.mark.usefixtures("without_svg")
SPLITS: dict[str, tuple[dict[str, Any], list[int], list[int]]] = {
    "before a day": ({"split": "day", "day": date(2026, 3, 2)}, [0, 1], [2, 3, 4]),
    "a day in Tokyo": (
        {"split": "day", "day": date(2026, 3, 2), "tz": "Asia/Tokyo"}, [0], [1, 2, 3, 4],
    ),
    "in the morning": ({"split": "hour", "begin": 3, "end": 10}, [2], [0, 1, 3, 4]),
    "over midnight": ({"split": "hour", "begin": 20, "end": 3}, [1, 4], [0, 2, 3]),
    "an hour in Kathmandu": (
        {"split": "hour", "begin": 23, "end": 0, "tz": "Asia/Kathmandu"}, [3], [0, 1, 2, 4],
    ),
    "weekend": ({"split": "weekday"}, [0, 1], [2, 3, 4]),
    "weekend in Tokyo": ({"split": "weekday", "tz": "Asia/Tokyo"}, [0], [1, 2, 3, 4]),
    "words": ({"split": "words", "words": "PRIVATE _"}, [2, 3], [0, 1, 4]),
    "account": ({"split": "handle", "handle": "bakery"}, [2, 3], [0, 1, 4]),
}  # fmt: skip


@pytest.fixture
def explorer(explore: Any, counts: pd.DataFrame, posts: pd.DataFrame) -> Any:
    """Make an explorer that compares posts of any age."""
    explorer_ = explore.without_drawing(counts, posts, explorer_class=CompareExplorer)
    with explorer_.paused():
        explorer_.controls["at"].value = None
    return explorer_


@pytest.mark.long
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize("name", SPLITS)
def test_posts_are_divided_into_two_sets(
    explorer: Any,
    set_controls: Any,
    counts: pd.DataFrame,
    ids: tuple[str, ...],
    filtered: Any,
    name: str,
) -> None:
    """The expected sets were read from the list of posts."""
    values, first, second = SPLITS[name]
    set_controls(explorer, **values)
    types = ["impressions", "engagements"]
    for counts_of_set, positions in ((explorer.a, first), (explorer.b, second)):
        post_ids = [ids[i] for i in positions]
        pd.testing.assert_frame_equal(counts_of_set, filtered(counts, posts=post_ids, types=types))
    pd.testing.assert_frame_equal(explorer.selection, filtered(counts, types=types))
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_posts_are_divided_by_selection(
    explorer: Any, set_controls: Any, ids: tuple[str, ...]
) -> None:
    """The selected posts are compared with the others; by default they are the newer half."""
    set_controls(explorer, split="hand")
    assert set(explorer.a["post_id"]) == set(ids[3:])
    set_controls(explorer, posts=(ids[0],))
    assert set(explorer.a["post_id"]) == {ids[0]}
    assert set(explorer.b["post_id"]) == set(ids[1:])


@pytest.mark.slow
def test_the_answer_is_the_metrics_result(explorer: Any, set_controls: Any) -> None:
    """Posts are compared at an age, by a type."""
    set_controls(explorer, split="weekday", by="impressions", at=6.0)
    expected = compare(explorer.a, explorer.b, by="impressions", at=6.0)
    pd.testing.assert_frame_equal(explorer.answer, expected)
    assert set(explorer.selection["engagement_type"]) == {"impressions"}


@pytest.mark.slow
def test_the_chart_has_the_rates_of_both_sets(explorer: Any, set_controls: Any, axes: Any) -> None:
    """Lines are at ratios of sums over both types."""
    set_controls(explorer, split="weekday")
    lines = {collection.get_gid(): collection for collection in axes(explorer).collections}
    rates = {name: lines[f"rate:{name}"].get_segments()[0][0, 0] for name in "ab"}
    answer = explorer.answer.iloc[0]
    assert rates == {"a": answer["a"], "b": answer["b"]}
    for name, counts_of_set in (("a", explorer.a), ("b", explorer.b)):
        sums = counts_of_set.groupby("engagement_type", observed=True)["count"].sum()
        assert rates[name] == pytest.approx(sums["engagements"] / sums["impressions"], rel=0.3)
    rows = [label.get_text().split("\n")[0] for label in axes(explorer).get_yticklabels()]
    assert rows[:2] == ["posted at the weekend", "Monday to Friday"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"split": "words"}, "there are no words to search for; type some"),
        ({"split": "hour", "begin": 9, "end": 9}, "From hour and To hour are both 09:00"),
        ({"split": "day", "day": None}, "no day is selected to split at; choose one"),
        (
            {"split": "day", "day": date(2020, 1, 1)},
            "There are no posts in the set: before 2020-01-01",
        ),
        (
            {"split": "day", "day": date(2030, 1, 1)},
            "There are no posts in the set: from 2030-01-01",
        ),
        ({"split": "words", "words": "zzz"}, 'There are no posts in the set: with "zzz"'),
        ({"split": "hand", "posts": ()}, "There are no posts in the set: the selected posts"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_an_incomplete_split_has_a_message(
    explorer: Any, set_controls: Any, values: dict[str, Any], words: str
) -> None:
    """The message takes the place of the chart."""
    set_controls(explorer, **values)
    message = html.unescape(explorer.status.html or explorer.alert.html)
    assert message.startswith(words)
    assert explorer.chart.label == message
    assert not explorer.chart.stale
    assert explorer.code == explorer.table.html == ""


def marked(explorer: Any) -> list[str]:
    """Return the names of the controls that are marked as invalid."""
    classes = {name: control._dom_classes for name, control in explorer.controls.items()}
    return [name for name, given in classes.items() if MARK in given]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("values", "cause"),
    [
        ({"split": "words"}, "words"),
        ({"split": "hour", "begin": 9, "end": 9}, "begin"),
        ({"split": "day", "day": None}, "day"),
    ],
    ids=str,
)
def test_an_invalid_control_is_marked(
    explorer: Any, set_controls: Any, values: dict[str, Any], cause: str
) -> None:
    """The mark disappears with another choice."""
    set_controls(explorer, **values)
    assert explorer.alert.html
    assert marked(explorer) == [cause]
    set_controls(explorer, split="weekday")
    assert explorer.alert.html == ""
    assert marked(explorer) == []


@pytest.mark.slow
def test_posts_with_missing_values_are_in_neither_set(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """The status counts them."""
    three_posts = pd.DataFrame(
        {
            "post_id": counts["post_id"].unique()[:3],
            "text": ["one day", "another", None],
            "handle": ["a", None, "b"],
        }
    )
    explorer = set_controls(
        explore.without_drawing(counts, three_posts, explorer_class=CompareExplorer),
        split="words",
        words="day",
        at=None,
    )
    assert html.unescape(explorer.status.html) == (
        'with "day": 1 post; without "day": 1 post; 3 posts in neither set'
    )
    assert explorer.selection["post_id"].nunique() == 2
    set_controls(explorer, split="handle", handle="a")
    assert explorer.status.html == "by a: 1 post; by others: 1 post; 3 posts in neither set"


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (None, {"day", "hour", "weekday", "hand"}),
        ("text", {"day", "hour", "weekday", "hand", "words"}),
        ("handle", {"day", "hour", "weekday", "hand", "handle"}),
    ],
)
def test_the_splits_fit_the_columns_of_posts(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame, options_of: Any, column: str | None,
    expected: set[str],
) -> None:  # fmt: skip
    """Words need a text, and accounts a handle."""
    frame = None if column is None else posts[["post_id", column]]
    explorer = explore(counts, frame, explorer_class=CompareExplorer)
    assert set(options_of(explorer.controls["split"])) == expected


@pytest.mark.slow
def test_ids_without_a_time_are_divided_by_selection(
    explore: Any, tidy: Any, options_of: Any
) -> None:
    """Other splits need a creation time."""
    counts = tidy(
        [("20", "impressions", 5), ("21", "impressions", 7)],
        ("post_id", "engagement_type", "count"),
    )
    explorer = explore(counts, explorer_class=CompareExplorer)
    assert options_of(explorer.controls["split"]) == ["hand"]
    assert options_of(explorer.controls["at"]) == [None]
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
@pytest.mark.parametrize(
    ("split", "shown"),
    [
        ("day", {"day", "tz"}),
        ("hour", {"begin", "end", "tz"}),
        ("weekday", {"tz"}),
        ("words", {"words"}),
        ("handle", {"handle"}),
        ("hand", {"posts"}),
    ],
)
def test_controls_of_other_splits_are_hidden(
    explorer: Any, set_controls: Any, split: str, shown: set[str]
) -> None:
    """They keep their values."""
    values = {name: control.value for name, control in explorer.controls.items()} | {"split": split}
    set_controls(explorer, split=split)
    split_controls = {"day", "begin", "end", "tz", "words", "handle", "posts"}
    hidden = {name for name in split_controls if explorer.controls[name].layout.display == "none"}
    assert hidden == split_controls - shown
    assert {name: control.value for name, control in explorer.controls.items()} == values


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_a_comparison_of_counts_has_no_numerator(explorer: Any, set_controls: Any) -> None:
    """The control of the rate's type is hidden."""
    set_controls(explorer, by="favorites")
    assert explorer.controls["numerator"].layout.display == "none"
    assert set(explorer.selection["engagement_type"]) == {"favorites"}
    set_controls(explorer, by="rate")
    assert explorer.controls["numerator"].layout.display is None


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_no_post_is_in_both_sets(explorer: Any, set_controls: Any, ids: tuple[str, ...]) -> None:
    """Each post is in one set or in neither."""
    for values, _, _ in SPLITS.values():
        set_controls(explorer, **values)
        sides = [set(explorer.a["post_id"]), set(explorer.b["post_id"])]
        assert not sides[0] & sides[1]
        assert sides[0] | sides[1] == set(ids)


@pytest.mark.long
def test_every_age_is_drawn_without_an_alert(
    explorer: Any, set_controls: Any, options_of: Any
) -> None:
    """Ages range from six hours to all counts."""
    for at in options_of(explorer.controls["at"]):
        set_controls(explorer, at=at)
        assert explorer.alert.html == ""
        assert (
            explorer.answer["at"].iloc[0] is pd.NA if at is None else explorer.answer["at"][0] == at
        )


@pytest.mark.slow
def test_the_chart_has_the_interval(
    explore: Any, set_controls: Any, tidy: Any, post_id_at: Any
) -> None:
    """Six posts a side have rates of 5 % and 2 %."""
    rows = []
    for n in range(12):
        post = post_id_at("2026-03-01T00:00:00" if n < 6 else "2026-03-05T00:00:00", n)
        engaged = 50 + n if n < 6 else 20 + n
        rows += [(post, "impressions", 1000), (post, "engagements", engaged)]
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    explorer = explore.without_drawing(counts, explorer_class=CompareExplorer)
    set_controls(explorer, split="day", day=date(2026, 3, 3))
    assert "2.1 to 2.7" in explorer.chart.label
    answer = explorer.answer.iloc[0]
    assert answer["a"] == pytest.approx(np.mean([50 + n for n in range(6)]) / 1000)
    assert answer["differs"]


@pytest.mark.slow
@pytest.mark.usefixtures("fake_drawing")
def test_the_first_split_has_posts_on_both_sides(explore: Any, tidy: Any) -> None:
    """Two posts of the first day and one of a later day are compared, not three with none."""
    ids = [str((n << 22) + 2_030_000_000_000_000_000) for n in (0, 3_600_000, 200_000_000)]
    columns = ("post_id", "engagement_type", "count")
    counts = tidy([(post, "impressions", 5) for post in ids], columns)
    made = explore(counts, explorer_class=CompareExplorer)
    assert [made.a["post_id"].nunique(), made.b["post_id"].nunique()] == [2, 1]


@pytest.mark.usefixtures("fake_drawing")
def test_the_first_split_is_between_posts_that_can_be_compared(
    explore: Any, tidy: Any, post_id_at: Any
) -> None:
    """Five posts are older than the counts, which have no first hours of them; four are not."""
    old = [post_id_at(f"2025-11-0{day}T08:00:00") for day in range(1, 6)]
    new = [post_id_at(f"2026-03-0{day}T08:00:00") for day in range(2, 6)]
    rows = [(post, "impressions", f"2026-03-0{day}", 9, 5) for post in old for day in range(2, 6)]
    rows += [(post, "impressions", f"2026-03-0{day}", 9, 7) for day, post in enumerate(new, 2)]
    made = explore(tidy(rows), explorer_class=CompareExplorer)
    assert made.controls["day"].value == date(2026, 3, 4)
