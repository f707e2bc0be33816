"""Exercises, simulators and checks for a course on deep learning in physics.

Importing this package costs next to nothing: each part loads what it needs when it is imported.
"""

import os

__version__ = "0.1.0"

# TensorFlow prints pages about processor instructions when it starts; errors are still shown.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
