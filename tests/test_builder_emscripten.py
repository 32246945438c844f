"""builder/emscripten.py: which exports of its WebAssembly Pyodide's scripts use, and so must find in the half that comes first; the script without the others."""

import re
import subprocess

import pytest

from builder.common import BuildError
from builder.emscripten import LOADER, SCRIPT as NAME, asked_for, named, without_unused
from builder.halves import ALWAYS, secondary_name
from builder.node import node
from builder.runtime import read_lock, runtime_directory

LOCK = read_lock()
RUNTIME = runtime_directory(LOCK)
MANY = 1200  # exports that the script only gives a variable

# As Emscripten's script has it, minified: exports become variables, and properties of its module, which nobody may read.
VARIABLES = f"var _used,_twice,__kept,$odd,{','.join(f'_f{i}' for i in range(MANY))},_a_datum,wasmMemory;"
ASSIGNED = "function assignWasmExports(wasmExports){" + "".join(f'_f{i}=Module["_f{i}"]=wasmExports["f{i}"];' for i in range(MANY)) + (
    '_used=Module["_used"]=wasmExports["used"];_twice=wasmExports["other"];__kept=Module["__kept"]=wasmExports["_kept"];$odd=wasmExports["odd.name"];'
    '_a_datum=Module["_a_datum"]=wasmExports["a_datum"].value>>>0;memory=Module["memory"]=wasmMemory=wasmExports["memory"];}')
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


def names_in(function: str) -> set[str]:
    """What is read of the exports in it."""
    return set(re.findall(r'wasmExports\["([^"]+)"\]', function))


def test_what_nobody_asks_for_is_left_out_as_variable_and_as_property_and_nothing_else():
    use = "run(_used,_f7);"
    shorter = without_unused(use + SCRIPT + "done()", "Module._f9()")
    assert names_in(shorter) == {"used", "f7", "f9", "other", "odd.name", "a_datum", "memory"}
    assert shorter.startswith(use + "var _used,_twice,") and shorter.endswith("}done()")
    variables = shorter.partition("var ")[2].partition(";")[0].split(",")
    assert set(variables) == {"_used", "_twice", "$odd", "_f7", "_f9", "_a_datum", "wasmMemory"}
    for name in ("_f8", "__kept"):
        assert name not in shorter


def test_a_property_that_is_read_by_its_name_stays():
    assert "f3" in names_in(without_unused(SCRIPT + 'Module["_f3"]'))


@pytest.mark.parametrize("script", [
    "", SCRIPT.replace("wasmExports[", "exports["), SCRIPT * 2, SCRIPT.replace("var ", "let "), SCRIPT.replace('_f1=', 'if(x){_f1='),
    'var _f1;function assignWasmExports(wasmExports){_f1=Module["_f1"]=wasmExports["f1"];}',
], ids=["none", "other names", "twice", "not declared", "with a condition", "few"])
def test_a_script_that_takes_its_exports_in_another_way_is_refused(script):
    with pytest.raises(BuildError, match="takes its exports in another way than expected"):
        without_unused(script)


def test_the_second_half_is_named_after_the_first():
    assert secondary_name("pyodide.asm.wasm") == "pyodide.asm.secondary.wasm"


@pytest.mark.skipif(not RUNTIME.is_dir(), reason="no runtime in the cache yet: python build.py fetches it")
def test_of_the_real_script_a_small_part_is_asked_for_and_it_is_valid_without_the_rest(tmp_path):
    script, loader = ((RUNTIME / name).read_text(encoding="utf-8") for name in (NAME, LOADER))
    exports = asked_for(script, loader)
    assert {"malloc", "free", "emscripten_stack_get_current"} <= exports
    assert 50 < len(exports) < 1000
    assert {"main", "__stack_pointer"} <= ALWAYS - exports  # Emscripten comes to these in other ways
    shorter = without_unused(script, loader)
    assert len(shorter) < 0.7 * len(script)
    assert asked_for(shorter, loader) == exports
    (tmp_path / NAME).write_text(shorter, encoding="utf-8")
    assert subprocess.run([node(), "--check", tmp_path / NAME], capture_output=True).returncode == 0
