"""Runs inside Pyodide, called by slim_boot.mjs: walks the paths on which a module that the slim packs lack would be missed."""

import io
import json
import sys
import traceback
import warnings

import numpy as np


def report(weights) -> dict:
    """Load every model and let it read a drawn 1; take steps of training; fail on purpose; return what came of it."""
    from inkling.session import Session

    session = Session()
    digits = []
    ink = np.zeros((280, 280), np.uint8)
    ink[40:240, 128:152] = 255
    for number, npz in enumerate(weights):
        session.use_model(f"model {number}", npz.to_py())
        digits.append(session.predict(ink.tobytes(), 280, 280)["digit"])
        picture = np.repeat(255 - ink, 4).tobytes()  # dark on light, opaque where the paper is
        session.predict(picture, 280, 280, 4)
        session.debug(picture, 280, 280, 4)
        if not session.health()["self_test"]["ok"]:
            raise AssertionError("the self-test fails")
        _train_a_little(npz.to_py().tobytes())
    _errors_are_explained(session)
    _numpy_works()
    return {"digits": digits, "numpy": np.__version__, "modules": len(sys.modules)}


def _train_a_little(npz: bytes):
    from inkling import weights
    from inkling.losses import softmax_cross_entropy
    from inkling.optimizers import Adam

    model, optimizer, losses = weights.load(npz), Adam(1e-3), []
    images, labels = np.linspace(0, 1, 7840, dtype=np.float32).reshape(10, 28, 28), np.arange(10)
    for _ in range(3):
        loss, grad = softmax_cross_entropy(model.forward(images.reshape(10, *model.input_shape)), labels)
        losses.append(loss)
        model.backward(grad)
        optimizer.step(model.params_and_grads())
    if not losses[-1] < losses[0]:
        raise AssertionError(f"training does not lower the loss: {losses}")


def _errors_are_explained(session):
    for damaged in (b"", b"PK\x03\x04 no zip"):
        try:
            session.use_model("damaged", damaged)
        except ValueError as error:
            if "Traceback" not in "".join(traceback.format_exception(error)):
                raise
        else:
            raise AssertionError("damaged weights were taken")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.warn("as NumPy warns", RuntimeWarning, stacklevel=1)
    if not str(caught[0]):
        raise AssertionError("no warning came")


def _numpy_works():
    a = np.arange(12.0).reshape(3, 4)
    if not (a @ a.T == np.einsum("ij,kj->ik", a, a)).all():
        raise AssertionError("a matrix product is wrong")
    np.linalg.solve(np.eye(3), a)
    file = io.BytesIO()
    np.savez_compressed(file, a=a, spec=np.array(json.dumps({})))
    file.seek(0)
    with np.load(file, allow_pickle=False) as archive:
        if str(archive["spec"]) != "{}":
            raise AssertionError("an archive came back changed")
    for call in (repr, np.median, np.unique, np.argsort, lambda a: np.pad(a, 1), lambda a: np.percentile(a, 50)):
        call(a)
