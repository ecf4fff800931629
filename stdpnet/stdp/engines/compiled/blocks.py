"""The vector type of the kernels: how many neurons are worked on together, in registers.

One source serves every machine: LLVM maps vectors of the width that `register_bytes` returns to its registers (AVX-512,
AVX2, NEON, ...). `Block(lanes, registers)` carries no data; its numba type encodes (lanes, registers). Kernels are
given a block of one register, and are compiled once for all numbers of channels: where larger blocks pay,
`vectors.by_registers` chooses at run time among the code for blocks of each of SIZES.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from llvmlite import binding, ir
from numba.core import types
from numba.core.registry import cpu_target
from numba.extending import NativeValue, models, register_model, typeof_impl, unbox


class Block:
    """How many neurons are worked on together: lanes per register, and registers."""

    def __init__(self, lanes: int, registers: int = 1) -> None:
        self.lanes, self.registers = lanes, registers

    @property
    def length(self) -> int:
        """Neurons per block."""
        return self.lanes * self.registers


SIZES = (1, 2, 4, 7)
"""How many registers a block may have. Seven of 16 hold the potentials of a block and its input; with more of them the
potentials, the input and the thresholds of a block no longer fit 32 registers either."""
REGISTER_NAMES = {64: "zmm", 32: "ymm"}


@lru_cache
def register_bytes() -> int:
    """Return the size of the vector registers of the processor that numba compiles for, in bytes."""
    triple, name, features = cpu_target.target_context.codegen().magic_tuple()
    machine = binding.Target.from_triple(triple).create_target_machine(cpu=name, features=features)
    vector = f"<{max(REGISTER_NAMES) // 4} x float>"
    source = f"define {vector} @sum({vector} %a, {vector} %b) {{ %c = fadd {vector} %a, %b\n ret {vector} %c }}"
    assembly = machine.emit_assembly(binding.parse_assembly(source))
    return next((size for size, name in REGISTER_NAMES.items() if name in assembly), 16)


def one_register(itemsize: int) -> Block:
    """Return the block of one register of the processor that numba compiles for, for numbers of a size in bytes."""
    return Block(register_bytes() // itemsize)


def registers_per_block(channels: int, block: Block) -> int:
    """Return how many registers the blocks of a number of channels have, one of SIZES: few blocks, little padding.

    The overhead of a block is about that of two registers, because each block reads the list of input spikes.

    Parameters
    ----------
    channels : neurons of a position
    block : a block of one register
    """
    needed = -(-channels // block.length)
    return min(SIZES, key=lambda size: -(-needed // size) * (size + 2))


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
