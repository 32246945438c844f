"""Runs inside Pyodide, called by snapshot.mjs: brings the session to the point where the page finds it."""

import gc
import random
import sys
import tempfile


def prepare_session(name, weights, sha256):
    """A Session that has the model and has done once whatever is imported or set up only when it is first asked for."""
    import numpy as np
    from inkling.session import Session

    session = Session()
    session.use_model(name, weights, sha256)
    drawing = np.zeros((280, 280), np.uint8)
    drawing[60:220, 130:150] = 255
    pair = drawing | np.roll(drawing, 70, axis=1)
    shade = np.linspace(120, 220, 280)[:, None] + np.zeros(280)
    photograph = np.where(drawing > 0, 40, shade).astype(np.uint8)
    photograph = np.dstack([photograph] * 3 + [np.full((280, 280), 255, np.uint8)])
    for pixels, channels in ((drawing, 1), (pair, 1), (photograph, 4), (np.zeros_like(drawing), 1)):
        for numbers in (False, True):
            session.predict(pixels.tobytes(), 280, 280, channels, numbers)
        session.debug(pixels.tobytes(), 280, 280, channels)
    if not session.health()["self_test"]["ok"]:
        raise AssertionError(f"{name} fails the self-test that the page makes after a restore (Session.self_test): no visitor would start from this snapshot")
    try:
        session.predict(b"", 280, 280)
    except ValueError as error:  # the modules that tell of an error are loaded when there is one
        import traceback

        "".join(traceback.format_exception(error))
    return session


def tidy():
    """Forgets what folders hold, for their files are not there at first in the page, and all that came from chance.

    The archive of the standard library keeps its table of contents: the very same archive comes back. Random numbers are drawn anew by Session.wake.
    """
    sys.path_importer_cache.clear()
    tempfile._name_sequence = None
    random.seed(0)
    gc.collect()
