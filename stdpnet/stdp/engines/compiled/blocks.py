"""The vector type of the kernels: how many neurons are worked on together, in registers.

One source serves every machine: LLVM maps vectors of the width that `fitting_block` chooses to its registers (AVX-512,
AVX2, NEON, ...). `Block(lanes, registers)` carries no data; its numba type encodes (lanes, registers), so that each
shape is compiled once, and kept on disk.
"""

from __future__ import annotations

from typing import Any

from llvmlite import binding, ir
from numba.core import types
from numba.extending import NativeValue, models, register_model, typeof_impl, unbox


class Block:
    """How many neurons are worked on together: lanes per register, and registers."""

    def __init__(self, lanes: int, registers: int) -> None:
        self.lanes, self.registers = lanes, registers

    @property
    def length(self) -> int:
        """Neurons per block."""
        return self.lanes * self.registers


def register_file() -> tuple[int, int]:
    """Return the size of this machine's vector registers, bytes, and how many of them one quantity may take.

    `advance` holds three quantities of each neuron in registers and needs a few more: 9 of 32, or 4 of 16 registers.
    """
    features = binding.get_host_cpu_features()
    if features.get("avx512f"):
        return 64, 9
    if features.get("avx2") or features.get("avx"):
        return 32, 4
    return 16, 9 if features.get("neon") else 4


def fitting_block(channels: int, itemsize: int, width: int | None = None, most: int | None = None) -> Block:
    """Return the block that suits a number of channels: as few and as equal blocks as the registers allow.

    Parameters
    ----------
    channels : neurons of a position
    itemsize : bytes of a number
    width, most : bytes of a register, and registers per quantity; default this machine's
    """
    host_width, host_most = register_file()
    lanes = (width or host_width) // itemsize
    needed = -(-channels // lanes)
    blocks = -(-needed // (most or host_most))
    return Block(lanes, -(-needed // blocks))


class BlockType(types.Type):
    """The type of Block(lanes, registers)."""

    def __init__(self, lanes: int, registers: int) -> None:
        self.lanes, self.registers = lanes, registers
        super().__init__(name=f"Block({lanes}, {registers})")


class VectorType(types.Type):
    """The type of a block of floating point numbers."""

    def __init__(self, dtype: Any, block: BlockType) -> None:
        self.dtype, self.block = dtype, block
        super().__init__(name=f"Vector({dtype}, {block.lanes}, {block.registers})")


@typeof_impl.register(Block)
def _typeof_block(value: Block, _: Any) -> BlockType:
    return BlockType(value.lanes, value.registers)


register_model(BlockType)(models.OpaqueModel)


@unbox(BlockType)
def _unbox_block(_: Any, __: Any, context: Any) -> NativeValue:
    return NativeValue(context.context.get_dummy_value())


@register_model(VectorType)
class _VectorModel(models.PrimitiveModel):
    def __init__(self, manager: Any, vector: VectorType) -> None:
        element = ir.DoubleType() if vector.dtype == types.float64 else ir.FloatType()
        register = ir.VectorType(element, vector.block.lanes)
        super().__init__(manager, vector, ir.ArrayType(register, vector.block.registers))
