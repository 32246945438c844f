"""The few files of dist/ that are written rather than copied: index.html, the manifest, sw.js, assets.js and the embedder's doors."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

from builder.bundle import imported_modules
from builder.common import BuildError, decode, sha256

_REFERENCE = re.compile(r'\b(href|src)="\./([^"?#]+)"')
MODULE_SCRIPT = re.compile(r'[ \t]*<script type="module" src="\./([^"]+)"[^>]*></script>[ \t]*\r?\n?')

_ELEMENT_DOOR = """import {{ DigitRecognizer }} from "../{}/js/embedded.js";
customElements.define("digit-recognizer", DigitRecognizer);
export {{ DigitRecognizer }};
"""


def stable_pages(site: Path, app_name: str, app: dict[str, bytes], *, bundled: bool) -> dict[str, bytes]:
    """index.html, the manifest and the embedder's two doors, pointing into the app's folder."""
    return {
        "index.html": index_page(source_text(site, "index.html"), app_name, app, bundled=bundled),
        "manifest.webmanifest": _manifest(source_text(site, "manifest.webmanifest"), app_name, app),
        "js/digit-recognizer.js": _ELEMENT_DOOR.format(app_name).encode(),
        "js/inkling.js": f'export * from "../{app_name}/js/inkling.js";\n'.encode(),
    }


def source_text(site: Path, name: str) -> str:
    """The text of a file of site/. Raises BuildError if it is not UTF-8."""
    return decode((site / name).read_bytes(), name)


def page_scripts(html: str) -> list[str]:
    """The modules that the page names, in their order.

    Raises BuildError if there is none, or one that is written so that it would be overlooked here: it would start the page a second time.
    """
    names = MODULE_SCRIPT.findall(html)
    browser = _ModuleScripts(html)
    if not names or browser.sources != [f"./{name}" for name in names]:
        raise BuildError('site/index.html: its module scripts must all be written as <script type="module" src="./js/name.js"></script>, and none in a comment')
    return names


class _ModuleScripts(HTMLParser):
    """`sources`: what a browser would load as modules, however it is written."""

    def __init__(self, html: str):
        super().__init__()
        self.sources: list[str | None] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "script" and (given.get("type") or "").strip().lower() == "module":
            self.sources.append(given.get("src"))


def index_page(html: str, app_name: str, app: dict[str, bytes], *, bundled: bool) -> bytes:
    """Point href="./..." and src="./..." into the app's folder. Preload the modules that start the page; or, bundled, name only the first and the last script.

    Raises BuildError on a reference to a file that there is not, and as page_scripts does.
    """

    def point(match: re.Match) -> str:
        attribute, target = match.groups()
        if target == "manifest.webmanifest":  # it stays beside the page
            return match[0]
        if target not in app:
            raise BuildError(f'site/index.html: {attribute}="./{target}" names no file of site/')
        return f'{attribute}="./{app_name}/{target}"'

    scripts = page_scripts(html)
    if bundled:
        html = MODULE_SCRIPT.sub(lambda match: match[0] if match[1] in (scripts[0], scripts[-1]) else "", html)
        return _REFERENCE.sub(point, html).encode()
    links = "".join(f'  <link rel="modulepreload" href="./{app_name}/{name}">\n' for name in imported_modules(scripts, app))
    return _REFERENCE.sub(point, html).replace("</head>", links + "</head>", 1).encode()


def _manifest(text: str, app_name: str, app: dict[str, bytes]) -> bytes:
    try:
        manifest = json.loads(text)
    except ValueError as error:
        raise BuildError(f"site/manifest.webmanifest: {error}") from error
    for icon in manifest.get("icons", []):
        name = icon["src"].removeprefix("./")
        if name not in app:
            raise BuildError(f"site/manifest.webmanifest: the icon {icon['src']} names no file of site/")
        icon["src"] = f"./{app_name}/{name}"
    return (json.dumps(manifest, ensure_ascii=False, indent=2) + "\n").encode()


def assets_module(table: dict) -> bytes:
    return f"// Made by build.py; site/js/assets.js says what the fields mean.\nexport const assets = {_json(table)};\n".encode()


def data_module(files: dict) -> bytes:
    """js/data.js: assets_module's table for what only learning needs, a module of its own so that nobody else loads it."""
    return f"// Made by build.py; site/js/data.js says what the fields mean.\nexport const data = {_json(files)};\n".encode()


def service_worker(source: str, files: dict[str, bytes], packed: dict[str, bool] | None = None) -> bytes:
    """sw.js with the list of all that must be there offline before it. packed: the files that have a .gz beside them which is worth asking for."""
    entries = [
        {"url": f"./{name}", "bytes": len(data), "sha256": sha256(data)} | ({"gz": packed[name]} if packed and name in packed else {})
        for name, data in sorted(files.items())
        if not name.endswith(".txt")
    ]
    version = sha256((_json(entries) + source).encode())[:10]
    return f"const BUILD = {_json({'version': version, 'files': entries})};\n{source}".encode()


def _json(value) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
