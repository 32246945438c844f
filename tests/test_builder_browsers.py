"""What the tests and the benchmarks share about browsers: a virtual display that dies is told."""

import os
import sys

import pytest

from builder import browsers
from builder.common import BuildError

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Xvfb and WebKitGTK are not for Windows")


@pytest.fixture
def xvfb(tmp_path, monkeypatch):
    """xvfb(script): from now on this Python script is what starts as Xvfb; `tell` sends what a display says when it is ready."""
    monkeypatch.delenv("DISPLAY", raising=False)

    def put(script: str) -> None:
        tell = "import os, sys, time\ndef tell(text): os.write(int(sys.argv[2]), text); os.close(int(sys.argv[2]))\n"
        (tmp_path / "Xvfb").write_text(f"#!{sys.executable}\n{tell}{script}\n")
        (tmp_path / "Xvfb").chmod(0o755)
        monkeypatch.setattr(browsers.shutil, "which", lambda name: str(tmp_path / name))

    return put


def test_a_display_that_there_is_is_used(monkeypatch):
    monkeypatch.setenv("DISPLAY", ":7")
    display = browsers.Display()
    assert display.name == ":7"
    display.close()


def test_a_virtual_display_has_the_number_that_it_tells(xvfb):
    xvfb("tell(b'42\\n'); time.sleep(60)")
    display = browsers.Display()
    assert display.name == ":42"
    display.close()


def test_a_virtual_display_that_does_not_start_is_an_error(xvfb):
    xvfb("sys.exit(3)")
    with pytest.raises(BuildError, match="Xvfb ended before it was ready, with exit code 3"):
        browsers.Display()


def test_a_virtual_display_that_dies_is_an_error(xvfb):
    xvfb("tell(b'42\\n'); sys.exit(4)")
    display = browsers.Display()
    display._server.wait(20)
    with pytest.raises(BuildError, match="Xvfb ended while it was needed, with exit code 4"):
        display.close()


def test_without_xvfb_the_error_says_what_to_install(monkeypatch):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setattr(browsers.shutil, "which", lambda name: None)
    with pytest.raises(BuildError, match="apt install xvfb"):
        browsers.Display()


def test_preferences_are_written_as_firefox_reads_them(tmp_path):
    browsers.firefox_preferences(tmp_path, {"browser.download.folderList": 2})
    lines = (tmp_path / "user.js").read_text(encoding="utf-8").splitlines()
    assert 'user_pref("app.update.enabled", false);' in lines and 'user_pref("browser.download.folderList", 2);' in lines
