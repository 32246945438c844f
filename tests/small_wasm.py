"""WebAssembly modules made by hand: small ones with all that compilers for C put into theirs. It shares nothing with builder/wasm.py, which is tested with them."""

from __future__ import annotations

from dataclasses import dataclass

I32, I64, F64, FUNCREF = 0x7F, 0x7E, 0x7C, 0x70
FUNC, TABLE, MEMORY, GLOBAL, TAG = range(5)


def leb(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value % 128 + 128]), value // 128
    return out + bytes([value])


def text(name: str) -> bytes:
    return leb(len(name)) + name.encode()


def vector(*entries: bytes) -> bytes:
    return leb(len(entries)) + b"".join(entries)


def section(number: int, *entries: bytes) -> bytes:
    content = vector(*entries)
    return bytes([number]) + leb(len(content)) + content


def custom(name: str, content: bytes) -> bytes:
    return b"\0" + leb(len(text(name) + content)) + text(name) + content


def kind(parameters: list[int], results: list[int]) -> bytes:
    return b"\x60" + leb(len(parameters)) + bytes(parameters) + leb(len(results)) + bytes(results)


def get(place: int) -> bytes:
    return b"\x20" + leb(place)


def const(value: int) -> bytes:
    assert 0 <= value < 64
    return bytes([0x41, value])


def call(function: int) -> bytes:
    return b"\x10" + leb(function)


def body(code: bytes, locals: bytes = b"\0") -> bytes:
    code = locals + code + b"\x0b"
    return leb(len(code)) + code


ADD, SUB, MUL, STORE, LOAD, EQZ = b"\x6a", b"\x6b", b"\x6c", b"\x36\x02\0", b"\x28\x02\0", b"\x45"
NOTHING, UNARY, BINARY, GIVES, MIXED, TAKES = range(6)  # types
TYPES = [kind([], []), kind([I32], [I32]), kind([I32, I32], [I32]), kind([], [I32]), kind([I64, F64], [F64]), kind([I32], [])]
LOG = 0  # the only imported function


def up_or_down(other: int, at_zero: int) -> bytes:
    """n == 0 ? at_zero : other(n - 1)"""
    return get(0) + EQZ + b"\x04\x7f" + const(at_zero) + b"\x05" + get(0) + const(1) + SUB + call(other) + b"\x0b"


# name -> (type, body); the functions call each other by their places here. `even` and `odd` do so in turns.
NAMES = ["begin", "add", "even", "odd", "count", "keep", "through", "shout", "seven", "mix", "throws", "catches", "looped", "never"]
PLACE = {name: 1 + i for i, name in enumerate(NAMES)}  # behind the imported one
FUNCTIONS = {
    "begin": (NOTHING, body(const(0) + const(42) + STORE)),
    "add": (BINARY, body(get(0) + get(1) + ADD)),
    "even": (UNARY, body(up_or_down(PLACE["odd"], 1))),
    "odd": (UNARY, body(up_or_down(PLACE["even"], 0))),
    "count": (GIVES, body(b"\x23\0" + const(1) + ADD + b"\x24\0\x23\0")),  # a global that changes
    "keep": (BINARY, body(get(0) + get(1) + STORE + get(0) + LOAD + const(0) + LOAD + ADD)),
    "through": (BINARY, body(get(1) + get(0) + b"\x11" + leb(UNARY) + b"\0")),  # the table
    "shout": (UNARY, body(get(0) + const(2) + MUL + call(LOG))),
    "seven": (GIVES, body(b"\x23\x01")),  # a global that is constant
    "mix": (MIXED, body(get(0) + b"\xb9" + get(1) + b"\xa0")),
    "throws": (UNARY, body(get(0) + b"\x08\0" + b"\0")),
    "catches": (UNARY, body(b"\x06\x7f" + get(0) + call(PLACE["throws"]) + b"\x07\0\x0b")),
    "looped": (UNARY, body(  # 0 + 1 + ... + n, in a local; with locals of several types, in groups
        b"\x03\x40" + get(1) + get(0) + ADD + b"\x21\x01" + get(0) + const(1) + SUB + b"\x22\0\x0d\0\x0b" + get(1), vector(b"\x02\x7f", b"\x82\x01\x7e", b"\x01\x7c"))),
    "never": (NOTHING, body(b"\0")),
}
IN_TABLE = ("even", "odd", "shout", "seven")  # the last is of another type
LENGTH = 6  # of the table


@dataclass
class Shape:
    """imports: memory, table and the changing global are the surroundings', as NumPy's libraries have it. starts: one function runs at once."""

    imports: bool = False
    starts: bool = True


def small_module(shape: Shape) -> bytes:
    limits, table, changing = b"\0\x01", bytes([FUNCREF, 0, LENGTH]), bytes([I32, 1])
    imported = [text("env") + text("log") + bytes([FUNC, UNARY])]
    if shape.imports:
        imported += [text("env") + text("table") + bytes([TABLE]) + table, text("env") + text("memory") + bytes([MEMORY]) + limits,
                     text("env") + text("counter") + bytes([GLOBAL]) + changing]
    exports = [text(name) + bytes([FUNC, PLACE[name]]) for name in NAMES]
    exports += [text("memory") + bytes([MEMORY, 0]), text("table") + bytes([TABLE, 0]), text("counter") + bytes([GLOBAL, 0]), text("tag") + bytes([TAG, 0])]
    own = [] if shape.imports else [changing + const(5) + b"\x0b"]
    bodies = [code for _, code in FUNCTIONS.values()]
    return b"".join([
        b"\0asm\x01\0\0\0",
        custom("first", b"of another tool"),
        section(1, *TYPES),
        section(2, *imported),
        section(3, *(leb(number) for number, _ in FUNCTIONS.values())),
        b"" if shape.imports else section(4, table) + section(5, limits),
        section(13, b"\0" + leb(TAKES)),
        section(6, *own, bytes([I32, 0]) + const(7) + b"\x0b"),
        section(7, *exports),
        b"\x08\x01" + leb(PLACE["begin"]) if shape.starts else b"",
        section(9, b"\0" + const(1) + b"\x0b" + vector(*(leb(PLACE[name]) for name in IN_TABLE))),
        b"\x0c\x01\x01",
        section(10, *bodies),
        section(11, b"\0" + const(16) + b"\x0b" + text("hi")),
        custom("last", b"debugging"),
    ])
