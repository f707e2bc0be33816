"""When something was due, how late it came, and what that costs."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from dlphys._validation import check_number, shown
from dlphys.course import _tables
from dlphys.course.records import HandedIn

__all__ = ["LateRule", "duration"]

DAY = timedelta(days=1)


@dataclass(frozen=True)
class LateRule:
    """What is taken off for handing in late.

    Attributes
    ----------
    share : float
        Of the points, for each day that has begun after the deadline and the grace; never more than all of them.
    grace : timedelta
        For so long after the deadline nothing is taken off.

    Examples
    --------
    >>> LateRule(0.2, grace=timedelta(minutes=15)).taken(timedelta(hours=25))
    0.4
    """

    share: float
    grace: timedelta = timedelta(0)

    def __post_init__(self) -> None:
        check_number(minimum=0, maximum=1, share=self.share)
        if not isinstance(self.grace, timedelta):
            raise TypeError(f"grace must be a timedelta, got {shown(self.grace)}")
        if self.grace < timedelta(0):
            raise ValueError(f"grace must not be negative, got {self.grace}")

    def taken(self, late: timedelta) -> float:
        """The share that is taken off for so much time after the deadline."""
        return min(1.0, self.share * max(0, math.ceil((late - self.grace) / DAY)))


def duration(time: timedelta) -> str:
    """A time in words, to the minute below a day and to the hour above.

    Parameters
    ----------
    time : timedelta
        Begun minutes count.

    Raises
    ------
    TypeError
        If time is no timedelta.

    Examples
    --------
    >>> duration(timedelta(days=1, hours=3, minutes=59))
    '1 day 3 h'
    """
    if not isinstance(time, timedelta):
        raise TypeError(f"time must be a timedelta, got {shown(time)}")
    minutes = math.ceil(time / timedelta(minutes=1))
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} {'day' if days == 1 else 'days'}" + (f" {hours} h" if hours else "")
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min"


def time(value: datetime | str, name: str) -> datetime:
    """A time with its zone, from itself or from a text; name is the argument's, for the error."""
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        raise ValueError(f"{name} must be a time such as 2026-11-30T23:59+01:00, got {value!r}") from None
    if not isinstance(when, datetime):
        raise TypeError(f"{name} must be a datetime or a text, got {shown(value)}")
    if when.tzinfo is None:
        raise ValueError(f"{name} must say its time zone, as in 2026-11-30T23:59+01:00, got {str(value)!r}")
    return when


def deadlines(extensions: str | Path | Mapping[str, datetime] | None, students: Collection[str]) -> dict[str, datetime]:
    """Student -> the deadline that holds for this one alone."""
    if extensions is None:
        return {}
    if isinstance(extensions, Mapping):
        given = [("extensions", student, time(when, "extensions")) for student, when in extensions.items()]
    else:
        table = _tables.rows(extensions, ("student", "deadline"), what="extensions")
        given = [
            (where, row["student"], time(row["deadline"], f"{where}: deadline"))
            for where, row in table
            if row["deadline"]
        ]
    for where, student, _ in given:
        if student not in students:
            raise ValueError(f"{where}: there is no student {student!r}")
    return {student: when for _, student, when in given}


def when_known(handed_in: HandedIn) -> datetime | None:
    """The time of a hand-in, if it is known with its time zone."""
    when = handed_in.when
    return when if when is not None and when.tzinfo is not None else None
