"""Base class of all explorers: controls, status line and clean-up."""

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
from engagement_pandas.explorers.controls import in_panes, offer, zones
from engagement_pandas.explorers.ipywidgets_7 import DisplayedBox
from engagement_pandas.explorers.widgets import MARK, ROOT, Alert, KeyGuard, Region

log = logging.getLogger("engagement_pandas")


class Explorer(DisplayedBox):
    """Base class of all explorers.

    Subclasses create the controls and react to changes (:meth:`_changed`); this class reports
    errors and cleans up.

    ``controls`` has the controls by their names in Python, to read or set:
    ``explorer.controls["every"].value = "D"``. ``status`` and ``alert`` have the status line and
    the error message in their ``html``. ``above`` are the widgets for the input, and ``below``
    those for the output; they are side by side on a wide page.
    """

    _elsewhere: tuple[ipywidgets.Widget, ...] = ()
    """Widgets of this explorer that may be displayed outside of it."""

    def __init__(
        self,
        controls: Mapping[str, ipywidgets.Widget],
        above: Sequence[ipywidgets.Widget],
        below: Sequence[ipywidgets.Widget],
    ) -> None:
        self.controls = MappingProxyType(dict(controls))
        self._paused = 0
        self.status = Region(role="status")
        self.alert = Alert()
        self._cause: ipywidgets.Widget | None = None
        guard = KeyGuard()
        super().__init__([guard, in_panes(above, [self.status, self.alert, *below])])
        self.add_class(ROOT)
        for control in self.controls.values():
            control.observe(self.guarded(self._changed), "value")
        guard.observe(self.guarded(self._offer_zones), "zone")
        replace_earlier(self)

    def _changed(self, change: Any) -> None:
        """React to a changed control."""
        raise NotImplementedError

    def _offer_zones(self, change: Any) -> None:
        """Offer the reader's own time zone first."""
        choice = self.controls.get("tz")
        if choice is not None and len(choice.options) > 1:
            with self.paused():
                offer(choice, zones(change.new))

    def show_status(self, sentence: str) -> None:
        """Show a sentence in the status line."""
        self._mark(None)
        self.alert.html = ""
        self.status.html = html.escape(sentence)

    def show_error(self, error: Exception, cause: ipywidgets.Widget | None = None) -> None:
        """Show an error below its cause; the controls stay unchanged and usable."""
        ours = isinstance(error, EngagementError)
        if not ours:
            log.error("%s", error, exc_info=error)
        self.status.html = ""
        self._mark(cause)
        self.alert.html = html.escape(str(error) if ours else f"{type(error).__name__}: {error}")

    def _mark(self, cause: ipywidgets.Widget | None) -> None:
        """Mark a control as the cause of the error, and no other."""
        if cause is self._cause:
            return
        self.alert.html = ""
        if self._cause is not None:
            self._cause.remove_class(MARK)
        if cause is not None:
            cause.add_class(MARK)
        self._cause = cause

    def guarded(self, callback: Callable[..., Any]) -> Callable[..., None]:
        """Wrap a callback to show its exceptions, which a widget would otherwise swallow."""

        def call(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception as error:  # noqa: BLE001 - shown, or it would be lost
                self.show_error(error)

        return call

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Suspend redrawing while several controls are changed."""
        self._paused += 1
        try:
            yield
        finally:
            self._paused -= 1

    def close(self) -> None:
        """Remove the explorer and all its widgets; repeated calls do nothing."""
        for widget in [*_within(self), *self._elsewhere, self]:
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
    """Yield all descendants of a widget, innermost first."""
    for child in getattr(widget, "children", ()):
        yield from _within(child)
        yield child
