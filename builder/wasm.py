"""WebAssembly modules cut in two: the functions that starting calls, and the others, which may come later.

A primary and a secondary module, as Binaryen's wasm-split calls them. Each has every function under the number that it had, so that no
instruction is changed; in the place of those that the other one has there is only a step across, through a table that both share. The primary
keeps memory, tables, data and exports, and is what Emscripten and Python see. site/js/halves.js puts the two together, in the same
runtime or, byte for byte, in the old file. The binary format: https://webassembly.github.io/spec/core/binary/
"""

import json
import struct
from dataclasses import dataclass, field

from builder.common import BuildError, sha256

MAGIC = b"\0asm\1\0\0\0"
FUNCTION, TABLE, MEMORY, GLOBAL, TAG = range(5)  # kinds of imports and exports
# Sections, by their numbers. A custom one may stand anywhere; the tags' stands between memories and globals.
CUSTOM, TYPES, IMPORTS, FUNCTIONS, TABLES, MEMORIES, GLOBALS, EXPORTS, START, ELEMENTS, CODE, DATA, DATA_COUNT, TAGS = range(14)
ORDER = (TYPES, IMPORTS, FUNCTIONS, TABLES, MEMORIES, TAGS, GLOBALS, EXPORTS, START, ELEMENTS, DATA_COUNT, CODE, DATA)
CHANGED = (TABLES, GLOBALS, EXPORTS, ELEMENTS)  # in the primary; the secondary has what was there before
PART = "split"  # a custom section of both: what they are parts of. And the module from which the secondary imports
CALLED = "called"  # export of a marked module: the table whose entry i is set once function i has been called
FUNCREF, EXTERNREF, I32 = 0x70, 0x6F, 0x7F
CONST, END, IF, ELSE_NOTHING, ZERO, LOCAL, GLOBAL_GET, TABLE_SET, CALL_INDIRECT, REF_FUNC = 0x41, 0x0B, 0x04, 0x40, 0x45, 0x20, 0x23, 0x26, 0x11, 0xD2


@dataclass
class Wasm:
    """A module's parts, each as the bytes that it was."""

    sections: list[tuple[int, bytes]]
    types: list[tuple[bytes, bytes]]  # parameters, results
    imports: list[tuple[str, str, int, bytes]]  # module, name, kind, description
    functions: list[int]  # the type of each
    tables: list[bytes]
    memories: list[bytes]
    tags: list[bytes]
    globals: list[tuple[bytes, bytes]]  # type with its mutability, first value
    exports: list[tuple[str, int, int]]  # name, kind, number
    elements: tuple[int, bytes]  # how many segments there are, and all of them
    bodies: list[bytes]
    start: int | None = None  # number of the function that runs at once
    imported: dict[int, int] = field(default_factory=dict)  # how many of each kind

    @property
    def n_tables(self) -> int:
        return self.imported[TABLE] + len(self.tables)


def parse(data: bytes) -> Wasm:
    """Raises BuildError if the module has something in it that compilers for C did not use when this was written."""
    if data[: len(MAGIC)] != MAGIC:
        raise BuildError("not a WebAssembly module")
    sections, place = [], len(MAGIC)
    while place < len(data):
        number = data[place]
        size, place = _number(data, place + 1)
        sections.append((number, data[place : place + size]))
        place += size
    found = {number: content for number, content in sections if number != CUSTOM}

    def entries(number: int, read) -> list:
        content, result = found.get(number, b"\0"), []
        count, place = _number(content, 0)
        for _ in range(count):
            entry, place = read(content, place)
            result.append(entry)
        return result

    imports = entries(IMPORTS, _import)
    content = found.get(ELEMENTS, b"\0")
    count, place = _number(content, 0)
    module = Wasm(
        sections=sections,
        types=entries(TYPES, _type),
        imports=imports,
        functions=entries(FUNCTIONS, _number),
        tables=entries(TABLES, _table),
        memories=entries(MEMORIES, lambda content, place: _limits(content, place, place)),
        tags=entries(TAGS, _tag),
        globals=entries(GLOBALS, _global),
        exports=entries(EXPORTS, _export),
        elements=(count, content[place:]),
        bodies=entries(CODE, _body),
        start=_number(found[START], 0)[0] if START in found else None,
        imported={kind: sum(entry[2] == kind for entry in imports) for kind in (FUNCTION, TABLE, MEMORY, GLOBAL, TAG)},
    )
    if assemble(sections) != data or _code(module.bodies) != found.get(CODE):
        raise BuildError("a WebAssembly module writes its numbers longer than they need be, and could not be put together again")
    return module


def assemble(sections: list[tuple[int, bytes]]) -> bytes:
    return MAGIC + b"".join(_section(number, content) for number, content in sections)


def marked(data: bytes) -> bytes:
    """The module, with a table more that it exports: each function notes there that it has been called."""
    module = parse(data)
    first, table = module.imported[FUNCTION], module.n_tables
    bodies = []
    for i, body in enumerate(module.bodies):
        begin = _after_locals(body)
        note = bytes([CONST]) + _signed(i) + bytes([REF_FUNC]) + _leb(first + i) + bytes([TABLE_SET]) + _leb(table)
        bodies.append(body[:begin] + note + body[begin:])
    count, segments = module.elements
    declared = b"\x03\x00" + _vector([_leb(first + i) for i in range(len(bodies))])  # only so that they may be referred to
    changes = {
        TABLES: _vector([*module.tables, _table_type(len(bodies))]),
        EXPORTS: _exports([*module.exports, (CALLED, TABLE, table)]),
        ELEMENTS: _leb(count + 1) + segments + declared,
        CODE: _code(bodies),
    }
    return assemble(_with(module.sections, changes))


@dataclass
class Links:
    """What Emscripten would do with the exports at every start, done beforehand.

    exports: those that anybody asks for at a start; the others can be had from the table.   slots: name of an exported function -> its place in the table
    free: the table's length as it stands in the file; from there on come the functions that got a place only because they are exported.
    others: functions of JavaScript -> their places.   data: name -> address.
    """

    exports: set[str]
    slots: dict[str, int]
    free: int
    length: int
    others: dict[str, int]
    data: dict[str, int]


def split(data: bytes, called: set[int], links: Links | None = None) -> tuple[bytes, bytes]:
    """The primary module with the functions that were called, and the secondary with the others."""
    module = parse(data)
    kept = called | ({module.start - module.imported[FUNCTION]} if module.start is not None else set())
    identity = {"of": sha256(data), "id": sha256(json.dumps([sha256(data), sorted(kept)]).encode())[:16]}
    secondary = _secondary(module, kept, identity | ({"symbols": {"functions": links.slots, "data": links.data}} if links else {}))
    secondary += _padding(secondary)
    identity |= {"bytes": len(secondary), "checksum": checksum(secondary)}
    return _primary(module, kept, links, identity), secondary


def checksum(data: bytes) -> int:
    """checksumOf in site/js/checksum.js, of all of it."""
    total = 0
    for (word,) in struct.iter_unpack("<i", data):
        total = (total * 31 + word) & 0xFFFFFFFF
    return total - ((total & 0x80000000) << 1)


def _primary(module: Wasm, kept: set[int], links: Links | None, identity: dict) -> bytes:
    table, flag = module.n_tables, module.imported[GLOBAL] + len(module.globals)
    count, segments = module.elements
    added = _segments(module, sorted(kept))
    tables, exports = list(module.tables), module.exports
    if links:
        numbers = {slot: number for name, kind, number in exports if kind == FUNCTION and (slot := links.slots.get(name, -1)) >= links.free}
        if sorted(numbers) != list(range(links.free, links.free + len(numbers))):
            raise BuildError("Emscripten has numbered the exported functions in another way than expected: this Pyodide is not the one that was studied")
        added.append(b"\x00" + _constant(links.free) + _vector([_leb(numbers[slot]) for slot in sorted(numbers)]))
        tables[0] = _table_type(links.length)
        exports = [entry for entry in exports if entry[0] in links.exports]
        functions = {name: links.slots[name] for name, kind, _ in exports if kind == FUNCTION and name in links.slots}
        identity = identity | {"links": {"functions": functions, "others": links.others}}
    changes = {
        TABLES: _vector([*tables, _table_type(len(module.bodies) + 1)]),
        GLOBALS: _vector([*(kind + value for kind, value in module.globals), bytes([I32, 1]) + _constant(0)]),
        EXPORTS: _exports([*exports, (f"{PART}:functions", TABLE, table), (f"{PART}:there", GLOBAL, flag), *_shared_exports(module)]),
        ELEMENTS: _leb(count + len(added)) + segments + b"".join(added),
        CODE: _code([body if i in kept else _step(module, i, flag) for i, body in enumerate(module.bodies)]),
    }
    (first, *others) = _with(module.sections, changes)
    return assemble([first, _custom(PART, json.dumps(identity).encode()), *others])  # Emscripten wants its own custom section to be the first


def _secondary(module: Wasm, kept: set[int], identity: dict) -> bytes:
    replaced = [(number, content) for number, content in module.sections if number in CHANGED]
    imports = [_text(source) + _text(name) + bytes([kind]) + description for source, name, kind, description in module.imports]
    shared = {
        TABLE: [*module.tables, _table_type(len(module.bodies) + 1)],
        MEMORY: module.memories,
        TAG: module.tags,
        GLOBAL: [kind for kind, _ in module.globals[: _n_shared_globals(module)]],
    }
    for kind, name in ((TABLE, "table"), (MEMORY, "memory"), (TAG, "tag"), (GLOBAL, "global")):
        for i, description in enumerate(shared[kind]):
            is_functions = kind == TABLE and i == len(module.tables)
            imports.append(_text(PART) + _text("functions" if is_functions else f"{name}{i}") + bytes([kind]) + description)
    segments = _segments(module, [i for i in range(len(module.bodies)) if i not in kept])
    found = dict(module.sections)
    own = {
        TYPES: found[TYPES],
        IMPORTS: _vector(imports),
        FUNCTIONS: found[FUNCTIONS],
        GLOBALS: _vector([kind + value for kind, value in module.globals[len(shared[GLOBAL]) :]]),
        ELEMENTS: _vector(segments),
        CODE: _code([_step(module, i) if i in kept else body for i, body in enumerate(module.bodies)]),
    }
    bitmap = bytearray((len(module.bodies) + 7) // 8)
    for i in kept:
        bitmap[i >> 3] |= 1 << (i & 7)
    customs = [_custom(PART, json.dumps(identity).encode()), _custom("kept", bytes(bitmap)), _custom("replaced", assemble(replaced)[len(MAGIC) :])]
    return assemble([*customs, *((number, own[number]) for number in ORDER if number in own)])


def _step(module: Wasm, i: int, flag: int | None = None) -> bytes:
    """The body of a function whose own one is in the other module. flag: the global that says whether that is there; if not, entry 0 brings it."""
    kind = module.functions[i]
    parameters, _ = module.types[kind]
    table = _leb(module.n_tables)
    code = b"\0"  # no locals
    if flag is not None:
        bring = _constant(0)[:-1] + bytes([CALL_INDIRECT]) + _leb(module.types.index((b"", b""))) + table
        code += bytes([GLOBAL_GET]) + _leb(flag) + bytes([ZERO, IF, ELSE_NOTHING]) + bring + bytes([END])
    code += b"".join(bytes([LOCAL]) + _leb(place) for place in range(len(parameters)))
    return code + bytes([CONST]) + _signed(i + 1) + bytes([CALL_INDIRECT]) + _leb(kind) + table + bytes([END])


def _segments(module: Wasm, functions: list[int]) -> list[bytes]:
    """Element segments that put these functions into the shared table, each a place behind its number."""
    runs: list[list[int]] = []
    for i in functions:
        if runs and runs[-1][-1] == i - 1:
            runs[-1].append(i)
        else:
            runs.append([i])
    first = module.imported[FUNCTION]
    return [b"\x02" + _leb(module.n_tables) + _constant(run[0] + 1) + b"\0" + _vector([_leb(first + i) for i in run]) for run in runs]


def _n_shared_globals(module: Wasm) -> int:
    """Those up to the last that changes; the constants behind it either module has for itself."""
    return max((i + 1 for i, (kind, _) in enumerate(module.globals) if kind[1]), default=0)


def _shared_exports(module: Wasm) -> list[tuple[str, int, int]]:
    counts = ((TABLE, "table", len(module.tables)), (MEMORY, "memory", len(module.memories)), (TAG, "tag", len(module.tags)))
    counts += ((GLOBAL, "global", _n_shared_globals(module)),)
    return [(f"{PART}:{name}{i}", kind, module.imported[kind] + i) for kind, name, count in counts for i in range(count)]


def _with(sections: list[tuple[int, bytes]], changes: dict[int, bytes]) -> list[tuple[int, bytes]]:
    """The sections with some changed, or added in their places."""
    result = [(number, changes.get(number, content) if number else content) for number, content in sections]
    for number in changes.keys() - {number for number, _ in sections}:
        later = ORDER[ORDER.index(number) + 1 :]
        place = next((i for i, (other, _) in enumerate(result) if other in later), len(result))
        result.insert(place, (number, changes[number]))
    return result


def _padding(data: bytes) -> bytes:
    """A custom section of nothing that makes whole words of four bytes, as the checksum wants them."""
    name = "-" * (1 + -(len(data) + 4) % 4)
    return _section(CUSTOM, _text(name))


def _section(number: int, content: bytes) -> bytes:
    return bytes([number]) + _leb(len(content)) + content


def _custom(name: str, content: bytes) -> tuple[int, bytes]:
    return CUSTOM, _text(name) + content


def _exports(entries: list[tuple[str, int, int]]) -> bytes:
    return _vector([_text(name) + bytes([kind]) + _leb(number) for name, kind, number in entries])


def _code(bodies: list[bytes]) -> bytes:
    return _vector([_leb(len(body)) + body for body in bodies])


def _vector(entries: list[bytes]) -> bytes:
    return _leb(len(entries)) + b"".join(entries)


def _text(text: str) -> bytes:
    return _leb(len(text.encode())) + text.encode()


def _table_type(length: int) -> bytes:
    return bytes([FUNCREF, 0]) + _leb(length)


def _constant(value: int) -> bytes:
    return bytes([CONST]) + _signed(value) + bytes([END])


def _leb(value: int) -> bytes:
    """LEB128, unsigned."""
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _signed(value: int) -> bytes:
    """LEB128 of a number that is not negative, where one might be."""
    out = bytearray()
    while value >= 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _number(data: bytes, place: int) -> tuple[int, int]:
    """An unsigned LEB128 number, and the place behind it; so do all that follow."""
    value = shift = 0
    while True:
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, place


def _name(data: bytes, place: int) -> tuple[str, int]:
    size, place = _number(data, place)
    return data[place : place + size].decode(), place + size


def _body(data: bytes, place: int) -> tuple[bytes, int]:
    size, place = _number(data, place)
    return data[place : place + size], place + size


def _type(data: bytes, place: int) -> tuple[tuple[bytes, bytes], int]:
    if data[place] != 0x60:
        raise BuildError("a WebAssembly module has types other than functions")
    parameters, place = _body(data, place + 1)
    results, place = _body(data, place)
    return (parameters, results), place


def _limits(data: bytes, begin: int, place: int) -> tuple[bytes, int]:
    has_maximum = data[place]
    if has_maximum > 1:
        raise BuildError("a WebAssembly module has a memory or table that is shared, or larger than 32 bits can say, or with pages of another size")
    _, place = _number(data, place + 1)
    if has_maximum:
        _, place = _number(data, place)
    return data[begin:place], place


def _table(data: bytes, place: int) -> tuple[bytes, int]:
    if data[place] not in (FUNCREF, EXTERNREF):
        raise BuildError("a WebAssembly module has a table of something else than functions and references")
    return _limits(data, place, place + 1)


def _tag(data: bytes, place: int) -> tuple[bytes, int]:
    _, end = _number(data, place + 1)
    return data[place:end], end


def _global(data: bytes, place: int) -> tuple[tuple[bytes, bytes], int]:
    begin = place + 2
    end = begin
    while (code := data[end]) != END:
        if code not in (CONST, GLOBAL_GET):
            raise BuildError(f"a WebAssembly module has a global whose value is made by instruction {code:#x}")
        _, end = _number(data, end + 1)
    return (data[place:begin], data[begin : end + 1]), end + 1


def _export(data: bytes, place: int) -> tuple[tuple[str, int, int], int]:
    name, place = _name(data, place)
    number, end = _number(data, place + 1)
    return (name, data[place], number), end


def _import(data: bytes, place: int) -> tuple[tuple[str, str, int, bytes], int]:
    source, place = _name(data, place)
    name, place = _name(data, place)
    kind, place = data[place], place + 1
    if kind == FUNCTION:
        _, end = _number(data, place)
    elif kind == TABLE:
        _, end = _table(data, place)
    elif kind == MEMORY:
        _, end = _limits(data, place, place)
    elif kind == GLOBAL:
        end = place + 2
    elif kind == TAG:
        _, end = _tag(data, place)
    else:
        raise BuildError(f"a WebAssembly module imports something of kind {kind}")
    return (source, name, kind, data[place:end]), end


def _after_locals(body: bytes) -> int:
    groups, place = _number(body, 0)
    for _ in range(groups):
        _, place = _number(body, place)
        place += 1
    return place
