"""inkling.html as the builder makes it: everything in it, nothing twice, and a policy for just what is in it."""

import base64
import gzip
import hashlib
import re

import numpy as np
import pytest

from builder import node, single_file
from builder.common import ROOT, SITE, BuildError
from builder.compress import LARGE

RNG = np.random.default_rng(0)
PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <link rel="icon" href="./icons/i.svg" type="image/svg+xml">
  <link rel="manifest" href="./manifest.webmanifest">
  <link rel="stylesheet" href="./paper.css">
  <link rel="preload" href="./digit-recognizer.css" as="style">
  <script type="module" src="./js/page.js"></script>
</head>
<body>
  <p>Hello</p>
</body>
</html>
"""
APP = {"icons/i.svg": b"<svg/>", "paper.css": b":root { color: black }", "digit-recognizer.css": b":host { color: red }"}
SCRIPT = b'alert("\xc3\xa9");\n'
NUMBER = {chr(code): value for value, code in enumerate(code for code in range(35, 121) if code != ord("<"))}


def noise(size: int) -> bytes:
    return RNG.integers(0, 256, size, dtype=np.uint8).tobytes()


def decoded(text: str, size: int) -> bytes:
    """As builder/single/start.js reads it: five letters are a number, the most significant first, of four bytes, the least significant first."""
    values = [NUMBER[letter] for letter in text]
    numbers = [sum(value * 85 ** (4 - place) for place, value in enumerate(values[i : i + 5])) for i in range(0, len(values), 5)]
    return b"".join(number.to_bytes(4, "little") for number in numbers)[:size]


@pytest.fixture(scope="module")
def html() -> str:
    return single_file._html(PAGE, APP, SCRIPT, {"worker.js": b"postMessage(1);", "heap.bin": noise(1003)}, [b"MIT\n", b"MPL\n"]).decode()


def test_a_block_comes_back_byte_for_byte_and_looks_like_no_markup(html):
    found = re.findall(r'<script type="application/octet-stream" data-block="([^"]+)" data-bytes="(\d+)">([^<]*)</script>', html)
    assert [name for name, _, _ in found] == ["worker.js", "heap.bin"]
    contents = [gzip.decompress(decoded(text, int(size))) for _, size, text in found]
    assert contents[0] == b"postMessage(1);" and len(contents[1]) == 1003
    for data in (b"", b"a", bytes(256), bytes([255]) * 7, noise(1000)):
        text = re.search(">([^<]*)</script>", single_file._block("x", data))[1]
        assert decoded(text, len(data)) == data
        assert set(text) <= set(NUMBER)


def test_the_policy_names_the_very_script_and_sheets_of_the_page(html):
    def source(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    policy = dict(part.split(" ", 1) for part in re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', html)[1].split("; "))
    script = re.search(r"<script>(.*?)</script>", html, re.DOTALL)[1]
    sheets = re.findall(r"<style[^>]*>(.*?)</style>", html, re.DOTALL)
    assert script == SCRIPT.decode()
    assert policy["script-src"] == f"{source(script)} 'wasm-unsafe-eval'"
    assert policy["style-src"].split() == [source(text) for text in sheets]
    assert policy["default-src"] == "'none'" and policy["worker-src"] == "blob:"
    assert policy["base-uri"] == policy["form-action"] == "'none'"
    assert html.index("Content-Security-Policy") < html.index("<style") < html.index("<script")


def test_what_a_page_from_a_disk_cannot_use_is_left_out(html):
    assert "manifest" not in html and "preload" not in html and 'type="module"' not in html and '="./' not in html
    assert f'href="data:image/svg+xml;base64,{base64.b64encode(APP["icons/i.svg"]).decode()}"' in html
    assert '<style data-file="digit-recognizer.css" media="not all">' in html  # the element's; the page must not take it for its own
    assert html.index("<p>Hello</p>") < html.index("<script>") < html.index("data-block")  # the pad need not wait for the data


def test_a_reference_that_it_does_not_know_is_named():
    with pytest.raises(BuildError, match="no place in inkling.html"):
        single_file._html(PAGE.replace("<p>", '<img src="./photo.png"><p>'), APP, SCRIPT, {}, [])


def test_the_real_page_has_nothing_that_it_does_not_know():
    app = {path.relative_to(SITE).as_posix(): path.read_bytes() for path in SITE.rglob("*") if path.is_file()}
    html = single_file._html((SITE / "index.html").read_text(encoding="utf-8"), app, SCRIPT, {}, []).decode()
    assert html.count("<style") == 5  # the page's, the element's, and two for what is opened later


def test_a_file_that_lies_inside_others_is_kept_once():
    first, second, small, own = noise(LARGE), noise(LARGE + 1), noise(50), noise(400)
    contents = {
        "archive": small + second + own + first,
        "first": first,
        "second": second,
        "both": second + first,
        "around": own + small + second + own + first,  # holds the archive, too, which is itself in parts by then
        "small": small,
    }
    blocks, parts = single_file._share(contents)
    assert {name: b"".join(blocks[part] for part in of) for name, of in parts.items()} == contents
    assert blocks["first"] == first and blocks["second"] == second
    assert sum(map(len, blocks.values())) == len(first) + len(second) + 2 * len(small) + 3 * len(own) + len(small)


def test_the_table_says_of_what_each_file_is_made_and_leads_nowhere():
    files = {"numpy.zip": {"url": "../../runtime-1/numpy.zip", "bytes": 5, "gz": 3}, "pyodide.mjs": {"url": "../../runtime-1/pyodide.mjs", "bytes": 1}}
    table = {"build": "1", "files": files, "models": {"convnet": {"url": "../weights/convnet.npz", "bytes": 2, "card": {}}}}
    single = single_file._single_table(table, {"numpy.zip": ["a", "b"], "convnet.npz": ["convnet.npz"]})
    assert single["files"]["numpy.zip"] == {"url": "inkling:/numpy.zip", "bytes": 5, "parts": ["a", "b"]}
    assert single["files"]["pyodide.mjs"] == {"url": "inkling:/pyodide.mjs", "bytes": 1}
    assert single["models"]["convnet"] == {"url": "inkling:/convnet.npz", "bytes": 2, "card": {}, "parts": ["convnet.npz"]}
    assert single["build"] == "1"


def npm_that_says(monkeypatch, folder, text):
    """npm in a folder of its own is a program that prints this, as npm with --loglevel=error does, and fails."""
    (folder / "package-lock.json").write_text("{}")
    monkeypatch.setattr(node, "ROOT", folder)
    monkeypatch.setattr(node, "npm_command", lambda: [node.sys.executable, "-c", f"import sys; sys.exit(0 if '--silent' in sys.argv else {text!r})"])


@pytest.mark.parametrize("text, reason", [
    ("npm error code ENOTFOUND\nnpm error syscall getaddrinfo\nnpm error errno ENOTFOUND\nnpm error network request to x failed, reason: no such host\n"
     "npm error network\nnpm error A complete log of this run can be found in: y", "network request to x failed, reason: no such host"),
    ("npm error code E404\nnpm error 404 Not Found - GET x\nnpm error 404", "404 Not Found - GET x"),
    ("npm error code EODD", "code EODD"),
    ("", "no message"),
])  # fmt: skip
def test_npm_that_can_fetch_nothing_is_told_in_one_line(tmp_path, monkeypatch, text, reason):
    npm_that_says(monkeypatch, tmp_path, text)
    with pytest.raises(node.PackagesMissing, match=rf"^npm ci failed: {re.escape(reason)}\. Try again with a network$"):
        node.install_node_packages()


def test_a_lock_file_that_does_not_fit_is_a_mistake_of_ours(tmp_path, monkeypatch):
    npm_that_says(monkeypatch, tmp_path, "npm error code EUSAGE\nnpm error")
    with pytest.raises(BuildError, match=r"package-lock.json does not fit package.json") as raised:
        node.install_node_packages()
    assert not isinstance(raised.value, node.PackagesMissing)


def test_a_machine_without_npm_lacks_the_packages(tmp_path, monkeypatch):
    def npm_command():
        raise BuildError("there is no npm")

    (tmp_path / "package-lock.json").write_text("{}")
    monkeypatch.setattr(node, "npm_command", npm_command)
    with pytest.raises(node.PackagesMissing, match="^there is no npm$"):
        node.install_node_packages(tmp_path)


def made(name: str, text: str) -> bytes:
    """What the build makes of the real page, but for one file of the site that has this text; with a runtime that does nothing."""
    app = {path.relative_to(SITE).as_posix(): path.read_bytes() for path in SITE.rglob("*") if path.is_file()}
    app |= {name: text.encode(), "LICENSE.txt": b""}
    large = {f"../../runtime-1/{name}": b"export function loadPyodide() {}\nexport default 0;\n" for name in single_file.SCRIPTS}
    return single_file.make_single_file(SITE, app, large, b"", {"files": {}, "models": {}})


@pytest.mark.parametrize("text, what", [
    ('document.title = "<!--";', "contains </script or <!--"),
    ("const = 1;", "single_file.mjs in Node .* failed"),
    ('import "./nowhere.js";', "single_file.mjs in Node .* failed"),
])  # fmt: skip
def test_a_mistake_in_a_script_fails_the_build(monkeypatch, text, what):
    try:
        node.install_node_packages()
    except node.PackagesMissing as missing:
        pytest.skip(f"esbuild is not installed: {missing}")
    with pytest.raises(BuildError, match=what):
        made("js/page.js", text)


def test_a_reference_in_the_page_that_is_not_known_fails_the_build(monkeypatch):
    monkeypatch.setattr(single_file, "_bundle", lambda *_: (SCRIPT, b""))
    monkeypatch.setattr(single_file, "source_text", lambda *_: PAGE.replace("icons/i.svg", "paper.css").replace("<p>", '<img src="./photo.png"><p>'))
    with pytest.raises(BuildError, match="no place in inkling.html"):
        made("js/page.js", "")


@pytest.mark.skipif(not (ROOT / "node_modules" / "esbuild").is_dir(), reason="the bundler is not installed: npm ci")
def test_a_bundle_made_again_is_the_same_and_tells_nothing_of_this_machine():
    """Each is made in a folder with a random name; modules that are loaded late keep their path in the bundle."""
    app = {path.relative_to(SITE).as_posix(): path.read_bytes() for path in SITE.rglob("*.js")}
    runtime = {name: b"export const loadPyodide = 1; export default 1;" for name in single_file.SCRIPTS}
    first, second = (single_file._bundle(app, runtime, b"export const assets = {};") for _ in range(2))
    assert first == second
    text = b"".join(first).decode()
    assert "app/js/learn/panel.js" in text and str(ROOT) not in text and ".new-" not in text
