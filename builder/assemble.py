"""dist/ from its parts: folders named by their content, the table of assets, the stable names, the list for offline use.

Made in a folder beside dist/ and put in its place whole: an interrupted build leaves the old one as it was.
"""

import json
import re
import shutil
from pathlib import Path

from builder import pages
from builder.bundle import bundled
from builder.common import DIST, PIECE, ROOT, SITE, BuildError, disk_errors, python_command, say, sha256, sha256_of_pieces, temporary_directory
from builder.compress import BEST, compress_tree, gzip_sizes
from builder.emscripten import LOADER, SCRIPT
from builder.halves import secondary_name
from builder.headers import headers_file
from builder.node import PackagesMissing, install_node_packages
from builder.notice import notice
from builder.python_pack import make_packs
from builder.runtime import fetch_runtime, read_lock
from builder.single_file import make_single_file
from builder.snapshot import HALVES, HEAP, LIBRARIES, make_snapshot, whole_name

NOT_IN_APP = {"index.html", "sw.js", "manifest.webmanifest", "py", "data"}  # of site/: these have a place of their own in dist/
PREFERRED_MODEL = "convnet"
CARRIED_DATA = ("rehearsal.npz", "mnist-1000.npz")  # of site/data/, in the single file
BUILD = "{hash of the app's folder}"  # stands in the table, and so in bundles, for what can be known only when they are made
IN_TABLE = ("parameters", "mnist_test_accuracy")  # of a model card; the rest of it is fetched when somebody asks


def build(*, compress: bool = True, brotli: int = BEST, dist: Path = DIST, site: Path = SITE, weights: Path = ROOT / "weights") -> Path:
    """Make dist/ of site/, weights/ and the runtime, and return it. Without `compress`, scripts as they are written, no .br and .gz, no single file.

    brotli: the quality of the .br, QUICK where nobody is to download them.
    """
    has_bundler = compress and _install_bundler()
    lock = read_lock()
    cache = fetch_runtime(lock)
    packs = make_packs(lock, cache, site)
    app = {path.relative_to(site).as_posix(): path.read_bytes() for path in _files_below(site)}
    models = _models(weights, app)
    default = PREFERRED_MODEL if PREFERRED_MODEL in models else next(iter(models))
    snapshot = make_snapshot(lock, cache, packs, default, app[f"weights/{default}.npz"])

    # What changes together lies together, so that a new version of ours does not fetch the runtime again.
    runtime = {LOADER: (cache / LOADER).read_bytes()}  # the one that is taken as it is
    runtime |= {name: path.read_bytes() for name, path in packs.items() if name != "inkling.zip"}
    runtime |= {name: snapshot[name].read_bytes() for name in (SCRIPT, *HALVES)}
    runtime["NOTICE.txt"] = notice(lock, cache)
    heap = {HEAP: snapshot[HEAP].read_bytes()}
    runtime_name, heap_name = (f"{kind}-{_tree_hash(files)}" for kind, files in (("runtime", runtime), ("heap", heap)))
    app["inkling.zip"] = packs["inkling.zip"].read_bytes()
    app["LICENSE.txt"] = (ROOT / "LICENSE").read_bytes()
    data_sets = {path.name: path.read_bytes() for path in sorted((site / "data").glob("*")) if path.suffix in (".npz", ".txt")}
    data_name = f"data-{_tree_hash(data_sets)}"
    data_files = {f"../../{data_name}/{name}": content for name, content in data_sets.items() if name.endswith(".npz")}
    app["js/data.js"] = pages.data_module(_assets(data_files, {}, {})["files"])
    large = {f"../../{runtime_name}/{name}": data for name, data in runtime.items() if name != "NOTICE.txt"}
    large |= {f"../../{heap_name}/{HEAP}": heap[HEAP], "../inkling.zip": app["inkling.zip"]}
    large |= {f"../weights/{name}{ending}": app[f"weights/{name}{ending}"] for name in models for ending in (".npz", ".json")}
    packed = gzip_sizes(large) if compress else {}
    table = {"version": package_version(site), "pyodide": lock["pyodide"], "abi": lock["abi"]} | _assets(large, packed, models) | {"defaultModel": default}
    app["js/assets.js"] = pages.assets_module({"build": BUILD} | table)
    bundles = bundled(app, pages.page_scripts(pages.source_text(site, "index.html"))) if has_bundler else {}
    app_hash = _tree_hash(app | bundles)
    app_name = f"app-{app_hash}"

    files = {f"{runtime_name}/{name}": data for name, data in runtime.items()}
    files |= {f"{heap_name}/{name}": data for name, data in heap.items()}
    files |= {f"{app_name}/{name}": data.replace(BUILD.encode(), app_hash.encode()) for name, data in (app | bundles).items()}
    files |= pages.stable_pages(site, app_name, app, bundled=bool(bundles))
    files["sw.js"] = pages.service_worker(pages.source_text(site, "sw.js"), files, gzip_sizes(files) if compress else {})
    files |= {f"{data_name}/{name}": data for name, data in data_sets.items()}  # only now: the service worker keeps what everybody needs
    files["_headers"] = headers_file([app_name, runtime_name, heap_name, data_name]).encode()

    with temporary_directory(dist.parent) as scratch:
        new = scratch / "dist"
        with disk_errors(dist):
            for name, data in files.items():
                (new / name).parent.mkdir(parents=True, exist_ok=True)
                (new / name).write_bytes(data)
        if compress:
            compress_tree(new, brotli)
        if has_bundler:
            carried = {url: data for url, data in data_files.items() if url.rpartition("/")[2] in CARRIED_DATA}
            table["files"] |= (assets := _assets(carried, {}, {})["files"])
            app["js/data.js"] = pages.data_module(assets)
            large |= carried | {f"../../{runtime_name}/{name}": snapshot[whole_name(name)].read_bytes() for name in LIBRARIES}
            for name in map(secondary_name, LIBRARIES):  # NumPy's archive, which it has too, contains its libraries whole
                del large[f"../../{runtime_name}/{name}"], table["files"][name]
            table["files"] |= _assets({url: large[url] for url in large if url.rpartition("/")[2] in LIBRARIES}, {}, {})["files"]
            page = make_single_file(site, app, large, runtime["NOTICE.txt"], {"build": app_hash} | table)
            with disk_errors(dist):
                (new / "inkling.html").write_bytes(page)  # only now: it is as small as it gets
        swap(new, dist, scratch / "old")
    return dist


def _files_below(site: Path) -> list[Path]:
    """What of site/ goes into the app's folder, without editors' and systems' leavings."""
    found = (path for path in sorted(site.rglob("*")) if path.is_file())
    return [path for path in found if path.relative_to(site).parts[0] not in NOT_IN_APP and not path.name.startswith(".") and not path.name.endswith(".d.ts")]


def _models(weights: Path, app: dict[str, bytes]) -> dict[str, dict]:
    """Put each weights/<name>.npz that has a card into app; return {name: its card}."""
    train = f"{python_command()} trainer/train.py"
    models = {}
    for card_file in sorted(weights.glob("*.json")):
        file = card_file.with_suffix(".npz")
        try:
            card, data = json.loads(card_file.read_text(encoding="utf-8")), file.read_bytes()
        except (ValueError, FileNotFoundError) as error:
            raise BuildError(f"weights/{card_file.name}: {error}. Make it again with: {train}") from error
        if card.get("sha256", sha256(data)) != sha256(data):
            raise BuildError(f"weights/{file.name} is not the file that {card_file.name} describes. Make both again with: {train}")
        app[f"weights/{file.name}"] = data
        app[f"weights/{card_file.name}"] = json.dumps(card, ensure_ascii=False).encode()
        models[file.stem] = card
    if not models:
        raise BuildError(f"{weights}: there is no model. Make one with: {train}")
    return models


def _assets(files: dict[str, bytes], packed: dict[str, bool], models: dict[str, dict]) -> dict:
    """The `files` and `models` of the table that site/js/assets.js describes; files by their URLs relative to that module."""
    assets = {}
    for url, data in files.items():
        hashes = {"sha256": sha256(data)} | ({"pieces": sha256_of_pieces(data)} if len(data) > PIECE else {})
        assets[url.rpartition("/")[2]] = {"url": url, "bytes": len(data)} | hashes | ({"gz": packed[url]} if url in packed else {})
    weights = {name: assets.pop(f"{name}.npz") | {key: card.get(key) for key in IN_TABLE} for name, card in models.items()}
    return {"files": assets, "models": weights}


def _install_bundler() -> bool:
    """Whether the bundler can be had; if not, a line says why, and the site does without."""
    try:
        install_node_packages()
        return True
    except PackagesMissing as error:
        say(f"inkling.html, the single file, is NOT made, and the page's scripts are not bundled, which makes it start later; all else is made. {error}")
        return False


def package_version(site: Path) -> str:
    source = (site / "py" / "inkling" / "__init__.py").read_text(encoding="utf-8")
    match = re.search(r'^__version__ = "([^"]+)"', source, re.MULTILINE)
    if not match:
        raise BuildError('site/py/inkling/__init__.py: there is no line __version__ = "..."')
    return match[1]


def _tree_hash(files: dict[str, bytes]) -> str:
    """Ten hex digits that differ whenever a name or a byte differs."""
    return sha256("".join(f"{name} {sha256(files[name])}\n" for name in sorted(files)).encode())[:10]


def swap(new: Path, dist: Path, old: Path) -> None:
    """Put the folder new in dist's place. Renames only, so that at no time half a dist/ lies there."""
    try:
        if dist.exists():
            dist.rename(old)
        new.rename(dist)
    except OSError as error:
        if old.exists() and not dist.exists():
            old.rename(dist)
        raise BuildError(f"{dist}: cannot be replaced ({error.strerror}). Close what has it open, and build again") from error


def clean(dist: Path = DIST) -> None:
    """Remove what the build and the tests made inside the project; the per-user cache stays."""
    for folder in (dist, ROOT / "release", ROOT / ".venv-test", ROOT / "node_modules"):
        shutil.rmtree(folder, ignore_errors=True)
