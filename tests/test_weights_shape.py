"""A network that reads no digits, though its file is sound, is refused by whoever would use it: the page's session, and the trainer."""

import numpy as np
import pytest
from tiny_mnist import write_folder
from weights_files import saved

from inkling import weights
from inkling.model import Sequential
from inkling.session import Session
from inkling.weights import WeightsError, check_is_digit_reader
from trainer import evaluate

REFUSAL = "a digit recogniser turns 784 pixels into ten numbers"


def network(input_shape, n_out):
    """A sound network of one layer."""
    layers = [{"type": "Flatten"}, {"type": "Dense", "n_in": int(np.prod(input_shape)), "n_out": n_out}]
    return Sequential.from_spec({"input_shape": list(input_shape), "layers": layers}, np.random.default_rng(0))


@pytest.mark.parametrize("input_shape", [(784,), (1, 28, 28)])
def test_784_pixels_in_and_ten_numbers_out_are_accepted(input_shape):
    check_is_digit_reader(network(input_shape, 10), "mine")


@pytest.mark.parametrize("input_shape, n_out, message", [((784,), 20, r"turns \(784,\) into \(20,\)"), ((1, 10, 10), 10, r"turns \(1, 10, 10\) into \(10,\)")])
def test_other_shapes_are_refused_by_the_session_and_by_the_trainer(input_shape, n_out, message, tmp_path, capsys):
    npz = saved(network(input_shape, n_out))
    with pytest.raises(WeightsError, match=f"mine: {message}; {REFUSAL}"):
        Session().use_model("mine", npz)

    file = tmp_path / "other.npz"
    file.write_bytes(npz)
    assert weights.load(file).spec()
    assert evaluate.main(["--data", str(write_folder(tmp_path, 20, 10)), str(file)]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"evaluate.py: {file}: turns ") and said.endswith(f"{REFUSAL}\n") and said.count("\n") == 1
