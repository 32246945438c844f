"""builder/halves.py: which exports of its WebAssembly Pyodide's scripts use, and so must find in the half that comes first."""

import pytest

from builder.common import BuildError
from builder.halves import ALWAYS, asked_for, named, secondary_name
from builder.runtime import read_lock, runtime_directory

LOCK = read_lock()
RUNTIME = runtime_directory(LOCK)
MANY = 1200  # exports that the script only gives a variable

# As Emscripten's script has it, minified: exports become variables, and properties of its module, which nobody may read.
VARIABLES = "var _used,_twice,__kept,$odd;" + "".join(f"var _f{i};" for i in range(MANY))
ASSIGNED = "function assignWasmExports(wasmExports){" + "".join(f'_f{i}=Module["_f{i}"]=wasmExports["f{i}"];' for i in range(MANY)) + (
    '_used=Module["_used"]=wasmExports["used"];_twice=wasmExports["other"];__kept=Module["__kept"]=wasmExports["_kept"];$odd=wasmExports["odd.name"];}')
SCRIPT = VARIABLES + ASSIGNED


def test_an_export_that_only_gets_a_variable_is_not_asked_for():
    assert asked_for(SCRIPT) == set()


@pytest.mark.parametrize("use, export", [
    ("run(_used)", "used"), ("x=_twice+1;", "other"), ("if(__kept){}", "_kept"), ("$odd();", "odd.name"), ("[_f17]", "f17"),
])
def test_one_whose_variable_is_used_is_asked_for_under_its_own_name(use, export):
    assert asked_for(SCRIPT + use) == {export}
    assert asked_for(use + SCRIPT) == {export}


def test_a_variable_whose_name_is_part_of_another_one_is_not_used_by_that():
    assert asked_for(SCRIPT + "_used_too(_f1200,_f12a,a_f12,my_twice)") == set()


def test_one_word_in_another_script_is_a_use():
    assert asked_for(SCRIPT, "Module._used();", "API._f3 = 1") == {"used", "f3"}
    assert asked_for(SCRIPT, "nothing of these") == set()


def test_what_is_read_by_its_name_is_asked_for():
    assert asked_for(SCRIPT + 'a=wasmExports.memory;c(wasmExports["__cpp_exception"])') == {"memory", "__cpp_exception"}
    assert named('c(wasmExports["some name"].value,wasmExports._x);wasmExports[key];myExports.no') == {"some name", "_x"}


def test_a_script_that_takes_its_exports_in_another_way_is_refused():
    for script in ("", SCRIPT.replace("wasmExports[", "exports["), VARIABLES + '_f1=wasmExports["f1"];'):
        with pytest.raises(BuildError, match="takes its exports in another way than expected"):
            asked_for(script)


def test_the_second_half_is_named_after_the_first():
    assert secondary_name("pyodide.asm.wasm") == "pyodide.asm.secondary.wasm"


@pytest.mark.skipif(not RUNTIME.is_dir(), reason="no runtime in the cache yet: python build.py fetches it")
def test_of_the_real_script_a_small_part_is_asked_for():
    scripts = [(RUNTIME / name).read_text(encoding="utf-8") for name in ("pyodide.asm.mjs", "pyodide.mjs")]
    exports = asked_for(*scripts)
    assert {"malloc", "free", "emscripten_stack_get_current"} <= exports
    assert 50 < len(exports) < 1000
    assert {"main", "__stack_pointer"} <= ALWAYS - exports  # Emscripten comes to these in other ways
