"""Wrong arguments to the export of the book's files."""

from dlphys.datasets.export import export_book

CASES = [
    (export_book, ("unused", "ising_data"), {}, TypeError, r"names must be a list such as \['ising_data'\]"),
    (export_book, ("unused", []), {}, TypeError, r"names must be a list"),
    (export_book, ("unused", ["weather"]), {}, ValueError, r"names must be one of 'ising_data'.*got 'weather'"),
    (export_book, ("unused",), {"seed": -1}, ValueError, r"seed must be at least 0, got -1"),
    (export_book, ("unused",), {"share": 0.0}, ValueError, r"share must be in \(0, 1\], got 0"),
    (export_book, ("unused",), {"share": 1.5}, ValueError, r"share must be in \(0, 1\], got 1.5"),
]
