"""Random numbers without state."""

from __future__ import annotations

import statistics

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engagement_pandas.sandbox.stable_random import MASK, hash64, mixed, normal, shuffled, uniform

BITS = st.integers(0, MASK)


def test_the_hash_is_splitmix64() -> None:
    """The first outputs for the seeds 0 and 1234567 are the published ones."""
    assert hash64(0) == 0xE220A8397B1DCDAF
    assert hash64(1234567) == 6457827717110365317


@given(BITS, st.lists(BITS, min_size=1, max_size=4))
def test_arrays_hash_as_single_numbers_do(seed: int, parts: list[int]) -> None:
    """Numpy's arithmetic modulo 2**64 gives what Python's integers give."""
    start = np.array([hash64(seed)], dtype=np.uint64)
    together = mixed(start, np.array(parts, dtype=np.uint64))
    assert together.tolist() == [hash64(seed, part) for part in parts]


def test_every_part_changes_the_hash() -> None:
    """Neighbours, the order of the parts and the sign all change the number."""
    assert (
        len({hash64(1, 2), hash64(2, 1), hash64(1, 3), hash64(1), hash64(-1, 2), hash64(1, 2, 0)})
        == 6
    )


def test_uniform_numbers_fill_the_unit_interval() -> None:
    """Ten bins of ten thousand numbers hold about a thousand each."""
    bins = [0] * 10
    for turn in range(10_000):
        bins[int(uniform(5, turn) * 10)] += 1
    assert min(bins) > 850
    assert max(bins) < 1150


def test_normal_numbers_are_standard_normal() -> None:
    """The mean is near 0 and the deviation near 1."""
    draws = [normal(turn) for turn in range(4000)]
    assert abs(statistics.fmean(draws)) < 0.06
    assert abs(statistics.stdev(draws) - 1) < 0.05


@given(st.lists(st.integers()), st.integers())
def test_shuffling_keeps_all_items(items: list[int], seed: int) -> None:
    """The same seed gives the same order."""
    assert sorted(shuffled(items, seed)) == sorted(items)
    assert shuffled(items, seed) == shuffled(items, seed)
