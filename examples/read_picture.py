"""Reads the number in a picture with the installed package: python read_picture.py photo.jpg

It needs Pillow and Inkling: pip install release/inkling_digits-*.whl pillow, the wheel that python3 build.py release makes.
"""

import sys

import numpy as np
from PIL import Image, ImageOps

from inkling.shipped import read

if len(sys.argv) != 2:
    print("usage: python read_picture.py photo.jpg", file=sys.stderr)
    sys.exit(2)
try:
    picture = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGBA")
except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:  # what Pillow raises for files that are no whole picture
    sys.exit(f"{sys.argv[1]}: {error}")
answer = read(np.asarray(picture), numbers=True)
print(answer["text"] or f"nothing that could be read: {answer['reason']}")
for digit in answer["digits"]:
    print(f"  {digit['digit']}, {digit['confidence']:.1%} sure, at {digit['box']}")
