"""Where the browsers are that the tests and the benchmarks drive, how Firefox is kept quiet, and a display for WebKitGTK."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from builder.common import BuildError

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "microsoft-edge", "msedge")
MAC_APPLICATIONS = ("Google Chrome", "Chromium", "Microsoft Edge")
WINDOWS_FILES = (r"Google\Chrome\Application\chrome.exe", r"Chromium\Application\chrome.exe", r"Microsoft\Edge\Application\msedge.exe")
FIREFOX_NAMES = ("firefox-esr", "firefox")
MINI_BROWSERS = ("lib/*/webkit2gtk-4.1", "lib/*/webkitgtk-6.0", "lib/webkit2gtk-4.1", "lib/webkitgtk-6.0",
                 "libexec/webkit2gtk-4.1", "libexec/webkitgtk-6.0")  # in /usr  # fmt: skip

# For a fresh profile: nothing is fetched that was not asked for, and no page but the given one is opened.
FIREFOX_QUIET = {
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "app.update.enabled": False,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "termsofuse.bypassNotification": True,
}


def find_browser() -> str | None:
    """The path of a Chromium, Chrome or Edge; INKLING_CHROMIUM names one, else it is looked for in the usual places."""
    if chosen := os.environ.get("INKLING_CHROMIUM"):
        if not Path(chosen).is_file():
            raise BuildError(f"INKLING_CHROMIUM names {chosen}, and there is no such file")
        return chosen
    if found := _on_path(CHROMIUM_NAMES):
        return found
    if sys.platform == "darwin":
        usual = [f / f"{name}.app/Contents/MacOS/{name}" for f in (Path("/Applications"), Path.home() / "Applications") for name in MAC_APPLICATIONS]
    elif sys.platform == "win32":
        folders = [os.environ[name] for name in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA") if name in os.environ]
        usual = [Path(folder) / file for file in WINDOWS_FILES for folder in folders]
    else:
        usual = []
    return next((str(path) for path in usual if path.is_file()), None)


def find_firefox() -> str | None:
    """Its path, if it is here."""
    if found := _on_path(FIREFOX_NAMES):
        return found
    usual = {"darwin": Path("/Applications/Firefox.app/Contents/MacOS/firefox"),
             "win32": Path(os.environ.get("PROGRAMFILES", ""), "Mozilla Firefox", "firefox.exe")}.get(sys.platform)  # fmt: skip
    return str(usual) if usual and usual.is_file() else None


def find_mini_browser() -> str | None:
    """The path of WebKitGTK's small browser, if it is here."""
    return next((str(path) for folder in MINI_BROWSERS for path in Path("/usr").glob(f"{folder}/MiniBrowser")), None)


def _on_path(names: tuple[str, ...]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


def firefox_preferences(profile: Path, more: dict | None = None) -> None:
    """Write the preferences above, and more, into a profile that no Firefox has open."""
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in (FIREFOX_QUIET | (more or {})).items()]
    (profile / "user.js").write_text("".join(lines), encoding="utf-8")


class Display:
    """The display that there is, or else a virtual one, until `close`. `name` is what DISPLAY has to say.

    Raises BuildError if Xvfb is missing or ends before it is ready.
    """

    def __init__(self):
        self.name, self._server = os.environ.get("DISPLAY", ""), None
        if self.name:
            return
        if not (program := shutil.which("Xvfb")):
            raise BuildError("WebKitGTK needs a display, and there is neither one nor Xvfb to make one. On Debian and Ubuntu: apt install xvfb")
        reader, writer = os.pipe()
        command = [program, "-displayfd", str(writer), "-screen", "0", "1280x1100x24", "-nolisten", "tcp"]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with os.fdopen(reader) as answer:
            try:
                self._server = subprocess.Popen(command, pass_fds=[writer], **quiet)
            finally:
                os.close(writer)
            number = answer.readline().strip()  # it writes the number that it has found free, or ends
        if not number:
            raise BuildError(f"Xvfb ended before it was ready, with exit code {self._server.wait()}: there is no display for WebKitGTK")
        self.name = f":{number}"

    def close(self) -> None:
        """End the virtual one. Raises BuildError if it had ended before."""
        if not self._server:
            return
        code = self._server.poll()
        self._server.terminate()
        self._server.wait()
        if code is not None:
            raise BuildError(f"Xvfb ended while it was needed, with exit code {code}")
