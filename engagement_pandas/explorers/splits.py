"""Ways of splitting posts into two disjoint sets."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from engagement_pandas.errors import FrameError
from engagement_pandas.text import shortened


class TwoGroups(NamedTuple):
    """Two sets of posts, with their names.

    ``first`` states whether each post is in the first set, and ``known`` whether it is in either.
    """

    first: NDArray[np.bool_]
    known: NDArray[np.bool_]
    names: tuple[str, str]


def middle_day(created: pd.Series) -> date | None:
    """Return the day of the middle post; a later one if no post is older, so that both sets exist.

    >>> middle_day(pd.Series(pd.to_datetime(["2026-03-01", "2026-03-01", "2026-03-05"])))
    datetime.date(2026, 3, 5)
    """
    days = sorted(created.dt.date)
    if not days:
        return None
    middle: date = days[len(days) // 2]
    return next((day for day in days if day >= middle and day > days[0]), middle)


def by_day(posts: pd.DataFrame, tz: str, day: date | None) -> TwoGroups:
    """Split by local day of posting: before the day, and from it on.

    >>> posts = pd.DataFrame({"created_at": pd.to_datetime(["2026-03-01", "2026-03-02"], utc=True)})
    >>> by_day(posts, "UTC", date(2026, 3, 2)).first.tolist()
    [True, False]
    """
    if day is None:
        msg = "no day is selected to split at; choose one"
        raise FrameError(msg)
    local = posts["created_at"].dt.tz_convert(tz).dt.strftime("%Y-%m-%d")
    before = (local < f"{day}").to_numpy(dtype="bool", na_value=False)
    return TwoGroups(before, local.notna().to_numpy(), (f"before {day}", f"from {day}"))


def by_hour(posts: pd.DataFrame, tz: str, begin: int, end: int) -> TwoGroups:
    """Split by local hour of posting: inside and outside a span, which may cross midnight.

    >>> posts = pd.DataFrame({"created_at": pd.to_datetime(["2026-03-01T23:00"], utc=True)})
    >>> by_hour(posts, "UTC", 22, 6).first.tolist()
    [True]
    """
    if begin == end:
        msg = f"From hour and To hour are both {begin:02d}:00; choose two different hours"
        raise FrameError(msg)
    hour = posts["created_at"].dt.tz_convert(tz).dt.hour
    inside = (hour >= begin) & (hour < end) if begin < end else (hour >= begin) | (hour < end)
    names = f"posted {begin:02d}:00 to {end:02d}:00", "at other hours"
    return TwoGroups(inside.to_numpy(dtype="bool"), hour.notna().to_numpy(), names)


def by_weekday(posts: pd.DataFrame, tz: str) -> TwoGroups:
    """Split by local weekday of posting: weekend, and Monday to Friday.

    >>> posts = pd.DataFrame({"created_at": pd.to_datetime(["2026-03-01", "2026-03-02"], utc=True)})
    >>> by_weekday(posts, "UTC").first.tolist()
    [True, False]
    """
    day = posts["created_at"].dt.tz_convert(tz).dt.day_of_week
    return TwoGroups(
        (day >= 5).to_numpy(dtype="bool"),  # noqa: PLR2004 - Saturday
        day.notna().to_numpy(),
        ("posted at the weekend", "Monday to Friday"),
    )


def by_words(posts: pd.DataFrame, words: str) -> TwoGroups:
    """Split by text: posts with all these words, and posts without.

    >>> by_words(pd.DataFrame({"text": ["Hello there", "Bye"]}), "hello").first.tolist()
    [True, False]
    """
    wanted = words.casefold().split()
    if not wanted:
        msg = "there are no words to search for; type some"
        raise FrameError(msg)
    texts = [t.casefold() if isinstance(t, str) else None for t in posts["text"]]
    first = np.array([t is not None and all(word in t for word in wanted) for t in texts], bool)
    shown = shortened(" ".join(words.split()), 40)
    known = np.array([t is not None for t in texts], bool)
    return TwoGroups(first, known, (f'with "{shown}"', f'without "{shown}"'))


def by_handle(posts: pd.DataFrame, handle: str) -> TwoGroups:
    """Split by account: one account, and all others.

    >>> by_handle(pd.DataFrame({"handle": ["a", "b", None]}), "a").known.tolist()
    [True, True, False]
    """
    first = (posts["handle"] == handle).to_numpy(dtype="bool", na_value=False)
    return TwoGroups(first, posts["handle"].notna().to_numpy(), (f"by {handle}", "by others"))


def by_hand(posts: pd.DataFrame, chosen: tuple[str, ...]) -> TwoGroups:
    """Split by hand: the selected posts, and the others.

    >>> by_hand(pd.DataFrame({"post_id": ["1", "2"]}), ("2",)).first.tolist()
    [False, True]
    """
    first = posts["post_id"].isin(list(chosen)).to_numpy()
    known = np.ones(len(posts), dtype=np.bool_)
    return TwoGroups(first, known, ("the selected posts", "the others"))
