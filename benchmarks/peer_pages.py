"""The pages of the JavaScript peers that `build.py bench boot` compares with: onnxruntime-web and TensorFlow.js.

Each as a careful page would ship it: bundled and minified, WebAssembly and weights preloaded, one thread (several need special headers),
the same weights (mlp-256-128, float16 as in our file) and MNIST's centring in a few lines of JavaScript. They have no service worker:
a repeat visit finds the files in the HTTP cache.
"""

import json
import shutil
from pathlib import Path

import numpy as np
from onnx_model import dense_network
from our_pages import PARTS, settings

from builder.common import ROOT
from builder.compress import compress_tree
from builder.node import PackagesMissing, install_node_packages, run_node

PEERS = Path(__file__).with_name("peers")
MODULES = PEERS / "node_modules"
WASM = (
    MODULES / "onnxruntime-web" / "dist" / "ort-wasm-simd-threaded.wasm",
    MODULES / "@tensorflow" / "tfjs-backend-wasm" / "dist" / "tfjs-backend-wasm-simd.wasm",
)
PAGES = {"onnxruntime-web": "ort.html", "TensorFlow.js": "tfjs.html"}
MODEL = "mlp-256-128"


def make_peers(folder: Path) -> None:
    """ort.html and tfjs.html in `folder`, with what they load.

    Raises PackagesMissing if npm cannot install the peers.
    """
    try:
        install_node_packages(PEERS, "onnxruntime-web and TensorFlow.js, to compare with")
    except PackagesMissing as error:
        raise PackagesMissing(f"{error}, or with --no-peers") from error
    files = folder / "runtime-peers"  # a name that the server calls immutable
    files.mkdir(parents=True)
    layers = _layers()
    (files / "mlp.onnx").write_bytes(dense_network(layers))
    (files / "mlp.bin").write_bytes(b"".join(array.astype("<f2").tobytes() for layer in layers for array in layer))
    sizes = [layers[0][0].shape[0], *(weights.shape[1] for weights, _ in layers)]
    _bundle(files, settings() + f"export const sizes = {json.dumps(sizes)};\n")
    for file in WASM:
        shutil.copyfile(file, files / file.name)
    for page in PAGES.values():
        shutil.copyfile(PEERS / page, folder / page)
    compress_tree(folder)


def _layers() -> list[tuple[np.ndarray, np.ndarray]]:
    """(W, b) of each dense layer, as they lie in the weights file."""
    with np.load(ROOT / "weights" / f"{MODEL}.npz", allow_pickle=False) as arrays:
        indices = sorted(int(key.partition(".")[0]) for key in arrays if key.endswith(".W"))
        return [(arrays[f"{i}.W"], arrays[f"{i}.b"]) for i in indices]


def _bundle(files: Path, module: str) -> None:
    """ort.js and tfjs.js, one minified file each, into `files`. module: the text of their settings.js."""
    sources = files.with_name("peer-sources")
    sources.mkdir()
    for path in (*PARTS.glob("*.js"), *PEERS.glob("*.js")):
        shutil.copyfile(path, sources / path.name)
    (sources / "settings.js").write_text(module, encoding="utf-8")
    run_node(PEERS / "bundle.mjs", *(sources / page.replace(".html", ".js") for page in PAGES.values()), files)
    shutil.rmtree(sources)
