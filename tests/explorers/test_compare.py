"""Two sets of posts: each way to cut, by hand."""

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

pytestmark = pytest.mark.usefixtures("sketched")
CUTS: dict[str, tuple[dict[str, Any], list[int], list[int]]] = {
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
    """Make an explorer of all there is, whatever the posts' ages."""
    made = explore.later(counts, posts, kind=CompareExplorer)
    with made.paused():
        made.controls["at"].value = None
    return made


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("name", CUTS)
def test_cut(
    explorer: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...], picked: Any, name: str
) -> None:
    """Who is in which set, found by reading the list of posts."""
    values, first, second = CUTS[name]
    put(explorer, **values)
    types = ["impressions", "engagements"]
    for side, places in ((explorer.a, first), (explorer.b, second)):
        chosen = [ids[place] for place in places]
        pd.testing.assert_frame_equal(side, picked(counts, posts=chosen, types=types))
    pd.testing.assert_frame_equal(explorer.selection, picked(counts, types=types))
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_by_hand(explorer: Any, put: Any, ids: tuple[str, ...]) -> None:
    """The chosen ones against all others; at first the newer half."""
    put(explorer, split="hand")
    assert set(explorer.a["post_id"]) == set(ids[3:])
    put(explorer, posts=(ids[0],))
    assert set(explorer.a["post_id"]) == {ids[0]}
    assert set(explorer.b["post_id"]) == set(ids[1:])


@pytest.mark.slow
def test_the_answer_is_the_metrics(explorer: Any, put: Any) -> None:
    """At an age, by a type."""
    put(explorer, split="weekday", by="impressions", at=6.0)
    expected = compare(explorer.a, explorer.b, by="impressions", at=6.0)
    pd.testing.assert_frame_equal(explorer.answer, expected)
    assert set(explorer.selection["engagement_type"]) == {"impressions"}


@pytest.mark.slow
def test_the_picture_is_of_the_sets(explorer: Any, put: Any, axes: Any) -> None:
    """Lines are at ratios of sums over both types."""
    put(explorer, split="weekday")
    lines = {each.get_gid(): each for each in axes(explorer).collections}
    rates = {name: lines[f"rate:{name}"].get_segments()[0][0, 0] for name in "ab"}
    answer = explorer.answer.iloc[0]
    assert rates == {"a": answer["a"], "b": answer["b"]}
    for name, side in (("a", explorer.a), ("b", explorer.b)):
        sums = side.groupby("engagement_type", observed=True)["count"].sum()
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
def test_open_questions(explorer: Any, put: Any, values: dict[str, Any], words: str) -> None:
    """What is still missing is said where the picture would be."""
    put(explorer, **values)
    said = html.unescape(explorer.status.html or explorer.alert.html)
    assert said.startswith(words)
    assert explorer.chart.label == said
    assert not explorer.chart.stale
    assert explorer.code == explorer.table.html == ""


def marked(explorer: Any) -> list[str]:
    """Return the names of the controls that are marked as mistaken."""
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
def test_a_mistake_stands_at_its_control(
    explorer: Any, put: Any, values: dict[str, Any], cause: str
) -> None:
    """The control that lacks something is marked, until another choice is made."""
    put(explorer, **values)
    assert explorer.alert.html
    assert marked(explorer) == [cause]
    put(explorer, split="weekday")
    assert explorer.alert.html == ""
    assert marked(explorer) == []


@pytest.mark.slow
def test_posts_of_which_too_little_is_known(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """They are in neither set, and the status counts them."""
    some = pd.DataFrame(
        {
            "post_id": counts["post_id"].unique()[:3],
            "text": ["one day", "another", None],
            "handle": ["a", None, "b"],
        }
    )
    explorer = put(
        explore.later(counts, some, kind=CompareExplorer), split="words", words="day", at=None
    )
    assert html.unescape(explorer.status.html) == (
        'with "day": 1 post; without "day": 1 post; 3 posts in neither set'
    )
    assert explorer.selection["post_id"].nunique() == 2
    put(explorer, split="handle", handle="a")
    assert explorer.status.html == "by a: 1 post; by others: 1 post; 3 posts in neither set"


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (None, {"day", "hour", "weekday", "hand"}),
        ("text", {"day", "hour", "weekday", "hand", "words"}),
        ("handle", {"day", "hour", "weekday", "hand", "handle"}),
    ],
)
def test_what_can_be_cut_by(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame, offered: Any, known: str | None,
    expected: set[str],
) -> None:  # fmt: skip
    """Only what is known of the posts."""
    frame = None if known is None else posts[["post_id", known]]
    explorer = explore(counts, frame, kind=CompareExplorer)
    assert set(offered(explorer.controls["split"])) == expected


@pytest.mark.slow
def test_ids_without_a_time(explore: Any, tidy: Any, offered: Any) -> None:
    """They can be cut by hand alone."""
    counts = tidy(
        [("20", "impressions", 5), ("21", "impressions", 7)],
        ("post_id", "engagement_type", "count"),
    )
    explorer = explore(counts, kind=CompareExplorer)
    assert offered(explorer.controls["split"]) == ["hand"]
    assert offered(explorer.controls["at"]) == [None]
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
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
def test_only_what_matters_is_shown(explorer: Any, put: Any, split: str, shown: set[str]) -> None:
    """The controls of the other ways are hidden, and keep their values."""
    values = {name: control.value for name, control in explorer.controls.items()} | {"split": split}
    put(explorer, split=split)
    ways = {"day", "begin", "end", "tz", "words", "handle", "posts"}
    hidden = {name for name in ways if explorer.controls[name].layout.display == "none"}
    assert hidden == ways - shown
    assert {name: control.value for name, control in explorer.controls.items()} == values


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_the_rates_type_is_for_rates(explorer: Any, put: Any) -> None:
    """Compared by a type there is no numerator."""
    put(explorer, by="favorites")
    assert explorer.controls["numerator"].layout.display == "none"
    assert set(explorer.selection["engagement_type"]) == {"favorites"}
    put(explorer, by="rate")
    assert explorer.controls["numerator"].layout.display is None


@pytest.mark.slow
@pytest.mark.usefixtures("undrawn")
def test_no_post_is_in_both(explorer: Any, put: Any, ids: tuple[str, ...]) -> None:
    """Whatever is chosen, each post is in one set or in neither."""
    for values, _, _ in CUTS.values():
        put(explorer, **values)
        sides = [set(explorer.a["post_id"]), set(explorer.b["post_id"])]
        assert not sides[0] & sides[1]
        assert sides[0] | sides[1] == set(ids)


@pytest.mark.slow
def test_every_age(explorer: Any, put: Any, offered: Any) -> None:
    """From six hours to all that was counted, none draws a complaint."""
    for at in offered(explorer.controls["at"]):
        put(explorer, at=at)
        assert explorer.alert.html == ""
        assert (
            explorer.answer["at"].iloc[0] is pd.NA if at is None else explorer.answer["at"][0] == at
        )


@pytest.mark.slow
def test_enough_posts_for_an_interval(explore: Any, put: Any, tidy: Any, post_made: Any) -> None:
    """Six a side of 5 % and 2 %: said in the picture's own words."""
    rows = []
    for n in range(12):
        post = post_made("2026-03-01T00:00:00" if n < 6 else "2026-03-05T00:00:00", n)
        engaged = 50 + n if n < 6 else 20 + n
        rows += [(post, "impressions", 1000), (post, "engagements", engaged)]
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    explorer = explore.later(counts, kind=CompareExplorer)
    put(explorer, split="day", day=date(2026, 3, 3))
    assert "2.1 to 2.7" in explorer.chart.label
    answer = explorer.answer.iloc[0]
    assert answer["a"] == pytest.approx(np.mean([50 + n for n in range(6)]) / 1000)
    assert answer["differs"]
