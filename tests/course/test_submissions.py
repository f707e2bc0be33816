"""Everything that a class handed in is found, whoever packed it, and nothing gets out of its folder."""

import io
import json
import os
import stat
import struct
import warnings
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from dlphys.course import records, submissions
from dlphys.course.assignment import Asked, Assignment
from dlphys.course.grade import Grade
from dlphys.course.records import HandedIn
from dlphys.course.roster import Person

BLOCKS, MODELS = "ch03_building_blocks", "ch02_models"
ONE = Assignment("week 3", (Asked(BLOCKS, BLOCKS, ("3.2a",)),))
TWO = Assignment("hw", (Asked(BLOCKS, BLOCKS, ("3.2a",)), Asked(MODELS, MODELS, ("X2.1a",))))
NOON = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)


def notebook(source=BLOCKS):
    about = {"dlphys": {"fast": {"N_SPLITS": 5}, "source": f"{source}.py", "title": "A title"}} if source else {}
    return json.dumps({"cells": [], "metadata": about, "nbformat": 4, "nbformat_minor": 5})


def written(root, files):
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            os.utime(path, (NOON.timestamp(), NOON.timestamp()))
    return root


def zipped(files, when=(2026, 11, 22, 12, 0, 0)):
    """A zip file as bytes; a name may be a ZipInfo, content None is a folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that stand there twice
        for name, content in files.items() if isinstance(files, dict) else files:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name, when)
            archive.writestr(info, content or "", zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def found(path, tmp_path, assignment=None):
    return submissions.find(path, assignment=assignment, unpacked=tmp_path / "unpacked")


def graded(items):
    """Student, notebook and name of the file of all that can be graded."""
    return [(item.student, item.notebook, item.path.name) for item in items if not item.problem]


def problems(items):
    return {(item.student, item.notebook): item.problem for item in items if item.problem}


def nothing_outside(tmp_path):
    """What there is beside the archive and the folder of what was unpacked."""
    return sorted(path.name for path in tmp_path.iterdir()) in (["class.zip"], ["class.zip", "unpacked"])


def test_the_folders_of_nbgrader_with_the_time_of_collection(tmp_path):
    course = written(
        tmp_path / "course",
        {
            f"submitted/ada/hw/{BLOCKS}.ipynb": notebook(),
            "submitted/ada/hw/timestamp.txt": "2026-11-20 08:30:00.000000 UTC",
            "submitted/ada/hw/data.csv": "1",
            "submitted/ada/earlier/old.ipynb": notebook(),
            f"submitted/bob/hw/{BLOCKS}.ipynb": notebook(),
            f"submitted/bob/hw/.ipynb_checkpoints/{BLOCKS}-checkpoint.ipynb": notebook(),
            "submitted/bob/hw/timestamp.txt": "2026-11-20 08:30:00 +0100",
            "submitted/eve/earlier/old.ipynb": notebook(),
        },
    )
    items = found(course, tmp_path, TWO)
    assert graded(items) == [("ada", BLOCKS, f"{BLOCKS}.ipynb"), ("bob", BLOCKS, f"{BLOCKS}.ipynb")]
    assert [item.when for item in items[:2]] == [
        datetime(2026, 11, 20, 8, 30, tzinfo=UTC),
        datetime(2026, 11, 20, 8, 30, tzinfo=timezone(timedelta(hours=1))),
    ]
    assert items[0].files == course / "submitted/ada/hw"
    assert problems(items) == {("eve", name): "nothing was handed in" for name in (BLOCKS, MODELS)}


def test_one_folder_or_one_file_a_student(tmp_path):
    root = written(
        tmp_path / "class",
        {
            f"ada/{BLOCKS}.ipynb": notebook(),
            f"bob_{BLOCKS}.ipynb": notebook(),
            "cyd.ipynb": notebook(None),
            "dan.zip": zipped({"my work.ipynb": notebook(), "data.csv": "1"}),
            "Jörg Müller/Lösung.ipynb": notebook(),
            "empty": None,
        },
    )
    items = found(root, tmp_path, ONE)
    assert graded(items) == [
        ("Jörg Müller", BLOCKS, "Lösung.ipynb"),
        ("ada", BLOCKS, f"{BLOCKS}.ipynb"),
        ("bob", BLOCKS, f"bob_{BLOCKS}.ipynb"),
        ("cyd", BLOCKS, "cyd.ipynb"),
        ("dan", BLOCKS, "my work.ipynb"),
    ]
    assert problems(items) == {("empty", BLOCKS): "nothing was handed in"}
    by_student = {item.student: item for item in items}
    assert (by_student["bob"].files, by_student["cyd"].files) == (None, None), "others' files would be seen"
    assert sorted(path.name for path in by_student["dan"].files.iterdir()) == ["data.csv", "my work.ipynb"]
    assert {item.when for item in items if item.path.suffix == ".ipynb"} == {NOON}


@pytest.mark.parametrize("as_folder", [False, True], ids=["zip", "folder"])
def test_what_moodle_writes(tmp_path, as_folder):
    files = {
        f"Jörg Müller_123456_assignsubmission_file_/{BLOCKS}.ipynb": notebook(),
        "Jörg Müller_123456_assignsubmission_onlinetext_/onlinetext.html": "<p>Hello</p>",
        f"Ada Lovelace_7_assignsubmission_file_{BLOCKS} (1).ipynb": notebook(),
        "Ada Lovelace_8_assignsubmission_file/work.zip": zipped({f"deep/{BLOCKS}.ipynb": notebook()}),
        "Ann Text_9_assignsubmission_onlinetext_/onlinetext.html": "<p>my solution</p>",
        "Ann Pdf_10_assignsubmission_file_/solution.pdf": "%PDF",
    }
    if as_folder:
        path = written(tmp_path / "class", files)
    else:
        path = tmp_path / "class.zip"
        path.write_bytes(zipped(files))
    items = found(path, tmp_path, ONE)
    assert [(item.student, item.name, item.identifier) for item in items if not item.problem] == [
        ("Ada Lovelace 7", "Ada Lovelace", "7"),
        ("Ada Lovelace 8", "Ada Lovelace", "8"),
        ("Jörg Müller", "Jörg Müller", "123456"),
    ]
    assert {item.notebook for item in items} == {BLOCKS}
    assert problems(items) == {
        ("Ann Pdf", BLOCKS): "no notebook was handed in, only Ann Pdf_10_assignsubmission_file_/solution.pdf",
        ("Ann Text", BLOCKS): "no notebook was handed in, only Ann Text_9_assignsubmission_onlinetext_/onlinetext.html",
    }
    assert {item.when for item in items} == {NOON} or not as_folder


def test_what_ilias_writes(tmp_path):
    """As its source names folders: last and first name, login, number; perhaps in the folder of a team."""
    inside = "Exercise 3/Abgaben"
    path = tmp_path / "class.zip"
    path.write_bytes(
        zipped(
            {
                f"{inside}/Lovelace_Ada_al_12/{BLOCKS}.ipynb": notebook(),
                f"{inside}/von der Heide_Anna Maria_heide.a_b_345/Verspaetete Abgabe - {BLOCKS}.ipynb": notebook(),
                f"{inside}/Team 7/Noether_Emmy_en_9/{BLOCKS}.ipynb": notebook(),
                f"{inside}/Team 7/Hilbert_David_dh_10/": None,
                f"{inside}/Exercise.xlsx": "a table of the platform",
            }
        )
    )
    items = found(path, tmp_path, ONE)
    assert [(item.student, item.name, item.identifier, bool(item.problem)) for item in items] == [
        ("al", "Ada Lovelace", "12", False),
        ("dh", "David Hilbert", "10", True),
        ("en", "Emmy Noether", "9", False),
        ("heide.a_b", "Anna Maria von der Heide", "345", False),
    ]


def test_which_notebook_a_file_is(tmp_path):
    root = written(
        tmp_path / "class",
        {
            "ada/final version.ipynb": notebook(MODELS),
            f"ada/{BLOCKS}_ada.ipynb": notebook(None),
            "bob/notes.ipynb": notebook(None),
            "bob/other chapter.ipynb": notebook("ch09_recurrent"),
        },
    )
    items = found(root, tmp_path, TWO)
    assert (
        graded(items) == [("ada", MODELS, "final version.ipynb"), ("ada", BLOCKS, f"{BLOCKS}_ada.ipynb")]
        or graded(items) == [("ada", MODELS, "final version.ipynb"), ("ada", BLOCKS, f"{BLOCKS}_ada.ipynb")][::-1]
    )
    assert problems(items) == {
        ("bob", "notes"): "it is none of the notebooks of hw",
        ("bob", "other chapter"): "it is none of the notebooks of hw, it is of ch09_recurrent",
    }


def test_of_two_copies_the_newer_is_taken_and_the_other_is_listed(tmp_path):
    root = written(tmp_path / "class", {f"ada/{BLOCKS}.ipynb": notebook(), f"ada/{BLOCKS} (1).ipynb": notebook(MODELS)})
    os.utime(root / f"ada/{BLOCKS}.ipynb", (NOON.timestamp() - 60,) * 2)
    items = found(root, tmp_path, ONE)
    assert graded(items) == [("ada", BLOCKS, f"{BLOCKS} (1).ipynb")]
    assert problems(items) == {
        ("ada", f"{BLOCKS} (2)"): f"not graded: ada/{BLOCKS} (1).ipynb was taken for this notebook"
    }


def test_a_student_cannot_hand_in_for_another_or_earlier(tmp_path):
    """Names and times count where the platform or the instructor wrote them, not inside what a student made."""
    mine = zipped(
        {
            f"Alan Turing_2_assignsubmission_file_/{BLOCKS}.ipynb": notebook(),
            "timestamp.txt": "2020-01-01 00:00:00 UTC",
            "hw/timestamp.txt": "2020-01-01 00:00:00 UTC",
        },
        when=(2020, 1, 1, 0, 0, 0),
    )
    path = tmp_path / "class.zip"
    path.write_bytes(
        zipped(
            {
                "Eve_1_assignsubmission_file_/work.zip": mine,
                "Eve_1_assignsubmission_file_/timestamp.txt": "2020-01-01 00:00:00 UTC",
                f"Bob_3_assignsubmission_file_Alan Turing_2_assignsubmission_file_{BLOCKS}.ipynb": notebook(),
            }
        )
    )
    items = found(path, tmp_path, ONE)
    assert [(item.student, item.identifier) for item in items] == [("Bob", "3"), ("Eve", "1")]
    assert {item.when for item in items} == {datetime(2026, 11, 22, 12, 0, 0).astimezone(UTC)}
    root = written(
        tmp_path / "class", {f"eve/Turing_Alan_turing_2/{BLOCKS}.ipynb": notebook(), f"bob/{BLOCKS}.ipynb": notebook()}
    )
    assert [item.student for item in found(root, tmp_path, ONE)] == ["bob", "eve"]


def linked(name, target):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info, target


def special(name):
    info = zipfile.ZipInfo(name)
    info.external_attr = (stat.S_IFCHR | 0o666) << 16
    return info, "x"


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (("ada/../../../outside.ipynb", "x"), "a path that leads out of its folder"),
        (("ada/..\\..\\..\\outside.ipynb", "x"), "a path that leads out of its folder"),
        (("/ada/outside.ipynb", "x"), "a path that leads out of its folder"),
        (linked("ada/link.ipynb", "/etc/passwd"), "a symbolic link, which is not followed"),
        (special("ada/device"), "neither a file nor a folder"),
        (("ada/" + "deep/" * 50 + "x.ipynb", "x"), "a folder that lies too deep"),
        ((f"ada/{BLOCKS}.ipynb/inside", "x"), "it cannot be unpacked"),
    ],
    ids=["dots", "backslashes", "absolute", "link", "device", "deep", "file as folder"],
)
def test_an_entry_that_may_not_be_is_left_out_and_named(tmp_path, entry, reason):
    path = tmp_path / "class.zip"
    path.write_bytes(zipped([(f"ada/{BLOCKS}.ipynb", notebook()), entry, (f"bob/{BLOCKS}.ipynb", notebook())]))
    items = found(path, tmp_path, ONE)
    assert graded(items) == [(name, BLOCKS, f"{BLOCKS}.ipynb") for name in ("ada", "bob")]
    assert any(reason in problem for problem in problems(items).values()), items
    assert nothing_outside(tmp_path)
    assert not any(p.is_symlink() for p in (tmp_path / "unpacked").rglob("*"))


def patched(archive, name, offset_local, offset_central, content):
    """A zip file with some bytes of one entry's headers replaced."""
    data = bytearray(archive)
    for signature, offset, length in ((b"PK\x03\x04", offset_local, 30), (b"PK\x01\x02", offset_central, 46)):
        at = -1
        while (at := data.find(signature, at + 1)) >= 0:
            if data[at + length : at + length + len(name)] == name.encode():
                data[at + offset : at + offset + len(content)] = content
    return bytes(data)


def test_encrypted_broken_and_lying_entries_do_not_hide_the_others(tmp_path):
    inner = zipped({"secret.ipynb": notebook(), "lies.ipynb": notebook(), "flipped.ipynb": notebook()})
    inner = patched(inner, "secret.ipynb", 6, 8, struct.pack("<H", 1))  # encrypted, it says
    inner = patched(inner, "lies.ipynb", 8, 10, struct.pack("<H", 99))  # a compression that nobody knows
    inner = patched(inner, "flipped.ipynb", 14, 16, b"\0\0\0\0")  # a checksum that is wrong
    root = written(
        tmp_path / "class",
        {
            "ada/work.zip": inner,
            f"ada/{BLOCKS}.ipynb": notebook(),
            "bob.zip": b"PK\x03\x04 and no more",
            "cyd.zip": b"",
            "dan.zip": zipped({}),
        },
    )
    items = found(root, tmp_path, ONE)
    assert graded(items) == [("ada", BLOCKS, f"{BLOCKS}.ipynb")]
    said = problems(items)
    assert said["ada", "left out"] == (
        "ada/work/secret.ipynb: it is encrypted; ada/work/lies.ipynb: it cannot be unpacked (NotImplementedError); "
        "ada/work/flipped.ipynb: it cannot be unpacked (BadZipFile)"
    )
    assert said["bob", BLOCKS] == "nothing was handed in; bob: the zip file cannot be read (BadZipFile)"
    assert said["cyd", BLOCKS] == "nothing was handed in; cyd: the zip file cannot be read (BadZipFile)"
    assert said["dan", BLOCKS] == "nothing was handed in; dan.zip: the zip file is empty"


def test_a_zip_bomb_stops_at_the_limit_whatever_it_says_of_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "ONE", (5, 1 << 20))
    large = zipped({"big.bin": b"\0" * (8 << 20)})
    assert len(large) < 20_000
    lying = patched(large, "big.bin", 22, 24, struct.pack("<I", 10))  # ten bytes, it says
    many = zipped({f"{k}.txt": "x" for k in range(400)} | {f"{BLOCKS}.ipynb": notebook()})
    few = zipped({f"{k}.txt": "x" for k in range(7)})
    root = written(
        tmp_path / "class",
        {"ada.zip": large, "bob.zip": lying, "cyd.zip": few, "dan.zip": many, "eve.ipynb": notebook()},
    )
    items = found(root, tmp_path, ONE)
    assert graded(items) == [("eve", BLOCKS, "eve.ipynb")]
    said = problems(items)
    assert "with it, more would be unpacked than is allowed" in said["ada", BLOCKS]
    assert "big.bin" in said["bob", BLOCKS]
    assert "too many files" in said["cyd", BLOCKS]
    size = sum(path.stat().st_size for path in (tmp_path / "unpacked").rglob("*") if path.is_file())
    assert size <= 4 << 20


def test_zip_files_in_zip_files_end_somewhere(tmp_path):
    inner = zipped({f"{BLOCKS}.ipynb": notebook()})
    deep = inner
    for _ in range(6):
        deep = zipped({"again.zip": deep})
    root = written(tmp_path / "class", {"ada.zip": zipped({"work.zip": inner}), "bob.zip": deep})
    items = found(root, tmp_path, ONE)
    assert graded(items) == [("ada", BLOCKS, f"{BLOCKS}.ipynb")]
    assert "more than 3 deep" in problems(items)["bob", BLOCKS]


def test_links_in_folders_are_not_followed(tmp_path):
    (tmp_path / "gradebook").mkdir()
    (tmp_path / "gradebook/secret.ipynb").write_text(notebook())
    root = written(tmp_path / "class", {f"ada/{BLOCKS}.ipynb": notebook(), "bob": None})
    (root / "bob/link.ipynb").symlink_to(tmp_path / "gradebook/secret.ipynb")
    (root / "eve").symlink_to(tmp_path / "gradebook", target_is_directory=True)
    os.mkfifo(root / "bob/pipe.ipynb")
    items = found(root, tmp_path, ONE)
    assert graded(items) == [("ada", BLOCKS, f"{BLOCKS}.ipynb")]
    said = problems(items)
    assert "link.ipynb: a symbolic link, which is not followed" in said["bob", BLOCKS]
    assert "pipe.ipynb: neither a file nor a folder" in said["bob", BLOCKS]
    assert "a symbolic link" in said["eve", BLOCKS]
    assert not any("gradebook" in str(item.path) for item in items)


def test_names_are_data(tmp_path):
    """Control characters, thousands of letters, options, dots, equal but for case: each is a student of its own."""
    names = ["a\nb", "a_b", "Ada", "ada", "-rf", "...", "x" * 5000, "x" * 4999 + "y", "\x1b[31mred", "\u202etxt"]
    path = tmp_path / "class.zip"
    path.write_bytes(zipped({f"{name}/{BLOCKS}.ipynb": notebook() for name in names}))
    items = found(path, tmp_path, ONE)
    assert len(items) == len(graded(items)) == len({item.student.casefold() for item in items}) == len(names)
    for item in items:
        assert item.student.isprintable()
        assert len(item.student) <= 110
        assert not item.student.startswith((".", "-", "~"))
        assert item.path.is_file()
    twice = zipped([(f"ada/{BLOCKS}.ipynb", notebook()), (f"ada/{BLOCKS}.ipynb", notebook(MODELS))])
    path.write_bytes(twice)
    items = found(path, tmp_path, ONE)
    assert [bool(item.problem) for item in items] == [False, True]
    assert len({item.path for item in items}) == 2, "the one replaced the other"


def test_a_name_that_is_no_text_is_found_too(tmp_path):
    folder = os.fsencode(tmp_path / "class") + b"/\xff\xfe"
    try:
        os.makedirs(folder)
        with open(folder + b"/" + BLOCKS.encode() + b".ipynb", "w") as file:
            file.write(notebook())
    except OSError as error:
        pytest.skip(f"this file system has no such names: {error}")
    (item,) = found(tmp_path / "class", tmp_path, ONE)
    assert item.problem == ""
    item.student.encode()
    record = records.Record(item, Grade(item.student, item.notebook), "fingerprint")
    assert records.read(records.write(tmp_path / "records", record)) == record


def test_the_same_zip_twice_gives_the_same_files(tmp_path):
    path = tmp_path / "class.zip"
    path.write_bytes(zipped({f"ada/{BLOCKS}.ipynb": notebook()}))
    assert found(path, tmp_path, ONE) == found(path, tmp_path, ONE)


def test_without_an_assignment_the_source_names_the_notebook(tmp_path):
    root = written(tmp_path / "class", {f"ada/{BLOCKS} (1).ipynb": notebook(), "bob.ipynb": notebook(), "c/x.txt": ""})
    items = found(root, tmp_path)
    assert graded(items) == [("ada", BLOCKS, f"{BLOCKS} (1).ipynb"), ("bob", BLOCKS, "bob.ipynb")]
    assert problems(items) == {("c", "no notebook"): "no notebook was handed in, only c/x.txt"}


def test_a_folder_with_a_name_or_an_address_is_graded_with_the_key_of_its_student():
    """The grades go to the same student: both ask `roster.login_of`."""
    people = {"al": Person("al", "Ada Lovelace", "ada@example.org", key="17")}
    for said in ("Lovelace, Ada", "Lovelace_Ada", "ADA@example.org"):
        (item,) = submissions.identify([HandedIn(said, BLOCKS, Path("x.ipynb"))], people)
        assert item.student == "al"


def test_full_names_of_moodle_become_logins_of_the_roster_where_there_is_no_doubt(tmp_path):
    names = ["Ada Lovelace_1", "Jörg Müller_2", "Max Mustermann_3", "Max Mustermann_4", "Nobody Known_5"]
    path = tmp_path / "class.zip"
    path.write_bytes(zipped({f"{name}_assignsubmission_file_/{BLOCKS}.ipynb": notebook() for name in names}))
    roster = [Person("al", "Ada  Lovelace"), Person("jm", "jörg müller"), Person("mm", "Max Mustermann"), Person("x")]
    items = submissions.identify(found(path, tmp_path, ONE), {person.student: person for person in roster})
    assert [(item.student, item.identifier) for item in items] == [
        ("Max Mustermann 3", "3"),
        ("Max Mustermann 4", "4"),
        ("Nobody Known", "5"),
        ("al", "1"),
        ("jm", "2"),
    ]
