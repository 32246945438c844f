"""Digits as drawings: recorded from people's pens, made by rule, deformed as hands do, and laid on the pad as ink.

A drawing is a list of strokes, a stroke an array of points (n, 2), x to the right and y down, in sides of the pad.
"""

import numpy as np

Drawing = list[np.ndarray]
