"""An offline twin of X's Engagement API on loopback.

It enforces the documented rules, verifies signatures, and returns synthetic counts that are
deterministic and consistent with each other. Nothing leaves the machine.

============================ =======================================================
:class:`SandboxServer`       the twin, at ``http://127.0.0.1``, in this process
:func:`serve`                the same until interrupted
:class:`Faults`              fault injection; :class:`Fault`, ``FAULTS``
:class:`Settings`            rate limits, and behaviour that is not documented
:class:`Service`             the twin without HTTP: from request to response
:class:`World`               accounts and their posts
============================ =======================================================

Importing it is cheap, since each name is loaded on first use.

Imports nothing of the package.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from engagement_pandas.sandbox.faults import FAULTS, Fault, Faults
    from engagement_pandas.sandbox.server import SandboxServer, announcement, serve
    from engagement_pandas.sandbox.service import Service, Settings
    from engagement_pandas.sandbox.world import World

__all__ = [
    "FAULTS",
    "Fault",
    "Faults",
    "SandboxServer",
    "Service",
    "Settings",
    "World",
    "announcement",
    "serve",
]

_HOME: Final = {
    "FAULTS": "faults",
    "Fault": "faults",
    "Faults": "faults",
    "SandboxServer": "server",
    "Service": "service",
    "Settings": "service",
    "World": "world",
    "announcement": "server",
    "serve": "server",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
