"""Times of retrieval: no post is counted before it is created."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.request.post_ids import created_at


def check_retrieval(counts: pd.DataFrame, doubt: timedelta, origin: str = "") -> None:
    """Raise if a post was created after it was counted, by more than the doubt about that time.

    ``origin`` states where the time of retrieval is from.
    """
    if not {"retrieved_at", "post_id"} <= {*counts.columns} or counts.empty:
        return
    posts = counts.drop_duplicates(["post_id", "retrieved_at"])
    made = created_at(posts["post_id"])
    early = made > posts["retrieved_at"] + doubt
    if early.any():
        row = early.idxmax()
        msg = (
            f"post {posts['post_id'][row]} was created at {made[row]:%Y-%m-%d %H:%M} UTC, and its "
            f"counts are of {posts['retrieved_at'][row]:%Y-%m-%d %H:%M}{origin}; give the right "
            "retrieved_at"
        )
        raise FrameError(msg)
