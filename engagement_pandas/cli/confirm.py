"""Whether a large plan is meant: a person is asked, a scheduled job says so with ``--yes``."""

from __future__ import annotations

import sys
from typing import Final

from engagement_pandas.cli.options import print_message
from engagement_pandas.errors import RequestError
from engagement_pandas.request.plan import Plan
from engagement_pandas.text import pluralize

LONG: Final = 15
"""Minutes of quota up to which a plan is sent without a question."""

MANY: Final = 500
"""Requests up to which it is, where nobody names the quota."""

_AGREED: Final = frozenset({"y", "yes"})


class NotAgreed(RequestError):
    """A large plan that nobody has agreed to; nothing was sent."""


def large(plan: Plan) -> bool:
    """Whether a plan takes more than 15 minutes of the quota, or 500 requests without one.

    Examples
    --------
    >>> from engagement_pandas import plan, totals
    >>> asked = totals(range(10_000), engagement_types=["replies"])
    >>> large(plan(asked)), large(plan(asked, per_minute=2))
    (False, True)
    """
    return len(plan) > MANY if plan.minutes is None else plan.minutes > LONG


def confirm(plan: Plan, *, yes: bool) -> None:
    """Have a large plan agreed to, before anything is sent."""
    if yes or not large(plan):
        return
    print_message(repr(plan))
    price = pluralize(len(plan), "request")
    if not sys.stdin.isatty():
        msg = f"the plan is large ({price}), and nobody is there to ask; give --yes to send it"
        raise NotAgreed(msg)
    print_message(f"\nSend {price}? [y/N] ", end="")
    if sys.stdin.readline().strip().lower() not in _AGREED:
        msg = f"nothing was sent: {price} not agreed to; --yes sends them without a question"
        raise NotAgreed(msg)
