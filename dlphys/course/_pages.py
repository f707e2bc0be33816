"""Pages in Markdown with parts that a command writes."""

from __future__ import annotations

from pathlib import Path

from dlphys.course.run import write_whole


def fill(page: Path, name: str, content: str, *, check: bool) -> bool:
    """Put a text between ``<!-- name -->`` and ``<!-- /name -->`` of a page; whether that changes it."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    if not page.is_file():
        raise ValueError(f"root must be a checkout with {page.name}, got {str(page.parent)!r}")
    old = page.read_text(encoding="utf-8")
    if old.count(begin) != 1 or old.count(end) != 1 or old.find(end) < old.find(begin):
        raise ValueError(f"{page.name} must hold {begin} and, below it, {end}, each once")
    new = f"{old[: old.find(begin)]}{begin}\n{content}\n{old[old.find(end) :]}"
    if new != old and not check:
        write_whole(page, new)
    return new != old
