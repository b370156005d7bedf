"""Colours and line styles; a post or type keeps its colour between plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_posts
from engagement_pandas.frame.contract import TEXT, in_order
from engagement_pandas.text import truncated_repr
from engagement_pandas.vocabulary.engagement_types import EngagementType

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS: Final = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#E69F00",
    "#000000",
)
"""Okabe and Ito's palette for colour-blind readers (2008), without its yellow."""

INK: Final = COLOURS[-1]
"""Black, replaced by the text colour on a dark background."""

REST: Final = "#8C8C8C"
"""Colour of everything without a line of its own; visible on white and on black."""

FAINT: Final = 0.7
"""Opacity of a few lines of that colour."""

LINES: Final[tuple[Any, ...]] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (5, 1.5, 1, 1.5)))
"""Line styles, used in this order when a plot repeats a colour."""

OWN: Final = 8
"""Maximum number of posts with a line of their own."""

TYPE_COLOURS: Final[Mapping[str, str]] = {
    EngagementType.IMPRESSIONS: "#0072B2",
    EngagementType.ENGAGEMENTS: "#D55E00",
    EngagementType.FAVORITES: "#009E73",
    EngagementType.RETWEETS: "#CC79A7",
    EngagementType.QUOTE_TWEETS: "#56B4E9",
    EngagementType.REPLIES: "#E69F00",
    EngagementType.VIDEO_VIEWS: "#6840A0",
    EngagementType.MEDIA_VIEWS: "#3048C8",
    EngagementType.MEDIA_ENGAGEMENTS: "#B01000",
    EngagementType.URL_CLICKS: "#8070F8",
    EngagementType.HASHTAG_CLICKS: "#784848",
    EngagementType.DETAIL_EXPANDS: "#886850",
    EngagementType.PERMALINK_CLICKS: "#C8A0B8",
    EngagementType.APP_INSTALL_ATTEMPTS: "#90B888",
    EngagementType.APP_OPENS: "#E86860",
    EngagementType.EMAIL_TWEET: "#D03028",
    EngagementType.USER_FOLLOWS: "#B078D8",
    EngagementType.USER_PROFILE_CLICKS: "#B03888",
    EngagementType.BOOKMARKS: "#4898F8",
    EngagementType.SHARES: "#9858D0",
    EngagementType.PROFILE_VISITS: "#306068",
    EngagementType.UNFOLLOWS: "#D88000",
    EngagementType.UNLIKES: "#506890",
    EngagementType.DIAL_PHONE: "#A070A0",
    EngagementType.POSTS_CREATED: "#F088E0",
}
"""The colour of each engagement type: all differ, also for colour-blind readers.

The first six are those of the palette. The others are as far from these and from each other as
colours that can be seen on white and on black can be: in Oklab (2020), for usual and colour-blind
readers (Machado et al., 2009). Black is left to intervals.
"""


def post_colours(counts: pd.DataFrame, *, posts: pd.DataFrame | None = None) -> dict[str, str]:
    """Return one of :data:`COLOURS` by post ID, oldest post first.

    Up to seven posts have different colours. A colour is derived from the ID; if an older post of
    the same frame already has it, the next free one is used. So newer posts never change the colour
    of older ones, and many posts keep their colour when others are filtered out. With the same
    ``posts``, a frame with all posts to distinguish in ``post_id``, all posts keep their colour,
    whatever part of the counts is drawn.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {str(n): {"impressions": "5"} for n in range(1, 8)}})
    >>> colours = post_colours(counts)
    >>> len(set(colours.values()))
    7
    >>> one = counts[counts["post_id"] == "7"]
    >>> post_colours(one, posts=counts)["7"] == colours["7"]
    True
    """
    posts = as_posts(posts)
    known = [] if posts is None else [str(post) for post in posts["post_id"].unique()]
    seen = set(known)
    others = [str(post) for post in counts["post_id"].unique() if str(post) not in seen]
    return _by_name([*sorted(known, key=_made), *sorted(others, key=_made)])


def _by_name(names: Iterable[str], palette: Sequence[str] = COLOURS) -> dict[str, str]:
    """Return a colour for each name: the one derived from it, or the next free one."""
    colours: dict[str, str] = {}
    free: list[int] = []
    for name in names:
        if not free:
            free = list(range(len(palette)))
        home = crc32(name.encode()) % len(palette)
        slot = min(free, key=lambda place: (place - home) % len(palette))
        free.remove(slot)
        colours[name] = palette[slot]
    return colours


def type_colours(names: Iterable[str]) -> dict[str, str]:
    """Return the colour of each engagement type; unknown ones have colours that are left.

    Examples
    --------
    >>> type_colours(["impressions", "favorites"])
    {'impressions': '#0072B2', 'favorites': '#009E73'}
    """
    wanted = in_order(names)
    known = {name: TYPE_COLOURS[name] for name in wanted if name in TYPE_COLOURS}
    left = [colour for colour in TYPE_COLOURS.values() if colour not in known.values()]
    unknown = [name for name in wanted if name not in known]
    return known | _by_name(unknown, left or COLOURS)


def group_colours(values: pd.Series) -> dict[str, str]:
    """Return the colour of each value of any other column, derived from its name.

    If an earlier value in sorted order already has it, the next free colour is used. A categorical
    column has a colour for each category, so a filter changes no colour. Black is left to
    intervals.

    Examples
    --------
    >>> group_colours(pd.Series(["winter", "spring", "winter"]))
    {'spring': '#CC79A7', 'winter': '#009E73'}
    """
    fixed = isinstance(values.dtype, pd.CategoricalDtype)
    names = values.cat.categories if fixed else values.dropna().astype(TEXT).unique()
    order = list(map(str, names)) if fixed else sorted(map(str, names))
    return _by_name(order, [colour for colour in COLOURS if colour != INK])


def picked_out(
    highlight: str | int | Iterable[str] | None, ranked: Iterable[str], colours: Mapping[str, str]
) -> dict[str, str]:
    """Return the colour of each highlighted post; raise if one is not among the ranked.

    Examples
    --------
    >>> picked_out("7", ["7", "8"], {"7": "#0072B2", "8": "#D55E00"})
    {'7': '#0072B2'}
    >>> picked_out(["9"], ["7", "8"], {})
    Traceback (most recent call last):
        ...
    engagement_pandas.errors.FrameError: highlight has '9', which is not among the posts drawn ...
    """
    given = [] if highlight is None else highlight
    wanted = list(dict.fromkeys(map(str, [given] if isinstance(given, str | int) else given)))
    drawn = set(ranked)
    unknown = [post for post in wanted if post not in drawn]
    if unknown:
        msg = (
            f"highlight has {truncated_repr(unknown[0])}, which is not among the posts drawn here; "
            "give the IDs of posts in the counts that have a number"
        )
        raise FrameError(msg)
    return {post: colours[post] for post in wanted}


def line_styles(colours: Sequence[str]) -> list[Any]:
    """Return a line style for each line: solid, unless the colour is repeated or lines are many."""
    before: Counter[str] = Counter()
    styles = []
    for place, colour in enumerate(colours):
        styles.append(LINES[(before[colour] + place // OWN) % len(LINES)])
        before[colour] += 1
    return styles


def shade(ax: Axes, colour: str) -> str:
    """Return a colour as drawn on these Axes: black becomes the text colour."""
    return ink(ax) if colour == INK else colour


def ink(ax: Axes) -> str:
    """Return the text colour of these Axes, dark on light or light on dark."""
    return str(ax.xaxis.label.get_color())


def _made(post: str) -> tuple[int, str]:
    """Return a sort key by numeric ID, which is the order of creation."""
    return int(post) if post.isdecimal() else 0, post


def draw_type_bars(
    ax: Axes, types: Sequence[str], lengths: Sequence[float], bar_kw: Mapping[str, Any]
) -> Sequence[Any]:
    """Draw a horizontal bar for each engagement type, in its colour, with its name as ``gid``.

    ``bar_kw`` takes precedence. Returns the bars, from the first row on.
    """
    colours = type_colours(types)
    style: dict[str, Any] = {"color": [colours[name] for name in types], "height": 0.6}
    bars = ax.barh(range(len(types)), lengths, **style | dict(bar_kw))
    for bar, name in zip(bars, types, strict=True):
        bar.set_gid(name)
    return bars
