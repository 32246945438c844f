"""Someone trains a network from nothing and watches: curves, pausing, settings in the address, files; and what can go wrong."""

import hashlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hand import digit
from learning import LONG, MEANT, QUICK, SLOW, answer_to, choose, correct, download, eventually, figures, model, note, outcome, panel, reading, rows, signs, start, steps_done, take_home
from playwright.sync_api import expect
from tiny_mnist import write_folder

from inkling import weights
from inkling.model import architecture
from inkling.training import Settings
from trainer import evaluate

INKED = """
(canvas) => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const colors = new Map();
  for (let i = 0; i < data.length; i += 4) if (data[i + 3] > 200) colors.set(data.slice(i, i + 3).join(), 1 + (colors.get(data.slice(i, i + 3).join()) ?? 0));
  return [...colors.values()].filter((count) => count > 60).length;
}
"""


def test_a_network_is_trained_from_nothing_while_the_pad_reads_with_it(at):
    visit = at(QUICK)
    visit.lay(digit(1))
    start(visit)
    eventually(lambda: model(visit) == "784-32-10")
    expect(outcome(visit)).to_contain_text("Finished after", timeout=LONG)
    right = float(re.search(r"([\d.]+)% of 1,000 images", outcome(visit).inner_text())[1])
    assert right >= 85
    charts = visit.page.locator("#learning .plot canvas")
    expect(charts).to_have_count(2)
    assert all(chart.evaluate(INKED) >= 2 for chart in charts.all())  # both lines are drawn
    numbers = rows(visit)
    assert len(numbers) == 5  # before the first step, then twice an epoch
    last = numbers[-1]
    assert last[0] == "126" and float(last[5].removesuffix("%")) == right
    assert sum(answer_to(visit, digit(value)) == value for value in range(10)) >= 7


def test_pausing_single_steps_and_stopping(at):
    visit = at(SLOW)
    start(visit)
    eventually(lambda: steps_done(visit) > 5)
    visit.button("Pause").click()
    expect(figures(visit)).to_contain_text("paused")
    expect(visit.button("Go on")).to_be_visible()
    before = steps_done(visit)
    visit.button("One step").click()
    eventually(lambda: steps_done(visit) == before + 1)
    visit.page.get_by_label("Learning rate").last.fill("0.0005")
    visit.page.keyboard.press("Enter")
    visit.button("Go on").click()
    eventually(lambda: steps_done(visit) > before + 5)
    visit.button("Stop").click()
    expect(outcome(visit)).to_contain_text("Stopped after", timeout=LONG)
    expect(reading(visit)).to_contain_text("784-32-10, which is not kept yet")


def test_while_it_trains_the_pace_and_the_time_left_are_shown(at):
    visit = at(SLOW)
    start(visit)
    expect(figures(visit)).to_have_text(re.compile(r"^Step [\d,]+ of 15,700, epoch \d+ of 100, [1-9][\d,]* images/s, (\d+ min )?\d+ s left$"))


def test_a_learning_rate_that_is_changed_in_mid_run_has_an_effect(at):
    visit = at("#learn=train&arch=784-32-10&optimizer=sgd&learning_rate=0.000001&epochs=100")
    start(visit)
    eventually(lambda: steps_done(visit) > 160)  # an epoch, in which next to nothing was learned

    def right():
        return float(rows(visit)[-1][5].removesuffix("%"))

    assert right() < 30
    visit.page.get_by_label("Learning rate", exact=True).last.fill("0.1")
    visit.page.keyboard.press("Enter")
    eventually(lambda: right() > 80)


def test_the_same_settings_give_the_same_curve_twice(at):
    visit = at("#learn=train&arch=784-16-10&images=1000&epochs=2&batch_size=20&dropout=0.1&augment=true&seed=5")
    curves = []
    for _ in range(2):
        start_quick(visit)
        expect(outcome(visit)).to_contain_text("Finished after", timeout=LONG)
        curves.append(rows(visit))
    assert len(curves[0]) == 5 and curves[0] == curves[1]
    visit.page.locator("#learning summary").get_by_text("Settings", exact=True).click()
    visit.page.get_by_text("More settings").click()
    visit.page.locator("#learning [name=seed]").fill("6")
    start_quick(visit)
    expect(outcome(visit)).to_contain_text("Finished after", timeout=LONG)
    assert rows(visit) != curves[0]


def start_quick(visit) -> None:
    """Starts a run that may be over before anybody can steer it; what was said of the one before has gone."""
    visit.button("Train").click()
    expect(visit.page.locator("#learning .view h2")).to_be_focused()


def test_a_convolutional_network_with_dropout_and_deformed_images_is_trained_from_the_form(at, tmp_path):
    visit = at("#learn=train")
    field = visit.page.locator("#learning form")
    field.locator("[name=kind]").select_option("convolutions")
    for name, value in {"sizes": "4 8 32", "epochs": "2", "images": "3000", "learning_rate": "0.005"}.items():
        field.locator(f"[name={name}]").fill(value)
        visit.page.keyboard.press("Tab")
    field.get_by_text("More settings").click()
    field.locator("[name=dropout]").fill("0.2")
    field.get_by_label("Deform the images").check()
    start(visit)
    expect(visit.page.locator("#learning .view h2")).to_contain_text("convnet-4-8-32, adam at 0.005, 2 epochs")
    expect(outcome(visit)).to_contain_text("Finished after", timeout=2 * LONG)
    assert float(rows(visit)[-1][5].removesuffix("%")) > 75
    files = take_home(visit, tmp_path)
    settings = json.loads(files[".json"].read_text(encoding="utf-8"))["settings"]
    assert (settings["arch"], settings["dropout"], settings["augment"]) == ("convnet-4-8-32", 0.2, True)
    assert [layer["type"] for layer in weights.load(files[".npz"]).spec()["layers"]].count("Conv2D") == 2


def test_pausing_leaves_another_run_alone(at):
    """As that of another element with the same recogniser."""
    visit = at(SLOW)
    start(visit)
    visit.on_element("""({ recognizer }) => {
      window.other = { step: 0 };
      const onProgress = (progress) => (window.other = progress);
      recognizer.train({ arch: "784-16-10", images: 1000, epochs: 20 }, { live: false, onProgress });
    }""")
    eventually(lambda: visit.page.evaluate("() => other.step") > 2)
    visit.button("Pause").click()
    expect(figures(visit)).to_contain_text("paused")
    eventually(lambda: visit.page.evaluate("() => other.state") == "finished")
    expect(figures(visit)).to_contain_text("paused")


def test_cancelling_brings_back_the_network_from_before(at):
    visit = at(SLOW)
    start(visit)
    visit.lay(digit(5))
    eventually(lambda: model(visit) == "784-32-10")
    visit.button("Cancel").click()
    expect(outcome(visit)).to_contain_text("the network from before is back")
    assert answer_to(visit, digit(5)) == 5
    assert model(visit) == "convnet"


def test_a_trained_network_is_named_kept_taken_home_and_brought_back(at, tmp_path):
    visit = at(QUICK + "&epochs=1")
    start(visit)
    expect(outcome(visit)).to_contain_text("Finished after", timeout=LONG)
    visit.page.get_by_label("Name of the network").fill("my first")
    visit.button("Keep").click()
    expect(reading(visit)).to_contain_text("my first, kept on this device")
    found = take_home(visit, tmp_path)
    assert {path.name for path in found.values()} == {"my-first.json", "my-first.npz"}
    card, npz = json.loads(found[".json"].read_text(encoding="utf-8")), found[".npz"].read_bytes()
    assert card["sha256"] == hashlib.sha256(npz).hexdigest()
    assert card["name"] == "my-first" and card["settings"]["arch"] == "784-32-10" and card["parameters"] == 784 * 32 + 32 + 330
    network = weights.load(npz, "my-first.npz")
    assert network.n_parameters == card["parameters"]
    visit.page.reload()
    visit.ready()
    visit.lay(digit(1))
    eventually(lambda: model(visit) == "my first")
    visit.button("Delete").click()
    expect(reading(visit)).to_contain_text("as it was shipped")
    choose(visit, "Load a network", {"name": "other.npz", "mimeType": "application/octet-stream", "buffer": npz})
    expect(reading(visit)).to_contain_text("other, which is not kept yet")
    visit.lay(digit(2))
    eventually(lambda: model(visit) == "other")
    visit.button("Keep").click()
    expect(reading(visit)).to_contain_text("other, kept on this device")
    choose(visit, "Load a network", {"name": "other.npz", "mimeType": "application/octet-stream", "buffer": npz})
    expect(visit.page.get_by_label("Name of the network")).to_have_value("other 2")
    visit.page.get_by_label("Name of the network").fill("other")
    visit.button("Keep").click()
    expect(note(visit)).to_contain_text("is kept already")
    expect(reading(visit)).to_contain_text("other, which is not kept yet")


def test_the_desktop_measures_what_was_taken_home_and_finds_it_as_its_card_says(at, tmp_path, capsys):
    visit = at(QUICK + "&epochs=1&seed=3")
    start(visit)
    expect(outcome(visit)).to_contain_text("Finished after", timeout=LONG)
    digits = write_folder(make_folder(tmp_path / "digits"), 20, 500)

    def measured(folder):
        """(what evaluate.py finds, the card) of the network in use."""
        files = take_home(visit, make_folder(folder))
        assert evaluate.main(["--data", str(digits), "--json", str(files[".npz"])]) == 0
        [result] = json.loads(capsys.readouterr().out)["models"]
        card = json.loads(files[".json"].read_text(encoding="utf-8"))
        assert card["bytes"] == result["bytes"] and card["architecture"] == weights.load(files[".npz"]).spec()
        npz = files[".npz"].read_bytes()
        assert evaluate.disagreements(card, npz, result["parameters"], 500) == []  # whatever MNIST's own images say
        return result, card, npz

    result, card, npz = measured(tmp_path / "trained")
    assert result["accuracy"] > 0.7 and card["seed"] == 3
    choose(visit, "Load a network", {"name": "other.npz", "mimeType": "application/octet-stream", "buffer": npz})
    expect(reading(visit)).to_contain_text("other, which is not kept yet")
    assert measured(tmp_path / "loaded")[0]["confusion"] == result["confusion"]
    correct(visit, signs(1)[0], MEANT)
    panel(visit, "My digits")
    visit.button("Learn from my digits").click()
    visit.button("Keep it").click(timeout=LONG)
    expect(reading(visit)).to_contain_text("kept on this device")
    assert "learned on the page" in measured(tmp_path / "corrected")[1]["origin"]


def make_folder(path: Path) -> Path:
    path.mkdir()
    return path


def pickled() -> bytes:
    file = io.BytesIO()
    np.savez(file, spec=np.array(["an object"], object), **{"0.W": np.array([{}], object)})
    return file.getvalue()


def too_narrow() -> bytes:
    file = io.BytesIO()
    spec = {"input_shape": [100], "layers": [{"type": "Dense", "n_in": 100, "n_out": 10}]}
    np.savez(file, spec=np.array(json.dumps(spec)), **{"0.W": np.zeros((100, 10), np.float32), "0.b": np.zeros(10, np.float32)})
    return file.getvalue()


def test_a_file_that_is_no_network_for_this_page_is_refused_in_words(at):
    visit = at("#learn=train")
    visit.expecting("WeightsError|PythonError")
    for name, content in {"text": b"no archive", "pickle": pickled(), "narrow": too_narrow()}.items():
        choose(visit, "Load a network", {"name": f"{name}.npz", "mimeType": "application/octet-stream", "buffer": content})
        expect(note(visit)).to_contain_text(name)
        assert re.search(r"\w{3,} \w+ \w+", note(visit).inner_text())
        expect(reading(visit)).to_contain_text("as it was shipped")
    assert answer_to(visit, digit(8)) == 8


def test_a_link_opens_the_same_experiment_and_a_change_changes_the_link(at):
    visit = at("#learn=train&arch=convnet-4-8-32&optimizer=momentum&momentum=0.8&epochs=3&augment=true")
    shown = {name: visit.page.locator(f"#learning [name={name}]").input_value() for name in ("kind", "sizes", "optimizer", "learning_rate", "epochs")}
    assert shown == {"kind": "conv", "sizes": "4 8 32", "optimizer": "momentum", "learning_rate": "0.03", "epochs": "3"}
    visit.page.get_by_text("More settings").click()
    assert visit.page.locator("#learning [name=momentum]").input_value() == "0.8"
    assert visit.page.locator("#learning [name=augment]").is_checked()
    expect(visit.page.locator("#learning [name=beta1]")).to_be_hidden()
    visit.page.locator("#learning [name=batch_size]").fill("32")
    visit.page.keyboard.press("Tab")
    visit.page.locator("#learning [name=optimizer]").select_option("adam")
    link = visit.page.url
    assert "batch_size=32" in link and "optimizer" not in link and "momentum" not in link  # adam is what it is without a word
    other = at(link[link.index("#"):])
    assert other.page.locator("#learning [name=batch_size]").input_value() == "32"
    assert other.page.locator("#learning [name=learning_rate]").input_value() == "0.001"


NONSENSE = [
    ("epochs=1e9", "epochs 1e9 became 100", "epochs", "100"),
    ("batch_size=-3", "batch_size -3 became 1", "batch_size", "1"),
    ("learning_rate=fast", "learning_rate “fast” is no number", "learning_rate", "0.001"),
    ("optimizer=<b>magic</b>", "is none of sgd", "optimizer", "adam"),
    ("arch=784-999999-10", "arch 784-999999-10 became 784-1024-10", "sizes", "1024"),
    ("arch=lenet", "is no network", "sizes", "128 64"),
]


def test_a_link_to_the_convnet_by_its_plain_name_is_one_to_the_network_that_is_shipped(at):
    layers = architecture("convnet")["layers"]
    sizes = [layer.get("channels_out", layer.get("n_out")) for layer in layers if layer["type"] in ("Conv2D", "Dense")][:-1]
    visit = at("#learn=train&arch=convnet")
    expect(visit.page.locator("#learning [name=sizes]")).to_have_value(" ".join(map(str, sizes)))
    expect(note(visit)).not_to_contain_text("became")


def test_nonsense_in_a_link_is_clamped_and_told(at):
    visit = at(f"#learn=train&{NONSENSE[0][0]}")
    for link, told, field, value in NONSENSE:
        visit.page.evaluate("(hash) => { location.hash = hash; }", f"#learn=train&{link}")
        expect(note(visit)).to_contain_text(told)
        expect(visit.page.locator(f"#learning [name={field}]")).to_have_value(value)


def test_the_desktops_trainer_takes_the_pages_settings_file(at):
    visit = at("#learn=train&arch=784-20-10&optimizer=nesterov&seed=7&dropout=0.2&images=500")
    settings = json.loads(download(visit, "Settings as a file").read_text(encoding="utf-8"))
    read = Settings.from_dict(settings)
    assert (read.arch, read.optimizer, read.seed, read.dropout, read.images) == ("784-20-10", "nesterov", 7, 0.2, 500)
    assert read.to_dict() == settings


def test_a_run_that_diverges_stops_says_what_to_lower_and_keeps_what_was_good(at):
    visit = at("#learn=train&arch=784-128-64-10&optimizer=sgd&learning_rate=10&l2=1&epochs=20")
    visit.button("Train").click()  # it may be over before it can be steered
    expect(outcome(visit)).to_contain_text("learning rate", timeout=LONG, ignore_case=True)
    visit.lay(digit(3))
    visit.verdict()
    bars = visit.bars()
    assert sum(bars) == pytest.approx(100, abs=1)


def test_an_error_at_the_very_end_of_a_run_is_told_and_its_network_is_offered(at):
    visit = at(QUICK)
    visit.on_element("""({ recognizer }) => {
      const { setWeights } = recognizer;
      recognizer.setWeights = async () => {
        recognizer.setWeights = setWeights;
        throw new Error("There is no room for it.");
      };
    }""")
    start(visit)
    expect(outcome(visit)).to_contain_text("There is no room for it.", timeout=LONG)
    expect(visit.page.locator("#learning .result")).to_contain_text("ended at step 126, and its network is not kept")
    visit.button("Try it again").click()
    expect(reading(visit)).to_contain_text("784-32-10, which is not kept yet")


def test_a_run_that_could_not_start_is_told_and_can_be_started_again(at):
    visit = at(QUICK)
    visit.expecting("ERR_FAILED|Could not load|Failed to fetch")
    visit.page.route("**/mnist-train.npz*", lambda route: route.abort())
    visit.button("Train").click()
    expect(outcome(visit)).to_contain_text("mnist-train.npz", timeout=LONG)
    expect(reading(visit)).to_contain_text("as it was shipped")
    visit.page.unroute("**/mnist-train.npz*")
    visit.button("Train").click()
    expect(outcome(visit)).to_contain_text("Finished after", timeout=LONG)


def test_one_thing_is_done_with_the_network_at_a_time(at):
    visit = at(SLOW)
    correct(visit, digit(4), 4)
    others = {"Race": "Start the race", "Test": "Test on all 10,000 MNIST images", "My digits": "Learn from my digits", "Train": "Train"}

    def refused(tab, words):
        panel(visit, tab)
        visit.page.evaluate("() => document.querySelector('#learning .note').replaceChildren()")
        visit.button(others[tab]).click()
        expect(note(visit)).to_contain_text(words)
        expect(visit.button("Cancel")).to_have_count(0)
        expect(visit.page.get_by_role("button", name="Load a network", disabled=False)).to_have_count(0)

    start(visit)
    for tab in ("Race", "Test", "My digits"):
        refused(tab, "A training is under way")
    panel(visit, "Train")
    done = steps_done(visit)
    eventually(lambda: steps_done(visit) > done)  # it goes on as if nothing had been
    visit.button("Cancel").click()
    expect(outcome(visit)).to_contain_text("Cancelled")
    panel(visit, "Race")
    visit.button("Start the race").click()
    for tab in ("Train", "My digits", "Test"):
        refused(tab, "A race is under way")
    panel(visit, "Race")
    visit.button("Cancel").click()
    expect(note(visit)).to_contain_text("called off")
    panel(visit, "Train")
    start(visit)


def weights_in_use(visit) -> str:
    return visit.on_element("({ recognizer }) => recognizer.getWeights().then(({ name, npz }) => `${name}: ${npz}`)")


def test_what_was_learned_from_drawings_is_dropped_to_the_last_bit(at):
    visit = at(QUICK)
    shipped = weights_in_use(visit)
    start(visit)
    expect(reading(visit)).to_contain_text("784-32-10, which is not kept yet", timeout=LONG)
    trained = weights_in_use(visit)
    correct(visit, signs(1)[0], MEANT)
    panel(visit, "My digits")
    visit.button("Learn from my digits").click()
    expect(visit.button("Drop it")).to_be_visible(timeout=LONG)
    assert weights_in_use(visit) not in (shipped, trained)
    visit.button("Drop it").click()
    expect(reading(visit)).to_contain_text("784-32-10, which is not kept yet")
    assert weights_in_use(visit) == trained
    visit.button("Drop").click()
    expect(reading(visit)).to_contain_text("as it was shipped")
    assert weights_in_use(visit) == shipped
