"""What holds for all tests."""

import os

# As trainer/train.py has it: with more threads the last digits of a sum depend on the processor, and some tests compare bit for bit. Before NumPy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
