"""Colours that do not depend on the selection."""

from __future__ import annotations

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.plots import COLOURS, post_colours
from engagement_pandas.plots.style import group_colours, line_styles, type_colours


def frame_of(ids: list[str]) -> pd.DataFrame:
    """Return counts of these posts."""
    return ep.flatten_json({"g": {post: {"impressions": "5"} for post in ids}})


IDS = [str(2_036_383_631_496_188_088 + n * 7_919_000_000_000) for n in range(25)]


def test_the_palette_is_okabe_and_itos_without_yellow() -> None:
    """The seven colours exclude #F0E442, which is hard to see on white."""
    assert len(set(COLOURS)) == 7
    assert "#F0E442" not in COLOURS


def test_seven_posts_have_seven_colours() -> None:
    """They may have any IDs."""
    for first in range(0, 18, 3):
        assert len(set(post_colours(frame_of(IDS[first : first + 7])).values())) == 7


def test_newer_posts_do_not_change_colours() -> None:
    """A newer post takes a remaining colour."""
    all_colours = post_colours(frame_of(IDS))
    for number in (1, 5, 12, 24):
        oldest = post_colours(frame_of(IDS[:number]))
        assert oldest == {post: all_colours[post] for post in IDS[:number]}


def test_ids_are_compared_as_numbers() -> None:
    """10 is newer than 9, although it comes first as text."""
    ids = [str(n) for n in range(1, 31)]
    all_posts = frame_of(ids)
    complete = post_colours(all_posts, posts=all_posts)
    for number in range(1, 30):
        oldest = frame_of(ids[:number])
        assert post_colours(oldest, posts=oldest) == {post: complete[post] for post in ids[:number]}
        assert post_colours(oldest) == post_colours(oldest, posts=oldest)


def test_a_frame_of_posts_makes_colours_independent_of_a_filter() -> None:
    """Any part of the counts has the colours of all."""
    posts = frame_of(IDS)
    complete = post_colours(posts, posts=posts)
    for step in (2, 3, 7):
        part = post_colours(frame_of(IDS[::step]), posts=posts)
        assert part == complete


@pytest.mark.slow
def test_most_posts_keep_their_colour_after_a_filter() -> None:
    """At least half of 20 posts do, without a frame of posts."""
    complete = post_colours(frame_of(IDS[:20]))
    shares = [
        sum(post_colours(frame_of(IDS[first:20]))[post] == complete[post] for post in IDS[first:20])
        / (20 - first)
        for first in range(1, 14)
    ]
    assert sum(shares) / len(shares) > 0.5


def test_the_order_of_rows_has_no_effect() -> None:
    """Equal posts have equal colours."""
    forward, backward = frame_of(IDS[:9]), frame_of(IDS[:9]).iloc[::-1]
    assert post_colours(forward) == post_colours(backward)


def test_a_type_has_its_colour_from_the_vocabulary() -> None:
    """Other types have no effect."""
    assert type_colours(["favorites"])["favorites"] == type_colours(ep.SERIES_TYPES)["favorites"]
    assert type_colours(["zaps", "impressions"])["impressions"] == COLOURS[0]


def test_six_groups_have_six_colours() -> None:
    """They may have any names, and missing values have no colour."""
    for prefix in ("ad", "week", "x"):
        groups = group_colours(pd.Series([*(f"{prefix} {n}" for n in range(6)), None]))
        assert len(set(groups.values())) == len(groups) == 6


def test_categories_keep_their_colours_after_a_filter() -> None:
    """The rows of one campaign have its colour among all."""
    campaigns = pd.Series([f"campaign {n}" for n in range(5)], dtype="category")
    all_colours = group_colours(campaigns)
    assert all(group_colours(campaigns[[n]]) == all_colours for n in range(5))


def test_a_single_group_has_the_colour_of_its_name() -> None:
    """A comparison with another group gives the same colour."""
    both = group_colours(pd.Series(["spring", "winter"]))
    assert group_colours(pd.Series(["winter"]))["winter"] == both["winter"]


def test_a_repeated_colour_has_another_line_style() -> None:
    """There are four styles, which repeat."""
    styles = line_styles(["red", "blue", "red", "red", "red", "red"])
    assert styles[0] == styles[1] == styles[5] == "-"
    assert len({str(style) for style in styles}) == 4


def test_posts_without_ids_are_refused() -> None:
    """The error names the column."""
    with pytest.raises(ep.FrameError, match="post_id"):
        post_colours(frame_of(IDS), posts=pd.DataFrame({"text": ["a"]}))
