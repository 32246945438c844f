"""Reads the number in a picture with the installed package: python read_picture.py photo.jpg

It needs: pip install inkling-digits pillow
"""

import sys

import numpy as np
from PIL import Image, ImageOps

from inkling.shipped import read

picture = ImageOps.exif_transpose(Image.open(sys.argv[1])).convert("RGBA")
answer = read(np.asarray(picture), numbers=True)
print(answer["text"] or f"nothing that could be read: {answer['reason']}")
for digit in answer["digits"]:
    print(f"  {digit['digit']}, {digit['confidence']:.1%} sure, at {digit['box']}")
