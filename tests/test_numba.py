"""Compiled code: one version serves every value of an argument; the disk's is used while its sources are unchanged."""

import ast
import gc

import numba
import pytest

from stdpnet._numba import jit
from stdpnet._numba.cache import MachineCode
from stdpnet._numba.philox import philox_many


def closure(path):
    """Return a file of stdpnet and all that it imports, directly or not, while it is imported."""
    found, left = set(), [path]
    while left:
        if (path := left.pop()) in found or not path.exists():
            continue
        found.add(path)
        nodes = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom)]
        names = [node.module.split(".") for node in nodes if node.module.startswith("stdpnet.")]
        left += [jit.PACKAGE.parent.joinpath(*name).with_suffix(".py") for name in names]
    return found


def twice(x):
    return 2 * x


def test_machine_code_is_dated_by_every_file_that_defines_what_a_compiled_function_uses():
    kernels = jit.PACKAGE / "stdp/engines/compiled/kernels.py"
    encoding = jit.PACKAGE / "encoding.py"
    compiled = {path for path in closure(kernels) | closure(encoding) if jit.COMPILED.search(path.read_bytes())}
    records = {path for path in closure(kernels) if "NamedTuple)" in path.read_text()}
    assert {path.name for path in compiled} >= {"kernels.py", "vectors.py", "philox.py", "encoding.py"}
    assert len(records - compiled) > 0
    assert compiled | records <= set(jit.compiled_sources())


def test_a_changed_source_is_compiled_again(tmp_path, monkeypatch):
    def stamp():
        jit.source_stamp.cache_clear()
        return jit.source_stamp()

    before = stamp()
    assert stamp() == before
    changed = tmp_path / "changed.py"
    changed.write_text("from stdpnet._numba.jit import compiled\n")
    sources = jit.compiled_sources()
    monkeypatch.setattr(jit, "compiled_sources", lambda: [*sources, changed])
    assert stamp() != before
    jit.source_stamp.cache_clear()


def test_a_compiled_function_of_another_package_is_dated_by_its_own_file_too():
    stamps = {function._cache._cache_file._source_stamp for function in (philox_many, jit.compiled(twice))}
    assert len(stamps) == 2
    assert all(stamp.startswith(jit.source_stamp()) for stamp in stamps)


def test_codes_of_one_function_do_not_take_each_other_s_place_and_those_of_other_sources_go(tmp_path):
    older = MachineCode(str(tmp_path), "module.f-1.py311", "older sources")
    older.save("float64", "old code")
    (tmp_path / "module.f-1.py311.nbi").write_bytes(b"an index whose classes have moved")
    one, other = (MachineCode(str(tmp_path), "module.f-1.py311", "sources") for _ in range(2))
    assert one.load("float64") is None
    one.save("float64", "double")
    other.save("float32", "single")
    assert [one.load("float64"), one.load("float32"), one.load("int64")] == ["double", "single", None]
    assert len(list(tmp_path.iterdir())) == 2
    assert older.load("float64") is None


def test_a_constant_argument_and_a_variable_share_the_compiled_code():
    doubled = jit.internal(twice)

    @numba.njit
    def summed(count):
        total = doubled(0)
        for i in range(count):
            total = doubled(total + i)
        return total

    assert summed(3) == 8
    assert len(doubled.signatures) == 1


def test_an_internal_function_is_translated_with_its_callers_only():
    doubled = jit.internal(twice)

    @jit.compiled
    def four_times(x):
        return doubled(doubled(x))

    assert four_times(3) == 12
    assert "shl i64 %arg.x, 2" in four_times.inspect_llvm(four_times.signatures[0]), "optimised together"
    assert doubled.overloads[doubled.signatures[0]].library.get_pointer_to_function("any") == 0


def changes(count):
    total = before = 0
    for i in range(count):
        now = i * i
        if i > 2:
            change = now - 2 * before
            total += change
        else:
            change = total = 100 + i
        for _ in range(i):
            total -= change + before
        before = now
    return total + before


def test_variables_keep_their_values_over_loops_and_branches():
    assert jit.compiled(changes)(7) == changes(7)
    assert jit.compiled(changes)(1) == changes(1)


def test_garbage_is_collected_again_after_a_compilation_and_after_a_failed_one():
    assert jit.compiled(twice)(4) == 8
    assert gc.isenabled()
    with pytest.raises(numba.TypingError):
        jit.compiled(twice)(None)
    assert gc.isenabled()
    gc.disable()
    try:
        assert jit.compiled(twice)(2.5) == 5
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_without_a_folder_for_machine_code_functions_are_compiled_all_the_same(monkeypatch, caplog):
    real = jit.njit

    def without_cache(cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return real(**options)

    monkeypatch.setattr(jit, "njit", without_cache)
    jit.warn_of_missing_cache.cache_clear()
    assert jit.compiled(twice)(2) == 4
    assert "set NUMBA_CACHE_DIR to a folder with room" in caplog.text
