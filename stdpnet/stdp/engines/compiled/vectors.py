"""Instructions on vectors: a block of neurons in registers, as an array of LLVM vectors (see blocks.py).

Additions are done in the order written, so that results equal those of plain loops. A block is an array of vectors, not
one long vector, because LLVM turns long vectors whose length is no power of two into scalars.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from stdpnet._numba.jit import instruction
from stdpnet.stdp.engines.compiled.blocks import SIZES, BlockType, VectorType


def _registers(builder: Any, value: Any) -> list[Any]:
    return [builder.extract_value(value, index) for index in range(value.type.count)]


def _joined(builder: Any, vector: Any, registers: list[Any]) -> Any:
    value = ir.Constant(vector, ir.Undefined)
    for index, register in enumerate(registers):
        value = builder.insert_value(value, register, index)
    return value


def _data(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    """Return where an array's numbers begin."""
    return builder.extract_value(array, context.data_model_manager[array_type].get_field_position("data"))


def _columns(context: Any, builder: Any, array_type: Any, array: Any) -> Any:
    """Return how many columns a two-dimensional array has."""
    shape = context.data_model_manager[array_type].get_field_position("shape")
    return builder.extract_value(array, [shape, 1])


def _place(context: Any, builder: Any, array_type: Any, array: Any, row: Any, start: Any) -> Any:
    """Return where array[row, start:] begins; the array is contiguous and two-dimensional."""
    first = builder.mul(row, _columns(context, builder, array_type, array))
    return builder.gep(_data(context, builder, array_type, array), [builder.add(first, start)])


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
def by_registers(typing: Any, function: Any, parameters: Any, registers: Any, block: Any) -> Any:
    """by_registers(f, (a, b, ...), n, block): f(a, b, ..., block of n registers), n one of SIZES.

    n is known only at run time: the code of each size is compiled, and a jump chooses one.
    """
    blocks = [BlockType(block.lanes, number) for number in SIZES]
    calls = [function.get_call_type(typing, (*parameters.types, each), {}) for each in blocks]

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values = [builder.extract_value(arguments[1], index) for index in range(len(parameters.types))]
        cases = [builder.append_basic_block() for _ in calls]
        behind, results = builder.append_basic_block(), []
        switch = builder.switch(arguments[2], cases[-1])
        for number, case, call in zip(SIZES, cases, calls, strict=True):
            switch.add_case(ir.Constant(arguments[2].type, number), case)
            builder.position_at_end(case)
            result = context.get_function(function, call)(builder, [*values, context.get_dummy_value()])
            results.append((result, builder.block))
            builder.branch(behind)
        builder.position_at_end(behind)
        chosen = builder.phi(results[0][0].type)
        for result, origin in results:
            chosen.add_incoming(result, origin)
        return chosen

    return calls[0].return_type(function, parameters, types.intp, block), generate


@instruction
def at(_: Any, array: Any, index: Any) -> Any:
    """at(array, index): array[index] of a contiguous array; neither bounds nor negative indices are checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, place = arguments
        return builder.load(builder.gep(_data(context, builder, array, values), [place]))

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
        return _joined(builder, value_type, [_splat(builder, arguments[0], value_type.element)] * value_type.count)

    return vector(number, block), generate


def _splat(builder: Any, number: Any, register: Any) -> Any:
    """Return a register that has a number everywhere."""
    nothing = ir.Constant(register, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    same = ir.Constant(ir.VectorType(ir.IntType(32), register.count), [0] * register.count)
    return builder.shuffle_vector(first, nothing, same)


def _rows(builder: Any, values: Any) -> Any:
    """Return the type of the vectors among values, and their registers, row by row; each row repeats the numbers."""
    vector = next(value.type for value in values if isinstance(value.type, ir.ArrayType))
    columns = [
        _registers(builder, value) if value.type == vector else [_splat(builder, value, vector.element)] * vector.count
        for value in values
    ]
    return vector, zip(*columns, strict=True)


def _elementwise(operation: Callable[..., Any]) -> Any:
    """Return an instruction that applies an operation to each register of its arguments, vectors or numbers."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector, rows = _rows(builder, arguments)
        return _joined(builder, vector, [operation(builder, *row) for row in rows])

    def typed(*arguments: Any) -> Any:
        return next(each for each in arguments if isinstance(each, VectorType))(*arguments), generate

    numbers_of_arguments: dict[int, Callable[..., Any]] = {
        2: lambda _, a, b: typed(a, b),
        3: lambda _, a, b, c: typed(a, b, c),
        4: lambda _, a, b, c, d: typed(a, b, c, d),
    }
    return instruction(numbers_of_arguments[operation.__code__.co_argcount - 1])


def _clip(builder: Any, x: Any, low: Any, high: Any) -> Any:
    x = builder.select(builder.fcmp_ordered(">", x, low), x, low)
    return builder.select(builder.fcmp_ordered("<", x, high), x, high)


def _where_positive(builder: Any, condition: Any, x: Any, y: Any) -> Any:
    zero = ir.Constant(condition.type, [0.0] * condition.type.count)
    return builder.select(builder.fcmp_ordered(">", condition, zero), x, y)


def _integrate(builder: Any, v: Any, current: Any, rest: Any, decay: Any) -> Any:
    return builder.fadd(builder.fadd(rest, builder.fmul(builder.fsub(v, rest), decay)), current)


add = _elementwise(lambda builder, a, b: builder.fadd(a, b))
sub = _elementwise(lambda builder, a, b: builder.fsub(a, b))
mul = _elementwise(lambda builder, a, b: builder.fmul(a, b))
div = _elementwise(lambda builder, a, b: builder.fdiv(a, b))
integrate = _elementwise(_integrate)
"""integrate(v, current, rest, decay): rest + (v - rest)*decay + current."""
clip_vector = _elementwise(_clip)
"""clip_vector(x, low, high): min(max(x, low), high)."""
where_positive = _elementwise(_where_positive)
"""where_positive(c, x, y): x where c > 0, else y."""


@instruction
def any_ge(_: Any, left: Any, right: Any) -> Any:
    """any_ge(a, b): whether a >= b anywhere."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, pairs = _rows(builder, arguments)
        masks = [builder.fcmp_ordered(">=", *pair) for pair in pairs]
        anywhere = masks[0]
        for mask in masks[1:]:
            anywhere = builder.or_(anywhere, mask)
        bits = builder.bitcast(anywhere, ir.IntType(left.block.lanes))
        anywhere = _computed_here(builder, builder.zext(bits, ir.IntType(64)))
        return builder.icmp_unsigned("!=", anywhere, ir.Constant(anywhere.type, 0))

    return types.boolean(left, right), generate


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

    The hottest loop of the engine. Metadata keep LLVM from unrolling it: a step has about six input spikes, and the
    further branches of an unrolled loop cannot be predicted. Bounds are not checked.
    """
    vector = VectorType(weights.dtype, block)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, indices, begin, stop, shift, column, _ = arguments
        value_type = context.get_value_type(vector)
        columns = _columns(context, builder, weights, values)
        base = _place(context, builder, weights, values, builder.neg(shift), column)
        index_of = _data(context, builder, rows, indices)
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


def _computed_here(builder: Any, number: Any) -> Any:
    """Return an integer that LLVM must compute at this place, because it passes through an empty inline assembly."""
    return builder.asm(ir.FunctionType(number.type, [number.type]), "", "=r,0", [number], side_effect=True)
