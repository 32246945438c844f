"""The page's scripts in two files: what is in them, what stays outside, and that a module which is in both can be so."""

import json
import re

import pytest

from builder import assemble, node
from builder.bundle import WORKER, bundled, imported_modules
from builder.common import ROOT, SITE, BuildError
from builder.pages import index_page, page_scripts

APP = {
    "js/first.js": 'import { note } from "./shared.js";\nnote("first");\n',
    "js/define.js": 'import { note } from "./shared.js";\nnote("define");\n',
    "js/page.js": '// a remark\nimport { note } from "./shared.js";\nconst open = async () => await import("./soon.js");\n'
                  'note("page");\nopen();\nself.late = () => import("./learn/late.js");\n',
    "js/shared.js": "export const notes = [];\nexport const note = (text) => notes.push(text);\n",
    "js/soon.js": 'import { note } from "./shared.js";\nnote("soon");\n',
    "js/learn/late.js": 'import { note } from "../shared.js";\nnote("late");\n',
    "js/worker.js": 'import { note } from "./shared.js";\nnote("worker");\npostMessage(new URL("./x", import.meta.url).href);\n',
}  # fmt: skip
SCRIPTS = ["js/first.js", "js/define.js", "js/page.js"]
SOURCES = {path.relative_to(SITE).as_posix(): path.read_bytes() for path in SITE.rglob("*.js") if "vendor" not in path.parts}
STATE = re.compile(r"^(?:export )?(?:(?:let|var)\b|const \w+ = (?:new (?:Map|Set|WeakMap|WeakSet|[A-Z]\w*Store)\b|\[\]|\{\}))", re.MULTILINE)


@pytest.fixture(scope="module", autouse=True)
def bundler():
    try:
        node.install_node_packages()
    except node.PackagesMissing as missing:
        pytest.skip(f"esbuild is not installed: {missing}")


def make(**changed) -> dict[str, bytes]:
    return bundled({name: text.encode() for name, text in (APP | changed).items()}, SCRIPTS)


def test_the_first_script_stays_one_the_last_holds_all_others_and_the_worker_is_whole():
    made = make()
    assert made.keys() == {"js/first.js", "js/page.js", WORKER}
    first, page, worker = (made[name].decode() for name in ("js/first.js", "js/page.js", WORKER))
    assert 'note("first")' in first and "import" not in first and '("first")' not in page
    assert page.index('("define")') < page.index('("page")') and '("soon")' in page and page.count("notes") == 0
    assert 'import("./learn/late.js")' in page and '("late")' not in page  # comes when it is wanted, from where it lies
    assert 'note("worker")' in worker and "import.meta.url" in worker
    assert "a remark" not in page and page.startswith("// Made by build.py")


def test_what_two_scripts_share_is_there_once(tmp_path):
    """And so keeps its state: all of them note into the same list."""
    for name, data in make().items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    (tmp_path / "js" / "run.mjs").write_text('globalThis.self = globalThis;\nawait import("./page.js");\nconst { notes } = await import("./first.js");\n'
                                             "console.log(JSON.stringify(notes));\n", encoding="utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}', encoding="utf-8")
    assert json.loads(node.run_node(tmp_path / "js" / "run.mjs")) == ["first", "define", "page", "soon"]


def test_a_name_that_two_of_the_shared_modules_export_is_an_error():
    """Neither's would be exported by the bundle."""
    with pytest.raises(BuildError, match=r"js/first\.js does not export note[,;]"):
        make(**{"js/first.js": 'import "./shared.js";\nimport "./other.js";\n', "js/other.js": "export const note = 1;\n"})


def test_a_page_of_one_script_has_one_bundle():
    made = bundled({name: text.encode() for name, text in APP.items()}, ["js/page.js"])
    assert made.keys() == {"js/page.js", WORKER} and "import{" not in made["js/page.js"].decode()


def test_a_bundle_made_again_is_the_same():
    assert make() == make()


def test_a_cache_behind_a_link_makes_the_same_bundles(monkeypatch, tmp_path):
    expected = make()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.setenv("INKLING_CACHE", str(tmp_path / "cache"))
    (tmp_path / "cache").mkdir()
    try:
        (tmp_path / "cache" / "bundles").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    except OSError:
        pytest.skip("this system lets nobody make links")
    assert make() == expected


def test_a_module_outside_the_site_is_refused():
    with pytest.raises(BuildError, match="leads out of the site"):
        make(**{"js/page.js": 'self.open = () => import("../../outside.js");'})


@pytest.mark.parametrize("text, message", [("const = 1;", r"js/page\.js:1:6"), ('import "./nowhere.js";', "site/js/nowhere.js is imported, and is not there")])
def test_a_mistake_is_named_by_file_and_line(text, message):
    with pytest.raises(BuildError, match=message) as raised:
        make(**{"js/page.js": text})
    assert ".new-" not in str(raised.value)


NAMED = '<head>\n  <script type="module" src="./js/first.js" async></script>\n  <script type="module" src="./js/define.js"></script>\n  <script type="module" src="./js/page.js"></script>\n</head>'


@pytest.mark.parametrize("change", [lambda html: html, lambda html: html.replace("\n", "\r\n"), lambda html: html.replace("</script>", "</script> \t"),
                                    lambda html: html.replace("</script>", "</script><!-- starts it -->"), lambda html: html.replace("\n", "")])
def test_only_the_first_and_the_last_script_are_left_however_the_lines_of_the_page_end(change):
    html = index_page(change(NAMED), "app-1", {name: text.encode() for name, text in APP.items()}, bundled=True).decode()
    assert re.findall("<script.*?>", html) == ['<script type="module" src="./app-1/js/first.js" async>', '<script type="module" src="./app-1/js/page.js">']


@pytest.mark.parametrize("other", ["<script src='./js/soon.js' type=module></script>", '<SCRIPT TYPE="module">start()</SCRIPT>',
                                   '<!--\n<script type="module" src="./js/soon.js"></script>\n-->', '<script type="module" src="https://example.org/a.js"></script>'])
def test_a_module_script_that_would_be_overlooked_is_named_an_error(other):
    for html in (NAMED.replace("</head>", other + "</head>"), f"<head>{other}</head>", "<head></head>"):
        with pytest.raises(BuildError, match=r"site/index\.html: its module scripts"):
            page_scripts(html)


def test_without_the_bundler_the_build_goes_on_and_says_what_is_not_made(monkeypatch, capsys):
    def no_network():
        raise node.PackagesMissing("npm ci failed: no network")

    monkeypatch.setattr(assemble, "install_node_packages", no_network)
    assert not assemble._install_bundler()
    said = capsys.readouterr().out
    assert "inkling.html" in said and "are not bundled" in said and said.endswith("npm ci failed: no network\n") and said.count("\n") == 1


def test_what_lies_in_a_bundle_and_is_imported_from_outside_too_keeps_no_state():
    """It is there twice: once in the bundle, once as it is written."""
    embedders = {"js/embedded.js", "js/sharing.js", "js/languages.js", "js/inkling.js"}  # on other people's pages, where there is no bundle of ours
    scripts = page_scripts((SITE / "index.html").read_text(encoding="utf-8"))
    assert scripts[-1] == "js/page.js" and (ROOT / "site" / WORKER).is_file()
    twice = set()
    for inside in (imported_modules(scripts, SOURCES), imported_modules([WORKER], SOURCES)):
        outside = [name for name in SOURCES if name not in inside and name not in embedders and not name.startswith("js/languages/")]
        twice |= set(imported_modules(outside, SOURCES)) & set(inside) - {"js/worker.js"}
    assert "js/errors.js" in twice
    assert {name for name in twice if STATE.search(SOURCES[name].decode())} == set()
