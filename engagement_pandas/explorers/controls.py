"""ipywidgets' controls in the style of explorers: labelled, and side by side if they fit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, Final
from zoneinfo import available_timezones

import ipywidgets

LABEL: Final = "7.5em"
"""Width of a control's label."""

INDENT: Final = f"calc({LABEL} + 8px)"
"""Distance of a control from the left, past its label."""

LEAST: Final = "320px"
"""Minimum width of a column: a page of 760 px has two, a narrower one has one."""


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
        layout={"display": "grid", "grid_template_columns": grid, "align_items": "flex-start"},
    )


def line(*children: ipywidgets.Widget, indent: str = "0") -> ipywidgets.Box:
    """Lay out small widgets in one row."""
    return ipywidgets.Box(
        children,
        layout={"flex_flow": "row wrap", "align_items": "center", "margin": f"0 0 0 {indent}"},
    )


@cache
def zones() -> tuple[str, ...]:
    """Return the available time zones, ``UTC`` first."""
    places = sorted(
        zone
        for zone in available_timezones()
        if "/" in zone and not zone.startswith(("Etc/", "SystemV/", "posix/", "right/"))
    )
    return "UTC", *places


def offer(choice: ipywidgets.Dropdown, pairs: Sequence[tuple[str, str]]) -> None:
    """Replace the options, and keep the selected one if it is still available."""
    options = tuple(pairs)
    if tuple(choice.options) == options:
        return
    kept = choice.value
    choice.options = options
    values = [value for _, value in options]
    choice.value = kept if kept in values else values[0]
