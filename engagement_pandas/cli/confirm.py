"""Confirmation of large plans: at the terminal, or with ``--yes`` in a scheduled job."""

from __future__ import annotations

import sys
from typing import Final

from engagement_pandas.cli.exit_codes import NotAgreed
from engagement_pandas.cli.streams import print_notice
from engagement_pandas.request.plan import Plan
from engagement_pandas.text import pluralize

LONG: Final = 15
"""Maximum duration of a plan that needs no confirmation, in minutes of quota."""

MANY: Final = 500
"""Maximum number of requests that need no confirmation if the quota is unknown."""

_CONFIRMED: Final = frozenset({"y", "yes"})


def large(plan: Plan) -> bool:
    """Return whether a plan takes over 15 minutes, or over 500 requests if the quota is unknown.

    >>> from engagement_pandas import plan, totals
    >>> request = totals(range(10_000), engagement_types=["replies"])
    >>> large(plan(request)), large(plan(request, per_minute=2))
    (False, True)
    """
    return len(plan) > MANY if plan.minutes is None else plan.minutes > LONG


def confirm(plan: Plan, *, yes: bool) -> None:
    """Ask for confirmation of a large plan before anything is sent."""
    if yes or not large(plan):
        return
    print_notice(repr(plan))
    price = pluralize(len(plan), "request")
    if not sys.stdin.isatty():
        msg = f"the plan is large ({price}), and there is no terminal to confirm it; pass --yes"
        raise NotAgreed(msg)
    print_notice(f"\nSend {price}? [y/N] ", end="")
    if sys.stdin.readline().strip().lower() not in _CONFIRMED:
        msg = f"{price} not confirmed, so nothing was sent; --yes sends them unconfirmed"
        raise NotAgreed(msg)
