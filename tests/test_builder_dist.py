"""dist/: what it holds, that two builds are equal, and that a failed one leaves the old as it was."""

import hashlib
import json
import os
import posixpath
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from builder import assemble, common
from builder.common import ROOT, SITE, BuildError, python_command
from builder.compress import BEST, QUICK, compress_tree
from builder.node import node
from builder.python_pack import make_packs
from builder.runtime import read_lock, runtime_directory

LOCK = read_lock()
RUNTIME = runtime_directory(LOCK)
pytestmark = pytest.mark.skipif(not RUNTIME.is_dir(), reason="no runtime in the cache yet: python build.py fetches it")

PAGE = """<!doctype html><html><head>
<link rel="stylesheet" href="./style.css"><link rel="manifest" href="./manifest.webmanifest">
<script type="module" src="./js/page.js"></script>
</head><body><a href="./">home</a> <a href="https://example.org/js/page.js">elsewhere</a></body></html>"""


@pytest.fixture
def sources(tmp_path):
    """A small site with the real Python package, and one model."""
    site, weights = tmp_path / "site", tmp_path / "weights"
    shutil.copytree(SITE / "py", site / "py", ignore=shutil.ignore_patterns("__pycache__"))
    files = {
        "index.html": PAGE,
        "style.css": "body { color: black }",
        "sw.js": "addEventListener('install', () => BUILD);\n",
        "manifest.webmanifest": '{"name": "Inkling", "icons": [{"src": "./icons/i.svg"}]}',
        "icons/i.svg": "<svg/>",
        "js/page.js": 'import {\n  a,\n} from "./parts/a.js";\nimport "./b.js";\n/** @typedef {import("./types.js").T} T */\n',
        "js/parts/a.js": 'export * from "../b.js";\nexport const a = 1;\n',
        "js/b.js": 'const late = () => import("./late.js");\n',
        "js/late.js": "",
        "js/worker.js": "postMessage('a worker');\n",
        "js/inkling.js": "export const createRecognizer = 1;\n",
        "js/assets.js": "placeholder",
    }
    for name, text in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    weights.mkdir()
    network = (ROOT / "weights" / "mlp-128-64.npz").read_bytes()
    (weights / "convnet.npz").write_bytes(network)
    (weights / "convnet.json").write_text(json.dumps({"sha256": hashlib.sha256(network).hexdigest(), "parameters": 3}))
    return {"site": site, "weights": weights, "dist": tmp_path / "dist", "compress": False}


def build(sources):
    """Build, and return {name in dist/: bytes}."""
    dist = assemble.build(**sources)
    return {path.relative_to(dist).as_posix(): path.read_bytes() for path in dist.rglob("*") if path.is_file()}


def folder(files, prefix):
    return next(name.partition("/")[0] for name in files if name.startswith(prefix))


def test_the_layout_is_hashed_folders_and_a_few_stable_names(sources):
    files = build(sources)
    app, runtime, heap = (folder(files, kind) for kind in ("app-", "runtime-", "heap-"))
    beside = {name for name in files if not name.startswith((app + "/", runtime + "/", heap + "/"))}
    assert beside == {"index.html", "sw.js", "manifest.webmanifest", "js/inkling.js", "js/digit-recognizer.js", "_headers"}
    assert {name.removeprefix(runtime + "/") for name in files if name.startswith(runtime)} == {
        *("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "numpy.zip", "numpy_random.zip", "NOTICE.txt"),
        *("_multiarray_umath.wasm", "_umath_linalg.wasm"),
        *(f"{name}.secondary.wasm" for name in ("pyodide.asm", "_multiarray_umath", "_umath_linalg")),
    }
    assert {name for name in files if name.startswith(heap)} == {f"{heap}/heap.bin"}
    assert files[f"{app}/js/page.js"] == (sources["site"] / "js" / "page.js").read_bytes()
    assert files["js/inkling.js"].decode() == f'export * from "../{app}/js/inkling.js";\n'
    element = files["js/digit-recognizer.js"].decode()
    assert element.startswith(f'import {{ DigitRecognizer }} from "../{app}/js/embedded.js";\ncustomElements.define("digit-recognizer", DigitRecognizer);\n')
    assert f"/{app}/*\n  Cache-Control: public, max-age=31536000, immutable" in files["_headers"].decode()
    assert "/js/digit-recognizer.js\n  Cache-Control: no-cache" in files["_headers"].decode()


def test_the_page_points_into_the_app_folder_and_preloads_its_modules(sources):
    files = build(sources)
    app, html = folder(files, "app-"), files["index.html"].decode()
    assert f'href="./{app}/style.css"' in html and f'src="./{app}/js/page.js"' in html
    assert 'href="./manifest.webmanifest"' in html and 'href="./"' in html and 'href="https://example.org/js/page.js"' in html
    assert re.findall(r'modulepreload" href="\./[^/]+/([^"]+)"', html) == ["js/page.js", "js/parts/a.js", "js/b.js"]
    assert json.loads(files["manifest.webmanifest"])["icons"][0]["src"] == f"./{app}/icons/i.svg"


def test_the_table_of_assets_names_files_that_are_there(sources):
    files = build(sources)
    app = folder(files, "app-")
    table = json.loads(files[f"{app}/js/assets.js"].decode().partition("assets = ")[2].rstrip().rstrip(";"))
    assert app == f"app-{table['build']}" and table["defaultModel"] == "convnet" and table["pyodide"] == LOCK["pyodide"]
    assert table["models"]["convnet"]["parameters"] == 3
    for asset in [*table["files"].values(), *table["models"].values()]:
        assert len(files[posixpath.normpath(f"{app}/js/{asset['url']}")]) == asset["bytes"]


def test_the_service_worker_lists_all_that_offline_use_needs_with_its_hash(sources):
    files = build(sources)
    first, _, rest = files["sw.js"].decode().partition("\n")
    listed = json.loads(first.removeprefix("const BUILD = ").removesuffix(";"))
    assert rest == (sources["site"] / "sw.js").read_text()
    assert {entry["url"] for entry in listed["files"]} == {f"./{name}" for name in files if not name.endswith(".txt")} - {"./sw.js", "./_headers"}
    for entry in listed["files"]:
        data = files[entry["url"].removeprefix("./")]
        assert (entry["bytes"], entry["sha256"]) == (len(data), hashlib.sha256(data).hexdigest())


def test_what_is_larger_than_a_piece_can_be_checked_piece_by_piece(sources):
    large = bytes(2**20) + b"the rest"
    (sources["site"] / "data").mkdir()
    (sources["site"] / "data" / "large.npz").write_bytes(large)
    files = build(sources)
    table = json.loads(files[f"{folder(files, 'app-')}/js/data.js"].decode().partition("data = ")[2].rstrip().rstrip(";"))
    pieces = hashlib.sha256(large[:2**20]).digest() + hashlib.sha256(b"the rest").digest()
    assert table["large.npz"]["pieces"] == hashlib.sha256(pieces).hexdigest()


def test_data_sets_are_in_a_folder_of_their_own_that_nobody_fetches_before_they_are_wanted(sources):
    (sources["site"] / "data").mkdir()
    (sources["site"] / "data" / "few.npz").write_bytes(b"PK images")
    (sources["site"] / "data" / "NOTICE.txt").write_text("whose they are")
    files = build(sources)
    app, data = folder(files, "app-"), folder(files, "data-")
    assert files[f"{data}/few.npz"] == b"PK images" and files[f"{data}/NOTICE.txt"] == b"whose they are" and data not in files["sw.js"].decode()
    table = json.loads(files[f"{app}/js/data.js"].decode().partition("data = ")[2].rstrip().rstrip(";"))
    assert table == {"few.npz": {"url": f"../../{data}/few.npz", "bytes": 9, "sha256": hashlib.sha256(b"PK images").hexdigest()}}
    assert "few" not in files[f"{app}/js/assets.js"].decode()
    assert f"/{data}/*\n  Cache-Control: public, max-age=31536000, immutable" in files["_headers"].decode()
    (sources["site"] / "style.css").write_text("body { color: red }")
    assert folder(build(sources), "data-") == data


def test_two_builds_give_the_same_bytes_and_a_change_moves_only_its_own_folder(sources):
    first = build(sources)
    assert build(sources) == first
    (sources["site"] / "style.css").write_text("body { color: red }")
    changed = build(sources)
    assert folder(changed, "app-") != folder(first, "app-")
    assert [folder(changed, kind) for kind in ("runtime-", "heap-")] == [folder(first, kind) for kind in ("runtime-", "heap-")]
    assert changed["sw.js"] != first["sw.js"]


def test_whatever_makes_another_bundle_makes_another_folder(sources, monkeypatch):
    """Also what is in no module: the order of the page's scripts, the bundler, what it is told."""
    for name, stub in {"install_node_packages": lambda: None, "compress_tree": lambda *_: None, "make_single_file": lambda *_: b""}.items():
        monkeypatch.setattr(assemble, name, stub)

    def built(remark: bytes):
        monkeypatch.setattr(assemble, "bundled", lambda app, scripts: {"js/page.js": app["js/assets.js"] + remark})
        files = build(sources | {"compress": True})
        return folder(files, "app-"), files

    first, files = built(b"// one")
    assert files[f"{first}/js/page.js"] == files[f"{first}/js/assets.js"] + b"// one" and f'"build":"{first[4:]}"'.encode() in files[f"{first}/js/page.js"]
    assert built(b"// one") == (first, files)
    assert built(b"// another")[0] != first


@pytest.mark.parametrize(
    "name, content, message",
    [
        ("py/inkling/layers.py", "def :", "site/py/inkling/layers.py, line 1"),
        ("index.html", PAGE.replace("style.css", "stile.css"), r'site/index.html: href="./stile.css" names no file'),
        ("js/page.js", 'import "./gone.js";', "site/js/gone.js is imported"),
        ("js/page.js", "// Für\n// später".encode("latin-1"), "site/js/page.js, line 1: is not UTF-8"),
        ("sw.js", b"// spoken\n// sp\xe4ter", "site/sw.js, line 2: is not UTF-8"),
        ("index.html", PAGE.encode("utf-16"), "site/index.html, line 1: is not UTF-8"),
        ("manifest.webmanifest", "{", "site/manifest.webmanifest: "),
        ("manifest.webmanifest", '{"icons": [{"src": "./icons/j.png"}]}', "icons/j.png names no file"),
        ("../weights/convnet.npz", "other weights", "is not the file that convnet.json describes"),
        ("../weights/mlp.json", "{}", "mlp.npz"),
        ("../weights/convnet.json", "{", "weights/convnet.json: "),
    ],
)
def test_a_mistake_is_named_and_the_old_dist_stays(sources, name, content, message):
    before = build(sources)
    (sources["site"] / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BuildError, match=message):
        build(sources)
    after = {path.relative_to(sources["dist"]).as_posix(): path.read_bytes() for path in sources["dist"].rglob("*") if path.is_file()}
    assert after == before
    assert not list(sources["dist"].parent.glob(".new-*"))


def test_a_site_without_any_model_is_not_built(sources):
    shutil.rmtree(sources["weights"])
    with pytest.raises(BuildError, match=re.escape(f"there is no model. Make one with: {python_command()} trainer/train.py")):
        build(sources)


def test_an_interrupted_build_leaves_the_old_dist(sources, monkeypatch):
    before = build(sources)
    monkeypatch.setattr(assemble, "swap", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    (sources["site"] / "style.css").write_text("")
    with pytest.raises(KeyboardInterrupt):
        build(sources)
    assert (sources["dist"] / "sw.js").read_bytes() == before["sw.js"]
    assert not list(sources["dist"].parent.glob(".new-*"))


def test_compressed_files_stand_beside_those_that_get_smaller(tmp_path, monkeypatch):
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path / "cache"))
    site = tmp_path / "site"
    site.mkdir()
    (site / "page.js").write_bytes(b"export const digit = 7;\n" * 100)
    (site / "tiny.js").write_bytes(b"1")
    (site / "picture.png").write_bytes(bytes(5000))
    for _ in range(2):  # the second time from the cache
        compress_tree(site)
        assert {path.name for path in site.iterdir()} == {"page.js", "page.js.br", "page.js.gz", "tiny.js", "picture.png"}
        assert (site / "page.js.br").stat().st_size < (site / "page.js.gz").stat().st_size < 100


def test_what_is_compressed_in_a_hurry_is_done_better_later_and_never_the_other_way_round(tmp_path, monkeypatch):
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path / "cache"))
    site = tmp_path / "site"
    site.mkdir()
    (site / "page.js").write_text(" ".join(str(i * i) for i in range(5000)))
    sizes = []
    for quality in (QUICK, BEST, QUICK):
        compress_tree(site, quality)
        sizes.append((site / "page.js.br").stat().st_size)
    assert sizes[0] > sizes[1] == sizes[2]


def test_packs_made_anew_are_the_same_byte_for_byte(tmp_path, monkeypatch):
    kept = make_packs(LOCK, RUNTIME, SITE)
    if not os.environ.get("INKLING_ALL"):  # compiling the two large ones takes half a minute
        for name in ("python_stdlib.zip", "numpy.zip"):
            shutil.copytree(kept[name].parent, tmp_path / "packs" / kept[name].parent.name)
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path))
    made = make_packs(LOCK, RUNTIME, SITE)
    assert made["inkling.zip"] != kept["inkling.zip"]
    assert {name: path.read_bytes() for name, path in made.items()} == {name: path.read_bytes() for name, path in kept.items()}


def test_packs_hold_compiled_modules_and_two_shared_libraries_only():
    packs = make_packs(LOCK, RUNTIME, SITE)
    names = {name: zipfile.ZipFile(path).namelist() for name, path in packs.items()}
    assert all(entry.endswith((".pyc", ".so")) for entries in names.values() for entry in entries)
    assert [Path(entry).name.partition(".")[0] for entry in names["numpy.zip"] if entry.endswith(".so")] == ["_multiarray_umath", "_umath_linalg"]
    assert "json/decoder.pyc" in names["python_stdlib.zip"] and "unittest/case.pyc" not in names["python_stdlib.zip"]
    assert len(names["inkling.zip"]) == len(list((SITE / "py" / "inkling").glob("*.py")))


def test_the_slim_packs_boot_predict_and_report_errors_as_stock_python_does():
    packs = make_packs(LOCK, RUNTIME, SITE)
    models = sorted((ROOT / "weights").glob("*.npz"))
    script = ROOT / "tests" / "slim_boot.mjs"
    arguments = [RUNTIME, LOCK["abi"], *(packs[name] for name in ("python_stdlib.zip", "numpy.zip", "inkling.zip")), *models]
    run = subprocess.run([node(), str(script), *map(str, arguments)], capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr[-3000:]
    report = json.loads(run.stdout.splitlines()[-1])
    assert report["digits"] == [1] * len(models)
    assert report["numpy"] == LOCK["numpy"]


def test_the_programs_own_version_is_found():
    assert re.fullmatch(r"\d+\.\d+\.\d+", assemble.package_version(SITE))


@pytest.mark.parametrize(
    "cache, advice", [("place", "name another folder in INKLING_CACHE$"), ("cache", "place: may not be written .*copy the project to another place$")]
)
def test_a_read_only_place_is_said_and_the_cache_moved_only_if_it_is_the_cache(tmp_path, monkeypatch, cache, advice):
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path / cache))
    monkeypatch.setattr(common.os, "replace", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(BuildError, match=advice), common.atomic_file(tmp_path / "place" / "file") as file:
        file.write(b"x")
