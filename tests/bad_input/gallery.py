"""Wrong arguments to the gallery."""

from dlphys.plotting import gallery

CASES = [
    (gallery.picture, ("weather",), {}, ValueError, r"name must be one of .*, got 'weather'"),
    (gallery.picture, (3.5,), {}, ValueError, r"name must be one of .*, got 3.5"),
    (gallery.sheet, ("ising",), {}, TypeError, r"names must be a list of names of data sets, got 'ising'"),
    (gallery.sheet, (["weather"],), {}, ValueError, r"names must be one of .*, got 'weather'"),
    (gallery.sheet, (), {"columns": 0}, ValueError, r"columns must be at least 1, got 0"),
]
