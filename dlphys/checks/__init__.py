"""Feedback on exercises: one line of verdict, then what was seen, what was expected, and where to look.

A notebook begins with ``check = checks.start("ch08_convolutional")`` and asks ``check("8.1a", build_cnn)``.
"""

from dlphys.checks.session import Check, CheckFailed, start

__all__ = ["Check", "CheckFailed", "start"]
