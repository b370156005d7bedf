"""Counts of five posts, fixtures that make and close explorers, and readers of their pages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import ipywidgets
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

import engagement_pandas as ep
from engagement_pandas.explorers.counts_explorer_base import CountsExplorer
from engagement_pandas.explorers.engagement_explorer import EngagementExplorer
from engagement_pandas.explorers.picture import Picture
from engagement_pandas.frame.contract import TEXT
from engagement_pandas.plots.legend_and_headline import legend_names
from engagement_pandas.plots.page_theme import SETTINGS

EPOCH_MS = 1_288_834_974_657
"""The epoch of the IDs: 2010-11-04 01:42:54.657 UTC, from X's documentation."""

DTYPES = {
    "post_id": TEXT,
    "engagement_type": "category",
    "day": "datetime64[us]",
    "hour": "int8",
    "count": "Int64",
}
CREATED = (
    "2026-02-28T10:15:00",
    "2026-03-01T20:30:00",
    "2026-03-02T03:05:00",
    "2026-03-02T18:00:00",
    "2026-03-03T23:59:00",
)
"""When the five posts were created: on a Saturday, a Sunday, twice on a Monday, on a Tuesday."""

TEXTS = (
    "<img src=x onerror=alert(1)> \"both\" 'quotes'",
    '"><script>alert(2)</script> &amp; more',
    r"$x^2$ costs \$5, _private",
    "_private notes\nof a second line 🎉 #010203",
    "مساء الخير يا أصدقاء",
)
HANDLES = ("<b>bakery</b>", '"><script>', "bakery", "bakery", "_$x$")


def _tidy(rows: Any, columns: Any = tuple(DTYPES)) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(columns)).astype({"engagement_type": TEXT})
    return frame.astype({name: DTYPES[name] for name in columns})


@pytest.fixture(scope="session")
def tidy() -> Callable[..., pd.DataFrame]:
    """Return a function that makes tidy counts from rows, with all columns or some."""
    return _tidy


def _post_id_at(timestamp: str, serial: int = 0) -> str:
    created = datetime.fromisoformat(timestamp).replace(tzinfo=UTC)
    return str(((round(created.timestamp() * 1000) - EPOCH_MS) << 22) + serial)


@pytest.fixture(scope="session")
def post_id_at() -> Callable[..., str]:
    """Return a function that makes the ID of a post from its creation time, UTC."""
    return _post_id_at


IDS = tuple(_post_id_at(timestamp, serial) for serial, timestamp in enumerate(CREATED, 1))


@pytest.fixture(scope="session")
def ids() -> tuple[str, ...]:
    """Return the IDs of the posts, oldest first; none fits into 53 bits."""
    return IDS


def _hourly_counts() -> pd.DataFrame:
    """Return forty hours of each post: gaps, unknown counts, a post without favorites."""
    rows = []
    for n, (post, timestamp) in enumerate(zip(IDS, CREATED, strict=True)):
        start = datetime.fromisoformat(timestamp).replace(minute=0)
        for hour in range(40):
            at = start + timedelta(hours=hour)
            key = post, at.strftime("%Y-%m-%d"), at.hour
            rows.append((*key, "impressions", 50 + (31 * n + 17 * hour) % 97))
            if hour % 5:
                rows.append((*key, "engagements", (n + hour) % 9))
            if n != 1:
                rows.append((*key, "favorites", pd.NA if n == 4 else (n + hour) % 4))
    frame = pd.DataFrame(rows, columns=["post_id", "day", "hour", "engagement_type", "count"])
    order = {"impressions": 0, "engagements": 1, "favorites": 2}
    frame["place"] = frame["engagement_type"].map(order)
    frame = frame.sort_values(["post_id", "place", "day", "hour"], ignore_index=True)
    counts = _tidy(frame[list(DTYPES)])
    counts["engagement_type"] = counts["engagement_type"].cat.reorder_categories(
        pd.Index(list(order), dtype=TEXT)
    )
    counts.attrs = {
        "endpoint": "historical",
        "retrieved_at": "2026-03-06T00:00:00+00:00",
        "start": f"{counts['day'].min():%F}T00:00:00+00:00",
        "end": f"{counts['day'].max() + pd.Timedelta(days=1):%F}T00:00:00+00:00",
    }
    return counts


def _summed(counts: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Sum by some of the columns, as the API does for that grouping."""
    sums = counts.groupby(list(columns), observed=True, sort=True)["count"].sum(min_count=1)
    return _retyped(sums.reset_index(), counts)


def _retyped(frame: pd.DataFrame, counts: pd.DataFrame) -> pd.DataFrame:
    names = [name for name in DTYPES if name in frame.columns]
    tidied = frame[names].astype({name: DTYPES[name] for name in names})
    tidied.attrs = dict(counts.attrs)
    return tidied


def _of_types(counts: pd.DataFrame, *types: str) -> pd.DataFrame:
    rows = counts[counts["engagement_type"].isin(types)].reset_index(drop=True)
    rows["engagement_type"] = rows["engagement_type"].cat.remove_unused_categories()
    return rows


HOURLY = _hourly_counts()
FRAMES = {
    "by hour": HOURLY,
    "by day": _summed(HOURLY, "post_id", "engagement_type", "day"),
    "totals": _summed(HOURLY, "post_id", "engagement_type"),
    "hours of the day": _summed(HOURLY, "post_id", "engagement_type", "hour"),
    "without posts": _summed(HOURLY, "engagement_type", "day", "hour"),
    "types alone": _summed(HOURLY, "engagement_type"),
    "impressions alone": _of_types(HOURLY, "impressions"),
    "no impressions": _of_types(HOURLY, "engagements", "favorites"),
    "empty": HOURLY.iloc[:0].reset_index(drop=True),
}


@pytest.fixture(scope="session")
def frames() -> dict[str, pd.DataFrame]:
    """Return the counts in each grouping."""
    return FRAMES


@pytest.fixture(scope="session")
def counts() -> pd.DataFrame:
    """Return the counts by hour."""
    return HOURLY


@pytest.fixture(scope="session")
def posts() -> pd.DataFrame:
    """Return texts of posts with markup, quotes, mathematics, emoji, right-to-left."""
    return pd.DataFrame(
        {"post_id": IDS, "handle": HANDLES, "text": TEXTS},
        dtype=TEXT,
    )


class Maker:
    """Makes explorers (of engagement by default), and closes them."""

    def __init__(self) -> None:
        self.explorers: list[Any] = []

    def __call__(self, counts: pd.DataFrame, posts: Any = None, explorer_class: Any = None) -> Any:
        """Make an explorer and draw it; an explorer of engagement has dates if there are any."""
        explorer = self.without_drawing(counts, posts, explorer_class)
        explorer.redraw()
        return explorer

    def first(self, counts: pd.DataFrame, posts: Any = None, explorer_class: Any = None) -> Any:
        """Make an explorer, as in a notebook."""
        self.explorers.append((explorer_class or EngagementExplorer)(counts, posts))
        return self.explorers[-1]

    def without_drawing(
        self, counts: pd.DataFrame, posts: Any = None, explorer_class: Any = None
    ) -> Any:
        """Make an explorer whose first chart is not drawn, since the test draws another."""
        with patch.object(CountsExplorer, "redraw", lambda _: None):
            explorer = self.first(counts, posts, explorer_class)
            if isinstance(explorer, EngagementExplorer):
                explorer.controls["clock"].value = _options_of(explorer.controls["clock"])[0]
                explorer.controls["measure"].value = "counts"
            return explorer


@pytest.fixture
def explore() -> Iterator[Maker]:
    """Return a function that makes explorers, and close them afterwards."""
    maker = Maker()
    yield maker
    for explorer in maker.explorers:
        explorer.close()


@pytest.fixture(autouse=True)
def _no_global_state() -> Iterator[None]:
    """Check that no explorer opens a figure of pyplot or changes a setting of matplotlib."""
    plt.close("all")  # of earlier examples
    before = dict(mpl.rcParams)
    yield
    assert plt.get_fignums() == []
    assert dict(mpl.rcParams) == before


def _set_controls(explorer: Any, **values: Any) -> Any:
    """Set several controls in this order, and draw once."""
    with explorer.paused():
        for name, value in values.items():
            explorer.controls[name].value = value
    explorer.redraw()
    return explorer


@pytest.fixture(scope="session")
def set_controls() -> Callable[..., Any]:
    """Return a function that sets several controls by name, and draws once."""
    return _set_controls


def _options_of(control: Any) -> list[Any]:
    options = control.options
    return [option[1] if isinstance(option, tuple) else option for option in options]


@pytest.fixture(scope="session")
def options_of() -> Callable[[Any], list[Any]]:
    """Return a function that lists the values of a control."""
    return _options_of


def _filtered(
    counts: pd.DataFrame,
    *,
    posts: Any = None,
    types: Any = None,
    days: tuple[date, date] | None = None,
    tz: str = "UTC",
) -> pd.DataFrame:
    """Filter counts with plain loops over the rows."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - only here

    keep = []
    for row in counts.itertuples(index=False):
        matches = types is None or row.engagement_type in types
        if posts is not None and "post_id" in counts.columns:
            matches = matches and row.post_id in posts
        if matches and days is not None and "day" in counts.columns:
            start = row.day.to_pydatetime().replace(tzinfo=UTC)
            start += timedelta(hours=int(getattr(row, "hour", 0)))
            matches = days[0] <= start.astimezone(ZoneInfo(tz)).date() <= days[1]
        keep.append(matches)
    rows = counts[np.array(keep, dtype=bool)].reset_index(drop=True)
    rows["engagement_type"] = rows["engagement_type"].cat.remove_unused_categories()
    return rows


@pytest.fixture(scope="session")
def filtered() -> Callable[..., pd.DataFrame]:
    """Return a function that filters counts by posts, types and local days, row by row."""
    return _filtered


def _same(left: pd.DataFrame, right: pd.DataFrame) -> None:
    """Assert that two frames have equal counts in one order, for any index."""
    plain = [
        frame.reset_index(drop=True).astype({"engagement_type": TEXT}) for frame in (left, right)
    ]
    pd.testing.assert_frame_equal(*plain)


@pytest.fixture(scope="session")
def same() -> Callable[[pd.DataFrame, pd.DataFrame], None]:
    """Return a function that asserts equal counts in one order, for any index."""
    return _same


def _axes(explorer: Any) -> Any:
    return explorer._picture._figure.axes[0]


@pytest.fixture(scope="session")
def axes() -> Callable[[Any], Any]:
    """Return a function that returns the Axes of an explorer's chart."""
    return _axes


def _numbers(values: Any) -> str:
    """Return numbers as text, so that missing values are equal."""
    return str(np.asarray(values, dtype="float64").round(9).tolist())


def _artists(ax: Any) -> dict[str, Any]:
    """Return the content of a chart as plain numbers and texts that can be compared."""
    return {
        "lines": [
            (line.get_gid(), _numbers(line.get_ydata()), line.get_color()) for line in ax.lines
        ],
        "bars": [
            (bar.get_gid(), round(bar.get_width(), 9), to_hex(bar.get_facecolor()))
            for bar in ax.patches
        ],
        "others": [
            (collection.get_gid(), _numbers(collection.get_offsets()))
            for collection in ax.collections
        ],
        "texts": [text.get_text() for text in ax.texts],
        "legend": legend_names(ax),
        "x": ax.get_xlabel(),
        "y": ax.get_ylabel(),
        "headline": ep.headline(ax),
        "rows": [label.get_text() for label in ax.get_yticklabels()] if ax.yaxis_inverted() else [],
        "axis": ax.axison,
    }


@pytest.fixture(scope="session")
def artists() -> Callable[[Any], dict[str, Any]]:
    """Return a function that returns the content of a chart as numbers and texts."""
    return _artists


def _run(explorer: Any, counts: pd.DataFrame, posts: Any = None) -> SimpleNamespace:
    """Execute an explorer's code with the user's frames only, on a page of its size."""

    def subplots(**_: Any) -> Any:
        inches = explorer._picture._figure.get_size_inches()
        figure = Figure(figsize=inches, dpi=72, layout="tight")
        return figure, figure.subplots()

    names = {"counts": counts} | ({} if posts is None else {"posts": posts})
    # The colour of the page's text is replaced in the SVG; before, it is a placeholder.
    with patch("matplotlib.pyplot.subplots", subplots), mpl.rc_context(SETTINGS):
        exec(explorer.code, names)  # noqa: S102 - the test is that it runs
    return SimpleNamespace(**names)


@pytest.fixture(scope="session")
def run() -> Callable[..., SimpleNamespace]:
    """Return a function that executes an explorer's code, and returns its variables."""
    return _run


@dataclass
class Page(HTMLParser):
    """HTML as a browser reads it: elements with their attributes, and the text of each."""

    html: str
    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.html)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def tags(self) -> set[str]:
        """Return the names of all elements."""
        return {tag for tag, _ in self.elements}

    def of(self, tag: str) -> list[dict[str, str | None]]:
        """Return the attributes of all elements with this name."""
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture(scope="session")
def page() -> type[Page]:
    """Return a parser of HTML."""
    return Page


def _cells(html: str) -> list[list[str]]:
    """Return the body of a table as texts, cell by cell, without markup."""
    body = re.search(r"<tbody>(.*)</tbody>", html, re.DOTALL)
    if body is None:
        return []
    rows = re.findall(r"<tr>(.*?)</tr>", body.group(1), re.DOTALL)
    return [
        ["".join(Page(cell).texts) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL)]
        for row in rows
    ]


@pytest.fixture(scope="session")
def cells() -> Callable[[str], list[list[str]]]:
    """Return a function that returns the body of a table as texts, cell by cell."""
    return _cells


@pytest.fixture(scope="session")
def regions() -> Callable[[Any], dict[str, str]]:
    """Return a function that returns the HTML of each part of an explorer's page, by name."""
    return lambda explorer: {
        "status": explorer.status.html,
        "alert": explorer.alert.html,
        "table": explorer.table.html,
        "code": explorer._python.html,
        "chart": explorer.chart.html,
    }


def _all_views(explorer: Any) -> Iterator[tuple[str, str, str]]:
    """Select each combination of clock, measure and lines; draw and yield it."""
    controls = explorer.controls

    def select(name: str, value: Any) -> None:
        with explorer.paused():
            controls[name].value = value

    for clock in _options_of(controls["clock"]):
        select("clock", clock)
        for measure in _options_of(controls["measure"]):
            select("measure", measure)
            for lines in _options_of(controls["lines"]):
                select("lines", lines)
                explorer.redraw()
                yield clock, measure, lines


@dataclass
class View:
    """The page for one selection."""

    alert: str
    label: str
    drawn: frozenset[str]
    svg: str


@pytest.fixture(scope="session")
def views() -> Callable[[str], dict[tuple[str, str, str], View]]:
    """Return a function that returns all views of an explorer of a frame, computed once."""
    cached: dict[str, dict[tuple[str, str, str], View]] = {}

    def views_of(name: str) -> dict[tuple[str, str, str], View]:
        if name not in cached:
            with closing(EngagementExplorer(FRAMES[name])) as explorer:
                cached[name] = {
                    key: View(
                        explorer.alert.html,
                        explorer.chart.label,
                        frozenset(explorer._picture.drawn),
                        explorer.chart.html,
                    )
                    for key in _all_views(explorer)
                }
        return cached[name]

    return views_of


def _put_file(upload: ipywidgets.FileUpload, name: str, content: bytes) -> None:
    """Put a file into an upload button, as the browser does."""
    if upload.has_trait("_counter"):  # ipywidgets 7.7
        upload.metadata = [{"name": name, "type": "", "size": len(content), "lastModified": 0}]
        upload.data = [content]
        upload._counter += 1
        return
    upload.value = (
        {"name": name, "type": "", "size": len(content), "content": memoryview(content),
         "last_modified": pd.Timestamp("2026-04-15T12:20:00Z")},
    )  # fmt: skip


@pytest.fixture(scope="session")
def put_file() -> Callable[[ipywidgets.FileUpload, str, bytes], None]:
    """Return a function that puts a file into an upload button."""
    return _put_file


def _display_bundle(widget: ipywidgets.Widget) -> dict[str, Any]:
    """Return the MIME bundle that IPython stores for a displayed widget."""
    display_bundle: dict[str, Any] = DisplayFormatter().format(widget)[0]
    return display_bundle


@pytest.fixture(scope="session")
def display_bundle() -> Callable[[ipywidgets.Widget], dict[str, Any]]:
    """Return a function that returns the MIME bundle stored for a displayed widget."""
    return _display_bundle


@pytest.fixture
def widgets() -> Callable[[], set[str]]:
    """Return a function that returns the IDs of all widgets, in any release of ipywidgets."""
    widget = ipywidgets.Widget
    locations = [
        (ipywidgets.widgets.widget, "_instances"), (widget, "_active_widgets"), (widget, "widgets"),
    ]  # fmt: skip
    registry = next(getattr(owner, name) for owner, name in locations if hasattr(owner, name))
    return lambda: set(registry)


def _draw_without_svg(self: Picture, draw: Callable[[Any], Any]) -> str:
    """Draw on new Axes, and skip the SVG, which is most of the work."""
    with mpl.rc_context(SETTINGS):
        self._figure.clear()
        self._figure.set_layout_engine("tight", pad=0.4)
        draw(self._figure.subplots())
    return "<svg></svg>"


@pytest.fixture(scope="session")
def patched_svg() -> Callable[[], Any]:
    """Return a patch that draws charts on Axes without an SVG, for tests that ignore it."""
    return lambda: patch.object(Picture, "svg", _draw_without_svg)


@pytest.fixture
def without_svg(patched_svg: Callable[[], Any]) -> Iterator[None]:
    """Draw charts on Axes without an SVG, for tests that ignore it."""
    with patched_svg():
        yield


@pytest.fixture
def fake_drawing(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Draw nothing, for tests that ignore the chart; return a list with an item per call."""
    calls: list[int] = []

    def svg(self: Any, draw: Any) -> str:
        del self, draw
        calls.append(1)
        return "<svg></svg>"

    monkeypatch.setattr(Picture, "svg", svg)
    return calls
