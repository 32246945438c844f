"""Desktop tools that train, measure and use Inkling's networks. They import `inkling`; it never imports them."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = str(ROOT / "site" / "py")
if _PACKAGES not in sys.path:
    # The network lies where the web page serves it from; nothing needs installing to find it.
    sys.path.insert(0, _PACKAGES)
