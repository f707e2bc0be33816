"""Pages from the templates in ``pages``: self-contained, and allowed nothing but their own style and script."""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from importlib import resources
from typing import Any

from dlphys.course.diagnosis import diagnosis
from dlphys.course.late import duration
from dlphys.course.results import copied


def page(template: str, *, script: str = "", **content: Any) -> str:
    """A page from a template."""
    css, code = _static("page.css"), _static(script) if script else ""
    allowed = f"style-src {_digest(css)}; script-src {_digest(code) if code else repr('none')}"
    policy = f"default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:; {allowed}"
    return str(_environment().get_template(template).render(css=css, script=code, policy=policy, **content)) + "\n"


def points(value: float) -> str:
    return f"{round(value, 2):g}"


@functools.cache
def _environment() -> Any:
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("dlphys.course", "pages"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"points": points, "duration": duration, "diagnosis": diagnosis, "copied": copied}
    environment.filters["markdown"] = _markdown
    return environment


def _markdown(text: str) -> Any:
    """The course's own text as HTML, with formulas as they stand in the source; what is HTML in it is shown as text."""
    import markupsafe
    import mistune

    made = str(mistune.create_markdown(escape=True, plugins=["math"])(text))
    made = re.sub(r'(<span class="math">)\\\((.*?)\\\)(</span>)', r"\1$\2$\3", made, flags=re.DOTALL)
    return markupsafe.Markup(made)


@functools.cache
def _static(name: str) -> str:
    return resources.files("dlphys.course").joinpath("pages", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
