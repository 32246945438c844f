"""site/js/wrapping.js: functions of JavaScript that become functions of WebAssembly, as Emscripten would make them one by one."""

import json

import pytest

from builder.common import SITE

BEGIN = f"import {{ offerWrapped, wrap }} from {json.dumps((SITE / 'js' / 'wrapping.js').as_uri())};\n"


@pytest.fixture
def run(run_script):
    """What a script prints that may call `wrap` and `offerWrapped`."""
    return lambda script: run_script(BEGIN + script)


def test_every_type_goes_in_and_comes_out(run):
    assert run("""
        const make = (sig, f) => Object.assign(f, { sig });
        const odd = { what: "an object" };
        const all = [
          make("v", () => "nobody sees it"), make("iip", (a, b) => a - b), make("jj", (a) => a + 1n), make("fd", (a) => a / 3), make("de", (a) => a.what.length),
          make("ei", (a) => (a ? odd : null)),
        ];
        const [nothing, minus, next, third, length, give] = [...wrap(all).values()];
        const table = new WebAssembly.Table({ initial: all.length, element: "anyfunc" });
        [...wrap(all).values()].forEach((f, i) => table.set(i, f)); // in which a function of JavaScript could not stand
        console.log(JSON.stringify([nothing() === undefined, minus(2, 5), String(next(2n ** 40n)), third(1), length(odd), give(1) === odd, give(0), table.get(1)(9, 2)]));
    """) == [True, -3, str(2**40 + 1), pytest.approx(1 / 3, abs=1e-7), 9, True, None, 7]


def test_hundreds_keep_their_order_and_errors_pass_through(run):
    assert run("""
        const functions = Array.from({ length: 700 }, (_, i) => Object.assign((a) => { if (a < 0) throw new RangeError("below"); return a * i; }, { sig: "ii" }));
        const wrapped = wrap(functions);
        const values = functions.map((f) => wrapped.get(f)(2));
        let thrown;
        try { wrapped.get(functions[5])(-1); } catch (error) { thrown = [error.constructor.name, error.message]; }
        console.log(JSON.stringify([values.every((value, i) => value === 2 * i), wrapped.size, thrown]));
    """) == [True, 700, ["RangeError", "below"]]


def test_an_unknown_type_is_an_error(run):
    assert run("""
        let message;
        try { wrap([Object.assign(() => {}, { sig: "ix" })]); } catch (error) { message = error.message; }
        console.log(JSON.stringify(message));
    """) == "no type of WebAssembly has the letter x"


def test_only_what_goes_into_the_table_is_offered_wrapped_and_only_for_a_while(run):
    """A module like Pyodide's: it imports `GOT.func` addresses of two names, and a function by itself."""
    assert run("""
        const name = (text) => [text.length, ...Array.from(text, (c) => c.charCodeAt(0))];
        const address = (text) => [...name("GOT.func"), ...name(text), 3, 0x7f, 1];
        const imports = [4, ...address("same"), ...address("alias"), ...address("missing"), ...name("env"), ...name("plain"), 0, 0];
        const module = new WebAssembly.Module(Uint8Array.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 0x60, 0, 0, 2, imports.length, ...imports]));
        const same = Object.assign(() => 5, { sig: "i" });
        const plain = Object.assign(() => {}, { sig: "v" });
        const environment = { same, alias: same, plain, other: 3 };
        const before = { ...environment };
        const undo = offerWrapped(module, environment);
        const during = [environment.same !== same, environment.same === environment.alias, environment.same(), environment.plain === plain, "missing" in environment];
        undo();
        console.log(JSON.stringify([...during, Object.keys(before).every((key) => environment[key] === before[key])]));
    """) == [True, True, 5, True, False, True]
