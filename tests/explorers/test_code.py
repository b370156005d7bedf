"""The code makes the same selection and the same picture, from nothing but the user's frames."""

# ruff: noqa: PLR0913, PLR0917  fixtures are arguments

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import date
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engagement_pandas.explorers import BestTimesExplorer, CompareExplorer, EngagementExplorer
from engagement_pandas.explorers.code import list_of, literal

ODD_NAMES = (
    "<img src=x onerror=alert(1)>",
    "two  spaces and 'quotes' \"both\"",
    "back\\slash \\n \\u0041 {braces} %s",
    "a line\nand another",
    "مساء الخير",
    "_private",
    "$x^2$",
    "n" * 120,
)
"""What the API may call a type one day."""


@pytest.fixture(
    scope="module",
    params=[True, pytest.param(False, marks=pytest.mark.long)],
    ids=["named", "unnamed"],
)
def shared(
    request: pytest.FixtureRequest, counts: pd.DataFrame, posts: pd.DataFrame, sketching: Any
) -> Iterator[tuple[EngagementExplorer, pd.DataFrame | None]]:
    """Make one explorer, with posts or without, whose controls every example sets anew."""
    given_posts = posts if request.param else None
    with sketching(), closing(EngagementExplorer(counts, given_posts)) as explorer:
        yield explorer, given_posts


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_same_selection_and_picture(
    shared: Any, counts: pd.DataFrame, offered: Any, run: Any, same: Any, artists: Any, axes: Any,
    ids: tuple[str, ...], data: st.DataObject,
) -> None:  # fmt: skip
    """For any choice: rows, lines, bars, labels and legend."""
    explorer, posts = shared
    controls = explorer.controls
    with explorer.paused():
        controls["posts"].value = tuple(data.draw(st.sets(st.sampled_from(ids), min_size=1)))
        types = data.draw(st.sets(st.sampled_from(controls["types"].options), min_size=1))
        controls["types"].value = tuple(types)
        for name in ("clock", "measure", "lines", "every", "until"):
            controls[name].value = data.draw(st.sampled_from(offered(controls[name])), label=name)
        tz = data.draw(st.sampled_from(["UTC", "UTC", "Asia/Kathmandu", "America/Los_Angeles"]))
        controls["tz"].value = tz
        bounds = st.sampled_from([None, *pd.date_range("2026-02-27", "2026-03-06").date])
        first, last = data.draw(st.tuples(bounds, bounds))
        if first is not None and last is not None:
            first, last = min(first, last), max(first, last)
        controls["first"].value, controls["last"].value = first, last
    explorer.redraw()
    assert explorer.alert.html == ""
    if not explorer.code:
        assert explorer.status.html.startswith("There are no such counts for these posts")
        return
    made = run(explorer, counts, posts)
    same(made.selection, explorer.selection)
    assert artists(made.ax) == artists(axes(explorer))


@pytest.mark.slow
@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize(
    "name", ["by day", "totals", "hours of the day", "without posts", "types alone"]
)
def test_the_same_of_each_grouping(
    explore: Any, put: Any, frames: dict[str, pd.DataFrame], offered: Any, run: Any, same: Any,
    artists: Any, axes: Any, name: str,
) -> None:  # fmt: skip
    """Whatever columns the counts have."""
    explorer = put(explore.later(frames[name]), types=("impressions", "favorites"))
    for lines in offered(explorer.controls["lines"]):
        explorer.controls["lines"].value = lines
        made = run(explorer, frames[name])
        same(made.selection, explorer.selection)
        assert artists(made.ax) == artists(axes(explorer))


@pytest.mark.slow
@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize("clock", ["posting", "engagement"])
def test_the_same_best_times(
    explore: Any, put: Any, counts: pd.DataFrame, run: Any, same: Any, artists: Any, axes: Any,
    clock: str,
) -> None:  # fmt: skip
    """Rows, cells and title."""
    explorer = explore.later(counts, kind=BestTimesExplorer)
    put(explorer, clock=clock, tz="Asia/Kathmandu", numerator="favorites", minimum=1)
    put(explorer, posts=explorer.controls["posts"].value[1:])
    made = run(explorer, counts)
    same(made.selection, explorer.selection)
    assert artists(made.ax) == artists(axes(explorer))
    assert "Asia/Kathmandu" in axes(explorer).get_ylabel()


@pytest.mark.slow
@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize(
    "values",
    [
        {"split": "day", "day": date(2026, 3, 2), "tz": "Asia/Kathmandu", "at": None},
        {"split": "hour", "begin": 22, "end": 6, "at": None},
        {"split": "weekday", "by": "impressions", "at": 6.0},
        {"split": "words", "words": "\"both\" 'QUOTES'", "numerator": "favorites", "at": None},
        {"split": "handle", "handle": '"><script>', "at": None},
        {"split": "hand", "at": None},
    ],
    ids=lambda values: values["split"],
)
def test_the_same_comparison(
    explore: Any, put: Any, counts: pd.DataFrame, posts: pd.DataFrame, run: Any, same: Any,
    artists: Any, axes: Any, values: dict[str, Any],
) -> None:  # fmt: skip
    """Both sets, their names, bars and difference."""
    explorer = put(explore.later(counts, posts, kind=CompareExplorer), **values)
    assert explorer.alert.html == ""
    made = run(explorer, counts)
    same(made.a, explorer.a)
    same(made.b, explorer.b)
    assert artists(made.ax) == artists(axes(explorer))
    drawn = [each.get_gid().split(":") for each in axes(explorer).collections if each.get_gid()]
    assert {name for _, *names in drawn for name in names} == {"a", "b"}


@pytest.mark.slow
@pytest.mark.usefixtures("sketched")
def test_names_survive(
    explore: Any, put: Any, tidy: Any, ids: tuple[str, ...], run: Any, same: Any, artists: Any,
    axes: Any,
) -> None:  # fmt: skip
    """Quotes, backslashes, new lines, long and foreign names of types stand in the code."""
    rows = [(ids[0], name, "2026-03-03", 1, 5) for name in (*ODD_NAMES, "impressions")]
    counts = tidy(rows)
    explorer = put(explore.later(counts), lines="engagement_type", types=ODD_NAMES)
    assert explorer.alert.html == ""
    made = run(explorer, counts)
    same(made.selection, explorer.selection)
    assert set(made.selection["engagement_type"]) == set(ODD_NAMES)
    assert artists(made.ax) == artists(axes(explorer))


@pytest.mark.slow
@pytest.mark.parametrize("lines", ["post_id", "engagement_type"])
def test_a_type_that_no_font_can_draw(
    explore: Any, put: Any, tidy: Any, ids: tuple[str, ...], lines: str
) -> None:
    """Emoji and tabs in a name are left out of the picture, without a warning."""
    rows = [(ids[0], kind, "2026-03-03", 1, 5) for kind in ("🎉 party\ttime", "impressions")]
    explorer = put(explore.later(tidy(rows)), types=("🎉 party\ttime", "impressions"), lines=lines)
    put(explorer, posts=explorer.controls["posts"].value, types=("🎉 party\ttime",))
    assert explorer.alert.html == ""


@pytest.mark.slow
@pytest.mark.usefixtures("sketched")
@pytest.mark.parametrize("name", ODD_NAMES, ids=range(len(ODD_NAMES)))
def test_a_type_alone(
    explore: Any, put: Any, tidy: Any, ids: tuple[str, ...], run: Any, same: Any, name: str
) -> None:
    """As the type of a line each post, and as the numerator of a rate."""
    rows = [(ids[0], kind, 5) for kind in (name, "impressions", "favorites")]
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    explorer = put(explore.later(counts), types=(name,))
    same(run(explorer, counts).selection, explorer.selection)
    put(explorer, measure="rate")
    assert explorer.alert.html == ""
    same(run(explorer, counts).selection, explorer.selection)


@pytest.mark.usefixtures("undrawn")
def test_ids_are_whole(explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...]) -> None:
    """As text, with all 19 digits."""
    explorer = put(explore.later(counts), posts=ids[:2])
    for post in ids[:2]:
        assert int(float(post)) != int(post)
        assert f'"{post}"' in explorer.code


@pytest.mark.usefixtures("undrawn")
def test_all_is_counts_itself(explore: Any, put: Any, counts: pd.DataFrame) -> None:
    """Where nothing is left out there is no condition."""
    explorer = put(explore.later(counts), lines="engagement_type", types=explorer_types(counts))
    assert "selection = counts\n" in explorer.code


def explorer_types(counts: pd.DataFrame) -> tuple[str, ...]:
    """Return the types of a frame."""
    return tuple(counts["engagement_type"].cat.categories)


@pytest.mark.usefixtures("undrawn")
def test_the_code_by_hand(
    explore: Any, put: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """One post, one type, two days: as somebody would write it."""
    day = date(2026, 3, 2)
    explorer = put(explore.later(counts), posts=ids[1:2], first=day, last=day)
    assert explorer.code == (
        "import engagement_pandas as ep\n"
        "\n"
        'posts = counts[["post_id"]].drop_duplicates()\n'
        "selection = counts[\n"
        f'    (counts["post_id"] == "{ids[1]}")\n'
        '    & (counts["engagement_type"] == "impressions")\n'
        '    & (counts["day"].between("2026-03-02", "2026-03-02"))\n'
        "]\n"
        "ax = ep.plot_over_time(\n"
        "    selection,\n"
        '    engagement_type="impressions",\n'
        '    by="post_id",\n'
        '    every="h",\n'
        '    tz="UTC",\n'
        "    posts=posts,\n"
        ")\n"
    )


@pytest.mark.usefixtures("undrawn")
def test_the_users_posts_are_used(explore: Any, counts: pd.DataFrame, posts: pd.DataFrame) -> None:
    """Where they are given, no others are made."""
    code = explore(counts, posts).code
    assert "posts=posts" in code
    assert "posts = " not in code


@pytest.mark.usefixtures("undrawn")
def test_code_is_shown_as_it_is(explore: Any, counts: pd.DataFrame, page: Any) -> None:
    """What stands on the page is what can be run."""
    explorer = explore(counts)
    assert "".join(page(explorer._python.html).texts) == explorer.code


@settings(max_examples=20)
@given(st.lists(st.text(max_size=100), max_size=12))
def test_any_list_of_texts(texts: list[str]) -> None:
    """Is read back as it was, by Python itself."""
    assert eval(list_of(texts)) == texts  # noqa: S307 - that it is Python is what is tested


@settings(max_examples=20)
@given(
    st.one_of(
        st.text(),
        st.integers(),
        st.floats(allow_nan=False, allow_infinity=False),
        st.none(),
        st.booleans(),
        st.tuples(st.text(), st.text()),
    )
)
def test_any_literal(value: Any) -> None:
    """Is the value again."""
    assert eval(literal(value)) == value  # noqa: S307 - that it is Python is what is tested
