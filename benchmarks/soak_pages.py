"""The two pages of `build.py bench soak`: our own worker, which answers one request more, and stock Pyodide.

soak.py goes into both as it is.
"""

import shutil
import zipfile
from pathlib import Path

from our_pages import DIGIT, PARTS, make_stock, settings

from builder.assemble import build
from builder.common import SITE

SOAK = Path(__file__).with_name("soak")
PAGE = '<!doctype html>\n<meta charset="utf-8">\n<title>Soak</title>\n<link rel="icon" href="data:,">\n<script type="module" src="{script}"></script>\n'
# What the worker does with a request "soak". `actions`, `pyodide` and `modules` are worker.js's own.
REQUEST = """
import {{ callSoak }} from "./soak.js";
actions.soak = async (fields) => {{
  await modules();
  return callSoak(pyodide, fields);
}};
"""


def make_our_soak(folder: Path) -> str:
    """dist/ in `folder` with the page; returns its address in there."""
    site = folder.with_name("soak-site")
    shutil.copytree(SITE, site)
    scripts = site / "js"
    worker = (scripts / "worker.js").read_text(encoding="utf-8")
    (scripts / "worker.js").write_text(worker + REQUEST.format(), encoding="utf-8")
    (scripts / "settings.js").write_text(settings(), encoding="utf-8")
    shutil.copyfile(PARTS / "ink.js", scripts / "ink.js")
    shutil.copyfile(SOAK / "page.js", scripts / "soak-page.js")
    _put_soak(scripts)
    (site / "soak.html").write_text(PAGE.format(script="./js/soak-page.js"), encoding="utf-8")
    build(dist=folder, site=site, compress=False)
    return next(folder.glob("app-*/soak.html")).relative_to(folder).as_posix()


def make_stock_soak(folder: Path) -> str:
    """Stock's files in `folder` with the page; returns its address in there."""
    make_stock(folder)
    files = folder / "runtime-stock"
    shutil.copyfile(SOAK / "stock-page.js", files / "soak-page.js")
    shutil.copyfile(SOAK / "stock-worker.js", files / "soak-worker.js")
    _put_soak(files)
    (folder / "soak.html").write_text(PAGE.format(script="./runtime-stock/soak-page.js"), encoding="utf-8")
    return "soak.html"


def _put_soak(folder: Path) -> None:
    """soak.js, the digit that it reads, and soak.py in an archive."""
    shutil.copyfile(SOAK / "soak.js", folder / "soak.js")
    (folder / "soak-settings.js").write_text(f"export const digit = {DIGIT};\n", encoding="utf-8")
    with zipfile.ZipFile(folder / "soak.zip", "w") as archive:
        archive.write(SOAK / "soak.py", "soak.py")
