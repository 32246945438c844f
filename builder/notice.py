"""The one NOTICE of all that is shipped: whose work it is, under which licence, and the texts of these licences."""

from pathlib import Path

from builder.common import ROOT
from builder.python_pack import numpy_licences

HERE = Path(__file__).parent


def notice(lock: dict, runtime: Path) -> bytes:
    """The text, as UTF-8. runtime: the folder with the runtime's files: NumPy's licences come out of its wheel."""
    texts = [ROOT / "LICENSE", *sorted((HERE / "licences").glob("*.txt"))]
    parts = [f"--- {path.name}\n\n".encode() + path.read_bytes() for path in texts]
    return b"\n".join([(HERE / "NOTICE.txt").read_bytes(), *parts, numpy_licences(lock, runtime)])
