"""The fast path for the largest shape: posts, types, days and hours.

The structs of 24 hours from ``hourly_decoder`` line up as a matrix. The result is the same as
from ``count_arrays.read_counts``, sorted.
"""

from __future__ import annotations

import struct
from itertools import chain, starmap
from typing import Final

import msgspec
import numpy as np

from engagement_pandas.flattening.combine import add, cells
from engagement_pandas.flattening.count_arrays import CountArrays, of_members
from engagement_pandas.frame.contract import in_order
from engagement_pandas.response.expected_shape import ExpectedShape, day_number
from engagement_pandas.response.hourly_decoder import LEAST, Body, decode, decode_body
from engagement_pandas.response.validation import Members, counts_of
from engagement_pandas.vocabulary import Dimension

__all__ = ["decode", "decode_body", "of_body", "read_grouping", "read_hourly_counts"]

_pack: Final = struct.Struct("24q").pack


def of_body(body: Body, layout: ExpectedShape) -> CountArrays:
    """Return the counts of a decoded body that matches its layout, sorted."""
    tree = body.tree
    outer = tuple(tree)
    inner = tuple(dict.fromkeys(chain.from_iterable(tree.values())))
    post_first = layout.dimensions[0] is Dimension.POST_ID
    posts, types = (outer, inner) if post_first else (inner, outer)
    by_day = [days for pairs in tree.values() for days in pairs.values()]
    rows = [tuple(pair) for pair in by_day]  # usually the same days for all
    day_codes = {keys: [day_number(key, layout) for key in keys] for keys in dict.fromkeys(rows)}
    posts, types = tuple(sorted(posts)), tuple(in_order(types))
    places = [{key: place for place, key in enumerate(names)} for names in (posts, types)]
    outer_places, inner_places = places if post_first else places[::-1]
    lengths = [len(pair) for pair in by_day]
    outer_code = np.repeat(
        [outer_places[key] for key, pairs in tree.items() for _ in pairs], lengths
    )
    inner_code = np.repeat([inner_places[key] for pairs in tree.values() for key in pairs], lengths)
    post, kind = (outer_code, inner_code) if post_first else (inner_code, outer_code)
    known = {keys: np.array(codes, np.int64) for keys, codes in day_codes.items()}
    day = np.concatenate([known[keys] for keys in rows] or [np.zeros(0, np.int64)])
    structs = chain.from_iterable(pair.values() for pair in by_day)
    packed = bytearray()
    for hours in starmap(_pack, map(msgspec.structs.astuple, structs)):
        packed += hours
    matrix = np.frombuffer(packed, np.int64).reshape(-1, 24)
    order = np.argsort(cells(post, kind, day, len(types)))
    post, kind, day = post[order], kind[order], day[order]
    count = matrix[order].ravel()
    del matrix, packed  # frees memory for the frame
    bucket = np.add.outer(day * 24, np.arange(24)).ravel()
    post = np.repeat(post.astype(np.int32), 24)
    kind = np.repeat(kind.astype(np.int32), 24)
    present = count != LEAST
    if not present.all():
        post, kind, bucket, count = post[present], kind[present], bucket[present], count[present]
    return CountArrays(posts, types, post, kind, bucket, count, np.zeros(len(count), np.bool_))


def read_hourly_counts(counts: Body | Members, layout: ExpectedShape) -> CountArrays:
    """Convert valid counts to arrays, sorted."""
    if isinstance(counts, Body):
        return of_body(counts, layout)
    return add([of_members(counts, layout)], layout.name)


def read_grouping(raw: bytes, layout: ExpectedShape) -> CountArrays:
    """Read the JSON of a grouping into arrays, sorted, by the fast path if possible."""
    return read_hourly_counts(counts_of(raw, layout), layout)
