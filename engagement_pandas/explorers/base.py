"""What all explorers have in common: controls, a status line, and an end."""

from __future__ import annotations

import html
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import ipywidgets

from engagement_pandas.errors import EngagementError
from engagement_pandas.explorers.cell_rerun import replace_earlier
from engagement_pandas.explorers.page import ROOT, KeyGuard, Region

log = logging.getLogger("engagement_pandas")


class Explorer(ipywidgets.VBox):
    """Controls, and what they tell.

    Subclasses make the controls and react to them (:meth:`_changed`); this class shows
    what goes wrong, and cleans up.

    Parameters
    ----------
    controls : mapping of str to Widget
        By their names in Python. Each one's ``value`` is watched.
    above, below : sequence of Widget
        What is shown above and below the status line.

    Attributes
    ----------
    controls : mapping of str to Widget
        To be read or set: ``explorer.controls["every"].value = "D"``.
    status, alert : Region
        What there is to say, and what went wrong; each has its ``html``.
    """

    def __init__(
        self,
        controls: Mapping[str, ipywidgets.Widget],
        above: Sequence[ipywidgets.Widget],
        below: Sequence[ipywidgets.Widget],
    ) -> None:
        self.controls = MappingProxyType(dict(controls))
        self._held = 0
        self.status = Region(role="status")
        self.alert = Region(role="alert")
        super().__init__([KeyGuard(), *above, self.status, self.alert, *below])
        self.add_class(ROOT)
        for control in self.controls.values():
            control.observe(self.guarded(self._changed), "value")
        replace_earlier(self)

    def _changed(self, change: Any) -> None:
        """React to a control."""
        raise NotImplementedError

    def say(self, sentence: str) -> None:
        """Say how things stand."""
        self.alert.html = ""
        self.status.html = html.escape(sentence)

    def complain(self, error: Exception) -> None:
        """Say what went wrong; the controls stay as they are, and usable."""
        ours = isinstance(error, EngagementError)
        if not ours:
            log.error("%s", error, exc_info=error)
        self.status.html = ""
        self.alert.html = html.escape(str(error) if ours else f"{type(error).__name__}: {error}")

    def guarded(self, callback: Callable[..., Any]) -> Callable[..., None]:
        """Return a callback whose exceptions are shown: in a widget nobody else sees them."""

        def call(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001 - shown, or nobody would see it
                self.complain(error)

        return call

    @contextmanager
    def held(self) -> Iterator[None]:
        """Change several controls, and show once what comes of it."""
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1

    def close(self) -> None:
        """Take the explorer off the page, with every widget in it; again does nothing."""
        for widget in [*_within(self), self]:
            for part in (getattr(widget, "layout", None), getattr(widget, "style", None)):
                if isinstance(part, ipywidgets.Widget):
                    part.close()
            if widget is not self:
                widget.unobserve_all()
                widget.close()
        super().close()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({html.unescape(self.status.html or self.alert.html)})"


def _within(widget: ipywidgets.Widget) -> Iterator[ipywidgets.Widget]:
    """Yield all that is inside a widget, the innermost first."""
    for child in getattr(widget, "children", ()):
        yield from _within(child)
        yield child
