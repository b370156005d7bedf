"""Messages about columns that counts lack."""

from __future__ import annotations

import re

import pandas as pd
import pytest

import engagement_pandas as ep
from engagement_pandas.errors import FrameError

ID = "2037215664590352384"
TOTALS = pd.DataFrame({"post_id": [ID], "engagement_type": ["impressions"], "count": [5]})
DAYS = TOTALS.assign(day="2026-03-29")


@pytest.mark.parametrize(
    ("counts", "cure"),
    [
        (ep.counts_from(TOTALS), "; group by 'engagement.day' too; "),
        (
            ep.counts_from(TOTALS, source="warehouse"),
            "; those of 'warehouse' are totals, of which growth() compares several readings; ",
        ),
        (
            ep.counts_from(DAYS, day="day", source="warehouse"),
            "; those of 'warehouse' are by day; ",
        ),
        (
            ep.counts_from(DAYS, day="day"),
            "; group by 'engagement.hour'",
        ),
        (DAYS.set_index(["post_id", "day"]), "; it is in the index: give counts.reset_index(); "),
        (DAYS.rename(columns=str.upper), "; ep.counts_from(frame, …) converts a table with other"),
    ],
)
def test_the_cure_fits_the_source(counts: pd.DataFrame, cure: str) -> None:
    """Counts of the API can be grouped by day and hour; those of other sources came as they are."""
    with pytest.raises(FrameError, match=re.escape(cure)):
        ep.half_life(counts)
