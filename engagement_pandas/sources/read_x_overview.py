"""The overview export of X Analytics: an account's counts by day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import PARTIAL, TEXT, in_order
from engagement_pandas.request.post_files.column_names import key
from engagement_pandas.sources.read_x_analytics import Path, files_of
from engagement_pandas.sources.sheet import Sheet, places_of, read_sheet, warn_of_headings
from engagement_pandas.sources.x_dates import DAY, ISO, parse_date
from engagement_pandas.sources.x_headings import BY_DAY, BY_DAY_NAMES, OVERVIEW, OVERVIEW_NAMES
from engagement_pandas.text import format_list, pluralize, warn

_DATES: Final = (*DAY, *ISO)
_KEYS: Final = ["engagement_type", "source", "day"]
_NEVER_COUNTED: Final = ("video_views", "media_views")
_RATES: Final = frozenset({"day", "engagement_rate", "promoted_engagement_rate"})


def read_x_overview(path_or_paths: Path | Iterable[Path]) -> pd.DataFrame:
    r"""Read an account's counts by day from overview exports of X Analytics.

    Also the by-day files until 2024 (``daily_tweet_activity_metrics_….csv``).

    Parameters
    ----------
    path_or_paths : str, path, open file, or several
        Of one account. Text may hold ``*``.

    Returns
    -------
    DataFrame
        Sorted: ``engagement_type``, ``source`` (both category), ``day`` (``datetime64[us]``,
        midnight UTC), ``count`` (``Int64``: counts per day, of all posts of the account) and
        ``partial`` (bool): the newest day of an export, which was not over;
        :func:`over_time` states that the others are complete. Where exports overlap, the
        later one wins: that with the newer newest day, or else that given later.

    Raises
    ------
    FrameError
        With file and line, if a file is not an overview, a date has been changed by another
        program, a day occurs twice or a number is not whole.

    Warns
    -----
    UserWarning
        If headings of an unknown language are read by position, or exports differ in a day that
        was over in each, as those of two accounts do.

    Notes
    -----
    These files lack posts, hours and promoted counts. A day that is not in the file
    is unknown, and not 0. Video views and media views of the overview are always 0 and hence
    ``<NA>``. Counts of a day are of all posts, old ones too, and so differ from sums over posts.
    The zone of the days in by-day files is not known; they are read as UTC.

    Examples
    --------
    >>> import io
    >>> file = io.StringIO(
    ...     "Date,Impressions,Likes,Engagements,Bookmarks,Shares,New follows,Unfollows,Replies,"
    ...     "Reposts,Profile visits,Create Post,Video views,Media views\n"
    ...     '"Tue, Sep 15, 2026",449,7,30,1,0,0,0,2,1,4,3,0,0\n'
    ...     '"Mon, Sep 14, 2026",2320,9,41,0,0,1,0,2,1,4,3,0,0'
    ... )
    >>> read_x_overview(file).head(2)[["engagement_type", "day", "count", "partial"]]
      engagement_type        day  count  partial
    0     impressions 2026-09-14   2320    False
    1     impressions 2026-09-15    449     True
    """
    parts = list(map(_days, map(read_sheet, files_of(path_or_paths))))
    parts.sort(key=lambda part: part["day"].max() if len(part) else pd.Timestamp.min)
    days = pd.concat(parts, ignore_index=True)
    _warn_of_accounts(days[~days[PARTIAL]])
    days = days.drop_duplicates(_KEYS, keep="last")
    for name in ("engagement_type", "source"):
        kinds = pd.Index(in_order(days[name].unique()), dtype=TEXT)
        days[name] = days[name].astype(pd.CategoricalDtype(kinds))
    return days.sort_values(["engagement_type", "source", "day"], ignore_index=True)


def _warn_of_accounts(finished: pd.DataFrame) -> None:
    """Warn if exports differ in days that were over, which X does not count again."""
    counts = finished.drop_duplicates([*_KEYS, "count"])
    twice = counts.duplicated(_KEYS)
    if twice.any():
        days = counts.loc[twice, "day"].drop_duplicates()
        msg = (
            f"the exports differ in {pluralize(len(days), 'day')} that were over in each, such as "
            f"{days.min():%Y-%m-%d}, and the later export is taken; if they are of several "
            "accounts, read each account by itself"
        )
        warn(msg)


def _days(sheet: Sheet) -> pd.DataFrame:
    """Return the counts of one file."""
    old = "tweetspublished" in map(key, sheet.header)
    order, names = (BY_DAY, BY_DAY_NAMES) if old else (OVERVIEW, OVERVIEW_NAMES)
    places, unknown = places_of(sheet, order, names)
    if places.get("day") != 0 or len(places) != len(sheet.header) or "post_id" in places:
        hint = "see ep.read_x_analytics()" if len(sheet.header) > len(OVERVIEW) else "export again"
        msg = (
            f"{sheet.name} is not an overview of X Analytics: its columns are "
            f"{format_list(sheet.header)}; for posts {hint}"
        )
        raise FrameError(msg)
    warn_of_headings(sheet, places, unknown)
    days = [
        _day(text, line, sheet.name)
        for text, (line, _) in zip(sheet.column(0), sheet.rows, strict=True)
    ]
    lines: dict[datetime, int] = {}
    for day, (line, _) in zip(days, sheet.rows, strict=True):
        if day in lines:
            msg = (
                f"lines {lines[day]} and {line} of {sheet.name} are of the same day, {day:%Y-%m-%d}"
            )
            raise FrameError(f"{msg}; keep one of them")
        lines[day] = line
    newest = max(days, default=None)
    parts = []
    for role in in_order(places.keys() - _RATES):
        if role.startswith("promoted_"):
            continue
        numbers = sheet.numbers(places[role])
        if role in _NEVER_COUNTED and not old and not numbers.fillna(0).any():
            numbers = numbers.mask(numbers == 0)
        part = pd.DataFrame(
            {
                "engagement_type": pd.Series(role, range(len(days)), dtype=TEXT),
                "source": "x_analytics_by_day" if old else "x_analytics_overview",
                "day": pd.Series(
                    [day.replace(tzinfo=None) for day in days], dtype="datetime64[us]"
                ),
                "count": numbers.array,
                PARTIAL: np.array([day == newest for day in days], dtype=np.bool_),
            }
        )
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _day(text: str, line: int, name: str) -> datetime:
    day = parse_date(text, _DATES)
    if day is not None:
        return day
    msg = (
        f"line {line} of {name}: {text!r} is not a date as X writes it, such as "
        "'Sat, Aug 22, 2026'; another program has saved the file, so export it again"
    )
    raise FrameError(msg)
