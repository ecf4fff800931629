"""Philox4x32-10 (Salmon et al. 2011, doi 10.1145/2063384.2063405): four random words for each value of a counter.

`philox` computes the words of one counter, `philox_many` those of eight at a time in vector registers; both give the
same words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numpy.typing import NDArray

from stdpnet._numba.jit import compiled, inlined, instruction

ROUNDS = 10
LANES = 8
MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_STEPS = (0x9E3779B9, 0xBB67AE85)


@inlined
def philox(
    c0: np.uint32, c1: np.uint32, c2: np.uint32, c3: np.uint32, k0: np.uint32, k1: np.uint32
) -> tuple[np.uint32, np.uint32, np.uint32, np.uint32]:
    """Return four random words for a counter (c0..c3) and a key (k0, k1)."""
    for _ in range(ROUNDS):
        left = np.uint64(c0) * np.uint64(MULTIPLIERS[0])
        right = np.uint64(c2) * np.uint64(MULTIPLIERS[1])
        c0 = np.uint32(np.uint32(right >> np.uint64(32)) ^ c1 ^ k0)
        c1 = np.uint32(right)
        c2 = np.uint32(np.uint32(left >> np.uint64(32)) ^ c3 ^ k1)
        c3 = np.uint32(left)
        k0 = np.uint32(k0 + np.uint32(KEY_STEPS[0]))
        k1 = np.uint32(k1 + np.uint32(KEY_STEPS[1]))
    return c0, c1, c2, c3


@compiled
def philox_many(
    c0: NDArray[np.uint32],
    c1: NDArray[np.uint32],
    c2: np.uint32,
    c3: np.uint32,
    key: tuple[np.uint32, np.uint32],
    count: int,
    words: NDArray[np.uint32],
) -> None:
    """Write the four words of each counter (c0[i], c1[i], c2, c3), i < count, to words[4*i : 4*i + 4].

    Parameters
    ----------
    c0, c1, c2, c3 : counters; c0 and c1 (M,), M a multiple of 8 that is at least `count`
    key : the key
    count : how many
    words : (4*M,)
    """
    for first in range(0, count, LANES):
        _philox_eight(c0, c1, c2, c3, key, words, first)


def _picked(builder: Any, pair: Sequence[Any], lanes: Iterable[int]) -> Any:
    """Return a vector of lanes of two vectors; the lanes of the second are numbered after those of the first."""
    indices = list(lanes)
    return builder.shuffle_vector(*pair, ir.Constant(ir.VectorType(ir.IntType(32), len(indices)), indices))


@instruction
def _philox_eight(_: Any, c0: Any, c1: Any, c2: Any, c3: Any, key: Any, words: Any, first: Any) -> Any:
    """_philox_eight(c0, c1, c2, c3, key, words, first): eight counters from c0[first], c1[first] on.

    Each number lies in the lower half of a 64-bit lane; the upper half is masked before it is used.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word, wide = ir.VectorType(ir.IntType(32), LANES), ir.VectorType(ir.IntType(64), LANES)

        def everywhere(number: int) -> Any:
            return ir.Constant(wide, [number] * LANES)

        def splat(value: Any) -> Any:
            nothing = ir.Constant(wide, ir.Undefined)
            one = builder.insert_element(nothing, builder.zext(value, wide.element), ir.Constant(ir.IntType(32), 0))
            return builder.shuffle_vector(one, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

        def place(array_type: Any, array: Any, kind: Any, times: int = 1) -> Any:
            data = context.make_array(array_type)(context, builder, array).data
            index = builder.mul(arguments[6], ir.Constant(arguments[6].type, times))
            return builder.bitcast(builder.gep(data, [index]), kind.as_pointer())

        x0, x1 = (
            builder.zext(builder.load(place(kind, array, word), align=4), wide)
            for kind, array in zip((c0, c1), arguments, strict=False)
        )
        halves = (builder.extract_value(arguments[4], half) for half in (0, 1))
        x2, x3, key0, key1 = (splat(value) for value in (*arguments[2:4], *halves))
        low = everywhere(0xFFFFFFFF)
        for _ in range(ROUNDS):
            left = builder.mul(builder.and_(x0, low), everywhere(MULTIPLIERS[0]))
            right = builder.mul(builder.and_(x2, low), everywhere(MULTIPLIERS[1]))
            high_left, high_right = (builder.lshr(product, everywhere(32)) for product in (left, right))
            x0, x1 = builder.xor(builder.xor(high_right, x1), key0), right
            x2, x3 = builder.xor(builder.xor(high_left, x3), key1), left
            key0, key1 = builder.add(key0, everywhere(KEY_STEPS[0])), builder.add(key1, everywhere(KEY_STEPS[1]))
        x0, x1, x2, x3 = (builder.trunc(value, word) for value in (x0, x1, x2, x3))
        pairs = [_picked(builder, pair, range(2 * LANES)) for pair in ((x0, x1), (x2, x3))]
        in_turn = _picked(builder, pairs, [turn + LANES * which for turn in range(LANES) for which in range(4)])
        builder.store(in_turn, place(words, arguments[5], in_turn.type, 4), align=4)
        return context.get_dummy_value()

    u32 = types.uint32
    return types.void(c0, c1, u32, u32, key, words, types.intp), generate
