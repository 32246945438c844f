"""inkling.html: the whole product in one file that opens from a disk, without server or network.

The page's scripts, bundled, stand in it as one inline script; the worker's script and every file of the asset table as data
blocks behind it. builder/single/ holds the modules that the bundle has in place of some of the site's.
"""

import base64
import hashlib
import re
from array import array
from pathlib import Path

from builder.bundle import run_bundler
from builder.common import BuildError
from builder.compress import LARGE, gzipped
from builder.pages import MODULE_SCRIPT, assets_module, source_text

TOOL = Path(__file__).with_name("single_file.mjs")
SCRIPTS = ("pyodide.mjs", "pyodide.asm.mjs")  # of the runtime: part of the worker's script
# Of the element, and of what is opened later; the page must not take the second for its own.
SHEETS = ("paper.css", "digit-recognizer.css", "learn.css", "js/vendor/uplot/uPlot.min.css")
UPLOT_LICENCE = "js/vendor/uplot/LICENSE.txt"

# Of 12.8 MB base64 would make 17.0, and five letters for four bytes make 16.0. The letters are those from "#" on without "<",
# so that no data can look like markup.
_B85 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
_LETTERS = bytes.maketrans(_B85, bytes(code for code in range(35, 121) if code != ord("<")))
_LINK = re.compile(r'[ \t]*<link rel="([\w-]+)"[^>]*?href="\./([^"]+)"[^>]*>\n')


def make_single_file(site: Path, app: dict[str, bytes], large: dict[str, bytes], notice: bytes, table: dict) -> bytes:
    """The page as one file.

    app: {name: bytes} of our code; large: the same of every file of the asset table, by its URL; notice: the runtime's licences.
    Raises BuildError if something of ours is wrong.
    """
    contents = {url.rpartition("/")[2]: data for url, data in large.items()}
    runtime = {name: contents.pop(name) for name in SCRIPTS}
    blocks, parts = _share(contents)
    page, worker = _bundle(app, runtime, assets_module(_single_table(table, parts)))
    return _html(source_text(site, "index.html"), app, page, {"worker.js": worker} | blocks, [app["LICENSE.txt"], app[UPLOT_LICENCE], notice])


def _share(contents: dict[str, bytes]) -> tuple[dict[str, bytes], dict[str, list[str]]]:
    """Blocks {name: bytes}, and of which each file is made up: what is a file of its own, too, is not kept twice.

    NumPy's archive, which is not compressed inside, contains the shared libraries that the snapshot wants as files.
    """
    blocks: dict[str, bytes] = {}
    parts: dict[str, list[str]] = {}
    for name, data in sorted(contents.items(), key=lambda item: len(item[1])):
        inner = {other: at for other in blocks if other in contents and len(blocks[other]) >= LARGE and (at := data.find(blocks[other])) >= 0}
        if not inner:
            blocks[name], parts[name] = data, [name]
            continue
        end, parts[name] = 0, []
        for other, at in sorted(inner.items(), key=lambda item: item[1]):
            if at >= end:
                piece = f"{name} from {end}"
                blocks[piece] = data[end:at]
                parts[name] += [piece, other]
                end = at + len(blocks[other])
        blocks[f"{name} from {end}"] = data[end:]
        parts[name].append(f"{name} from {end}")
    return blocks, parts


def _single_table(table: dict, parts: dict[str, list[str]]) -> dict:
    """The asset table with parts instead of addresses; what stands for an address says the file's name and leads nowhere."""

    def carried(name: str, asset: dict) -> dict:
        kept = {key: value for key, value in asset.items() if key != "gz"}
        return kept | {"url": f"inkling:/{name}"} | ({"parts": parts[name]} if name in parts else {})

    files = {name: carried(name, asset) for name, asset in table["files"].items()}
    models = {name: carried(f"{name}.npz", asset) for name, asset in table["models"].items()}
    return table | {"files": files, "models": models}


def _bundle(app: dict[str, bytes], runtime: dict[str, bytes], assets: bytes) -> tuple[bytes, bytes]:
    """The page's script and the worker's."""
    scripts = {f"app/{name}": data for name, data in app.items() if name.startswith("js/")}
    scripts |= {f"runtime/{name}": data for name, data in runtime.items()} | {"table/assets.js": assets}
    scripts |= {f"single/{path.name}": path.read_bytes() for path in TOOL.with_name("single").glob("*.js")}
    made = run_bundler(TOOL, scripts)
    page, worker = made["page.js"], made["worker.js"]
    if re.search(rb"</script|<!--", page, re.IGNORECASE):
        raise BuildError("inkling.html: the page's script contains </script or <!--, which would end it")
    return page, worker


def _html(index: str, app: dict[str, bytes], page: bytes, blocks: dict[str, bytes], notices: list[bytes]) -> bytes:
    """index.html with everything in it, and a policy that lets nothing else in."""
    sheets = []

    def sheet(name: str, attributes: str = "") -> str:
        sheets.append(text := app[name].decode())
        return f'  <style data-file="{name}"{attributes}>{text}</style>\n'

    def link(match: re.Match) -> str:
        relation, name = match.groups()
        if relation == "stylesheet":
            return sheet(name)
        if relation == "icon":
            return f'  <link rel="icon" href="data:image/svg+xml;base64,{base64.b64encode(app[name]).decode()}">\n'
        return ""  # the manifest, the icon of a home screen, what would be loaded early

    head, body = MODULE_SCRIPT.sub("", _LINK.sub(link, index)).split("</head>")
    inner = "".join(sheet(name, ' media="not all"') for name in SHEETS if name in app and app[name].decode() not in sheets)
    policy = f'  <meta http-equiv="Content-Security-Policy" content="{_policy(page, sheets)}">\n'
    head = head.replace('<meta charset="utf-8">\n', f'<meta charset="utf-8">\n{policy}', 1) + inner
    if '="./' in head + body or policy not in head:
        raise BuildError("site/index.html: something in it has no place in inkling.html; builder/single_file.py says what it knows")
    before, after = body.split("</body>")
    data = "".join(_block(name, gzipped(content)) for name, content in blocks.items())
    licences = "".join(f'<script type="text/plain">\n{text.decode()}</script>\n' for text in notices)
    return f"{head}</head>{before}<script>{page.decode()}</script>\n{data}{licences}</body>{after}".encode()


def _block(name: str, data: bytes) -> str:
    words = array("I", data + bytes(-len(data) % 4))
    words.byteswap()  # b85encode takes the first byte of four for the most significant, the machines that read it the last
    text = base64.b85encode(words).translate(_LETTERS).decode()
    return f'<script type="application/octet-stream" data-block="{name}" data-bytes="{len(data)}">{text}</script>\n'


def _policy(script: bytes, sheets: list[str]) -> str:
    def source(text: bytes) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text).digest()).decode()}'"

    styles = " ".join(source(text.encode()) for text in sheets)
    return (
        f"default-src 'none'; script-src {source(script)} 'wasm-unsafe-eval'; worker-src blob:; "
        f"style-src {styles}; img-src data: blob:; base-uri 'none'; form-action 'none'"
    )
