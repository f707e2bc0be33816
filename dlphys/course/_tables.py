"""CSV files: read as spreadsheets write them, written so that a spreadsheet takes no text for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from dlphys._validation import shown
from dlphys.course.run import write_whole

# A cell that begins so is a formula to a spreadsheet; the last four are the wide forms, which some take for the same.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def rows(path: str | Path, columns: Sequence[str], *, what: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each line of a table as ("class.csv, line 3", its cells); columns are those that it must have."""
    if not isinstance(path, str | Path):
        raise TypeError(f"{what} must be a path, got {shown(path)}")
    file = Path(path)
    if not file.is_file():
        raise ValueError(f"{what} must be a CSV file that exists, got {str(path)!r}")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{what} must be a CSV file in UTF-8, but {file.name} is not") from None
    first = text.partition("\n")[0]
    delimiter = ";" if first.count(";") > first.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="", restkey="")
    have = [name.strip() for name in reader.fieldnames or ()]
    if missing := [name for name in columns if name not in have]:
        got = ", ".join(have) or "none"
        raise ValueError(
            f"{what} must have the columns {', '.join(columns)}: {file.name} has no {missing[0]}, got {got}"
        )
    reader.fieldnames = have
    for row in reader:
        yield f"{file.name}, line {reader.line_num}", {name: _plain(row.get(name) or "") for name in have}


def _plain(cell: str) -> str:
    """A cell without the mark that `cell` puts before what looks like a formula."""
    cell = cell.strip()
    return cell[1:] if cell.startswith("'") and cell[1:].lstrip().startswith(FORMULA) else cell


def cell(value: Any) -> Any:
    """A value for a table: text that a spreadsheet would calculate gets a mark before it, and stays one line."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, str):
        return "" if value is None else value
    line = " ".join(value.split()) if "\n" in value or "\r" in value else value
    return f"'{line}" if line.lstrip(" ").startswith(FORMULA) else line


def text(header: Sequence[str], lines: Iterable[Sequence[Any]], *, mark: bool = True) -> str:
    """The text of a table; with ``mark``, of the bytes by which spreadsheets know UTF-8."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow([cell(name) for name in header])
    writer.writerows([cell(value) for value in line] for line in lines)
    return ("\ufeff" if mark else "") + buffer.getvalue()


def save(file: str | Path, text: str) -> Path:
    """Write a file whole, also if a student's text has half a character, which UTF-8 cannot say."""
    if not isinstance(file, str | Path):
        raise TypeError(f"file must be a path, got {shown(file)}")
    write_whole(Path(file), text.encode("utf-8", "backslashreplace").decode("utf-8"))
    return Path(file)
