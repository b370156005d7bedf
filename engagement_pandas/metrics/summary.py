"""Summary with one row per post, as a frame and as HTML."""

from __future__ import annotations

import html
import os
from collections.abc import Callable
from typing import Any, Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.coercion import as_counts, as_posts
from engagement_pandas.frame.contract import TEXT, in_order
from engagement_pandas.frame.html_cells import LINK, TIME, cell, is_missing, link
from engagement_pandas.frame.html_page import HtmlPage
from engagement_pandas.metrics.age import made_at, oldest
from engagement_pandas.metrics.benchmark import standings
from engagement_pandas.metrics.checks import counted_type, filter_types, require_columns
from engagement_pandas.metrics.coverage import covered
from engagement_pandas.metrics.cumulative import series_of
from engagement_pandas.metrics.engagement_rate import rates_of
from engagement_pandas.metrics.half_life import half_lives
from engagement_pandas.metrics.rate_formula import pair_of
from engagement_pandas.metrics.sum_by_post import sum_by_post
from engagement_pandas.text import html_table

NAMING: Final = ("handle", "text")
"""Columns of ``posts`` that are copied to the summary."""


def summarise(
    counts: pd.DataFrame,
    *,
    posts: pd.DataFrame | None = None,
    numerator: str = "engagements",
    denominator: str = "impressions",
    engagement_type: str | None = None,
) -> pd.DataFrame:
    """Return one row per post with its main metrics.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id``, of any grouping.
    posts : DataFrame, optional
        ``post_id``, and ``handle`` or ``text`` to label the posts. Posts without counts get
        a row too, so that they are not overlooked.
    numerator, denominator : str
        Engagement types of the rate.
    engagement_type : str, optional
        Type of half-life and percentile; by default the first type in the counts, which is
        impressions if counted.

    Returns
    -------
    DataFrame
        Sorted by ``post_id``: ``post_id``, ``link`` (``str``); ``handle`` and ``text``
        (``str``) if ``posts`` have them; ``created_at`` (``datetime64[us, UTC]``);
        ``age`` (``Float64``, hours for which the post was observed); a column for each
        type (``Int64``, sums), and ``missing`` (``Int64``): the number of counts these
        lack, that is unknown counts and hours (or days) without a row, from the first in
        the counts or the post's creation to the last; ``rate``, ``low``, ``high``
        (``Float64``); ``half_life`` (``Float64``, hours, if counts are by hour), and
        ``why_not`` (category), the reason from ``WHY_NOT`` if there is none;
        ``percentile`` (``Float64``), ``percentile_age`` (``Float64``, the hour of the
        comparison) and ``n`` (``Int64``, the number of other posts), if counts have a day.
        Unknown values are ``<NA>``.

    Raises
    ------
    FrameError
        If ``counts`` or ``posts`` have no ``post_id``, or ``posts`` repeat one; for an
        unknown ``engagement_type``, or one that the counts lack.

    See Also
    --------
    to_html : the summary as an HTML table

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"1060976163948904448": {"favorites": "7"}}})
    >>> summarise(counts).loc[0, ["link", "favorites"]].to_list()
    ['https://x.com/i/web/status/1060976163948904448', np.int64(7)]
    """
    counts = require_columns(as_counts(counts), "post_id")
    ids = counts["post_id"].cat.categories
    frame = _named(ids, posts)
    columns = {"created_at": made_at(frame["post_id"])}
    types = in_order(counts["engagement_type"].unique())
    parts = [sum_by_post(counts, types).set_index("post_id")]
    if {"day", "retrieved_at"} & {*counts.columns, *counts.attrs} or covered(counts):
        parts.insert(0, oldest(counts).to_frame())
    rates = rates_of(counts, ["post_id"], pair_of(counts, numerator, denominator))
    parts.append(rates.set_index("post_id")[["rate", "low", "high"]])
    if "day" in counts.columns and types:
        main_type = types[0] if engagement_type is None else counted_type(counts, engagement_type)
        parts += _lives(filter_types(counts, [main_type]))
    for part in parts:
        columns |= {str(name): part[name].reindex(frame["post_id"]).array for name in part}
    return frame.assign(**columns)


def _lives(counts: pd.DataFrame) -> list[pd.DataFrame]:
    """Return half-lives and percentiles by post."""
    parts = []
    series = series_of(counts)
    if "hour" in counts.columns:
        halves = half_lives(series).set_index("post_id")
        parts = [halves[["t50", "why_not"]].rename(columns={"t50": "half_life"})]
    known = series if covered(counts) is not None else series_of(counts.iloc[:0])
    place = standings(known, known).set_index("post_id").rename(columns={"age": "percentile_age"})
    place["n"] = place["n"].astype("Int64")
    return [*parts, place[["percentile", "percentile_age", "n"]]]


def _named(ids: pd.Index, posts: pd.DataFrame | None) -> pd.DataFrame:
    named = pd.DataFrame(index=ids)
    posts = as_posts(posts)
    if posts is not None:
        if posts["post_id"].duplicated().any():
            msg = "posts have a post twice; keep one row per post"
            raise FrameError(msg)
        ids = ids.union(pd.Index(posts["post_id"]))
        named = posts.set_index("post_id")[[name for name in NAMING if name in posts.columns]]
    ids = ids.sort_values()
    frame = pd.DataFrame({"post_id": pd.Series(ids, dtype=TEXT)})
    frame["link"] = pd.Series([LINK.format(post) for post in ids], dtype=TEXT)
    for name in named:
        frame[name] = named[name].astype(TEXT).reindex(ids).array
    return frame


_FORMATS: Final[dict[str, tuple[str, Callable[[Any], str]]]] = {
    "created_at": ("made (UTC)", lambda moment: f"{moment:{TIME}}"),
    "age": ("age (h)", lambda hours: f"{hours:,.0f}"),
    "rate": ("rate", lambda rate: f"{rate:.2%}"),
    "low": ("rate, from", lambda rate: f"{rate:.2%}"),
    "high": ("rate, to", lambda rate: f"{rate:.2%}"),
    "half_life": ("half-life (h)", lambda hours: f"{hours:.2f}"),
    "percentile": ("percentile", lambda share: f"{share:.0f}"),
    "percentile_age": ("at hour", lambda hours: f"{hours:.0f}"),
    "n": ("of posts", lambda number: f"{number:,}"),
}

_STYLE: Final = "body { max-width: none; } td { font-variant-numeric: tabular-nums; }"
_ALIGN: Final = {True: "right", False: "left"}


def to_html(summary: pd.DataFrame, path: str | os.PathLike[str] | None = None) -> str:
    """Return a summary as an HTML table, ready for sharing, and write it to a file.

    Parameters
    ----------
    summary : DataFrame
        As returned by :func:`summarise`, or some of its rows and columns.
    path : str or path, optional
        File to write, such as ``"posts.html"``: a page with this table alone, as wide as the
        window, that browsers read as UTF-8. An existing file is replaced atomically.

    Returns
    -------
    str
        One ``<table>``, with units in the headings. A post's ID links to the post; text
        written by users is escaped and keeps its own direction. Unknown values are dashes.

    Raises
    ------
    FrameError
        If there is no ``post_id``, or an invalid one; if the file cannot be written.

    See Also
    --------
    report : a page with figures, charts and top posts

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> counts = ep.flatten_json({"g": {"1060976163948904448": {"favorites": "7"}}})
    >>> page = to_html(summarise(counts))
    >>> '<a href="https://x.com/i/web/status/1060976163948904448"' in page
    True
    """
    if not isinstance(summary, pd.DataFrame) or "post_id" not in summary.columns:
        msg = "this is not a summary: it has no column 'post_id'; see summarise()"
        raise FrameError(msg)
    made_at(summary["post_id"])
    names = [name for name in summary.columns if name != "link"]
    right = {name: pd.api.types.is_numeric_dtype(summary[name]) for name in names}
    rows = (
        [_cell(name, value) for name, value in zip(names, row, strict=True)]
        for row in zip(*(summary[name] for name in names), strict=True)
    )
    table = html_table(
        [_heading(name) for name in names],
        rows,
        attributes=[f'dir="auto" style="text-align:{_ALIGN[right[name]]}"' for name in names],
    )
    if path is not None:
        HtmlPage("Posts", f'<div class="wide" tabindex="0">{table}</div>', _STYLE).write(path)
    return table


def _heading(name: str) -> str:
    return _FORMATS[name][0] if name in _FORMATS else str(name).replace("_", " ")


def _cell(name: str, value: Any) -> str:
    if name == "post_id":
        return link(value)
    known = name in _FORMATS and not is_missing(value)
    return html.escape(_FORMATS[name][1](value)) if known else cell(value)
