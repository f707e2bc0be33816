"""What can go wrong between a loader and its bytes."""

from __future__ import annotations


class DataUnavailable(RuntimeError):
    """No source can give the set; the message says what was tried and which command helps."""


class StandInWarning(UserWarning):
    """The set is an offline stand-in, not the real one."""


class NotHere(Exception):
    """One source does not have the set; the text says why. Never leaves this package."""


class Damaged(NotHere):
    """The source has files of the right name with the wrong content: said even if the next source helps."""
