"""A vector value type for numba: a block of neurons in registers, as one LLVM vector.

LLVM splits a vector of any length into the registers of the machine (AVX-512, AVX2, NEON, ...), so that one source
serves them all; additions stay additions, in the order written, so that results equal those of plain loops.

`Lanes(n)` is a value without content whose type carries n into compiled code: kernels are compiled, and cached on disk,
once for each length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import binding, ir
from numba.core import types
from numba.extending import NativeValue, intrinsic, models, register_model, typeof_impl, unbox


class Lanes:
    """How many numbers a vector has."""

    def __init__(self, count: int) -> None:
        self.count = count


def register_bytes() -> int:
    """Return the size of this machine's vector registers, bytes."""
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 64
    return 32 if features.get("avx2") or features.get("avx") else 16


def fitting_lanes(channels: int, itemsize: int, width: int | None = None) -> int:
    """Return how many lanes suit a number of channels: 1, 2, 4 or 8 registers, little padding, few vectors.

    Parameters
    ----------
    channels : neurons of a position
    itemsize : bytes of a number
    width : bytes of a register; default this machine's
    """
    lane = (width or register_bytes()) // itemsize
    choices = [lane * registers for registers in (8, 4, 2, 1)]
    return min(choices, key=lambda lanes: -(-channels // lanes) * (lanes + lane))


class LanesType(types.Type):
    """The type of Lanes(count)."""

    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__(name=f"Lanes({count})")


class VectorType(types.Type):
    """The type of a vector of `count` numbers of a floating point type."""

    def __init__(self, dtype: Any, count: int) -> None:
        self.dtype, self.count = dtype, count
        super().__init__(name=f"Vector({dtype}, {count})")


@typeof_impl.register(Lanes)
def _typeof_lanes(value: Lanes, _: Any) -> LanesType:
    return LanesType(value.count)


register_model(LanesType)(models.OpaqueModel)


@unbox(LanesType)
def _unbox_lanes(_: Any, __: Any, context: Any) -> NativeValue:
    return NativeValue(context.context.get_dummy_value())


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: VectorType) -> None:
        element = ir.DoubleType() if vector.dtype == types.float64 else ir.FloatType()
        super().__init__(manager, vector, ir.VectorType(element, vector.count))


def _instruction(generator: Callable[..., Any]) -> Any:
    """Make a function of compiled code that generates its own instructions; its arguments here are numba types."""
    return intrinsic(generator)


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, row: Any, start: Any, vector: Any) -> Any:
    """Return where a vector begins in a row of a contiguous two-dimensional array."""
    struct = context.make_array(array_type)(context, builder, array)
    columns = builder.extract_value(struct.shape, 1)
    place = builder.gep(struct.data, [builder.add(builder.mul(row, columns), start)])
    return builder.bitcast(place, vector.as_pointer())


def _alignment(array_type: Any) -> int:
    return int(np.dtype(str(array_type.dtype)).itemsize)


@_instruction
def length(_: Any, lanes: Any) -> Any:
    """length(lanes): the number of lanes, a constant."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return context.get_constant(types.intp, lanes.count)

    return types.intp(lanes), generate


@_instruction
def load(_: Any, array: Any, row: Any, start: Any, lanes: Any) -> Any:
    """load(array, row, start, lanes): the vector array[row, start : start + lanes]; bounds are not checked."""
    vector = VectorType(array.dtype, lanes.count)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, place_row, place_start, _ = arguments
        kind = context.get_value_type(vector)
        place = _pointer(context, builder, array, values, place_row, place_start, kind)
        return builder.load(place, align=_alignment(array))

    return vector(array, types.intp, types.intp, lanes), generate


@_instruction
def store(_: Any, array: Any, row: Any, start: Any, value: Any) -> Any:
    """store(array, row, start, vector): array[row, start : start + lanes] = vector; bounds are not checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        values, place_row, place_start, new = arguments
        place = _pointer(context, builder, array, values, place_row, place_start, new.type)
        builder.store(new, place, align=_alignment(array))
        return context.get_dummy_value()

    return types.void(array, types.intp, types.intp, value), generate


@_instruction
def splat(_: Any, number: Any, lanes: Any) -> Any:
    """splat(number, lanes): a vector that has the number everywhere."""
    vector = VectorType(number, lanes.count)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = context.get_value_type(vector)
        first = builder.insert_element(ir.Constant(kind, ir.Undefined), arguments[0], ir.Constant(ir.IntType(32), 0))
        same = ir.Constant(ir.VectorType(ir.IntType(32), lanes.count), [0] * lanes.count)
        return builder.shuffle_vector(first, ir.Constant(kind, ir.Undefined), same)

    return vector(number, lanes), generate


def _binary(operation: str) -> Any:
    """Return an intrinsic for an instruction on two vectors."""

    @_instruction
    def instruction(_: Any, left: Any, right: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, operation)(*arguments)

        return left(left, right), generate

    return instruction


add, sub, mul = _binary("fadd"), _binary("fsub"), _binary("fmul")


@_instruction
def any_ge(_: Any, left: Any, right: Any) -> Any:
    """any_ge(a, b): whether a >= b anywhere."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        mask = builder.fcmp_ordered(">=", *arguments)
        bits = builder.bitcast(mask, ir.IntType(left.count))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(left, right), generate
