"""Colours that stay."""

from __future__ import annotations

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.plots import COLOURS, post_colours
from engagement_pandas.plots.style import group_colours, line_styles, type_colours


def frame_of(ids: list[str]) -> pd.DataFrame:
    """Make counts of these posts."""
    return ep.flatten_json({"g": {post: {"impressions": "5"} for post in ids}})


IDS = [str(2_036_383_631_496_188_088 + n * 7_919_000_000_000) for n in range(25)]


def test_the_palette_of_okabe_and_ito_without_yellow() -> None:
    """Seven colours, and not #F0E442, which is hard to see on white."""
    assert len(set(COLOURS)) == 7
    assert "#F0E442" not in COLOURS


def test_seven_posts_have_seven_colours() -> None:
    """Whatever their IDs."""
    for first in range(0, 18, 3):
        assert len(set(post_colours(frame_of(IDS[first : first + 7])).values())) == 7


def test_newer_posts_change_nothing() -> None:
    """A post made later takes what is left."""
    all_ = post_colours(frame_of(IDS))
    for number in (1, 5, 12, 24):
        some = post_colours(frame_of(IDS[:number]))
        assert some == {post: all_[post] for post in IDS[:number]}


def test_newer_is_the_higher_number() -> None:
    """10 was made after 9, though as a text it comes before."""
    ids = [str(n) for n in range(1, 31)]
    all_ = frame_of(ids)
    whole = post_colours(all_, posts=all_)
    for number in range(1, 30):
        some = frame_of(ids[:number])
        assert post_colours(some, posts=some) == {post: whole[post] for post in ids[:number]}
        assert post_colours(some) == post_colours(some, posts=some)


def test_with_posts_a_filter_changes_nothing() -> None:
    """Any part of the counts has the colours of the whole."""
    posts = frame_of(IDS)
    whole = post_colours(posts, posts=posts)
    for step in (2, 3, 7):
        part = post_colours(frame_of(IDS[::step]), posts=posts)
        assert part == whole


@pytest.mark.slow
def test_most_posts_keep_their_colour_without_them() -> None:
    """Older posts filtered away: of 20, at least half stay as they were."""
    whole = post_colours(frame_of(IDS[:20]))
    same = [
        sum(post_colours(frame_of(IDS[first:20]))[post] == whole[post] for post in IDS[first:20])
        / (20 - first)
        for first in range(1, 14)
    ]
    assert sum(same) / len(same) > 0.5


def test_neither_order_nor_rows_matter() -> None:
    """The same posts, the same colours."""
    forward, backward = frame_of(IDS[:9]), frame_of(IDS[:9]).iloc[::-1]
    assert post_colours(forward) == post_colours(backward)


def test_a_type_has_its_colour_from_the_vocabulary() -> None:
    """Whichever other types are there."""
    assert type_colours(["favorites"])["favorites"] == type_colours(ep.SERIES_TYPES)["favorites"]
    assert type_colours(["zaps", "impressions"])["impressions"] == COLOURS[0]


def test_six_groups_have_six_colours() -> None:
    """Whatever they are called, and missing values have none."""
    for word in ("ad", "week", "x"):
        groups = group_colours(pd.Series([*(f"{word} {n}" for n in range(6)), None]))
        assert len(set(groups.values())) == len(groups) == 6


def test_categories_keep_their_colours_under_any_filter() -> None:
    """The rows of one campaign have its colour among all."""
    campaigns = pd.Series([f"campaign {n}" for n in range(5)], dtype="category")
    every = group_colours(campaigns)
    assert all(group_colours(campaigns[[n]]) == every for n in range(5))


def test_a_group_alone_has_the_colour_of_its_name() -> None:
    """As a text it has the same colour as in a comparison with another group."""
    both = group_colours(pd.Series(["spring", "winter"]))
    assert group_colours(pd.Series(["winter"]))["winter"] == both["winter"]


def test_a_colour_that_comes_again_has_another_line() -> None:
    """Four styles, and then from the first again."""
    styles = line_styles(["red", "blue", "red", "red", "red", "red"])
    assert styles[0] == styles[1] == styles[5] == "-"
    assert len({str(style) for style in styles}) == 4


def test_refused() -> None:
    """Posts without IDs."""
    with pytest.raises(ep.FrameError, match="post_id"):
        post_colours(frame_of(IDS), posts=pd.DataFrame({"text": ["a"]}))
