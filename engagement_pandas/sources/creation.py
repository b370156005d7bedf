"""Times of counts and retrievals: no post is counted before it is created."""

from __future__ import annotations

from datetime import timedelta

import pandas as pd

from engagement_pandas.errors import FrameError
from engagement_pandas.frame.contract import timestamps
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


def check_buckets(counts: pd.DataFrame) -> None:
    """Raise if a post was counted in an hour or day that ended before its creation.

    Then day and month are confused, or days are not of UTC, though they are called so.
    """
    if not {"day", "post_id"} <= {*counts.columns}:
        return
    counted = counts[counts["count"].fillna(0) != 0]
    step = pd.Timedelta(hours=1 if "hour" in counts.columns else 24)
    ends = timestamps(counted).groupby(counted["post_id"]).min() + step
    made = created_at(ends.index.to_series())
    early = made >= ends
    if early.any():
        post = early.idxmax()
        msg = (
            f"post {post} was created at {made[post]:%Y-%m-%d %H:%M} UTC, and has counts of "
            f"{ends[post] - step:%Y-%m-%d %H:%M}; are day and month confused, or are these times "
            "not of UTC? give tz=…"
        )
        raise FrameError(msg)
