"""Counts and omissions as files: Parquet and CSV, replaced whole or not at all.

IDs stay text on the way through a file. A file is written beside its place and then moved
there, so that a reader sees the old file or the new one, whatever happens in between.
"""

from __future__ import annotations

import engagement_pandas.accessor  # noqa: F401 - so that its frames have counts.engagement
from engagement_pandas.exports.csv import read_csv, write_csv
from engagement_pandas.exports.parquet import read_parquet, write_parquet
from engagement_pandas.exports.posts import read_posts

__all__ = ["read_csv", "read_parquet", "read_posts", "write_csv", "write_parquet"]
