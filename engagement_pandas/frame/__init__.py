"""The tidy frame: contract, coercion of other frames to it, ``counts.engagement``, and files.

Counts and omissions are written to Parquet and CSV, and any frame to Excel. Files are written
atomically, and IDs remain text throughout. IPython's extension displays frames as HTML.

Imports ``request`` (post IDs) and the ground.
"""

from __future__ import annotations

import engagement_pandas.frame.accessor  # noqa: F401 - so that its frames have counts.engagement
from engagement_pandas.frame.csv import read_csv, write_csv
from engagement_pandas.frame.excel import write_excel
from engagement_pandas.frame.parquet import read_parquet, write_parquet

__all__ = ["read_csv", "read_parquet", "write_csv", "write_excel", "write_parquet"]
