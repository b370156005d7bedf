"""Find the contract that a frame satisfies, and convert texts to its categories."""

from __future__ import annotations

from typing import Final

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import REASONS, TEXT, check_counts, check_omissions, in_order

MISSING: Final = ""
"""Missing text or count in CSV."""


def contract_of(frame: pd.DataFrame) -> str:
    """Return ``"counts"`` or ``"omissions"``; raise if the frame is neither."""
    if isinstance(frame, pd.DataFrame) and "reason" in frame:
        check_omissions(frame)
        return "omissions"
    check_counts(frame)
    return "counts"


def as_text(texts: pd.Series) -> pd.Series:
    """Return texts with empty strings as missing."""
    return texts.astype(TEXT).mask(texts == MISSING)


def as_types(texts: pd.Series) -> pd.Series:
    """Return engagement types as a category of those present, in order."""
    known = texts.astype("category").cat.remove_unused_categories()
    present = in_order(name for name in known.cat.categories if name != MISSING)
    return known.cat.set_categories(pd.Index(present, dtype=TEXT), ordered=False)


def as_reasons(texts: pd.Series) -> pd.Series:
    """Return reasons as a category of all known reasons."""
    unknown = texts[~texts.isin(REASONS.categories)]
    if len(unknown):
        msg = f"there is no reason {unknown.iloc[0]!r}; choose from {list(REASONS.categories)}"
        raise FrameError(msg)
    return texts.astype(REASONS)
