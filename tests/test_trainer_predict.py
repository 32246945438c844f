"""Reading a digit from a picture file: every usual kind of picture, and a clear error for everything else."""

import base64
import io
import json
import struct
import sys
import zlib
from types import SimpleNamespace

import jsonschema
import numpy as np
import pytest
from PIL import Image

from tiny_mnist import tiny_mnist
from trainer import ROOT, pictures, predict
from trainer.command import TrainerError

FIELDS = {"digit", "confidence", "probabilities", "accepted", "reason", "text", "digits", "image", "found", "model", "ms"}
SCHEMA = json.loads((ROOT / "docs" / "prediction.schema.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def seven():
    """The first test digit of MNIST, a 7, as 280 x 280 grey levels, dark on light."""
    arrays = tiny_mnist()
    assert arrays["test_labels"][0] == 7
    return 255 - np.asarray(Image.fromarray(arrays["test_images"][0]).resize((280, 280), Image.Resampling.BICUBIC))


def answer(path, capsys, *options):
    assert predict.main([str(path), "--json", *options]) == 0
    prediction = json.loads(capsys.readouterr().out)
    jsonschema.validate(prediction, SCHEMA)
    return prediction


def png(array):
    """The bytes of a PNG."""
    file = io.BytesIO()
    Image.fromarray(array).save(file, "PNG")
    return file.getvalue()


def rgba(seven, ink, paper):
    """The seven in two RGBA colours."""
    share = (255 - seven[..., None]) / 255
    return Image.fromarray((share * ink + (1 - share) * np.array(paper)).round().astype(np.uint8), "RGBA")


KINDS = {
    "dark-on-light.png": lambda seven: Image.fromarray(seven),
    "light-on-dark.png": lambda seven: Image.fromarray(255 - seven),
    "colour.jpg": lambda seven: rgba(seven, (20, 40, 120, 255), (250, 240, 220, 255)).convert("RGB"),
    "transparent-paper.png": lambda seven: rgba(seven, (0, 0, 0, 255), (0, 0, 0, 0)),
    "palette.gif": lambda seven: Image.fromarray(seven).convert("P"),
    "one-bit.png": lambda seven: Image.fromarray(seven).convert("1", dither=Image.Dither.NONE),
    "sixteen-bits.png": lambda seven: Image.fromarray(seven.astype(np.uint16) * 257),
    "ink-in-print.tiff": lambda seven: Image.fromarray(seven).convert("RGB").convert("CMYK"),
    "grey.webp": lambda seven: Image.fromarray(seven).convert("RGB"),
    "grey-and-alpha.png": lambda seven: Image.fromarray(seven).convert("LA"),
    "narrow.bmp": lambda seven: Image.fromarray(seven[:, 60:220]),
    "wide.png": lambda seven: Image.fromarray(np.pad(seven, ((0, 0), (2000, 3000)), constant_values=255)),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_seven_is_read_from_every_usual_kind_of_picture(name, seven, tmp_path, capsys):
    KINDS[name](seven).save(tmp_path / name)
    prediction = answer(tmp_path / name, capsys)
    assert prediction["digit"] == 7 and prediction["confidence"] > 0.9


def test_a_photograph_lying_on_its_side_is_set_upright(seven, tmp_path, capsys):
    picture = Image.fromarray(seven).rotate(90)
    exif = picture.getexif()
    exif[0x0112] = 6  # orientation: turn right by 90 degrees to view
    picture.save(tmp_path / "side.jpg", exif=exif)
    assert answer(tmp_path / "side.jpg", capsys)["digit"] == 7


def test_the_json_is_a_whole_prediction(seven, tmp_path, capsys):
    Image.fromarray(seven).save(tmp_path / "7.png")
    prediction = answer(tmp_path / "7.png", capsys)
    assert prediction.keys() == FIELDS
    assert len(prediction["image"]) == 784 and len(prediction["probabilities"]) == 10 and sum(prediction["probabilities"]) == pytest.approx(1)
    assert prediction["text"] == "7" and prediction["accepted"] is True and prediction["model"] == "convnet"
    assert prediction["digits"][0]["box"] == prediction["found"]["box"]


@pytest.mark.parametrize("model", ["mlp-256-128", "mlp-128-64"])
def test_another_model_can_be_asked(model, seven, tmp_path, capsys):
    Image.fromarray(seven).save(tmp_path / "7.png")
    prediction = answer(tmp_path / "7.png", capsys, "--model", model)
    assert (prediction["digit"], prediction["model"]) == (7, model)


def test_people_get_the_digit_and_how_sure(seven, tmp_path, capsys):
    Image.fromarray(seven).save(tmp_path / "7.png")
    assert predict.main([str(tmp_path / "7.png")]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert ": 7  (" in first and "% sure; convnet" in first
    assert second.startswith("  7  ") and second.endswith("###")


@pytest.fixture
def two_sevens(seven):
    """Two sevens beside each other."""
    return np.hstack([seven, seven])


def test_a_number_is_read_digit_by_digit(two_sevens, tmp_path, capsys):
    Image.fromarray(two_sevens).save(tmp_path / "77.png")
    prediction = answer(tmp_path / "77.png", capsys, "--numbers")
    assert prediction["text"] == "77" and [entry["digit"] for entry in prediction["digits"]] == [7, 7]
    assert prediction["digits"][0]["box"][0] + 280 == pytest.approx(prediction["digits"][1]["box"][0], abs=1)
    assert predict.main([str(tmp_path / "77.png"), "--numbers"]) == 0
    first, *bars = capsys.readouterr().out.splitlines()
    assert ": 77  (convnet" in first and len(bars) == 2 and all(bar.startswith("  7  ") and bar.endswith("###") for bar in bars)


def test_without_numbers_a_number_is_declined_and_the_option_named(two_sevens, tmp_path, capsys):
    Image.fromarray(two_sevens).save(tmp_path / "77.png")
    assert answer(tmp_path / "77.png", capsys)["reason"] == "several"
    assert predict.main([str(tmp_path / "77.png")]) == 0
    first, *_ = capsys.readouterr().out.splitlines()
    assert "not a digit? It looks like several digits; with --numbers they are read one by one. At best a " in first


def test_a_speck_of_a_digit_is_declined(tmp_path, capsys):
    picture = np.full((280, 280), 255, np.uint8)
    picture[100:115, 100:110] = 0
    Image.fromarray(picture).save(tmp_path / "speck.png")
    assert predict.main([str(tmp_path / "speck.png")]) == 0
    assert "not a digit? It is too small to tell. At best a " in capsys.readouterr().out


def test_every_reason_to_decline_can_be_told_to_people():
    entry = {"digit": 3, "confidence": 0.25, "accepted": False}
    prediction = {"digit": 3, "confidence": 0.25, "probabilities": [0.25] * 4 + [0] * 6, "accepted": False, "text": "", "digits": [entry],
                  "model": "m", "ms": {"total": 1}}
    told = {reason: predict.as_text("a.png", {**prediction, "reason": reason}).splitlines()[0] for reason in ("too-small", "several", "not-a-digit")}
    assert told["not-a-digit"] == "a.png: not a digit? It looks like none. At best a 3  (25.0% sure; m, 1.0 ms)"
    assert len(set(told.values())) == 3
    number = predict.as_text("a.png", {**prediction, "text": "7?", "reason": "not-a-digit", "digits": [{**entry, "digit": 7, "accepted": True}, entry]})
    assert number.splitlines() == ["a.png: 7?  (m, 1.0 ms)", "  7   25.0%  ########", "  ?   25.0%  ########"]


@pytest.mark.parametrize("size", [(1, 1), (300, 200)])
@pytest.mark.parametrize("colour", ["white", "black", "#808080", (0, 0, 0, 0)], ids=str)
def test_a_picture_of_one_colour_has_nothing_in_it(size, colour, tmp_path, capsys):
    Image.new("RGBA", size, colour).save(tmp_path / "plain.png")
    assert predict.main([str(tmp_path / "plain.png")]) == 0
    assert "nothing drawn" in capsys.readouterr().out
    prediction = answer(tmp_path / "plain.png", capsys)
    assert prediction["digit"] is None and prediction["reason"] == "empty" and prediction["digits"] == []


def test_a_picture_over_4096_px_a_side_is_scaled_down(tmp_path):
    Image.new("L", (8192, 100), 255).save(tmp_path / "long.png")
    assert pictures.read_picture(tmp_path / "long.png").shape == (50, 4096, 4)


def header_only(path, width, height):
    """A PNG that says how large it is and holds no pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = struct.pack(">I", 0) + b"IDAT" + struct.pack(">I", zlib.crc32(b"IDAT"))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data)


@pytest.mark.parametrize("side", [10_001, 20_000, 2_000_000])
def test_a_picture_of_more_than_100_megapixels_is_refused_before_it_is_decoded(side, tmp_path, monkeypatch):
    header_only(tmp_path / "huge.png", side, side)
    monkeypatch.setattr(pictures, "_decode", lambda picture: pytest.fail("it was decoded"))
    with pytest.raises(TrainerError, match="at most 100,000,000|more than 100,000,000"):
        pictures.read_picture(tmp_path / "huge.png")


def failure(arguments, capsys):
    assert predict.main([str(argument) for argument in arguments]) == 1
    said = capsys.readouterr().err
    assert said.startswith("predict.py: ") and said.count("\n") == 1
    return said


def test_failures_end_with_1_and_one_line(seven, tmp_path, capsys):
    good = tmp_path / "7.png"
    Image.fromarray(seven).save(good)
    assert "no such file" in failure([tmp_path / "none.png"], capsys)
    assert "no such file" in failure([tmp_path / "none"], capsys)
    (tmp_path / "text.png").write_text("a seven", encoding="utf-8")
    assert "not a picture" in failure([tmp_path / "text.png"], capsys)
    (tmp_path / "empty.png").write_bytes(b"")
    assert "not a picture" in failure([tmp_path / "empty.png"], capsys)
    (tmp_path / "cut.png").write_bytes(good.read_bytes()[:1000])
    assert "can't be decoded" in failure([tmp_path / "cut.png"], capsys)
    header_only(tmp_path / "hollow.png", 30, 30)
    assert "can't be decoded" in failure([tmp_path / "hollow.png"], capsys)
    assert "there is no model 'resnet'" in failure([good, "--model", "resnet"], capsys)
    (tmp_path / "broken.npz").write_bytes(b"no zip")
    assert "broken" in failure([good, "--model", tmp_path / "broken.npz"], capsys)


# Several pictures, and pictures from elsewhere


def test_the_schema_knows_all_fields_and_is_strict(seven, tmp_path, capsys):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert set(SCHEMA["required"]) == SCHEMA["properties"].keys() == FIELDS
    Image.fromarray(seven).save(tmp_path / "7.png")
    prediction = answer(tmp_path / "7.png", capsys)
    for wrong in ({"digit": 10}, {"probabilities": [1]}, {"reason": "bored"}, {"more": 1}, {"image": [0] * 783}, {"text": "seven"}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**prediction, **wrong}, SCHEMA)


def test_files_and_folders_give_an_object_by_name(seven, tmp_path, capsys):
    folder = tmp_path / "pictures"
    folder.mkdir()
    for name in ("b.png", "a.jpg"):
        Image.fromarray(seven).save(folder / name)
    (folder / "notes.txt").write_text("not a picture", encoding="utf-8")
    Image.fromarray(255 - seven).save(tmp_path / "c.png")
    assert predict.main([str(tmp_path / "c.png"), str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == [str(tmp_path / "c.png"), str(folder / "a.jpg"), str(folder / "b.png")]
    for prediction in found.values():
        jsonschema.validate(prediction, SCHEMA)
        assert prediction["digit"] == 7
    assert predict.main([str(tmp_path / "c.png"), str(folder)]) == 0
    assert capsys.readouterr().out.count(": 7  (") == 3


def test_one_picture_of_several_that_can_t_be_read_stops_none_of_the_others(seven, tmp_path, capsys):
    Image.fromarray(seven).save(tmp_path / "b.png")
    (tmp_path / "a.png").write_bytes(b"no picture")
    assert predict.main([str(tmp_path), "--json"]) == 1
    said = capsys.readouterr()
    assert [entry["digit"] for entry in json.loads(said.out).values()] == [7]
    assert "a.png: not a picture" in said.err and said.err.count("\n") == 1


def test_a_picture_comes_on_standard_input_or_as_a_data_url(seven, capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(png(seven))))
    assert answer("-", capsys)["digit"] == 7
    assert answer(f"data:image/png;base64,{base64.b64encode(png(seven)).decode()}", capsys)["digit"] == 7
    percent = "".join(f"%{byte:02x}" for byte in png(seven[::4, ::4]))
    assert answer(f"data:image/png,{percent}", capsys)["digit"] == 7


@pytest.mark.parametrize("source, said", [
    ("data:image/png;base64", "it has no comma"), ("data:image/png;base64,AAA*", "data: URL: can't be decoded"),
    ("data:,seven", "data: URL: not a picture"), ("https://example.com/7.png", "no such file"),
])
def test_a_bad_address_ends_with_1_and_one_line(source, said, capsys):
    assert said in failure([source], capsys)


def test_standard_input_is_read_up_to_a_limit(capsys, monkeypatch):
    monkeypatch.setattr(pictures, "MAX_BYTES", 1000)
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(bytes(2000))))
    assert "more than 1,000 bytes" in failure(["-"], capsys)


def test_a_folder_without_pictures_ends_with_1(tmp_path, capsys):
    assert "a folder without a picture" in failure([tmp_path], capsys)


def test_without_a_picture_it_ends_with_2(capsys):
    with pytest.raises(SystemExit) as error:
        predict.main([])
    assert error.value.code == 2 and "image" in capsys.readouterr().err


@pytest.mark.parametrize("sources, said", [([""], "name is empty"), (["a.png", ""], "name is empty"), (["-", "-"], "- stands twice")])
def test_names_that_mean_nothing_are_wrong_usage(sources, said, seven, tmp_path, monkeypatch, capsys):
    Image.fromarray(seven).save(tmp_path / "a.png")
    monkeypatch.chdir(tmp_path)
    assert predict.main(sources) == 2
    error = capsys.readouterr()
    assert said in error.err and error.err.count("\n") == 1 and not error.out


def test_a_line_break_in_a_name_is_escaped(tmp_path, capsys):
    assert "seven\\n\\x1b[2J.png: no such file" in failure([tmp_path / "seven\n\x1b[2J.png"], capsys)
    assert pictures.title("sieben \u202f\u3000é.png") == "sieben \u202f\u3000é.png"


def test_debug_shows_where_an_error_came_from(tmp_path, capsys):
    assert predict.main([str(tmp_path / "none.png"), "--debug"]) == 1
    assert "Traceback" in capsys.readouterr().err
