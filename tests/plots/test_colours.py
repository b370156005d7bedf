"""Colours that do not depend on the selection."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb

import engagement_pandas as ep
from engagement_pandas.plots import COLOURS, post_colours
from engagement_pandas.plots.colours import group_colours, line_styles, type_colours

EYES = {
    "usual": [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    "protan": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deutan": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}
"""What readers see of linear light (Machado, Oliveira and Fernandes, 2009)."""


def light(colour: str) -> Any:
    """Return the linear red, green and blue of a colour."""
    parts = np.array(to_rgb(colour))
    return np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)


def oklab(linear: Any) -> Any:
    """Return a colour in Oklab (Ottosson, 2020), in which distances are those that people see."""
    cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    opponents = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.array(opponents) @ np.cbrt(np.array(cones) @ np.clip(linear, 0, 1))


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


@pytest.mark.parametrize("see", EYES)
def test_types_differ_for_all_readers(see: str) -> None:
    """No two of the 18 types of the API have one colour."""
    shades = [
        *type_colours(ep.SERIES_TYPES).values(),
        type_colours(["quote_tweets"])["quote_tweets"],
    ]
    assert len(set(shades)) == 18
    seen = [oklab(np.array(EYES[see]) @ light(colour)) for colour in shades]
    least = min(np.linalg.norm(one - other) for one, other in combinations(seen, 2))
    assert least > 0.05


def test_types_can_be_seen_on_white_and_on_black() -> None:
    """In ratios of contrast as WCAG 2 defines them; the least is that of the palette itself."""
    weights = np.array([0.2126, 0.7152, 0.0722])
    for colour in type_colours(ep.EngagementType).values():
        luminance = float(weights @ light(colour))
        assert 1.05 / (luminance + 0.05) > 2.19
        assert (luminance + 0.05) / 0.05 > 2.5


def test_an_unknown_type_has_a_colour_that_is_left() -> None:
    """It differs from those of the other types."""
    colours = type_colours([*ep.SERIES_TYPES, "zaps", "boosts"])
    assert len(set(colours.values())) == len(colours)


def test_many_lines_have_several_styles() -> None:
    """Colours alone are hard to tell apart in a legend of more than eight lines."""
    styles = line_styles([f"#00000{n}" for n in range(10)])
    assert set(map(str, styles[:8])) == {"-"}
    assert "-" not in styles[8:]
