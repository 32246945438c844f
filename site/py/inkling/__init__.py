"""Inkling: a handwritten-digit recogniser whose neural network is plain NumPy.

Read it in this order: layers, losses, optimizers, model, training, preprocess, weights, session.
The same files train on a desktop and answer in the browser.
"""

__version__ = "0.1.0"
