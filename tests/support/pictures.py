"""Draw the pictures of the README and of the guide to metrics again, from their own code.

Run it with ``python tests/support/pictures.py``, and look at each picture in ``.images``.
"""

from __future__ import annotations

import re
import sys
import tempfile
from contextlib import chdir
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
IMAGES: Final = ROOT / ".images"
GUIDE: Final = ROOT / "notebooks" / "guide" / "metrics.md"
NOW: Final = "2026-04-15T12:20:00Z"
"""The time in the sandbox, as in the guide."""

_PLOT: Final = re.compile(r"^ep\.plot_(\w+)\(.*\)$", re.MULTILINE)
_HEIGHTS: Final = {"best_times": 5.0, "compare": 3.8, "half_life": 3.4, "top_posts": 3.2}
"""Height of each picture in inches; 3.6 by default."""


def calls() -> dict[str, str]:
    """Return the code of each picture in the guide, by name."""
    text = GUIDE.read_text(encoding="utf-8")
    shown = re.findall(r"\.images/(\w+)\.png", text)
    lines = {match[1]: match[0] for match in _PLOT.finditer(text)}
    return {name: lines[name] for name in shown}


def draw(folder: Path) -> list[Path]:
    """Write all pictures to a folder, and return their paths."""
    import matplotlib.pyplot as plt  # noqa: PLC0415 - after the backend is chosen

    from engagement_pandas.cli import main  # noqa: PLC0415

    text = GUIDE.read_text(encoding="utf-8")
    code = next(iter(re.findall(r"```python\n(.*?)```", text, re.DOTALL)))
    names: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as away, chdir(away):
        exec(_PLOT.sub("", code), names)  # noqa: S102 - our own guide
    paths = []
    for name, call in calls().items():
        figure, names["ax"] = plt.subplots(
            figsize=(6, _HEIGHTS.get(name, 3.6)), layout="constrained"
        )
        exec(f"{call.removesuffix(')')}, ax=ax)", names)  # noqa: S102 - our own guide
        paths.append(folder / f"{name}.png")
        figure.savefig(paths[-1], dpi=150)
        plt.close(figure)
    with tempfile.TemporaryDirectory() as demo:
        main(["demo", demo, "--now", NOW])
        paths.append(folder / "week.png")
        paths[-1].write_bytes(Path(demo, "week.png").read_bytes())
    return paths


if __name__ == "__main__":
    import matplotlib as mpl

    mpl.use("agg")
    sys.path.insert(0, str(ROOT))
    draw(IMAGES)
