"""A vector value type for numba: a block of neurons in registers, as one LLVM vector.

LLVM splits a vector of any length into the registers of the machine (AVX-512, AVX2, NEON, ...), so that one source
serves them all; additions stay additions, in the order written, so that results equal those of plain loops.

`Lanes(n)` is a value without content whose type carries n into compiled code: kernels are compiled, and cached on disk,
once for each length.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import NativeValue, intrinsic, models, register_model, typeof_impl, unbox


class Lanes:
    """How many numbers a vector has."""

    def __init__(self, count: int) -> None:
        self.count = count


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


def _pointer(context: Any, builder: Any, array_type: Any, array: Any, start: Any, vector: Any) -> Any:
    """Return where a vector begins in a contiguous one-dimensional array."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [start]), vector.as_pointer())


def _alignment(array_type: Any) -> int:
    return int(np.dtype(str(array_type.dtype)).itemsize)


@intrinsic
def load(_: Any, array: Any, start: Any, lanes: Any) -> Any:
    """load(array, start, lanes): the vector array[start : start + lanes]; bounds are not checked."""
    vector = VectorType(array.dtype, lanes.count)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(context, builder, array, arguments[0], arguments[1], context.get_value_type(vector))
        return builder.load(place, align=_alignment(array))

    return vector(array, types.intp, lanes), generate


@intrinsic
def store(_: Any, array: Any, start: Any, value: Any) -> Any:
    """store(array, start, vector): array[start : start + lanes] = vector; bounds are not checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _pointer(context, builder, array, arguments[0], arguments[1], arguments[2].type)
        builder.store(arguments[2], place, align=_alignment(array))
        return context.get_dummy_value()

    return types.void(array, types.intp, value), generate


@intrinsic
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

    @intrinsic
    def instruction(_: Any, left: Any, right: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return getattr(builder, operation)(*arguments)

        return left(left, right), generate

    return instruction


add, sub, mul = _binary("fadd"), _binary("fsub"), _binary("fmul")


@intrinsic
def any_ge(_: Any, left: Any, right: Any) -> Any:
    """any_ge(a, b): whether a >= b anywhere."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        mask = builder.fcmp_ordered(">=", *arguments)
        bits = builder.bitcast(mask, ir.IntType(left.count))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(left, right), generate
