"""The built site in three engines: Chromium, Firefox and WebKitGTK, each driven through the same few calls (engine.py).

    python build.py test --all -m engines

The hand that writes, the drawings and the server are those of tests/browser.
"""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent.parent / "browser"))
