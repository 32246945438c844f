"""Learning by the public API: train, steer, evaluate, weights. Real training in the worker, with what comes of it."""

import base64
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from inkling import weights
from inkling.lessons import Lessons
from inkling.model import Sequential
from inkling.session import Session
from inkling.training import Settings, evaluate
from trainer.drawings.glyphs import GLYPHS, glyph_images

ROOT = Path(__file__).resolve().parent.parent.parent
CARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (ROOT / "weights").glob("*.json")}
SMALL = {"arch": "784-32-10", "epochs": 1, "batch_size": 100, "learning_rate": 0.005, "images": 3000, "augment": False}
TOLERANCE = 2e-3  # relative, of a loss in the page and on the desktop: what is rounded otherwise adds up over the steps

TOOLS = """(element) => {
  window.ink = () => {
    const data = new Uint8Array(280 * 280);
    for (let y = 40; y < 240; y++) data.fill(255, 280 * y + 128, 280 * y + 152);
    return { data, width: 280, height: 280 };
  };
  window.letters = (bytes) => btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  window.bytes = (letters) => Uint8Array.from(atob(letters), (letter) => letter.charCodeAt(0));
  window.outcome = (promise) => promise.then((value) => ({ value }), ({ name, message }) => ({ name, message }));
  // A run with all that it reported.
  window.trained = async (recognizer, settings, options = {}) => {
    const [steps, validations, states] = [[], [], new Set()];
    const result = await recognizer.train(settings, { ...options, onProgress(progress) {
      if (progress.stage !== "training") return;
      steps.push(...progress.steps);
      validations.push(...progress.validations);
      states.add(progress.state);
      options.onProgress?.(progress);
    } });
    return { ...result, weights: letters(result.weights), steps, validations, states: [...states] };
  };
}"""


@pytest.fixture(scope="module")
def api(visit):
    """js(expression, argument): evaluates a function of (recognizer, argument) in the booted page. The shipped model answers before each call."""
    visit.expecting("PythonError|DataError")
    visit.on_element(TOOLS)

    def call(expression, argument=None):
        visit.on_element("({ recognizer }) => recognizer.resetWeights().then(() => {})")
        return visit.on_element(f"({{ recognizer }}, argument) => ({expression})(recognizer, argument)", argument)

    return call


def data_set(name):
    with np.load(ROOT / "site" / "data" / f"{name}.npz") as arrays:
        return {key: arrays[key] for key in arrays.files}


def pack(array):
    return base64.b64encode(array.tobytes()).decode()


@pytest.fixture(scope="module")
def desktop():
    """The same run on this machine: a Session with the page's data, taken to its end -> (steps, validations, weights)."""

    def train(settings):
        session = Session()
        lessons: Lessons = session.lessons()
        lessons.add_data("mnist-train", (ROOT / "site" / "data" / "mnist-train.npz").read_bytes())
        run = lessons.start(json.dumps({"mode": "scratch", "settings": settings, "data": "mnist-train", "live": False}))
        while run.advance(1000):
            pass
        report = run.report()
        return report["steps"], report["validations"], run.result()["weights"]

    return train


def test_training_learns_and_its_curve_is_the_desktops(api, desktop):
    result = api("(recognizer, settings) => trained(recognizer, settings)", SMALL)
    assert (result["state"], result["step"], result["images"], result["validation_images"]) == ("finished", 30, 3000, 1000)
    assert result["validations"][0]["accuracy"] < 0.3 and result["validation"]["accuracy"] > 0.8
    assert result["settings"] == Settings.from_dict(SMALL).to_dict()
    steps, validations, _ = desktop(SMALL)
    assert [step["loss"] for step in result["steps"]] == pytest.approx([step["loss"] for step in steps], rel=TOLERANCE)
    assert [row["step"] for row in result["validations"]] == [row["step"] for row in validations] == [0, 15, 30]
    assert result["validation"]["accuracy"] == pytest.approx(validations[-1]["accuracy"], abs=0.003)


def test_twice_in_the_page_is_bit_for_bit_the_same(api):
    settings = SMALL | {"augment": True, "images": 1000, "dropout": 0.1}
    first, second = (api("(recognizer, settings) => trained(recognizer, settings, { live: false })", settings) for _ in range(2))
    assert first["weights"] == second["weights"]
    assert [step["loss"] for step in first["steps"]] == [step["loss"] for step in second["steps"]]


def test_it_starts_from_the_desktops_initial_weights(api):
    """A learning rate of next to nothing leaves them as they were drawn from the seed."""
    for arch in ("784-128-64-10", "convnet-4-8-32"):
        settings = {"arch": arch, "seed": 11, "images": 10, "epochs": 1, "learning_rate": 1e-30, "optimizer": "sgd"}
        result = api("(recognizer, settings) => trained(recognizer, settings, { live: false })", settings)
        model = weights.load(base64.b64decode(result["weights"]))
        drawn = Settings.from_dict(settings).make_model()
        # The steps leave some 1e-30 in the biases, which were zero; a weight that one bit differs would differ by 1e-12.
        assert all(abs(model.parameters()[key] - array).max() < 1e-25 for key, array in drawn.parameters().items())


def test_the_network_answers_while_it_learns(api):
    seen = api("""async (recognizer, settings) => {
      const before = (await recognizer.predict(ink())).probabilities;
      const seen = { models: new Set(), answers: new Set(), waits: [] };
      let done = false;
      const asking = (async () => {
        while (!done) {
          const start = performance.now();
          const { model, probabilities } = await recognizer.predict(ink());
          seen.waits.push(performance.now() - start);
          seen.models.add(model);
          seen.answers.add(probabilities.join());
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      })();
      await recognizer.train(settings, {});
      done = true;
      await asking;
      return { models: [...seen.models], answers: seen.answers.size, n: seen.waits.length };
    }""", SMALL | {"augment": True})
    assert "784-32-10" in seen["models"] and seen["answers"] >= min(5, seen["n"] // 2)


def test_pause_step_learning_rate_and_stop(api):
    result = api("""async (recognizer, settings) => {
      const at = [];
      let told;
      const until = async (holds) => {
        while (!told || !holds(told)) await new Promise((resolve) => setTimeout(resolve, 5));
        at.push(told.step);
        return told;
      };
      const run = trained(recognizer, settings, { onProgress: (progress) => (told = progress) });
      await until(({ step }) => step >= 2);
      await recognizer.steer({ action: "pause" });
      const paused = await until(({ state }) => state === "paused");
      await new Promise((resolve) => setTimeout(resolve, 300));
      const still = told.step === paused.step;
      await recognizer.steer({ learning_rate: 0.001 });
      await recognizer.steer({ action: "step" });
      await until(({ step, state }) => step === paused.step + 1 && state === "paused");
      await recognizer.steer({ action: "resume" });
      await until(({ step }) => step > paused.step + 2);
      await recognizer.steer({ action: "stop" });
      return { still, pausedAt: paused.step, bad: await outcome(recognizer.steer({ action: "jump" })), ...(await run) };
    }""", SMALL | {"schedule": "constant", "epochs": 50})
    assert result["still"] and result["state"] == "stopped" and result["step"] < 1000
    rates = [step["learning_rate"] for step in result["steps"]]
    assert rates[:result["pausedAt"]] == pytest.approx([0.005] * result["pausedAt"]) and rates[-1] == pytest.approx(0.001)
    assert weights.load(base64.b64decode(result["weights"])).n_parameters == result["parameters"]


def test_an_order_reaches_the_run_that_it_is_for_and_without_one_all(api):
    result = api("""async (recognizer, settings) => {
      const told = [null, null];
      const until = async (holds) => {
        const end = performance.now() + 30000;
        while (!told.every(Boolean) || !holds(...told)) {
          if (performance.now() > end) throw new Error("it has not come true");
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
        return told.map(({ step }) => step);
      };
      const runs = ["sgd", "adam"].map((optimizer, i) => recognizer.train({ ...settings, optimizer }, { live: false, onProgress(progress) {
        if (progress.stage === "training") told[i] = progress;
      } }));
      await until((first, second) => first.step > 2 && second.step > 2);
      const [{ run: first }, { run: second }] = told;
      await recognizer.steer({ action: "pause", run: first });
      const paused = await until(({ state }) => state === "paused");
      const later = await until((_, { step }) => step > paused[1] + 20);
      const states = told.map(({ state }) => state);
      await recognizer.steer({ action: "stop", run: second });
      const { state } = await runs[1];
      const waits = told[0].state;
      await recognizer.steer({ action: "step", run: second }); // which has ended
      await recognizer.steer({ action: "stop" });
      const { step } = await runs[0];
      return { paused, later, states, state, waits, step, differ: first !== second };
    }""", SMALL | {"epochs": 50})
    assert result["differ"] and result["states"] == ["paused", "running"]
    assert result["paused"][0] == result["later"][0] == result["step"]
    assert (result["state"], result["waits"]) == ("stopped", "paused")


def test_an_abort_takes_effect_at_once_and_the_network_from_before_is_back(api):
    result = api("""async (recognizer, settings) => {
      const controller = new AbortController();
      let aborted;
      const onProgress = ({ step }) => {
        if (step > 1 && !aborted) [aborted] = [performance.now(), controller.abort()];
      };
      const error = await outcome(recognizer.train(settings, { signal: controller.signal, onProgress }));
      const waited = performance.now() - aborted;
      const early = await outcome(recognizer.train(settings, { signal: controller.signal }));
      return { error, waited, early, name: (await recognizer.getWeights()).name, model: (await recognizer.health()).model };
    }""", {"arch": "convnet", "batch_size": 32})
    assert result["error"]["name"] == result["early"]["name"] == "AbortError"
    assert result["waited"] < 1000 and result["name"] == "convnet"
    assert result["model"]["sha256"] == CARDS["convnet"]["sha256"]


def test_a_run_goes_on_from_a_checkpoint_bit_for_bit(api):
    settings = SMALL | {"images": 2000, "augment": True}
    result = api("""async (recognizer, settings) => {
      let checkpoint;
      const whole = await trained(recognizer, settings, { checkpointEvery: 1, onCheckpoint: (bytes) => (checkpoint ??= bytes) });
      const again = await trained(recognizer, null, { resume: checkpoint });
      const bad = await outcome(recognizer.train(null, { resume: checkpoint.slice(0, 999) }));
      return { whole: whole.weights, again: again.weights, first: again.steps[0].step, bad };
    }""", settings)
    assert result["whole"] == result["again"] and result["first"] < 20
    assert result["bad"]["name"] == "ValueError" and "no checkpoint" in result["bad"]["message"]


def test_several_runs_race_and_the_network_in_use_stays(api):
    result = api("""async (recognizer, settings) => {
      const order = [];
      const before = letters((await recognizer.getWeights()).npz);
      const runs = await Promise.all(["sgd", "momentum", "adam"].map((optimizer) => trained(recognizer, { ...settings, optimizer },
        { live: false, onProgress: ({ steps }) => order.push(...steps.map(() => optimizer)) })));
      return { runs, order, same: letters((await recognizer.getWeights()).npz) === before };
    }""", SMALL | {"schedule": "constant", "images": 2000})
    assert result["same"] and [run["settings"]["optimizer"] for run in result["runs"]] == ["sgd", "momentum", "adam"]
    assert len({run["weights"] for run in result["runs"]}) == 3
    assert len(set(result["order"][:30])) == 3  # they take turns


def test_divergence_stops_the_run_and_keeps_good_weights(api):
    result = api("(recognizer, settings) => trained(recognizer, settings)", SMALL | {"optimizer": "momentum", "learning_rate": 1e20, "schedule": "constant"})
    assert result["state"] == "diverged" and "Lower the learning rate" in result["message"]
    assert weights.load(base64.b64decode(result["weights"]))  # the reader takes no NaN


@pytest.mark.parametrize("settings, message", [
    ({"epochs": 0}, "setting 'epochs' is 0; it must be"), ({"arch": "784-9999-9999-10"}, "multiplications"), ({"speed": 9}, "no such setting: speed"),
    ({"learning_rate": "fast"}, "'learning_rate'"),
])
def test_nonsense_is_refused_by_name(api, settings, message):
    refused = api("async (recognizer, settings) => [await outcome(recognizer.settings(settings)), await outcome(recognizer.train(settings))]", settings)
    assert [outcome["name"] for outcome in refused] == ["ValueError"] * 2
    assert all(message in outcome["message"] for outcome in refused)


@pytest.mark.parametrize("name", CARDS)
def test_all_ten_thousand_test_images_come_out_as_on_the_desktop(api, name):
    data = data_set("mnist-test")
    model = weights.load(ROOT / "weights" / f"{name}.npz")
    _, confusion = evaluate(model, data["images"] / np.float32(255), data["labels"].astype(int))
    result = api("""async (recognizer, name) => {
      await recognizer.useModel(name);
      const loaded = [];
      const evaluation = await recognizer.evaluate("mnist-test", { onProgress: (progress) => loaded.push(progress.loaded) });
      await recognizer.useModel("convnet");
      return { ...evaluation, mistakes: evaluation.mistakes.map(({ image, ...mistake }) => ({ ...mistake, image: letters(image) })), reports: loaded.length };
    }""", name)
    assert result["confusion"] == confusion.tolist()
    assert result["right"] == np.trace(confusion) == 10_000 - CARDS[name]["mnist_test_errors"]
    assert result["reports"] > 3 and len(result["mistakes"]) == 24
    for mistake in result["mistakes"]:
        assert mistake["label"] == data["labels"][mistake["index"]] != mistake["answer"]
        assert mistake["image"] == pack(data["images"][mistake["index"]])


def test_twenty_corrected_drawings_teach_a_sign(api):
    label = GLYPHS["triangle"][0]
    images = glyph_images("triangle", 120, np.random.default_rng(7))
    result = api("""async (recognizer, { samples, others, label }) => {
      const part = (letters) => ({ images: bytes(letters), labels: new Array(letters.length).fill(label).slice(0, bytes(letters).length / 784) });
      const measure = async () => (await Promise.all([recognizer.evaluate(part(others)), recognizer.evaluate("mnist-1000")])).map(({ accuracy }) => accuracy);
      const before = await measure();
      const start = performance.now();
      const { state } = await recognizer.train({}, { mode: "fine-tune", data: part(samples) });
      const ms = performance.now() - start;
      const { name } = await recognizer.getWeights();
      return { before, state, ms, name, after: await measure() };
    }""", {"samples": pack(images[:20]), "others": pack(images[20:]), "label": label})
    assert result["state"] == "finished" and result["name"] == "convnet + mine"
    assert result["before"][0] < 0.3 and result["after"][0] >= 0.9
    assert result["after"][1] >= result["before"][1] - 0.005


def test_what_is_prepared_ahead_teaches_the_same_and_predictions_do_not_wait_for_it(api):
    images = glyph_images("triangle", 8, np.random.default_rng(7))
    result = api("""async (recognizer, samples) => {
      const train = async () => letters((await recognizer.train({}, { mode: "fine-tune", live: false, data: { images: bytes(samples), labels: new Array(8).fill(5) } })).weights);
      const dropPrepared = async () => {
        await recognizer.useModel("mlp-128-64");
        await recognizer.prepare(); // the latest network's is kept, no other
        await recognizer.useModel("convnet");
      };
      await dropPrepared();
      const [reports, answers] = [[], []];
      let [prepared, during] = [false, 0];
      const preparing = recognizer.prepare({ onProgress: ({ stage, loaded, total }) => stage === "preparing" && reports.push([loaded, total]) }).then(() => (prepared = true));
      while (!prepared) {
        answers.push((await recognizer.predict(ink())).digit);
        during += !prepared && reports.length > 0;
      }
      await preparing;
      const first = await train();
      await dropPrepared();
      return { reports, answers, during, same: first === (await train()) };
    }""", pack(images))
    assert result["reports"][-1][0] == result["reports"][-1][1] > 500
    assert set(result["answers"]) == {1} and result["during"] >= 1
    assert result["same"]


def test_weights_go_out_and_come_back_and_the_shipped_ones_too(api):
    model = Settings(arch="784-16-10", seed=5).make_model()
    result = api("""async (recognizer, npz) => {
      const summary = await recognizer.setWeights(bytes(npz), { name: "mine" });
      const { model } = await recognizer.predict(ink());
      const got = await recognizer.getWeights();
      const reset = await recognizer.resetWeights();
      return { summary, model, name: got.name, npz: letters(got.npz), reset };
    }""", base64.b64encode(weights.dumps(model)).decode())
    assert result["summary"]["parameters"] == model.n_parameters and result["model"] == result["name"] == "mine"
    assert base64.b64decode(result["npz"]) == weights.dumps(model)
    assert result["summary"]["sha256"] == hashlib.sha256(weights.dumps(model)).hexdigest()
    assert (result["reset"]["name"], result["reset"]["sha256"]) == ("convnet", CARDS["convnet"]["sha256"])


@pytest.mark.parametrize("npz, message", [
    (b"no zip", "not a readable .npz file"),
    (weights.dumps(Sequential.from_spec({"input_shape": [100], "layers": [{"type": "Dense", "n_in": 100, "n_out": 10}]}, np.random.default_rng(0))),
     "a digit recogniser turns 784 pixels into ten numbers"),
])
def test_a_file_that_is_no_digit_reader_is_refused_and_the_network_stays(api, npz, message):
    refused, name = api("async (recognizer, npz) => [await outcome(recognizer.setWeights(bytes(npz))), (await recognizer.getWeights()).name]",
                        base64.b64encode(npz).decode())
    assert refused["name"] == "WeightsError" and message in refused["message"] and name == "convnet"


def test_images_that_do_not_fit_their_labels_and_unknown_data_are_refused(api):
    outcomes = api("""(recognizer) => Promise.all([
      recognizer.train({}, { mode: "fine-tune", data: { images: new Uint8Array(784), labels: [] } }),
      recognizer.evaluate({ images: new Uint8Array(784), labels: [10] }), recognizer.train({}, { data: "cifar" })].map(outcome))""")
    assert [outcome["name"] for outcome in outcomes] == ["ValueError", "ValueError", "DataError"]


@pytest.mark.thorough
def test_a_worker_that_dies_in_mid_run_fails_it_and_the_checkpoint_goes_on(rough_visit):
    from test_worker import HANDLES

    rough_visit.page.add_init_script(HANDLES)
    visit = rough_visit.open().ready()
    visit.on_element(TOOLS)
    result = visit.on_element("""async ({ recognizer }, settings) => {
      let checkpoint;
      const restarted = new Promise((resolve) => recognizer.addEventListener("restart", resolve, { once: true }));
      const whole = await trained(recognizer, settings, { live: false });
      const failed = outcome(recognizer.train(settings, { checkpointEvery: 1, onCheckpoint: (bytes) => (checkpoint = bytes), onProgress({ step }) {
        if (step > 5 && checkpoint) kill(workers.at(-1));
      } }));
      const error = await failed;
      await restarted;
      const again = await trained(recognizer, null, { resume: checkpoint, live: false });
      return { error, same: again.weights === whole.weights, first: again.steps[0].step };
    }""", SMALL | {"images": 2000})
    assert result["error"]["name"] == "WorkerError" and "out of memory" in result["error"]["message"]
    assert result["same"] and 1 < result["first"] <= 20


@pytest.mark.thorough
def test_data_are_fetched_when_wanted_and_then_there_without_network(site, new_visit):
    visit = new_visit(site)
    asked = []
    visit.context.on("request", lambda request: asked.append(request.url))
    visit.open().ready().offline_ready()
    visit.on_element(TOOLS)
    assert not [url for url in asked if "/data-" in url]
    stages = visit.on_element("""async ({ recognizer }) => {
      const stages = new Set();
      await recognizer.evaluate("mnist-1000", { onProgress: ({ stage }) => stages.add(stage) });
      return [...stages];
    }""")
    assert stages == ["data", "evaluating"] and [url.rpartition("/")[2] for url in asked if "/data-" in url] in (["mnist-1000.npz"], [])
    visit.expecting("ERR_INTERNET_DISCONNECTED|Failed to fetch|Could not load")
    visit.context.set_offline(True)
    visit.page.reload()
    visit.ready()
    visit.on_element(TOOLS)
    kept, missing = visit.on_element("""({ recognizer }) => Promise.all([
      outcome(recognizer.evaluate("mnist-1000").then(({ n }) => n)), outcome(recognizer.evaluate("mnist-test"))])""")
    assert kept == {"value": 1000}
    assert missing["name"] == "LoadError" and "mnist-test.npz" in missing["message"]
