"""What every loader returns: three parts of arrays, and where they come from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TypeAlias

import numpy as np

from dlphys._validation import shown

Arrays: TypeAlias = np.ndarray | dict[str, np.ndarray]

PARTS = ("train", "validation", "test")
WIDTH = 100  # columns of a repr


@dataclass(frozen=True)
class About:
    """What a set is, in words.

    Attributes
    ----------
    title : str
    source : str
        "mirror", "cache", "download", "simulated", "included" or "stand-in": where the bytes came from.
    units : dict
        Unit of every column of the inputs, in the order of the last axis of ``x``.
    made : str
        How the data were taken or computed.
    licence, citation : str
    flaws : tuple of str
        What a careful user should know before trusting a number.
    target_units, extra_units : dict
        The same as ``units`` for ``y`` and for the arrays beside the inputs.
    classes : tuple of str
        Names of the classes 0, 1, ...; empty where the target is not a class.
    """

    title: str
    source: str
    units: Mapping[str, str]
    made: str
    licence: str
    citation: str
    flaws: tuple[str, ...] = ()
    target_units: Mapping[str, str] = field(default_factory=dict)
    extra_units: Mapping[str, str] = field(default_factory=dict)
    classes: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the input columns, in order."""
        return tuple(self.units)


def count(arrays: Arrays, name: str = "arrays") -> int:
    """Number of events of an array, or of a dict of arrays that must agree."""
    if isinstance(arrays, np.ndarray):
        if arrays.ndim == 0:
            raise ValueError(f"{name} must have events on its first axis, got an array without axes")
        return len(arrays)
    if not isinstance(arrays, dict) or not all(isinstance(array, np.ndarray) for array in arrays.values()):
        raise TypeError(f"{name} must be an array or a dict of arrays, got {shown(arrays)} ({type(arrays).__name__})")
    lengths = {key: count(array, f"{name}[{key!r}]") for key, array in arrays.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"{name} must hold arrays with the same number of events, got {shown(lengths)}")
    return next(iter(lengths.values()))


def take(arrays: Arrays, rows: np.ndarray | slice) -> Arrays:
    """The chosen events of an array, or of every array of a dict."""
    if isinstance(arrays, dict):
        return {key: array[rows] for key, array in arrays.items()}
    return arrays[rows]


def _layout(arrays: Arrays) -> object:
    """Everything but the number of events; equal for the three parts of a set."""
    if isinstance(arrays, dict):
        return {key: _layout(array) for key, array in arrays.items()}
    return arrays.shape[1:], arrays.dtype.str


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Dataset:
    """A set that is ready to train on.

    Attributes
    ----------
    name : str
    x_train, x_validation, x_test : array, or dict of arrays where a network has several inputs
        Inputs; events are the first axis.
    y_train, y_validation, y_test : array or dict of arrays
        Targets.
    about : About
        Units, source, licence, citation, flaws.
    extra_train, extra_validation, extra_test : dict of arrays
        Further properties of each event that the network does not see.

    Raises
    ------
    TypeError, ValueError
        If the arrays of a part do not have the same number of events, or the parts differ in layout.

    Examples
    --------
    >>> from dlphys.datasets import About, Dataset
    >>> x, y = np.arange(8.0).reshape(4, 2), np.arange(4.0)
    >>> about = About("two columns", "simulated", {"a": "m", "b": "s"}, "counted", "CC0", "none")
    >>> data = Dataset(name="demo", x_train=x[:2], y_train=y[:2], x_validation=x[2:3], y_validation=y[2:3],
    ...                x_test=x[3:], y_test=y[3:], about=about)
    >>> data.x_train.shape
    (2, 2)
    """

    name: str
    x_train: Arrays
    y_train: Arrays
    x_validation: Arrays
    y_validation: Arrays
    x_test: Arrays
    y_test: Arrays
    about: About
    extra_train: dict[str, np.ndarray] = field(default_factory=dict)
    extra_validation: dict[str, np.ndarray] = field(default_factory=dict)
    extra_test: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.about, About):
            raise TypeError(f"about must be an About, got {shown(self.about)} ({type(self.about).__name__})")
        for part in PARTS:
            events = count(getattr(self, f"x_{part}"), f"x_{part}")
            for kind in ("y", "extra"):
                name = f"{kind}_{part}"
                arrays = getattr(self, name)
                if kind == "extra" and arrays == {}:
                    continue
                if count(arrays, name) != events:
                    raise ValueError(f"{name} must have {events} events like x_{part}, got {count(arrays, name)}")
        for kind in ("x", "y", "extra"):
            layout = _layout(getattr(self, f"{kind}_train"))
            for part in PARTS[1:]:
                other = _layout(getattr(self, f"{kind}_{part}"))
                if other != layout:
                    raise ValueError(
                        f"{kind}_{part} must have the event shape, type and keys of {kind}_train, {shown(layout)}, "
                        f"got {shown(other)}"
                    )

    def _arrays(self) -> Iterator[tuple[str, np.ndarray]]:
        for kind in ("x", "y", "extra"):
            for part in PARTS:
                name = f"{kind}_{part}"
                arrays = getattr(self, name)
                if isinstance(arrays, dict):
                    yield from ((f"{name}[{key!r}]", array) for key, array in arrays.items())
                else:
                    yield name, arrays

    def _facts(self) -> list[tuple[str, str]]:
        about = self.about
        facts = [("source", about.source), ("inputs", _with_units(about.units))]
        facts += [("targets", _with_units(about.target_units)), ("beside", _with_units(about.extra_units))]
        facts += [("classes", ", ".join(_numbered(about.classes)))]
        facts += [("made", about.made), ("licence", about.licence), ("citation", about.citation)]
        facts += [("flaw", flaw) for flaw in about.flaws]
        return [(key, value) for key, value in facts if value]

    def __repr__(self) -> str:
        rows = [(name, str(array.shape), str(array.dtype), _size(array.nbytes)) for name, array in self._arrays()]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        lines = [f"{self.name}: {self.about.title}"]
        for name, shape, dtype, size in rows:
            lines.append(f"  {name:<{widths[0]}}  {shape:<{widths[1]}}  {dtype:<{widths[2]}}  {size:>{widths[3]}}")
        for key, value in self._facts():
            lines.append(f"  {key:<8}  {textwrap.shorten(value, WIDTH - 12, placeholder=' ...')}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        # no colours of our own: the notebook's theme, light or dark, decides
        left = "style='text-align:left; vertical-align:top; white-space:nowrap'"
        wide = "style='text-align:left; white-space:normal; max-width:60em'"
        arrays = "".join(
            f"<tr><th scope='row' {left}><code>{escape(name)}</code></th><td {left}>{escape(str(array.shape))}</td>"
            f"<td {left}>{array.dtype}</td><td {left}>{_size(array.nbytes)}</td></tr>"
            for name, array in self._arrays()
        )
        facts = "".join(
            f"<tr><th scope='row' {left}>{escape(key)}</th><td colspan='3' {wide}>{escape(value)}</td></tr>"
            for key, value in self._facts()
        )
        heads = "".join(f"<th scope='col' {left}>{head}</th>" for head in ("array", "shape", "type", "size"))
        return (
            f"<table><caption {left}>{escape(self.name)}: {escape(self.about.title)}</caption>"
            f"<thead><tr>{heads}</tr></thead><tbody>{arrays}{facts}</tbody></table>"
        )


def _with_units(units: Mapping[str, str]) -> str:
    return ", ".join(f"{column} [{unit}]" for column, unit in units.items())


def _numbered(classes: tuple[str, ...]) -> list[str]:
    return [name if name == str(i) else f"{i} {name}" for i, name in enumerate(classes)]


def _size(n_bytes: int) -> str:
    """A size for people: kB, MB, GB in powers of ten.

    >>> _size(188_160_000)
    '188 MB'
    """
    value = float(n_bytes)
    for unit in ("B", "kB", "MB"):
        if value < 999.5:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"
