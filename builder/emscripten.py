"""Emscripten's script around Pyodide's WebAssembly, pyodide.asm.mjs: which exports it uses, and the script without the others.

It gives each of 4,900 exports a variable and a property of its module, by a function of 0.4 MB that runs at every start, and asks for a hundred of them.
"""

import re
from collections import Counter

from builder.common import BuildError

SCRIPT = "pyodide.asm.mjs"
LOADER = "pyodide.mjs"  # Pyodide's own, which asks Emscripten's for some
FEWEST = 1000  # assignments in a script that does as described above
_ASSIGNED = re.compile(r'([\w$]+)=(?:Module\["[^"]+"\]=)?wasmExports\["([^"]+)"\]')
_FUNCTION = re.compile(r'(?<=[;{])([\w$]+)=Module\["\1"\]=wasmExports\["([^"]+)"\];')  # a datum's value is read at once: so it has to be there
_TAKES = re.compile(r"(?P<variables>var [\w$]+(?:,[\w$]+)*);(?P<function>function assignWasmExports\(wasmExports\)\{[^{}]*\})")
_NAMED = re.compile(r'wasmExports(?:\["([^"]+)"\]|\.(\w+))')
_WORD = re.compile(r"[\w$]+")


def named(script: str) -> set[str]:
    """Exports that stand in the script by name."""
    return {quoted or plain for quoted, plain in _NAMED.findall(script)}


def asked_for(script: str, *others: str) -> set[str]:
    """Exports that the script uses beyond giving them a variable, or that one of the other scripts has a word for."""
    assigned = _ASSIGNED.findall(script)
    rest = _ASSIGNED.sub("", script)
    words = Counter(_WORD.findall(rest))
    for other in others:
        words.update({word: 2 for word in set(_WORD.findall(other))})
    declared = 1
    return {name for variable, name in assigned if words[variable] > declared} | named(rest)


def without_unused(script: str, *others: str) -> str:
    """The script without the variables and properties of functions that nobody asks for. Raises BuildError if it is another than has been studied."""
    taken = list(_TAKES.finditer(script))
    if len(taken) != 1 or len(_FUNCTION.findall(taken[0]["function"])) < FEWEST:
        raise BuildError(f"{SCRIPT} takes its exports in another way than expected: this Pyodide is not the one that was studied")
    [found] = taken
    used = asked_for(script, *others)
    unused = {variable for variable, name in _FUNCTION.findall(found["function"]) if name not in used}
    variables = [name for name in found["variables"].removeprefix("var ").split(",") if name not in unused]
    function = _FUNCTION.sub(lambda match: "" if match[1] in unused else match[0], found["function"])
    return f"{script[: found.start()]}var {','.join(variables)};{function}{script[found.end() :]}"
