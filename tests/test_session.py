"""The session: the fields of a Prediction, what it refuses, and a model that survives damaged weights."""

import hashlib
import io
import json

import numpy as np
import pytest

from inkling import session as session_module
from inkling import weights
from inkling.layers import Dense
from inkling.model import Sequential, architecture
from inkling.preprocess import preprocess
from inkling.session import Session
from inkling.training import Settings, train
from inkling.weights import WeightsError


def npz_of(model):
    file = io.BytesIO()
    weights.save(file, model)
    return file.getvalue()


def drawn(digit):
    """A ring or a bar, 280 x 280 ink, off the middle."""
    y, x = np.mgrid[:280, :280]
    if digit == 0:
        return np.where(abs(np.hypot((x - 120) / 60, (y - 150) / 90) - 1) < 0.18, 255, 0).astype(np.uint8)
    return np.where((abs(x - 150) < 11) & (abs(y - 130) < 95), 255, 0).astype(np.uint8)


def as_picture(ink):
    """Black ink on white paper, opaque RGBA."""
    return np.dstack([255 - ink] * 3 + [np.full_like(ink, 255)])


@pytest.fixture(scope="module")
def trained():
    """The bytes of a model that tells rings from bars and answers nothing else."""
    settings = Settings(arch="784-10", epochs=40, batch_size=2, learning_rate=0.02, optimizer="sgd")
    images = np.stack([preprocess(drawn(digit))[0] for digit in (0, 1)])
    model = settings.make_model()
    list(train(model, settings.make_optimizer(), images, np.array([0, 1]), settings))
    return npz_of(model)


@pytest.fixture
def session(trained):
    session = Session()
    session.use_model("rings and bars", trained)
    return session


# Predictions


@pytest.mark.parametrize("digit", [0, 1])
def test_reads_a_drawing(session, digit):
    prediction = session.predict(drawn(digit).tobytes(), 280, 280)
    assert prediction["digit"] == digit and prediction["text"] == str(digit)
    assert prediction["confidence"] > 0.5


def test_a_prediction_has_the_fields_and_types_that_are_promised(session):
    prediction = session.predict(drawn(0), 280, 280)
    assert list(prediction) == ["digit", "confidence", "probabilities", "accepted", "reason", "text", "digits", "image", "found", "model", "ms"]
    assert type(prediction["digit"]) is int
    assert type(prediction["confidence"]) is float
    assert [type(p) for p in prediction["probabilities"]] == [float] * 10
    assert sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-12)
    assert prediction["confidence"] == max(prediction["probabilities"]) == prediction["probabilities"][prediction["digit"]]
    assert prediction["accepted"] is True and prediction["reason"] is None
    assert prediction["model"] == "rings and bars"
    assert set(prediction["ms"]) == {"preprocess", "forward", "total"} and all(type(ms) is float and ms >= 0 for ms in prediction["ms"].values())
    assert prediction["image"].shape == (784,) and prediction["image"].dtype == np.float32
    assert set(prediction["found"]) == {"box", "centre_of_mass", "ink_fraction"}
    assert prediction["found"]["box"] == [50, 44, 141, 213]
    (entry,) = prediction["digits"]
    assert entry == {"digit": 0, "confidence": prediction["confidence"], "probabilities": prediction["probabilities"], "accepted": True,
                     "box": prediction["found"]["box"]}


@pytest.mark.parametrize("ink", [drawn(1), np.zeros((280, 280), np.uint8)], ids=["drawing", "empty"])
def test_everything_but_the_image_is_json(session, ink):
    prediction = session.predict(ink, 280, 280)
    prediction.pop("image")
    assert json.loads(json.dumps(prediction, allow_nan=False)) == prediction
    debug = session.debug(ink, 280, 280)
    debug.pop("image")
    assert json.loads(json.dumps(debug, allow_nan=False)) == debug
    assert json.loads(json.dumps(session.health(), allow_nan=False)) == session.health()


def test_an_empty_pad_has_no_answer(session):
    prediction = session.predict(bytes(280 * 280), 280, 280)
    assert prediction["digit"] is None and prediction["text"] == "" and prediction["digits"] == []
    assert prediction["confidence"] == 0 and prediction["accepted"] is False and prediction["reason"] == "empty"
    assert prediction["probabilities"] == [0.1] * 10
    assert prediction["found"] == {"box": None, "centre_of_mass": None, "ink_fraction": 0.0}
    assert not prediction["image"].any()


@pytest.mark.parametrize("digit", [0, 1])
def test_a_picture_of_a_drawing_reads_as_the_drawing(session, digit):
    ink = drawn(digit)
    of_ink, of_picture = session.predict(ink, 280, 280, 1), session.predict(as_picture(ink), 280, 280, 4)
    assert of_picture["digit"] == digit
    assert of_picture["found"] == of_ink["found"]
    np.testing.assert_allclose(of_picture["probabilities"], of_ink["probabilities"], atol=1e-6)


def test_width_and_height_are_told_apart(session):
    ink = np.zeros((40, 100), np.uint8)
    ink[10:30, 70:80] = 255
    assert session.predict(ink, 100, 40)["found"]["box"] == [70, 10, 10, 20]


@pytest.mark.parametrize("make", [bytes, bytearray, memoryview, lambda data: np.frombuffer(data, np.uint8)],
                         ids=["bytes", "bytearray", "memoryview", "array"])
def test_pixels_may_be_any_buffer(session, make):
    assert session.predict(make(drawn(1).tobytes()), 280, 280)["digit"] == 1


def test_predicting_leaves_the_pixels_alone(session):
    ink = drawn(0)
    before = ink.copy()
    session.predict(ink, 280, 280)
    assert (ink == before).all()


@pytest.mark.parametrize("size, width, height, channels", [
    (784, 28, 27, 1), (784, 28, 28, 4), (784 * 4, 28, 28, 1), (784 * 3, 28, 28, 3), (784 * 2, 28, 28, 2), (0, 0, 0, 1), (0, 28, 0, 1),
    (784, -28, -28, 1), (0, 28, 28, 1), (784, 0, 28, 1),
])
def test_sizes_that_do_not_fit_together_are_refused(session, size, width, height, channels):
    with pytest.raises(ValueError, match=f"{size} bytes are no {width} x {height} picture of {channels} channels"):
        session.predict(bytes(size), width, height, channels)
    with pytest.raises(ValueError, match="channels"):
        session.debug(bytes(size), width, height, channels)


def test_a_picture_beyond_the_limit_is_refused(session, monkeypatch):
    monkeypatch.setattr(session_module, "MAX_PIXELS", 99)
    with pytest.raises(ValueError, match="the picture has 100 pixels; at most 99 are read"):
        session.predict(bytes(100), 10, 10)


def test_without_a_model_a_drawing_is_refused_and_an_empty_pad_is_not():
    session = Session()
    with pytest.raises(ValueError, match="no model is loaded"):
        session.predict(drawn(1), 280, 280)
    assert session.predict(bytes(100), 10, 10)["reason"] == "empty"


# Declining


def with_calibration(session, trained, temperature, threshold):
    model = weights.load(trained)
    model.calibrate(temperature, threshold)
    session.use_model("calibrated", npz_of(model))


def bar(width, height, left=100, top=100):
    ink = np.zeros((280, 280), np.uint8)
    ink[top:top + height, left:left + width] = 255
    return ink


def assert_declined(prediction, reason):
    """A best guess there is all the same, and what goes with it."""
    assert prediction["accepted"] is False and prediction["reason"] == reason and prediction["text"] == ""
    assert type(prediction["digit"]) is int and sum(prediction["probabilities"]) == pytest.approx(1, abs=1e-12)
    assert prediction["confidence"] == max(prediction["probabilities"]) == prediction["probabilities"][prediction["digit"]]
    (entry,) = prediction["digits"]
    assert entry == {field: prediction[field] for field in ("digit", "confidence", "probabilities", "accepted")} | {"box": prediction["found"]["box"]}


def test_the_temperature_divides_the_logits(session, trained):
    before = session.predict(drawn(0), 280, 280)
    with_calibration(session, trained, 2.0, 0.0)
    after = session.predict(drawn(0), 280, 280)
    # softmax(z / 2) is the square root of softmax(z), brought to a sum of 1.
    root = np.sqrt(before["probabilities"])
    np.testing.assert_allclose(after["probabilities"], root / root.sum(), rtol=1e-6)
    assert after["accepted"] is True


def test_once_leaves_out_the_second_look(session, trained):
    once = session.predict(drawn(0), 280, 280)["probabilities"]
    model = weights.load(trained)
    model.calibrate(1.0, 0.0, second_look=100.0)
    session.use_model("looks twice", npz_of(model))
    for numbers in (False, True):
        assert session.predict(drawn(0), 280, 280, numbers=numbers, once=True)["probabilities"] == once
        assert session.predict(drawn(0), 280, 280, numbers=numbers)["probabilities"] != once


def test_once_holds_for_every_digit_of_a_number(session, monkeypatch):
    model = Surest({0: 3})
    monkeypatch.setattr(session, "_model", model)
    for once in (True, False):
        session.predict(touching_rings(), 280, 280, numbers=True, once=once)
        assert set(model.once[-2:]) == {once}
    assert max(model.batches) > 1


@pytest.mark.parametrize("margin, accepted", [(-1e-9, True), (1e-6, False)])
def test_what_is_less_sure_than_the_threshold_is_not_a_digit(session, trained, margin, accepted):
    confidence = session.predict(drawn(0), 280, 280)["confidence"]
    with_calibration(session, trained, 1.0, confidence + margin)
    for numbers in (False, True):
        prediction = session.predict(drawn(0), 280, 280, numbers=numbers)
        assert prediction["digit"] == 0 and prediction["accepted"] is accepted
        if not accepted:
            assert_declined(prediction, "not-a-digit")


@pytest.mark.parametrize("size, reason", [((20, 20), "too-small"), ((3, 27), "too-small"), ((27, 3), "too-small"), ((3, 28), None), ((28, 28), None)], ids=str)
def test_a_mark_shorter_than_a_tenth_of_the_pad_is_too_small(session, size, reason):
    for numbers in (False, True):
        prediction = session.predict(bar(*size), 280, 280, numbers=numbers)
        assert prediction["reason"] == reason
        if reason:
            assert_declined(prediction, reason)


def test_too_small_goes_by_the_shorter_side_of_the_ink(session):
    ink = np.zeros((70, 2000), np.uint8)
    ink[20:27, 1000:1003] = 255
    assert session.predict(ink, 2000, 70)["reason"] is None
    ink[26] = 0
    assert session.predict(ink, 2000, 70)["reason"] == "too-small"


def test_digits_side_by_side_are_several_for_one_who_expects_one(session):
    assert_declined(session.predict(number("10"), 280, 280), "several")
    assert session.predict(number("10"), 280, 280, numbers=True)["reason"] is None


def test_of_several_reasons_the_plainest_is_given(session, trained):
    with_calibration(session, trained, 1.0, 1.0)  # nothing is ever sure enough
    assert session.predict(bytes(280 * 280), 280, 280)["reason"] == "empty"
    assert_declined(session.predict(bar(8, 20) | bar(8, 20, left=112), 280, 280), "too-small")
    assert_declined(session.predict(number("10"), 280, 280), "several")
    assert_declined(session.predict(drawn(0), 280, 280), "not-a-digit")


# Numbers


def number(digits, height=280):
    """Narrow rings for 0 and bars for 1, side by side, 60 px each."""
    y, x = np.mgrid[:height, :max(280, 60 * len(digits) + 40)]
    ink = np.zeros(x.shape, bool)
    for i, digit in enumerate(digits):
        centre = 45 + 60 * i
        ink |= abs(np.hypot((x - centre) / 20, (y - 140) / 35) - 1) < 0.25 if digit == "0" else (abs(x - centre) < 6) & (abs(y - 140) < 45)
    return np.where(ink, 255, 0).astype(np.uint8)


def read(session, ink):
    return session.predict(ink, ink.shape[1], ink.shape[0], numbers=True)


@pytest.mark.parametrize("digits", ["10", "01", "1001", "000", "111111"])
def test_reads_a_number(session, digits):
    prediction = read(session, number(digits))
    assert prediction["text"] == digits and [entry["digit"] for entry in prediction["digits"]] == [int(digit) for digit in digits]
    assert prediction["accepted"] is True and prediction["reason"] is None


def test_the_digits_of_a_number_have_boxes_and_the_last_one_speaks_for_all(session):
    ink = number("10")
    prediction = read(session, ink)
    first, last = prediction["digits"]
    assert first["box"] == [40, 96, 11, 89]
    x, *rest = preprocess(ink[:, 60:])[1]["box"]
    assert last["box"] == [60 + x, *rest]
    for field in ("digit", "confidence", "probabilities", "accepted"):
        assert prediction[field] == last[field]
    assert (prediction["image"].reshape(28, 28) == preprocess(ink[:, 60:])[0]).all()
    assert prediction["found"]["box"] == preprocess(ink)[1]["box"]
    assert all(type(edge) is int for entry in prediction["digits"] for edge in entry["box"])
    assert all(sum(entry["probabilities"]) == pytest.approx(1, abs=1e-12) for entry in prediction["digits"])
    prediction.pop("image")
    assert json.loads(json.dumps(prediction, allow_nan=False)) == prediction


def test_each_digit_of_a_number_is_read_as_if_it_stood_alone(session):
    ink = number("101")
    for entry, start in zip(read(session, ink)["digits"], (0, 60, 120)):
        alone = np.zeros_like(ink)
        alone[:, start + 16:start + 75] = ink[:, start + 16:start + 75]
        expected = session.predict(alone, ink.shape[1], ink.shape[0])
        assert entry["digit"] == expected["digit"] and entry["box"] == expected["found"]["box"]
        np.testing.assert_allclose(entry["probabilities"], expected["probabilities"], atol=1e-6)


def test_what_is_not_accepted_in_a_number_is_a_question_mark(session, trained):
    ink = number("101")
    sure = [entry["confidence"] for entry in read(session, ink)["digits"]]
    assert sure[1] != pytest.approx(sure[0], abs=1e-3)
    with_calibration(session, trained, 1.0, sum(sure[:2]) / 2)
    prediction = read(session, ink)
    assert prediction["text"] == ("?0?" if sure[0] < sure[1] else "1?1")
    assert [entry["accepted"] for entry in prediction["digits"]] == [share > sum(sure[:2]) / 2 for share in sure]
    assert prediction["reason"] == (None if prediction["accepted"] else "not-a-digit")


@pytest.mark.parametrize("ink", [drawn(0), drawn(1), number("1"), number("0")], ids=["ring", "bar", "narrow bar", "narrow ring"])
def test_a_single_digit_reads_the_same_with_numbers_and_without(session, ink):
    without, with_numbers = session.predict(ink, 280, 280), session.predict(ink, 280, 280, numbers=True)
    for prediction in (without, with_numbers):
        prediction.pop("ms")
    assert (without.pop("image") == with_numbers.pop("image")).all()
    assert without == with_numbers
    assert len(without["digits"]) == 1


def test_a_speck_is_no_digit_of_a_number(session):
    ink = number("10")
    ink[20:26, 200:206] = 255
    assert read(session, ink)["text"] == "10"


def test_an_empty_pad_is_no_number(session):
    prediction = read(session, np.zeros((280, 280), np.uint8))
    assert prediction["text"] == "" and prediction["digits"] == [] and prediction["reason"] == "empty"


def test_a_number_over_the_edge_of_the_sheet(session):
    ink = number("101")
    cut = np.ascontiguousarray(ink[:, 45:])  # half of the first bar is left
    assert read(session, cut)["text"] == "101" and read(session, cut)["digits"][0]["box"][0] == 0


def test_a_picture_of_a_number(session):
    ink = number("1001")
    prediction = session.predict(as_picture(ink), ink.shape[1], ink.shape[0], 4, True)
    assert prediction["text"] == "1001"
    assert [entry["box"] for entry in prediction["digits"]] == [entry["box"] for entry in read(session, ink)["digits"]]


class Surest:
    """In a model's place: sure of what is as wide for its height as it expects, by how far it is off. Notes how often it is asked."""

    threshold, temperature = 0.0, 1.0

    def __init__(self, digit_of_width):
        self.digit_of_width, self.batches, self.once = digit_of_width, [], []

    def predict_logits(self, images, *, once):
        self.batches.append(len(images))
        self.once.append(once)
        widths = (images > 0.25).any(axis=1).sum(axis=1)
        logits = np.zeros((len(images), 10), np.float32)
        for row, width in zip(logits, widths):
            for digit, expected in self.digit_of_width.items():
                row[digit] = 8 - 2 * abs(int(width) - expected)
        return logits


def touching_rings():
    """Two rings side by side, 80 px wide and 120 high, that touch at x = 140."""
    y, x = np.mgrid[:280, :280]
    rings = [abs(np.hypot((x - centre) / 36, (y - 140) / 56) - 1) < 0.14 for centre in (100, 181)]
    return np.where(rings[0] | rings[1], 255, 0).astype(np.uint8)


@pytest.mark.parametrize("widths, text", [({0: 13}, "00"), ({8: 20}, "8"), ({0: 13, 8: 40}, "00")], ids=["two zeros", "one wide digit", "far too wide"])
def test_touching_digits_are_parted_if_the_network_is_surer_of_the_parts(session, monkeypatch, widths, text):
    model = Surest(widths)
    monkeypatch.setattr(session, "_model", model)
    prediction = session.predict(touching_rings(), 280, 280, numbers=True)
    assert prediction["text"] == text
    assert model.batches[0] > 2  # all the ways to cut at once
    if text == "00":
        assert model.batches == model.batches[:1]
        (left, right) = (entry["box"] for entry in prediction["digits"])
        assert left[0] + left[2] == right[0] and right[0] == pytest.approx(140, abs=12)
    assert session.predict(touching_rings(), 280, 280)["text"] in "0123456789"  # without numbers it is one digit


def test_a_scribble_of_many_strokes_asks_the_network_a_bounded_number_of_times(session, monkeypatch):
    model = Surest({0: 13})
    monkeypatch.setattr(session, "_model", model)
    rng = np.random.default_rng(4)
    ink = np.zeros((280, 280), np.uint8)
    for x in rng.integers(0, 270, 200):
        ink[rng.integers(0, 140):rng.integers(150, 280), x:x + 2] = 255
    session.predict(ink, 280, 280, numbers=True)
    assert sum(model.batches) <= 32 * 6 + 1


# Debug images


def test_a_debug_image_has_the_fields_that_are_promised(session):
    ink = drawn(0)
    debug = session.debug(ink, 280, 280)
    assert list(debug) == ["image", "width", "height", "box", "centre_of_mass", "min", "max", "mean", "inverted"]
    assert (debug["width"], debug["height"], debug["box"], debug["inverted"]) == (280, 280, [50, 44, 141, 213], False)
    assert debug["centre_of_mass"] == pytest.approx([120.5, 150.5], abs=0.01)
    assert debug["min"] == 0 and 0.9 < debug["max"] <= 1 and 0 < debug["mean"] < 0.5
    assert (debug["image"] == session.predict(ink, 280, 280)["image"]).all()


def test_a_debug_image_says_whether_the_picture_was_inverted(session):
    picture = as_picture(drawn(0))
    assert session.debug(picture, 280, 280, 4)["inverted"] is True
    picture[..., :3] = 255 - picture[..., :3]
    assert session.debug(picture, 280, 280, 4)["inverted"] is False


# Models


def test_using_a_model_names_it_and_its_bytes(trained):
    summary = Session().use_model("mine", trained)
    assert summary["name"] == "mine" and summary["parameters"] == 7850
    assert summary["sha256"] == hashlib.sha256(trained).hexdigest()
    assert summary["spec"]["layers"][0]["type"] == "Dense"


def test_using_another_model_answers_with_it(session):
    other = Sequential.from_spec(architecture("convnet"), np.random.default_rng(0))
    before = session.predict(drawn(0), 280, 280)["probabilities"]
    session.use_model("other", npz_of(other))
    after = session.predict(drawn(0), 280, 280)
    assert after["model"] == "other" and after["probabilities"] != before
    assert session.health()["model"]["parameters"] == other.n_parameters


def of_shape(n_in, n_out):
    return npz_of(Sequential([Dense(n_in, n_out, rng=np.random.default_rng(0))], (n_in,)))


@pytest.mark.parametrize("npz, message", [
    (b"", "not a readable"), (b"<html>404</html>", "not a readable"), (of_shape(784, 10)[:-30], "not a readable"),
    (of_shape(784, 9), r"turns \(784,\) into \(9,\)"), (of_shape(100, 10), r"turns \(100,\) into \(10,\)"),
], ids=["empty", "a web page", "truncated", "nine outputs", "a hundred inputs"])
def test_damaged_weights_leave_the_model_before_at_work(session, npz, message):
    before, identity = session.predict(drawn(1), 280, 280), session.health()["model"]
    with pytest.raises(WeightsError, match=f"^new: .*{message}"):
        session.use_model("new", npz)
    after = session.predict(drawn(1), 280, 280)
    assert after["probabilities"] == before["probabilities"] and after["model"] == "rings and bars"
    assert session.health()["model"] == identity


def test_weights_with_another_checksum_than_promised_are_refused(session, trained):
    with pytest.raises(WeightsError, match="^new: sha256 is .* its model card says 0123456789abcdef"):
        session.use_model("new", trained, sha256="0123456789abcdef" * 4)
    assert session.health()["model"]["name"] == "rings and bars"
    session.use_model("new", trained, sha256=hashlib.sha256(trained).hexdigest())
    assert session.health()["model"]["name"] == "new"


# Health


def test_health_names_versions_and_model(session, trained):
    health = session.health()
    assert set(health["versions"]) == {"inkling", "python", "numpy"} and all(health["versions"].values())
    assert health["model"] == {"name": "rings and bars", "sha256": hashlib.sha256(trained).hexdigest(), "parameters": 7850}
    assert health["self_test"] == session.self_test(280) == {"ok": True, "product": True, "digits": True}


def test_the_self_test_notices_a_model_that_reads_nothing(session):
    blank = Sequential.from_spec(architecture("784-10"))
    blank.set_parameters({"0.W": np.zeros((784, 10)), "0.b": np.zeros(10)})
    session.use_model("blank", npz_of(blank))
    assert session.self_test() == {"ok": False, "product": True, "digits": False}


def test_health_without_a_model_says_that_there_is_none():
    with pytest.raises(ValueError, match="no model is loaded"):
        Session().health()
