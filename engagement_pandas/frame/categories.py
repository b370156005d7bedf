"""Find the contract that a frame satisfies, and convert texts to its categories."""

from __future__ import annotations

from typing import Final

import numpy as np
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
    codes, found = pd.factorize(texts)
    present = in_order(name for name in found if name != MISSING)
    place = {name: code for code, name in enumerate(present)}
    places = np.array([*(place.get(name, -1) for name in found), -1])  # the last is for missing
    types = pd.Categorical.from_codes(places[codes], pd.Index(present, dtype=TEXT))
    return pd.Series(types, index=texts.index, name=texts.name)


def as_reasons(texts: pd.Series) -> pd.Series:
    """Return reasons as a category of all known reasons."""
    unknown = texts[~texts.isin(REASONS.categories)]
    if len(unknown):
        msg = f"there is no reason {unknown.iloc[0]!r}; choose from {list(REASONS.categories)}"
        raise FrameError(msg)
    return texts.astype(REASONS)
