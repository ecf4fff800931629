"""Instructions on vectors: a block of neurons in registers, as an array of LLVM vectors (see blocks.py).

Additions stay additions, in the order written, so that results equal those of plain loops. An array of vectors, not one
long vector: LLVM turns long vectors whose length is no power of two into scalars.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from stdpnet._numba.jit import instruction
from stdpnet.stdp.engines.compiled.blocks import BlockType, VectorType


def _registers(builder: Any, value: Any) -> list[Any]:
    return [builder.extract_value(value, index) for index in range(value.type.count)]


def _joined(builder: Any, vector: Any, registers: list[Any]) -> Any:
    value = ir.Constant(vector, ir.Undefined)
    for index, register in enumerate(registers):
        value = builder.insert_value(value, register, index)
    return value


def _place(context: Any, builder: Any, array_type: Any, array: Any, row: Any, start: Any) -> Any:
    """Return where array[row, start:] begins; the array is contiguous and two-dimensional."""
    struct = context.make_array(array_type)(context, builder, array)
    columns = builder.extract_value(struct.shape, 1)
    return builder.gep(struct.data, [builder.add(builder.mul(row, columns), start)])


def _places(builder: Any, first: Any, vector: Any) -> list[Any]:
    """Return the places of a vector's registers; the first lies at `first`."""
    first = builder.bitcast(first, vector.element.as_pointer())
    return [builder.gep(first, [ir.Constant(ir.IntType(64), index)]) for index in range(vector.count)]


def _alignment(array_type: Any) -> int:
    return int(np.dtype(str(array_type.dtype)).itemsize)


@instruction
def length(_: Any, block: Any) -> Any:
    """length(block): how many neurons it has, a constant."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.get_constant(types.intp, block.lanes * block.registers)

    return types.intp(block), generate


@instruction
def at(_: Any, array: Any, index: Any) -> Any:
    """at(array, index): array[index] of a contiguous array; neither bounds nor negative indices are checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, place = arguments
        return builder.load(builder.gep(context.make_array(array)(context, builder, values).data, [place]))

    return array.dtype(array, types.intp), generate


@instruction
def load(_: Any, array: Any, row: Any, start: Any, block: Any) -> Any:
    """load(array, row, start, block): array[row, start : start + length(block)]; bounds are not checked."""
    vector = VectorType(array.dtype, block)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, place_row, place_start, _ = arguments
        value_type = context.get_value_type(vector)
        places = _places(builder, _place(context, builder, array, values, place_row, place_start), value_type)
        return _joined(builder, value_type, [builder.load(place, align=_alignment(array)) for place in places])

    return vector(array, types.intp, types.intp, block), generate


@instruction
def store(_: Any, array: Any, row: Any, start: Any, value: Any) -> Any:
    """store(array, row, start, vector): array[row, start : start + length] = vector; bounds are not checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, place_row, place_start, new = arguments
        places = _places(builder, _place(context, builder, array, values, place_row, place_start), new.type)
        for place, register in zip(places, _registers(builder, new), strict=True):
            builder.store(register, place, align=_alignment(array))
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, value), generate


@instruction
def splat(_: Any, number: Any, block: Any) -> Any:
    """splat(number, block): a vector that has the number everywhere."""
    vector = VectorType(number, block)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        value_type = context.get_value_type(vector)
        nothing = ir.Constant(value_type.element, ir.Undefined)
        first = builder.insert_element(nothing, arguments[0], ir.Constant(ir.IntType(32), 0))
        same = ir.Constant(ir.VectorType(ir.IntType(32), value_type.element.count), [0] * value_type.element.count)
        return _joined(builder, value_type, [builder.shuffle_vector(first, nothing, same)] * value_type.count)

    return vector(number, block), generate


def _elementwise(operation: Callable[..., Any]) -> Any:
    """Return an instruction that does something with the registers of its arguments, vectors of one type."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = zip(*(_registers(builder, argument) for argument in arguments), strict=True)
        return _joined(builder, arguments[0].type, [operation(builder, *row) for row in rows])

    count = operation.__code__.co_argcount - 1
    if count == 2:
        return instruction(lambda _, a, b: (a(a, b), generate))
    return instruction(lambda _, a, b, c: (a(a, b, c), generate))


def _clip(builder: Any, x: Any, low: Any, high: Any) -> Any:
    x = builder.select(builder.fcmp_ordered(">", x, low), x, low)
    return builder.select(builder.fcmp_ordered("<", x, high), x, high)


def _where_positive(builder: Any, condition: Any, x: Any, y: Any) -> Any:
    zero = ir.Constant(condition.type, [0.0] * condition.type.count)
    return builder.select(builder.fcmp_ordered(">", condition, zero), x, y)


add = _elementwise(lambda builder, a, b: builder.fadd(a, b))
sub = _elementwise(lambda builder, a, b: builder.fsub(a, b))
mul = _elementwise(lambda builder, a, b: builder.fmul(a, b))
div = _elementwise(lambda builder, a, b: builder.fdiv(a, b))
clip_vector = _elementwise(_clip)
"""clip_vector(x, low, high): min(max(x, low), high)."""
where_positive = _elementwise(_where_positive)
"""where_positive(c, x, y): x where c > 0, else y."""


@instruction
def any_ge(_: Any, left: Any, right: Any) -> Any:
    """any_ge(a, b): whether a >= b anywhere."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        pairs = zip(*(_registers(builder, argument) for argument in arguments), strict=True)
        masks = [builder.fcmp_ordered(">=", *pair) for pair in pairs]
        anywhere = masks[0]
        for mask in masks[1:]:
            anywhere = builder.or_(anywhere, mask)
        bits = builder.bitcast(anywhere, ir.IntType(left.block.lanes))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(left, right), generate


@instruction
def single(_: Any, block: Any) -> Any:
    """single(block): a block of one register."""
    one = BlockType(block.lanes, 1)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.get_dummy_value()

    return one(block), generate


@instruction
def bits_ge(_: Any, left: Any, right: Any) -> Any:
    """bits_ge(a, b): where a >= b, as the bits of a number; of single registers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        (a,), (b,) = (_registers(builder, argument) for argument in arguments)
        bits = builder.bitcast(builder.fcmp_ordered(">=", a, b), ir.IntType(left.block.lanes))
        return builder.zext(bits, ir.IntType(64))

    return types.int64(left, right), generate


@instruction
def lowest_bit(_: Any, bits: Any) -> Any:
    """lowest_bit(bits): the number of the lowest bit that is set; of a number that is not 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), generate


@instruction
def collect(_: Any, weights: Any, rows: Any, first: Any, end: Any, top: Any, start: Any, block: Any) -> Any:
    """collect(weights, rows, first, end, top, start, block): the sum of weights[rows[i] - top, start:], i = first ...

    The hottest loop of the engine. It is written in LLVM instructions to forbid unrolling: a step has about six input
    spikes, and an unrolled loop's extra branches cannot be predicted. Bounds are not checked.
    """
    vector = VectorType(weights.dtype, block)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, indices, begin, stop, shift, column, _ = arguments
        value_type = context.get_value_type(vector)
        columns = builder.extract_value(context.make_array(weights)(context, builder, values).shape, 1)
        base = _place(context, builder, weights, values, builder.neg(shift), column)
        index_of = context.make_array(rows)(context, builder, indices).data
        zero = ir.Constant(value_type.element, [0.0] * value_type.element.count)
        before, loop, behind = builder.block, builder.append_basic_block(), builder.append_basic_block()
        builder.cbranch(builder.icmp_signed("<", begin, stop), loop, behind)
        builder.position_at_end(loop)
        i = builder.phi(begin.type)
        sums = [builder.phi(value_type.element) for _ in range(value_type.count)]
        row = builder.zext(builder.load(builder.gep(index_of, [i])), columns.type)
        places = _places(builder, builder.gep(base, [builder.mul(row, columns)]), value_type)
        new = [
            builder.fadd(old, builder.load(place, align=_alignment(weights)))
            for old, place in zip(sums, places, strict=True)
        ]
        following = builder.add(i, ir.Constant(i.type, 1))
        _do_not_unroll(builder.cbranch(builder.icmp_signed("<", following, stop), loop, behind))
        for phi, first_value, next_value in zip(
            [i, *sums], [begin] + [zero] * value_type.count, [following, *new], strict=True
        ):
            phi.add_incoming(first_value, before)
            phi.add_incoming(next_value, loop)
        builder.position_at_end(behind)
        totals = [builder.phi(value_type.element) for _ in range(value_type.count)]
        for phi, value in zip(totals, new, strict=True):
            phi.add_incoming(zero, before)
            phi.add_incoming(value, loop)
        return _joined(builder, value_type, totals)

    return vector(weights, rows, types.intp, types.intp, types.intp, types.intp, block), generate


def _do_not_unroll(branch: Any) -> None:
    """Tell LLVM to leave alone the loop that a branch closes."""
    module = branch.function.module
    disable = module.add_metadata([ir.MetaDataString(module, "llvm.loop.unroll.disable")])
    loop = module.add_metadata([ir.MetaDataString(module, f"loop {len(module.metadata)}"), disable])
    loop.operands = (loop, disable)  # LLVM names a loop by a node that begins with itself
    branch.set_metadata("llvm.loop", loop)
