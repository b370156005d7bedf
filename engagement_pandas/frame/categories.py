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
    return texts.mask(texts == MISSING)


def as_types(texts: pd.Series) -> pd.Series:
    """Return engagement types as a category of those present, in order."""
    texts = as_text(texts)
    present = pd.Index(in_order(texts.dropna().unique()), dtype=TEXT)
    return texts.astype(pd.CategoricalDtype(present))


def as_reasons(texts: pd.Series) -> pd.Series:
    """Return reasons as a category of all known reasons."""
    unknown = texts[~texts.isin(REASONS.categories)]
    if len(unknown):
        msg = f"there is no reason {unknown.iloc[0]!r}; choose from {list(REASONS.categories)}"
        raise FrameError(msg)
    return texts.astype(REASONS)
