"""What the build refuses: one case for each rule, with the line that its message points at."""

import re

import pytest
from building import CHAPTER, change, write

from dlphys.course.build import SourceError, build


@pytest.fixture
def checkout(tmp_path):
    """A checkout with one chapter."""
    write(tmp_path / "checkout/notebooks/source/ch08_tiny.py", CHAPTER)
    return tmp_path / "checkout"


# what is refused: (what is changed, into what, what the message says, a text on the line it points at)

BAD = {
    "begin without end": (
        '    ### END SOLUTION\n\n\n# %% check="8.1a"',
        '\n# %% check="8.1a"',
        "without '### END SOLUTION'",
        "### BEGIN",
    ),
    "end without begin": (
        "    ### BEGIN SOLUTION\n    per",
        "    per",
        "'### END SOLUTION' without",
        "    ### END SOLUTION",
    ),
    "nested regions": (
        "    per_filter =",
        "    ### BEGIN SOLUTION\n    per_filter =",
        "a region inside a region",
        "### BEGIN SOLUTION\n    per",
    ),
    "misspelt marker": (
        "    ### BEGIN SOLUTION\n    per",
        "    ### BEGIN SOLUTON\n    per",
        "must be exactly",
        "SOLUTON",
    ),
    "four hashes": ("    ### BEGIN SOLUTION\n    per", "    #### BEGIN SOLUTION\n    per", "must be exactly", "####"),
    "any other line of three hashes": ("EPOCHS = 8", "### sizes\nEPOCHS = 8", "must be exactly", "### sizes"),
    "marker in lower case": (
        "    per_filter =",
        "    # begin solution\n    per_filter =",
        "looks like a marker",
        "# begin",
    ),
    "marker with an underscore": (
        "    per_filter =",
        "    ## END_SOLUTION\n    per_filter =",
        "looks like a marker",
        "## END_",
    ),
    "marker turned round": (
        "    per_filter =",
        "    # solution ends: end\n    # Solution end\n    per_filter =",
        "looks like a marker",
        "# Solution end",
    ),
    "marker behind code": ("EPOCHS = 8", "EPOCHS = 8  ### BEGIN SOLUTION", "looks like a marker", "EPOCHS = 8"),
    "task without a region": (
        "        ### BEGIN SOLUTION\n        return weights_of(EPOCHS, self.size)\n        ### END SOLUTION",
        "        return 0",
        "exactly one solution region, it holds 0",
        "class Convolution",
    ),
    "task with two regions": (
        "        self.size = size\n",
        "        ### BEGIN SOLUTION\n        self.size = size\n        ### END SOLUTION\n",
        "exactly one solution region, it holds 2",
        "class Convolution",
    ),
    "region outside a task": (
        "EPOCHS = 8",
        "### BEGIN SOLUTION\nEPOCHS = 8\n### END SOLUTION",
        "outside a task cell",
        "### BEGIN",
    ),
    "region in a text": (
        "### Weights\n",
        "### BEGIN SOLUTION\n### END SOLUTION\n",
        "outside a task cell",
        "# Convolutions",
    ),
    "region around a whole function": (
        'def weights_of(filters, size):\n    """Number of weights."""\n    ### BEGIN SOLUTION',
        '### BEGIN SOLUTION\ndef weights_of(filters, size):\n    """Number of weights."""',
        "must stand inside a function",
        "### BEGIN SOLUTION\ndef",
    ),
    "region whose stub is no Python": (
        "    ### BEGIN SOLUTION\n    per_filter = size * size + 1  # with its bias\n",
        "    per_filter = (\n    ### BEGIN SOLUTION\n    size * size + 1)\n",
        "without its solution task 8.1a is not valid Python",
        "def weights_of",
    ),
    "duplicate task": (
        'task="8.1b" points=3',
        'task="8.1a" points=3',
        "task 8.1a exists already, at .*:31",
        "class Convolution",
    ),
    "two tasks that define one name": (
        "class Convolution",
        "class weights_of",
        "already defined by the task at line",
        "class weights_of",
    ),
    "task without a check": (
        '\n# %% check="8.1b"\ncheck("8.1b", Convolution)\n',
        "\n",
        "task 8.1b has no check",
        "class Convolution",
    ),
    "check without a task": ('check="8.1b"', 'check="8.1c"', "check 8.1c has no task", 'check("8.1b"'),
    "two checks of one task": (
        'check("8.1b", Convolution)',
        'check("8.1b", Convolution)\n\n# %% check="8.1b"\ncheck("8.1b", Convolution )',
        "has a check cell already",
        "Convolution )",
    ),
    "check above its task": (
        '# %% task="8.1a"',
        '# %% check="8.1b"\ncheck("8.1b", Convolution )\n\n# %% task="8.1a"',
        "must stand below its task",
        "Convolution )",
    ),
    "check cell that calls nothing": (
        'check("8.1b", Convolution)',
        "Convolution(3)",
        r'must call check\("8.1b", ...\)',
        "Convolution(3)",
    ),
    "check cell that checks another task": (
        'check("8.1b", Convolution)',
        'check("8.1a", weights_of )',
        r'must call check\("8.1b", ...\)',
        "weights_of )",
    ),
    "check that is not a statement": (
        'check("8.1b", Convolution)',
        'x = check("8.1b", Convolution)',
        "statement of its own",
        "x = check",
    ),
    "check of another object": (
        'check("8.1b", Convolution)',
        'check("8.1b", weights_of)',
        "must be given Convolution",
        'check("8.1b"',
    ),
    "check in a plain cell": (
        'print("a demon',
        'check("8.1a", 3)\nprint("a demon',
        "in a cell that is no check cell",
        'check("8.1a", 3)',
    ),
    "unknown coverage id": ("E8.1/1", "E8.1/9", "'E8.1/9', which is not in the coverage table", "def weights_of"),
    "exercise whose parts are to be named": (
        "E8.1/1",
        "E8.1",
        r"has parts: name the part \(E8.1/1, E8.1/2, E8.1/3\)",
        "def weights_of",
    ),
    "example without a claim": (
        'covers="E8.1/1"',
        'covers="E8.1/1 X8.4"',
        r'example X8.4, which needs check.claim\("X8.4"',
        "def weights_of",
    ),
    "claim of what is not covered": (
        'check.claim("M8.3"',
        'check.claim("M8.2"',
        "claims what no cell of this file covers",
        '"M8.2"',
    ),
    "claim within other code": (
        'check.claim("X8.2"',
        'if EPOCHS:\n    check.claim("X8.2"',
        "statement of its own at the top level",
        '    check.claim("X8.2"',
    ),
    "claim whose value is kept": (
        'check.claim("X8.2"',
        'x = check.claim("X8.2"',
        "statement of its own at the top level",
        "x = check",
    ),
    "claim without a literal id": (
        'check.claim("X8.2"',
        'check.claim("X" + "8.2"',
        "with its id as text",
        '"X" + "8.2"',
    ),
    "exercise covered by a demonstration": ("# %%\n# cat", '# %% covers="E8.1/1"\n# cat', "needs a task", "# cat"),
    "no setup cell": ('# %% tags=["setup"]', "# %%", "there is no setup cell", "dlphys: {"),
    "setup that starts nothing": (
        'check = checks.start("ch08_tiny")',
        "check = None",
        "must stand once, in the setup cell, it stands 0",
        "import numpy",
    ),
    "setup that starts another chapter": (
        'start("ch08_tiny")',
        'start("ch07")',
        'write check = checks.start."ch08_tiny".',
        "checks.start",
    ),
    "setup that says the version itself": (
        'start("ch08_tiny")',
        'start("ch08_tiny", built_for="1")',
        "write check = ",
        "checks.start",
    ),
    "lower-case parameter": ("EPOCHS = 8", "EPOCHS = 8\nrate = 0.1", "UPPERCASE sizes only, got 'rate'", "rate = 0.1"),
    "two parameters cells": (
        "# %%\n# cat",
        '# %% tags=["parameters"]\nLAYERS = 3\n\n# %%\n# cat',
        "one parameters cell",
        "LAYERS",
    ),
    "fast mode of an unknown name": (
        "fast: {EPOCHS: 1}",
        "fast: {STEPS: 1}",
        "overrides 'STEPS', which is not assigned",
        "dlphys: {",
    ),
    "task with two functions": (
        "def weights_of",
        "def other():\n    pass\n\n\ndef weights_of",
        "exactly one function or class",
        "def other",
    ),
    "task with a statement beside it": (
        "def weights_of",
        "LIMIT = 3\n\n\ndef weights_of",
        "exactly one function or class",
        "LIMIT = 3",
    ),
    "name from a plain cell": ("size * size + 1", "size * size + demo", "task 8.1a uses 'demo'", "size * size + demo"),
    "name in a default": ("filters, size)", "filters, size=demo)", "task 8.1a uses 'demo'", "size=demo"),
    "name from a later task": (
        "size * size + 1",
        "Convolution(size).size",
        "task 8.1a uses 'Convolution'",
        "Convolution(size)",
    ),
    "name that depends on check": (
        "size * size + 1",
        "size * size + SEED",
        "uses 'SEED', which is not there where references",
        "+ SEED",
    ),
    "parameter that depends on check": (
        "EPOCHS = 8",
        "EPOCHS = check.seed",
        "the parameters cell uses 'check', which is not there",
        "EPOCHS = check",
    ),
    "invalid Python": ("EPOCHS = 8", "EPOCHS = = 8", "not valid Python", "EPOCHS = ="),
    "a return at top level": ("EPOCHS = 8", "return 8", "not valid Python", "return 8"),
    "magic": ("EPOCHS = 8", "EPOCHS = 8\n%matplotlib inline", "not valid Python.*magics", "%matplotlib"),
    "no header": ("#   dlphys: {", "#   other: {", "no header that can be read", "# ---"),
    "header that is no YAML": (
        "#   dlphys: {chapter",
        "#   dlphys: {{chapter",
        "this header cannot be read",
        "dlphys: {",
    ),
    "no chapter": ("chapter: 8, ", "", "no 'chapter'", "dlphys: {"),
    "no title": ("title: Convolutions, ", "", "no 'title'", "dlphys: {"),
    "no level": ("level: 2, ", "", "no 'level'", "dlphys: {"),
    "no minutes": ("minutes: 60, ", "", "no 'minutes'", "dlphys: {"),
    "no sections": ('sections: "8.1", ', "", "no 'sections'", "dlphys: {"),
    "no data": ("data: [], ", "", "no 'data'", "dlphys: {"),
    "chapter that is text": (
        "chapter: 8",
        "chapter: eight",
        "'chapter' in the header must be a whole number",
        "dlphys: {",
    ),
    "chapter of another file": ("chapter: 8", "chapter: 9", "says chapter 9, the file name 8", "dlphys: {"),
    "too many minutes": ("minutes: 60", "minutes: 120", "'minutes' .* from 1 to 90, got 120", "dlphys: {"),
    "sections that are a number": (
        'sections: "8.1"',
        "sections: 8.1",
        "'sections' in the header must be text",
        "dlphys: {",
    ),
    "data that is no list": ("data: []", "data: ising", "'data' in the header must be a list", "dlphys: {"),
    "unknown key in the header": ("data: []", "data: [], author: me", "unknown key 'author'", "dlphys: {"),
    "unknown attribute": ('covers="E8.1/1"', 'cover="E8.1/1"', "unknown attribute 'cover'", "def weights_of"),
    "unknown tag": ('tags=["parameters"]', 'tags=["parameter"]', "tags must be a list of setup", "EPOCHS = 8"),
    "task id that is a number": ('task="8.1a"', "task=8.1", "task must be text in quotes, got 8.1", "def weights_of"),
    "task id of another form": ('task="8.1a"', 'task="cnn"', "task must look like '8.1a'", "def weights_of"),
    "task without points": ("points=2", "", "task 8.1a needs points", "def weights_of"),
    "points without a task": (
        '# %% check="8.1a"',
        '# %% check="8.1a" points=2',
        "points belong on a task",
        'check("8.1a"',
    ),
    "cell with two roles": (
        'check="8.1a"',
        'check="8.1a" tags=["instructor"]',
        "one role, this one has 2",
        'check("8.1a"',
    ),
    "answer that is code": ('tags=["instructor"]', 'tags=["answer"]', "must be a markdown cell", "ask the group"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_source_is_refused_with_its_file_and_line(checkout, name):
    old, new, message, place = BAD[name]
    path = change(checkout, old, new)
    text = path.read_text(encoding="utf-8")
    line = text[: text.index(place)].count("\n") + 1
    with pytest.raises(SourceError) as caught:
        build(checkout)
    messages = [str(problem) for problem in caught.value.problems]
    pattern = re.compile(rf"notebooks/source/ch08_tiny\.py:{line}: .*{message}")
    assert any(pattern.match(m) for m in messages), messages
    assert not (checkout / "notebooks/student").exists()


def test_every_problem_is_named_at_once(checkout):
    change(checkout, "level: 2, ", "")
    change(checkout, "points=2", "")
    with pytest.raises(SourceError) as caught:
        build(checkout)
    assert [problem.line for problem in caught.value.problems] == [4, 31]
    assert len(str(caught.value).splitlines()) == 2


def test_setup_and_parameters_stand_above_the_tasks(checkout):
    cell = '# %% tags=["parameters"]\nEPOCHS = 8\n'
    change(checkout, cell, "")
    path = change(checkout, '# %% covers="X8.2', cell + '\n# %% covers="X8.2')
    line = path.read_text(encoding="utf-8").split("EPOCHS = 8")[0].count("\n") + 1
    with pytest.raises(SourceError, match=rf"ch08_tiny\.py:{line}: setup and parameters stand before the first task"):
        build(checkout)


def test_a_task_id_is_used_once_in_the_course(checkout):
    again = CHAPTER.replace("chapter: 8", "chapter: 9").replace("ch08_tiny", "ch09_tiny")
    write(checkout / "notebooks/source/ch09_tiny.py", again)
    with pytest.raises(SourceError, match=r"ch09_tiny\.py:31: task 8\.1a exists already, at .*ch08_tiny\.py:31"):
        build(checkout)


def test_a_file_name_is_used_once_in_the_course(checkout):
    write(checkout / "notebooks/source/lectures/ch08_tiny.py", CHAPTER)
    with pytest.raises(SourceError, match=r"lectures/ch08_tiny\.py:1: another source has the same file name"):
        build(checkout)


def test_a_file_that_cannot_be_read_hides_no_problem_of_another(checkout):
    change(checkout, "level: 2, ", "")
    (checkout / "notebooks/source/ch09_bytes.py").write_bytes(b"\xff\xfe")
    with pytest.raises(SourceError, match=r"ch09_bytes\.py:1: is not UTF-8 text") as caught:
        build(checkout)
    assert [problem.line for problem in caught.value.problems] == [1, 4]


def test_a_source_that_is_not_there_is_named_beside_those_that_are(checkout):
    with pytest.raises(
        SourceError, match=r"notebooks/source/ch99_gone:1: there is no such source; there are: ch08_tiny"
    ):
        build(checkout, only="ch99_gone")


def test_a_file_name_tells_chapters_from_lectures(checkout):
    (checkout / "notebooks/source/ch08_tiny.py").rename(checkout / "notebooks/source/tiny.py")
    with pytest.raises(SourceError, match=r"must begin with chNN_ or lec_, got 'tiny\.py'"):
        build(checkout)


def test_a_folder_that_is_no_checkout_is_not_an_empty_course(tmp_path):
    with pytest.raises(SourceError, match=r"notebooks/source:1: there is no such folder"):
        build(tmp_path)
