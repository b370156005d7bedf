"""Stateless random numbers: the same parts always give the same number in any process.

The mixing function is the finaliser of *splitmix64* (Steele, Lea and Flood, "Fast
splittable pseudorandom number generators", 2014).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeVar

T = TypeVar("T")

GOLDEN: Final = 0x9E3779B97F4A7C15
FIRST_FACTOR: Final = 0xBF58476D1CE4E5B9
SECOND_FACTOR: Final = 0x94D049BB133111EB
MASK: Final = 0xFFFFFFFFFFFFFFFF


def hash64(*parts: int) -> int:
    """Return 64 pseudo-random bits that depend on every part and on their order.

    Only the lowest 64 bits of each part are used.
    """
    bits = 0
    for part in parts:
        bits = mixed(bits, part & MASK)
    return bits


def mixed(bits: Any, part: Any) -> Any:
    """Mix one more part into some bits: integers, or arrays of uint64."""
    bits = ((bits ^ part) + GOLDEN) & MASK
    bits = ((bits ^ (bits >> 30)) * FIRST_FACTOR) & MASK
    bits = ((bits ^ (bits >> 27)) * SECOND_FACTOR) & MASK
    return bits ^ (bits >> 31)


def uniform(*parts: int) -> float:
    """Return a number from 0 (inclusive) to 1 (exclusive) that depends on every part."""
    return (hash64(*parts) >> 11) * 2.0**-53


def normal(*parts: int) -> float:
    """Return an approximately normally distributed number: mean 0, standard deviation 1."""
    return sum(uniform(*parts, turn) for turn in range(12)) - 6


def shuffled(items: Sequence[T], *parts: int) -> list[T]:
    """Return the items in an order that depends on every part."""
    order = sorted(range(len(items)), key=lambda place: hash64(*parts, place))
    return [items[place] for place in order]
