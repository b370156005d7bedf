"""The code of an explorer makes its selection and chart from the user's frames."""

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
from engagement_pandas.explorers.generated_code import list_of, literal

UNUSUAL_NAMES = (
    "<img src=x onerror=alert(1)>",
    "two  spaces and 'quotes' \"both\"",
    "back\\slash \\n \\u0041 {braces} %s",
    "a line\nand another",
    "مساء الخير",
    "_private",
    "$x^2$",
    "n" * 120,
)
"""Names that the API may give to types in future."""


@pytest.fixture(
    scope="module",
    params=[True, pytest.param(False, marks=pytest.mark.long)],
    ids=["named", "unnamed"],
)
def shared(
    request: pytest.FixtureRequest, counts: pd.DataFrame, posts: pd.DataFrame, patched_svg: Any
) -> Iterator[tuple[EngagementExplorer, pd.DataFrame | None]]:
    """Make one explorer, with posts or without, whose controls every example sets again."""
    given_posts = posts if request.param else None
    with patched_svg(), closing(EngagementExplorer(counts, given_posts)) as explorer:
        yield explorer, given_posts


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_the_code_gives_the_selection_and_the_chart(
    shared: Any, counts: pd.DataFrame, options_of: Any, run: Any, same: Any, artists: Any,
    axes: Any,
    ids: tuple[str, ...], data: st.DataObject,
) -> None:  # fmt: skip
    """Rows, lines, bars, labels and legend agree for any choice."""
    explorer, posts = shared
    controls = explorer.controls
    with explorer.paused():
        controls["posts"].value = tuple(data.draw(st.sets(st.sampled_from(ids), min_size=1)))
        types = data.draw(st.sets(st.sampled_from(controls["types"].options), min_size=1))
        controls["types"].value = tuple(types)
        for name in ("clock", "measure", "lines", "every", "until"):
            controls[name].value = data.draw(
                st.sampled_from(options_of(controls[name])), label=name
            )
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
    result = run(explorer, counts, posts)
    same(result.selection, explorer.selection)
    assert artists(result.ax) == artists(axes(explorer))


@pytest.mark.slow
@pytest.mark.usefixtures("without_svg")
@pytest.mark.parametrize(
    "name", ["by day", "totals", "hours of the day", "without posts", "types alone"]
)
def test_the_code_works_for_each_grouping(
    explore: Any, set_controls: Any, frames: dict[str, pd.DataFrame], options_of: Any, run: Any,
    same: Any,
    artists: Any, axes: Any, name: str,
) -> None:  # fmt: skip
    """The counts may have any columns."""
    explorer = set_controls(
        explore.without_drawing(frames[name]), types=("impressions", "favorites")
    )
    for lines in options_of(explorer.controls["lines"]):
        explorer.controls["lines"].value = lines
        result = run(explorer, frames[name])
        same(result.selection, explorer.selection)
        assert artists(result.ax) == artists(axes(explorer))


@pytest.mark.long
@pytest.mark.usefixtures("without_svg")
@pytest.mark.parametrize("clock", ["posting", "engagement"])
def test_the_code_gives_the_best_times(
    explore: Any, set_controls: Any, counts: pd.DataFrame, run: Any, same: Any, artists: Any,
    axes: Any,
    clock: str,
) -> None:  # fmt: skip
    """Rows, cells and title agree."""
    explorer = explore.without_drawing(counts, explorer_class=BestTimesExplorer)
    set_controls(explorer, clock=clock, tz="Asia/Kathmandu", numerator="favorites", minimum=1)
    set_controls(explorer, posts=explorer.controls["posts"].value[1:])
    result = run(explorer, counts)
    same(result.selection, explorer.selection)
    assert artists(result.ax) == artists(axes(explorer))
    assert "Asia/Kathmandu" in axes(explorer).get_ylabel()


@pytest.mark.long
@pytest.mark.usefixtures("without_svg")
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
def test_the_code_gives_the_comparison(
    explore: Any, set_controls: Any, counts: pd.DataFrame, posts: pd.DataFrame, run: Any, same: Any,
    artists: Any, axes: Any, values: dict[str, Any],
) -> None:  # fmt: skip
    """Both sets, their names, bars and difference agree."""
    explorer = set_controls(
        explore.without_drawing(counts, posts, explorer_class=CompareExplorer), **values
    )
    assert explorer.alert.html == ""
    result = run(explorer, counts)
    same(result.a, explorer.a)
    same(result.b, explorer.b)
    assert artists(result.ax) == artists(axes(explorer))
    drawn = [
        collection.get_gid().split(":")
        for collection in axes(explorer).collections
        if collection.get_gid()
    ]
    assert {name for _, *names in drawn for name in names} == {"a", "b"}


@pytest.mark.slow
@pytest.mark.usefixtures("without_svg")
def test_unusual_names_are_quoted_in_the_code(
    explore: Any, set_controls: Any, tidy: Any, ids: tuple[str, ...], run: Any, same: Any,
    artists: Any,
    axes: Any,
) -> None:  # fmt: skip
    """Names of types may have quotes, backslashes and newlines."""
    rows = [(ids[0], name, "2026-03-03", 1, 5) for name in (*UNUSUAL_NAMES, "impressions")]
    counts = tidy(rows)
    explorer = set_controls(
        explore.without_drawing(counts), lines="engagement_type", types=UNUSUAL_NAMES
    )
    assert explorer.alert.html == ""
    result = run(explorer, counts)
    same(result.selection, explorer.selection)
    assert set(result.selection["engagement_type"]) == set(UNUSUAL_NAMES)
    assert artists(result.ax) == artists(axes(explorer))


@pytest.mark.slow
@pytest.mark.parametrize("lines", ["post_id", "engagement_type"])
def test_a_type_without_glyphs_is_drawn(
    explore: Any, set_controls: Any, tidy: Any, ids: tuple[str, ...], lines: str
) -> None:
    """Emoji and tabs in a name are left out of the chart, without a warning."""
    rows = [
        (ids[0], engagement_type, "2026-03-03", 1, 5)
        for engagement_type in ("🎉 party\ttime", "impressions")
    ]
    explorer = set_controls(
        explore.without_drawing(tidy(rows)), types=("🎉 party\ttime", "impressions"), lines=lines
    )
    set_controls(explorer, posts=explorer.controls["posts"].value, types=("🎉 party\ttime",))
    assert explorer.alert.html == ""


@pytest.mark.long
@pytest.mark.usefixtures("without_svg")
@pytest.mark.parametrize("name", UNUSUAL_NAMES, ids=range(len(UNUSUAL_NAMES)))
def test_the_code_works_for_one_unusual_type(
    explore: Any, set_controls: Any, tidy: Any, ids: tuple[str, ...], run: Any, same: Any, name: str
) -> None:
    """It is the type of the lines, and the numerator of a rate."""
    rows = [(ids[0], engagement_type, 5) for engagement_type in (name, "impressions", "favorites")]
    counts = tidy(rows, ("post_id", "engagement_type", "count"))
    explorer = set_controls(explore.without_drawing(counts), types=(name,))
    same(run(explorer, counts).selection, explorer.selection)
    set_controls(explorer, measure="rate")
    assert explorer.alert.html == ""
    same(run(explorer, counts).selection, explorer.selection)


@pytest.mark.usefixtures("fake_drawing")
def test_ids_have_all_digits(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """They are text with 19 digits."""
    explorer = set_controls(explore.without_drawing(counts), posts=ids[:2])
    for post in ids[:2]:
        assert int(float(post)) != int(post)
        assert f'"{post}"' in explorer.code


@pytest.mark.usefixtures("fake_drawing")
def test_a_complete_selection_has_no_condition(
    explore: Any, set_controls: Any, counts: pd.DataFrame
) -> None:
    """The selection is the frame."""
    explorer = set_controls(
        explore.without_drawing(counts), lines="engagement_type", types=explorer_types(counts)
    )
    assert "selection = counts\n" in explorer.code


def explorer_types(counts: pd.DataFrame) -> tuple[str, ...]:
    """Return the types of a frame."""
    return tuple(counts["engagement_type"].cat.categories)


@pytest.mark.usefixtures("fake_drawing")
def test_the_code_is_readable(
    explore: Any, set_controls: Any, counts: pd.DataFrame, ids: tuple[str, ...]
) -> None:
    """One post, one type and two days look like hand-written code."""
    day = date(2026, 3, 2)
    explorer = set_controls(explore.without_drawing(counts), posts=ids[1:2], first=day, last=day)
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


@pytest.mark.usefixtures("fake_drawing")
def test_the_code_uses_the_users_posts(
    explore: Any, counts: pd.DataFrame, posts: pd.DataFrame
) -> None:
    """It does not make a frame of posts."""
    code = explore(counts, posts).code
    assert "posts=posts" in code
    assert "posts = " not in code


@pytest.mark.usefixtures("fake_drawing")
def test_the_page_has_the_code_unchanged(explore: Any, counts: pd.DataFrame, page: Any) -> None:
    """The text on the page can be run."""
    explorer = explore(counts)
    assert "".join(page(explorer._python.html).texts) == explorer.code


@settings(max_examples=20)
@given(st.lists(st.text(max_size=100), max_size=12))
def test_a_list_of_texts_is_valid_python(texts: list[str]) -> None:
    """Python reads it back unchanged."""
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
def test_a_literal_is_valid_python(value: Any) -> None:
    """Python reads the value back."""
    assert eval(literal(value)) == value  # noqa: S307 - that it is Python is what is tested
