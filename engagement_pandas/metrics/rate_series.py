"""Engagement rates bucket for bucket: by the clock, or by the age of the post."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import tzinfo
from typing import Any

import numpy as np
import pandas as pd

from engagement_pandas.frame import TEXT
from engagement_pandas.metrics.buckets import Buckets, time_keys
from engagement_pandas.metrics.columns import need, of_types
from engagement_pandas.metrics.histories import histories
from engagement_pandas.metrics.intervals import CONFIDENCE
from engagement_pandas.metrics.pairs import Pair, cells_of, pair_of, rated
from engagement_pandas.metrics.spans import hours
from engagement_pandas.metrics.stages import Stages
from engagement_pandas.metrics.sums import coded


def rate_over_time(  # noqa: PLR0913 - each has a default
    counts: pd.DataFrame,
    *,
    every: str = "D",
    tz: str | tzinfo = "UTC",
    by: str | Iterable[str] | None = None,
    window: Any = None,
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Divide one engagement type by another in regular buckets of local time.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``day``, and ``hour`` unless ``every`` is days or more, in UTC.
    every : {"h", "D", "W", "MS"}
        Hours, days, weeks (from Monday) or months.
    tz : str or tzinfo
        Whose days, weeks and months.
    by : str, list of str or None
        A series for each value of these columns; None is one series over everything.
    window : Window, or pair of datetime or str, optional
        What was asked for; by default from the first hour in the counts to the last.
    numerator, denominator : str
        Engagement types.
    confidence : float
        Of the interval.

    Returns
    -------
    DataFrame
        Sorted by the keys, then by time; the same buckets for every key, without holes.
        The columns ``by``; ``start`` (``datetime64[us, tz]``, the bucket's first moment);
        the two sums, called as the types are (``Int64``), ``rate``, ``low`` and ``high``
        (``Float64``, numerator per denominator) and ``above_one`` (``boolean``), each as
        :func:`engagement_rate` has it; ``complete`` (``boolean``).

        The rate of a bucket is a ratio of sums, over the posts and hours in which *both*
        are counted. ``<NA>`` where there are none, or no impressions; then the sums are of
        what there is. A bucket is complete where the window covers all of it, each of its
        hours has both counts under that key, and none of them is unknown; ``<NA>`` where
        that cannot be known, see :func:`over_time`.

    Raises
    ------
    FrameError
        As :func:`over_time` and :func:`engagement_rate`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "50", "2026-03-02": "20"},
    ...               "engagements": {"2026-03-01": "5", "2026-03-02": "3"}}}
    >>> rate_over_time(ep.flatten_json(body))["rate"].to_list()
    [0.1, 0.15]
    """
    need(counts, "day")
    names = time_keys(counts, by)
    pair = pair_of(counts, numerator, denominator, names)
    starts = hours(counts)
    buckets = Buckets.of(counts, starts, every=every, tz=tz, window=window)
    rows = of_types(counts, pair)
    return next(_rates(rows, names, [pair], buckets, confidence))


def rates_over_time(  # noqa: PLR0913 - the metric's own, by keyword
    counts: pd.DataFrame,
    numerators: Iterable[str],
    *,
    denominator: str,
    every: str,
    tz: str | tzinfo,
    window: Any,
) -> dict[str, pd.DataFrame]:
    """Return :func:`rate_over_time` of several types, over everything, in one go.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"impressions": {"2026-03-01": "50"}, "favorites": {"2026-03-01": "5"}}}
    >>> rates = rates_over_time(ep.flatten_json(body), ["favorites"], denominator="impressions",
    ...     every="D", tz="UTC", window=None)
    >>> rates["favorites"]["rate"].to_list()
    [0.1]
    """
    need(counts, "day")
    pairs = [pair_of(counts, name, denominator) for name in numerators]
    starts = hours(counts)
    buckets = Buckets.of(counts, starts, every=every, tz=tz, window=window)
    tables = _rates(counts, [], pairs, buckets, CONFIDENCE)
    return {pair[0]: table for pair, table in zip(pairs, tables, strict=True)}


def rate_by_age(
    counts: pd.DataFrame,
    *,
    every: str = "h",
    numerator: str = "engagements",
    denominator: str = "impressions",
    confidence: float = CONFIDENCE,
) -> pd.DataFrame:
    """Divide one engagement type by another in each hour, or day, of a post's life.

    Parameters
    ----------
    counts : DataFrame
        Tidy counts with ``post_id`` and ``day``, and with ``hour`` unless ``every`` is
        days.
    every : {"h", "D"}
        Hours of the UTC clock, or 24 hours of age, as :func:`by_age` has them.
    numerator, denominator : str
        Engagement types.
    confidence : float
        Of the interval.

    Returns
    -------
    DataFrame
        A row a post and bucket, sorted by them, from the first in which either type is
        counted to the last, without holes. ``post_id`` as in the counts; ``age``
        (``Float64``, hours from the post's making to the end of the bucket, or of the
        counts if these end in it; ``<NA>`` for IDs that hold no time); the two sums,
        called as the types are (``Int64``), ``rate``, ``low`` and ``high`` (``Float64``,
        numerator per denominator) and ``above_one`` (``boolean``), each as
        :func:`engagement_rate` has it; ``complete`` (``boolean``): whether both counts are
        known in every hour of the bucket.

    Raises
    ------
    FrameError
        As :func:`by_age` and :func:`engagement_rate`.

    Examples
    --------
    >>> import engagement_pandas as ep
    >>> body = {"g": {"1060976163948904448": {
    ...     "impressions": {"2018-11-09": {"19": "50", "20": "20"}},
    ...     "engagements": {"2018-11-09": {"19": "5", "20": "3"}}}}}
    >>> rates = rate_by_age(ep.flatten_json(body))
    >>> rates["age"].round(2).to_list(), rates["rate"].to_list()
    ([0.61, 1.61], [0.1, 0.15])
    """
    need(counts, "post_id", "day")
    pair = pair_of(counts, numerator, denominator)
    rows = of_types(counts, pair)
    lives = histories(rows)
    posts, owner = np.unique(lives.post[lives.life], return_inverse=True)
    born = np.empty(len(posts))
    born[owner] = lives.born[lives.life]
    stages = Stages.of(lives, owner, born, every)
    own = rows.take(lives.row)
    found = Pair.of(own, pair, cells_of(own))
    sums, known = found.sums(own, stages.place, len(stages.owner))
    names = pd.Series(lives.posts.take(posts[stages.owner]), dtype=TEXT)
    both = np.zeros(len(own), dtype=np.bool_)
    both[found.known[0]] = True
    return pd.DataFrame(
        {
            "post_id": names,
            "age": stages.age(),
            **rated(pair, sums, known, confidence),
            "complete": stages.complete(both),
        }
    )


def _rates(
    counts: pd.DataFrame,
    names: list[str],
    pairs: Iterable[list[str]],
    buckets: Buckets,
    confidence: float,
) -> Iterator[pd.DataFrame]:
    """Return the rates of some pairs of types, one after the other."""
    starts = hours(counts)
    key, table = coded(counts, names)
    places = buckets.places(key, starts)
    cells = cells_of(counts)
    frame = buckets.frame(table)
    keys = {str(name): column for name, column in frame.items()}
    for pair in pairs:
        found = Pair.of(counts, pair, cells)
        sums, known = found.sums(counts, places, len(frame))
        unsure = found.unsure(counts)
        # An hour is whole where some post has both counts, and no count is unknown.
        rows = np.concatenate([found.known[0], unsure])
        unknown = np.arange(len(rows)) >= len(found.known[0])
        filled = buckets.filled(key[rows], starts[rows], unknown, len(table))
        columns = rated(pair, sums, known, confidence)
        yield pd.DataFrame({**keys, **columns, "complete": buckets.complete(filled)})
