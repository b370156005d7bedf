"""ipywidgets' controls in the style of explorers: labelled, and side by side if they fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

import ipywidgets

LABEL: Final = "8em"
"""Width of a control's label."""

INDENT: Final = f"calc({LABEL} + 8px)"
"""Distance of a control from the left, past its label."""

LEAST: Final = "280px"
"""Minimum width of a column: a page of 800 px has two, a narrower one has one."""

PANE: Final = 420
"""Width of the pane of controls next to the output, in px: names in a list are complete."""

OUTPUT: Final = 600
"""Minimum width of the output next to the controls, in px; on a narrower page it is below."""

USUAL: Final = (
    *("UTC", "America/Los_Angeles", "America/Chicago", "America/New_York", "America/Sao_Paulo"),
    *("Europe/London", "Europe/Berlin", "Africa/Lagos", "Africa/Johannesburg", "Asia/Dubai"),
    *("Asia/Kolkata", "Asia/Singapore", "Asia/Shanghai", "Asia/Tokyo", "Australia/Sydney"),
)
"""Time zones of many readers, from west to east."""


def control(
    widget: Callable[..., ipywidgets.Widget], name: str, **traits: Any
) -> ipywidgets.Widget:
    """Return a labelled control that fills the available width."""
    return widget(
        description=name,
        style={"description_width": LABEL},
        layout={"width": "auto", "margin": "2px 4px", "min_width": "0"},
        **traits,
    )


def button(name: str, tooltip: str, **traits: Any) -> ipywidgets.Button:
    """Return a button as wide as its text."""
    return ipywidgets.Button(
        description=name, tooltip=tooltip, layout={"width": "auto", "margin": "2px 4px"}, **traits
    )


def side_by_side(*children: ipywidgets.Widget, least: str = LEAST) -> ipywidgets.Box:
    """Lay out controls in columns of equal width, or in one column on a narrow page."""
    grid = f"repeat(auto-fill, minmax(min({least}, 100%), 1fr))"
    return ipywidgets.Box(
        children,
        layout={
            "display": "grid",
            "grid_template_columns": grid,
            "grid_auto_flow": "row dense",  # an error fills a row without a gap before it
            "align_items": "flex-start",
        },
    )


def line(*children: ipywidgets.Widget, indent: str = "0") -> ipywidgets.Box:
    """Lay out small widgets in one row."""
    return ipywidgets.Box(
        children,
        layout={"flex_flow": "row wrap", "align_items": "center", "margin": f"0 0 0 {indent}"},
    )


def in_panes(
    inputs: Sequence[ipywidgets.Widget], outputs: Sequence[ipywidgets.Widget]
) -> ipywidgets.Box:
    """Lay out the output next to the controls, or below them on a narrow page."""
    left = ipywidgets.VBox(inputs, layout={"flex": f"1 1 {PANE}px", "min_width": "0"})
    # With this growth, the controls are wider than their pane only if the output is below.
    right = ipywidgets.VBox(outputs, layout={"flex": f"1000 1 {OUTPUT}px", "min_width": "0"})
    return ipywidgets.Box([left, right], layout={"flex_flow": "row wrap"})


def zones(own: str = "") -> tuple[str, ...]:
    """Return the available time zones: the reader's own, the usual ones, and all others.

    >>> zones()[:2], zones("Asia/Kathmandu")[:2]
    (('UTC', 'America/Los_Angeles'), ('Asia/Kathmandu', 'UTC'))
    """
    return tuple(dict.fromkeys([*[own] * (own in _places()), *USUAL, *_places()]))


@cache
def _places() -> list[str]:
    return sorted(
        zone
        for zone in available_timezones()
        if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/"))
    )


def offer(choice: ipywidgets.Dropdown, pairs: Sequence[tuple[str, str] | str]) -> None:
    """Replace the options, and keep the selected one if it is still available."""
    options = tuple(pairs)
    if tuple(choice.options) == options:
        return
    kept = choice.value
    choice.options = options
    values = [option if isinstance(option, str) else option[1] for option in options]
    choice.value = kept if kept in values else values[0]
