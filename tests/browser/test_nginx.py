"""deploy/nginx.conf under the real nginx: each of its answers is what builder/headers.py and the preview server say, and the page works."""

from __future__ import annotations

import gzip
import http.client
import os
import re
import shutil
import subprocess
from urllib.parse import urlsplit

import pytest
from conftest import serving
from hand import digit
from nginx import CONFIGURATION, find_nginx, nginx, why_not

from builder.headers import POLICY, SECURITY

SUB_PATH = "some/sub/path/"
COMPARED = ("Cache-Control", "Content-Disposition", "Content-Encoding", "Content-Type", "Vary", *SECURITY)


@pytest.fixture(scope="module")
def host(dist, tmp_path_factory):
    """The address of nginx; dist/ lies at its root, and once more below SUB_PATH."""
    if not os.environ.get("INKLING_ALL"):
        pytest.skip("nginx is tested by: python build.py test --all")
    if reason := why_not():
        if os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail(f"{reason}. In CI it may not be missing", pytrace=False)
        pytest.skip(f"NOT RUN: {reason}")
    assert list(dist.rglob("*.br")), "dist/ is without .br and .gz: python build.py makes them"
    root = tmp_path_factory.mktemp("srv") / "inkling"
    shutil.copytree(dist, root)
    shutil.copytree(dist, root / SUB_PATH)
    root.parent.chmod(0o755)
    with nginx(root, tmp_path_factory.mktemp("nginx")) as address:
        yield address


@pytest.fixture(scope="module")
def names(dist) -> list[str]:
    """All that a host is to serve, by its path, and two folders by theirs."""
    files = (path.relative_to(dist).as_posix() for path in sorted(dist.rglob("*")) if path.is_file())
    return ["", *(name for name in files if not name.endswith((".br", ".gz")) and name != "_headers")]


def ask(address: str, path: str = "", method: str = "GET", **headers: str):
    """(status, headers, body), the body as it comes over the wire."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    connection.request(method, urlsplit(address).path + path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, answer.headers, body


def hashed(dist, pattern: str) -> str:
    """The path of the one file in dist/ that fits."""
    [file] = dist.glob(pattern)
    return file.relative_to(dist).as_posix()


def test_the_policy_stands_in_the_configuration_as_the_build_has_it():
    """The one that runs everywhere: the rest needs nginx."""
    sent = dict(re.findall(r'^ *add_header (\S+) "(.*)" always;$', CONFIGURATION.read_text(encoding="utf-8"), re.MULTILINE))
    assert sent == SECURITY


@pytest.mark.parametrize("encodings", ["gzip, deflate, br, zstd", "gzip", "", "br;q=0, gzip;q=0"])
def test_every_file_is_sent_as_the_preview_server_sends_it(host, dist, names, encodings):
    with serving(dist) as preview:
        for name in names:
            (status, headers, body), (_, wanted, same) = (ask(address, name, Accept_Encoding=encodings) for address in (host, preview.url))
            said, expected = ({key: found[key] for key in COMPARED} for found in (headers, wanted))
            if not headers["Vary"] and not (dist / f"{name}.gz").is_file():
                expected["Vary"] = None  # there is but one form of it
            assert (status, said) == (200, expected), name
            assert body == same, name


def test_what_the_build_has_compressed_goes_out_in_the_best_form_that_is_accepted(host, dist):
    wasm = hashed(dist, "runtime-*/pyodide.asm.wasm")
    whole = (dist / wasm).read_bytes()
    seen = {wanted: ask(host, wasm, Accept_Encoding=wanted) for wanted in ("gzip, br", "gzip", "identity")}
    assert {wanted: headers["Content-Encoding"] for wanted, (_, headers, _) in seen.items()} == {"gzip, br": "br", "gzip": "gzip", "identity": None}
    assert [len(body) for *_, body in seen.values()] == sorted(len(body) for *_, body in seen.values())
    assert gzip.decompress(seen["gzip"][2]) == seen["identity"][2] == whole
    assert {headers["Content-Type"] for _, headers, _ in seen.values()} == {"application/wasm"}
    assert all(headers["Vary"] == "Accept-Encoding" for _, headers, _ in seen.values())


def test_the_types_that_a_browser_insists_on(host, dist):
    for pattern, kind in (("runtime-*/pyodide.mjs", "text/javascript"), ("runtime-*/pyodide.asm.wasm", "application/wasm"),
                          ("manifest.webmanifest", "application/manifest+json"), ("sw.js", "text/javascript")):  # fmt: skip
        assert ask(host, hashed(dist, pattern))[1].get_content_type() == kind


@pytest.mark.parametrize("name", ["", "index.html", "sw.js", "js/inkling.js", "js/digit-recognizer.js", "manifest.webmanifest"])
def test_a_fixed_name_is_asked_about_and_costs_nothing_when_nothing_changed(host, name):
    _, headers, _ = ask(host, name)
    status, again, body = ask(host, name, If_None_Match=headers["ETag"])
    assert headers["Cache-Control"] == again["Cache-Control"] == "no-cache"
    assert (status, body) == (304, b"") and again["Content-Security-Policy"] == POLICY


def test_a_hashed_folder_is_kept_for_a_year_and_an_error_in_it_is_not(host, dist):
    page = hashed(dist, "app-*/js/page.js")
    assert "immutable" in ask(host, page)[1]["Cache-Control"]
    status, headers, _ = ask(host, page.replace("page.js", "gone.js"))
    assert (status, headers["Cache-Control"]) == (404, "no-cache")


@pytest.mark.parametrize("path, method, status", [("gone", "GET", 404), ("_headers", "GET", 404), (SUB_PATH + "_headers", "GET", 404), ("js/", "GET", 403),
                                                  ("../../etc/passwd", "GET", 400), ("", "POST", 405), ("%00", "GET", 400)])  # fmt: skip
def test_an_error_has_the_security_headers_too_and_tells_no_version(host, path, method, status):
    answered, headers, body = ask(host, path, method)
    assert answered == status
    if status != 400:  # no request at all: nginx refuses it before it looks at any server
        assert {name: headers[name] for name in SECURITY} == SECURITY
        assert headers["Cache-Control"] == "no-cache"
    assert not re.search(rb"nginx/\d", body) and headers["Server"] == "nginx"


def test_a_range_of_a_file_is_sent_alone(host, dist):
    wasm = hashed(dist, "runtime-*/pyodide.asm.wasm")
    whole = (dist / wasm).read_bytes()
    status, headers, body = ask(host, wasm, Range="bytes=1000-1999")
    assert (status, headers["Content-Range"], body) == (206, f"bytes 1000-1999/{len(whole)}", whole[1000:2000])
    assert "immutable" in headers["Cache-Control"] and headers["Content-Security-Policy"] == POLICY
    assert ask(host, wasm, Range=f"bytes={len(whole)}-")[0] == 416


def test_a_folder_without_its_slash_is_redirected_without_naming_a_host(host):
    status, headers, _ = ask(host, SUB_PATH.rstrip("/"))
    assert (status, headers["Location"]) == (301, "/" + SUB_PATH)


@pytest.mark.parametrize("path", ["", SUB_PATH])
def test_the_page_works_there_now_and_offline(host, new_visit, path):
    visit = new_visit(host + path).open().ready()
    assert visit.read(digit(3)) == "3"
    visit.offline_ready()
    visit.context.set_offline(True)
    visit.page.reload()
    visit.ready()
    assert visit.read(digit(7)) == "7"


def test_the_configuration_is_accepted_as_it_lies_there(host):
    run = subprocess.run([find_nginx(), "-t", "-c", str(CONFIGURATION)], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
