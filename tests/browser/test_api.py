"""The public JavaScript API, as somebody who embeds the recogniser meets it: every field, every kind of source, every refusal."""

import base64
import json
import shutil
from pathlib import Path

import jsonschema
import pytest
from conftest import serving
from hand import digit, ink_of

WEIGHTS = Path(__file__).parent.parent.parent / "weights"
SCHEMA = json.loads((WEIGHTS.parent / "docs" / "prediction.schema.json").read_text(encoding="utf-8"))  # the command line's tests use it, too
CARD = json.loads((WEIGHTS / "convnet.json").read_text(encoding="utf-8"))

# What the tests need in the page: inks drawn there, and a promise's outcome as plain data.
TOOLS = """
async (packed) => {
  window.seven = () => ({ data: Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0)), width: 280, height: 280 });
  window.bar = (width, height, [left, top, w, h]) => {
    const data = new Uint8Array(width * height);
    for (let y = top; y < top + h; y++) data.fill(255, y * width + left, y * width + left + w);
    return { data, width, height };
  };
  window.sheet = (width, height, [left, top, w, h], make = (a, b) => new OffscreenCanvas(a, b)) => {
    const canvas = make(width, height);
    const context = canvas.getContext("2d");
    context.fillStyle = "white";
    context.fillRect(0, 0, width, height);
    context.fillStyle = "black";
    context.fillRect(left, top, w, h);
    return canvas;
  };
  window.outcome = (promise) => promise.then(
    (value) => ({ value }),
    (error) => ({ name: error.name, message: error.message, hint: error.hint ?? null, ours: error.constructor.name === "RecognizerError" })); // of the page's own bundle
  // Types as the API's table names them; JSON would hide an undefined and turn a Float32Array into an object.
  window.typeOf = (value) => {
    if (value === null) return "null";
    if (Array.isArray(value)) return [...new Set(value.map((item) => JSON.stringify(typeOf(item))))].map((text) => JSON.parse(text));
    if (value?.constructor === Object) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, typeOf(item)]));
    return typeof value === "object" ? value.constructor.name : typeof value;
  };
}
"""

ANSWER = {
    "digit": "number", "confidence": "number", "probabilities": ["number"], "accepted": "boolean", "reason": "null", "text": "string",
    "digits": [{"digit": "number", "confidence": "number", "probabilities": ["number"], "accepted": "boolean", "box": ["number"]}],
    "image": "Float32Array", "found": {"box": ["number"], "centre_of_mass": ["number"], "ink_fraction": "number"}, "model": "string",
    "ms": {"preprocess": "number", "forward": "number", "total": "number"},
}  # fmt: skip
EMPTY = ANSWER | {"digit": "null", "reason": "string", "digits": [], "found": {"box": "null", "centre_of_mass": "null", "ink_fraction": "number"}}
DEBUG = {
    "png": "Blob", "width": "number", "height": "number", "box": ["number"], "centre_of_mass": ["number"],
    "min": "number", "max": "number", "mean": "number", "inverted": "boolean",
}  # fmt: skip


@pytest.fixture(scope="module")
def api(visit):
    """js(expression, argument): evaluates a function of (recognizer, argument) in the booted page."""
    visit.page.evaluate(TOOLS, base64.b64encode(ink_of(digit(7)).tobytes()).decode())
    return lambda expression, argument=None: visit.on_element(f"(element, argument) => ({expression})(element.recognizer, argument)", argument)


@pytest.fixture
def expects_refusals(visit):
    """The worker logs what it refuses."""
    visit.expecting(r"There is no model|Error")


def test_a_prediction_has_every_field_and_type(api):
    answer = api("""async (r) => {
      const answer = await r.predict(seven());
      const { image, ...rest } = answer;
      return { rest, types: typeOf(answer), size: image.length, low: Math.min(...image), high: Math.max(...image) };
    }""")
    assert answer["types"] == ANSWER
    rest = answer["rest"]
    assert (rest["digit"], rest["text"], rest["accepted"], rest["model"]) == (7, "7", True, "convnet")
    assert len(rest["probabilities"]) == 10
    assert sum(rest["probabilities"]) == pytest.approx(1)
    assert rest["confidence"] == max(rest["probabilities"]) == rest["probabilities"][7]
    assert answer["size"] == 784 and answer["low"] == 0 and 0.9 < answer["high"] <= 1
    only, = rest["digits"]
    assert only == {name: rest[name] for name in ("digit", "confidence", "probabilities", "accepted")} | {"box": rest["found"]["box"]}
    assert 0 < rest["found"]["ink_fraction"] < 0.2
    assert all(value >= 0 for value in rest["ms"].values())


def test_without_ink_there_is_no_digit_and_a_reason(api):
    answer, types = api("""async (r) => {
      const { image, ...rest } = await r.predict(bar(50, 40, [0, 0, 0, 0]));
      return [rest, typeOf({ ...rest, image })];
    }""")
    assert types == EMPTY
    assert (answer["digit"], answer["accepted"], answer["reason"], answer["text"], answer["digits"]) == (None, False, "empty", "", [])
    assert answer["probabilities"] == [0.1] * 10 and answer["confidence"] == 0


def test_once_leaves_out_the_second_look_at_what_is_doubtful(api):
    plain, blocks = api("""async (r) => {
      const differs = async (source) => {
        const [twice, once] = [await r.predict(source), await r.predict(source, { once: true })];
        return twice.probabilities.some((value, i) => value !== once.probabilities[i]);
      };
      const blocks = [];
      for (const width of [40, 60, 80, 100, 120, 140]) blocks.push(await differs(bar(280, 280, [70, 90, width, 90])));
      return [await differs(seven()), blocks];
    }""")
    assert plain is False and True in blocks


@pytest.mark.parametrize("source, numbers", [("seven()", "false"), ("bar(50, 40, [0, 0, 0, 0])", "true"), ("bar(90, 90, [10, 20, 60, 9])", "true")])
def test_a_prediction_as_a_document_is_what_the_schema_says(api, source, numbers):
    jsonschema.validate(api(f"""async (r) => {{
      const {{ image, ...rest }} = await r.predict({source}, {{ numbers: {numbers} }});
      return {{ ...rest, image: [...image] }};
    }}"""), SCHEMA)


def test_a_debug_image_has_every_field_and_a_png_of_28_pixels(api):
    answer, types, size, kind, pixel = api("""async (r) => {
      const debug = await r.debugImage(bar(100, 80, [40, 10, 10, 60]));
      const bitmap = await createImageBitmap(debug.png);
      const canvas = new OffscreenCanvas(28, 28), context = canvas.getContext("2d");
      context.drawImage(bitmap, 0, 0);
      const { png, image, ...rest } = debug;
      return [rest, typeOf(debug), [bitmap.width, bitmap.height], png.type, [...context.getImageData(14, 14, 1, 1).data]];
    }""")
    assert types.items() >= DEBUG.items()
    assert (size, kind, pixel) == ([28, 28], "image/png", [255, 255, 255, 255])
    assert (answer["width"], answer["height"], answer["box"], answer["centre_of_mass"]) == (100, 80, [40, 10, 10, 60], [45, 40])
    assert answer["min"] == 0 and answer["max"] == 1 and answer["mean"] == pytest.approx(20 * 20 / 6 / 784, rel=1e-3)
    assert answer["inverted"] is False


def test_a_debug_image_of_a_dark_picture_says_inverted_only_for_dark_strokes(api):
    assert api("async (r) => (await r.debugImage(sheet(60, 60, [25, 10, 10, 40]))).inverted") is True


def test_health_names_versions_model_boot_and_self_test(api):
    health, types = api("async (r) => { const health = await r.health(); return [health, typeOf(health)]; }")
    assert health["status"] == "ok" and health["self_test"]["ok"] is True
    assert types["versions"] == dict.fromkeys(("inkling", "pyodide", "python", "numpy"), "string")
    assert health["versions"]["pyodide"] == "314.0.3" and health["versions"]["python"].startswith("3.14")
    assert health["model"] == {
        "name": "convnet", "sha256": CARD["sha256"], "parameters": CARD["parameters"], "mnist_test_accuracy": CARD["mnist_test_accuracy"],
    }  # fmt: skip
    assert set(types["boot"]) == {"path", "ms", "why_not_faster"}
    assert health["boot"]["path"] == "snapshot" and health["boot"]["ms"]["total"] > 0


def test_models_lists_the_cards_and_which_is_current(api):
    models = api("(r) => r.models()")
    assert {model["name"]: model["current"] for model in models} == {"convnet": True, "mlp-128-64": False, "mlp-256-128": False}
    assert next(model["card"] for model in models if model["current"]) == CARD


def test_use_model_gives_its_card_and_answers_from_then_on(api):
    card, answered, current, named = api("""async (r) => {
      const card = await r.useModel("mlp-128-64");
      const seen = [card, (await r.predict(seven())).model, (await r.models()).find((m) => m.current).name, (await r.health()).model.name];
      await r.useModel("convnet");
      return seen;
    }""")
    assert card == json.loads((WEIGHTS / "mlp-128-64.json").read_text(encoding="utf-8"))
    assert answered == current == named == "mlp-128-64"


@pytest.mark.parametrize("name", ["nope", "", "toString", None])
def test_an_unknown_model_is_refused_and_the_one_before_stays(api, expects_refusals, name):
    refused, current, answered = api("""async (r, name) => [
      await outcome(r.useModel(name)), (await r.models()).find((m) => m.current).name, (await r.predict(seven())).model,
    ]""", name)
    assert refused["ours"] and "convnet" in refused["message"] and refused["hint"]
    assert current == answered == "convnet"


SOURCES = {
    "ink": "() => bar(60, 80, [25, 10, 10, 60])",
    "ink in a plain array": "() => ({ ...bar(60, 80, [25, 10, 10, 60]), data: Array.from(bar(60, 80, [25, 10, 10, 60]).data) })",
    "RGBA in {data, width, height}": "() => { const { data } = imageData(); return { data: new Uint8Array(data), width: 60, height: 80 }; }",
    "ImageData": "() => imageData()",
    "canvas": "() => sheet(60, 80, [25, 10, 10, 60], element)",
    "OffscreenCanvas": "() => sheet(60, 80, [25, 10, 10, 60])",
    "ImageBitmap": "() => createImageBitmap(sheet(60, 80, [25, 10, 10, 60]))",
    "Blob": "() => sheet(60, 80, [25, 10, 10, 60]).convertToBlob()",
    "JPEG": "() => sheet(60, 80, [25, 10, 10, 60]).convertToBlob({ type: 'image/jpeg' })",
    "File": "async () => new File([await sheet(60, 80, [25, 10, 10, 60]).convertToBlob()], 'one.png')",
    "data: URL": "() => sheet(60, 80, [25, 10, 10, 60], element).toDataURL()",
    "data: URL of an SVG": "() => 'data:image/svg+xml,' + encodeURIComponent(svg)",
    "data: URL as people write it": "() => 'data:image/svg+xml;utf8,' + svg",
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_every_kind_of_source_is_read(api, source):
    answer = api(f"""async (r) => {{
      const element = (width, height) => Object.assign(document.createElement("canvas"), {{ width, height }});
      const imageData = () => sheet(60, 80, [25, 10, 10, 60]).getContext("2d").getImageData(0, 0, 60, 80);
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="60" height="80"><title>één</title><rect x="25" y="10" width="10" height="60"/></svg>`;
      return r.predict(await ({source})());
    }}""")
    assert answer["digit"] == 1
    assert answer["found"]["box"] == pytest.approx([25, 10, 10, 60], abs=1)


NO_SOURCES = {
    "nothing": "undefined",
    "null": "null",
    "a number": "7",
    "an element": "document.body",
    "an empty canvas": "new OffscreenCanvas(0, 10)",
    "no values": "({ data: [], width: 0, height: 0 })",
    "too few values": "({ data: new Uint8Array(99), width: 10, height: 10 })",
    "three channels": "({ data: new Uint8Array(300), width: 10, height: 10 })",
    "sizes below zero": "({ data: new Uint8Array(4), width: -2, height: -2 })",
    "half pixels": "({ data: new Uint8Array(5), width: 2.5, height: 2 })",
    "a size without values": "({ width: 10, height: 10 })",
    "more than 100 megapixels": "({ data: { length: 20000 * 20000 }, width: 20000, height: 20000 })",
    "an empty Blob": "new Blob([])",
    "a Blob of text": "new Blob(['seven'], { type: 'image/png' })",
    "half a PNG": "sheet(60, 80, [25, 10, 10, 60]).convertToBlob().then((blob) => blob.slice(0, 40))",
    "an address": "location.href + 'icons/inkling.svg'",
    "a data: URL of text": "'data:,seven'",
    "a damaged data: URL": "'data:image/png;base64,####'",
    "a closed ImageBitmap": "createImageBitmap(sheet(9, 9, [1, 1, 1, 1])).then((bitmap) => (bitmap.close(), bitmap))",
}


@pytest.mark.parametrize("source", NO_SOURCES.values(), ids=NO_SOURCES)
def test_what_is_no_picture_is_refused_with_a_message_and_a_hint(api, expects_refusals, source):
    predicted, debugged, after = api(f"""async (r) => {{
      const source = await ({source});
      return [await outcome(r.predict(source)), await outcome(r.debugImage(source)), await r.predict(seven())];
    }}""")
    for refused in (predicted, debugged):
        assert refused.get("ours"), refused
        assert len(refused["message"]) > 10 and len(refused["hint"]) > 10
    assert after["digit"] == 7  # and all goes on


def test_what_the_caller_hands_over_stays_the_callers(api):
    kept = api("""async (r) => {
      const mine = seven(), before = mine.data.slice();
      const picture = sheet(60, 80, [25, 10, 10, 60]).getContext("2d").getImageData(0, 0, 60, 80);
      const bitmap = await createImageBitmap(picture);
      for (const source of [mine, mine, picture, picture, bitmap, bitmap]) await r.predict(source);
      await r.debugImage(mine);
      return [mine.data.every((value, i) => value === before[i]), mine.data.length, picture.data.length, bitmap.width];
    }""")
    assert kept == [True, 280 * 280, 4 * 60 * 80, 60]


def test_a_picture_over_4096_pixels_keeps_its_places(api):
    answer, debug = api("""async (r) => {
      const picture = sheet(20000, 99, [10000, 10, 25, 79]);
      const { found, digits, digit } = await r.predict(picture);
      const { width, height, box, centre_of_mass } = await r.debugImage(picture);
      return [{ found, digits, digit }, { width, height, box, centre_of_mass }];
    }""")
    assert answer["digit"] == 1
    for box in (answer["found"]["box"], answer["digits"][0]["box"], debug["box"]):
        assert box == pytest.approx([10000, 10, 25, 79], abs=6)
    for centre in (answer["found"]["centre_of_mass"], debug["centre_of_mass"]):
        assert centre == pytest.approx([10012.5, 49.5], abs=3)
    assert (debug["width"], debug["height"]) == (20000, 99)


def test_the_newest_prediction_overtakes_those_that_wait(api):
    first, *waited, newest = api("""async (r) => Promise.all([
      outcome(r.predict(seven())), outcome(r.predict(seven())), outcome(r.predict(null)), outcome(r.predict(seven())),
      outcome(r.predict(bar(60, 80, [25, 10, 10, 60]))),
    ])""")
    assert first["value"]["digit"] == 7  # it was in flight already
    assert [refused.get("name") for refused in waited] == ["AbortError"] * 3
    assert newest["value"]["digit"] == 1


def test_a_refused_source_does_not_stop_those_after_it(api, expects_refusals):
    refused, answered = api("async (r) => Promise.all([outcome(r.predict(null)), outcome(r.predict(seven()))])")
    assert refused["ours"]
    assert answered["value"]["digit"] == 7


def test_a_signal_ends_a_prediction_before_during_and_while_it_waits(api):
    before, during, waiting, reason, after = api("""async (r) => {
      const before = await outcome(r.predict(seven(), { signal: AbortSignal.abort() }));
      const [now, later, mine] = [new AbortController(), new AbortController(), new AbortController()];
      const busy = outcome(r.predict(seven(), { signal: now.signal }));
      const waits = outcome(r.predict(seven(), { signal: later.signal }));
      now.abort();
      later.abort();
      const reasoned = outcome(r.predict(seven(), { signal: mine.signal }));
      mine.abort(new Error("my own reason"));
      return [before, await busy, await waits, await reasoned, await outcome(r.predict(seven()))];
    }""")
    assert [refused.get("name") for refused in (before, during, waiting)] == ["AbortError"] * 3
    assert reason["message"] == "my own reason"
    assert after["value"]["digit"] == 7


def test_a_signal_is_heard_at_once_and_then_forgotten(api):
    heard, listeners = api("""async (r) => {
      const stop = new AbortController(), order = [];
      const busy = r.predict(seven()).then(() => order.push("first"));
      const waits = r.predict(seven(), { signal: stop.signal }).catch(() => order.push("stopped"));
      stop.abort();
      await Promise.all([busy, waits]);
      const { signal } = new AbortController();
      let listeners = 0;
      const { addEventListener, removeEventListener } = AbortSignal.prototype;
      signal.addEventListener = (...given) => (listeners++, addEventListener.apply(signal, given));
      signal.removeEventListener = (...given) => (listeners--, removeEventListener.apply(signal, given));
      await r.predict(seven(), { signal });
      await new Promise((resolve) => setTimeout(resolve));
      return [order, listeners];
    }""")
    assert heard == ["stopped", "first"]
    assert listeners == 0


TAINTED = """
async () => {
  const address = URL.createObjectURL(new Blob(['<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50"><foreignObject width="50" height="50"><p xmlns="http://www.w3.org/1999/xhtml">7</p></foreignObject></svg>'], { type: "image/svg+xml" }));
  const image = Object.assign(new Image(), { src: address });
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas;
}
"""


def test_what_can_not_be_sent_is_refused_and_costs_nothing(api, visit):
    canvas, symbol, pending = api(f"""async (r) => {{
      const timers = new Map(), {{ setTimeout, clearTimeout }} = window;
      const canvas = await ({TAINTED})();
      window.setTimeout = (call, wait, ...rest) => {{
        const timer = setTimeout(call, wait, ...rest);
        if (wait >= 20000) timers.set(timer, wait);
        return timer;
      }};
      window.clearTimeout = (timer) => (timers.delete(timer), clearTimeout(timer));
      const seen = [await outcome(r.predict(canvas)), await outcome(r.useModel(Symbol()))];
      Object.assign(window, {{ setTimeout, clearTimeout }});
      return [...seen, [...timers.values()]];
    }}""")
    assert canvas["ours"] and "another site" in canvas["message"] and canvas["hint"]
    assert symbol["ours"] and symbol["hint"]
    assert pending == []  # nothing is waited for, so nobody is taken for dead
    assert api("async (r) => (await r.predict(seven())).digit") == 7


def test_a_photograph_is_decoded_no_larger_than_needed_and_keeps_its_places(api, visit):
    size, answer = api("""async (r) => {
      const { postMessage } = Worker.prototype;
      let size;
      Worker.prototype.postMessage = function (message, ...rest) {
        size = [message.width, message.height];
        return postMessage.call(this, message, ...rest);
      };
      const picture = await sheet(4000, 3000, [1900, 600, 300, 1800]).convertToBlob();
      const { digit, found } = await r.predict(picture);
      Worker.prototype.postMessage = postMessage;
      return [size, { digit, box: found.box }];
    }""")
    assert size[0] * size[1] <= 1600 * 1600 * 1.01 and size[0] / size[1] == pytest.approx(4 / 3, rel=0.01)
    assert answer["digit"] == 1
    assert answer["box"] == pytest.approx([1900, 600, 300, 1800], abs=5)


def test_two_recognisers_on_a_page_know_nothing_of_each_other_and_close(api):
    made = api("""async (r) => {
      const { createRecognizer } = await import(new URL("js/inkling.js", document.baseURI).href);
      const stages = [], parts = [];
      const other = await createRecognizer({ model: "mlp-256-128", onProgress: ({ stage, loaded, total }) => (stages.push(stage), parts.push(loaded / total)) });
      const models = (await Promise.all([r, other].map((one) => one.predict(seven())))).map(({ digit, model }) => [digit, model]);
      const pending = outcome(other.predict(seven()));
      other.close();
      other.close();
      return {
        models, stages: [...new Set(stages)], grows: parts.every((part, i) => part <= 1 && part >= (parts[i - 1] ?? 0)), last: parts.at(-1),
        closed: [await pending, await outcome(other.predict(seven())), await outcome(other.health())],
        still: (await r.predict(seven())).digit,
      };
    }""")
    assert made["models"] == [[7, "convnet"], [7, "mlp-256-128"]]
    assert made["stages"] == ["runtime", "python", "model", "ready"]
    assert made["grows"] and made["last"] == 1
    for refused in made["closed"]:
        assert refused.get("ours") and refused["message"], refused
    assert made["still"] == 7


def test_a_recogniser_for_an_unknown_model_is_refused(api, expects_refusals):
    refused = api("""async () => {
      const { createRecognizer } = await import(new URL("js/inkling.js", document.baseURI).href);
      return outcome(createRecognizer({ model: "nope" }));
    }""")
    assert refused["ours"] and "nope" in refused["message"] and refused["hint"]


def test_another_site_embeds_the_recogniser_by_its_door(dist, new_visit, tmp_path):
    shutil.copytree(dist, tmp_path / "digits" / "inkling", ignore=shutil.ignore_patterns("*.br"))
    (tmp_path / "form.html").write_text('<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><script type="module" src="form.js"></script><p></p>'
                                        '<digit-recognizer></digit-recognizer><script type="module" src="digits/inkling/js/digit-recognizer.js"></script>')
    (tmp_path / "form.js").write_text("""
        import { createRecognizer, RecognizerError } from "./digits/inkling/js/inkling.js";
        const data = new Uint8Array(60 * 80);
        for (let y = 10; y < 70; y++) data.fill(255, y * 60 + 25, y * 60 + 35);
        const recognizer = await createRecognizer();
        const { text } = await recognizer.predict({ data, width: 60, height: 80 });
        const refused = await recognizer.predict("seven").catch((error) => error instanceof RecognizerError);
        document.querySelector("p").textContent = `read ${text}, refused ${refused}`;
    """)
    with serving(tmp_path) as server:
        guest = new_visit(server.url).open("form.html")
        guest.page.get_by_text("read 1, refused true").wait_for(timeout=60_000)
        guest.ready()
        guest.draw(digit(7))
        assert guest.answer() == "7"


def test_a_link_to_a_model_that_is_gone_opens_the_page_all_the_same(site, new_visit):
    visit = new_visit(site).open("#model=mlp-of-last-year").ready()
    assert visit.read(digit(3)) == "3"
