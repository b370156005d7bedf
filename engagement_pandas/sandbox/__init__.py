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

import lazy_loader

# The names are in __init__.pyi, which type checkers read too.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
