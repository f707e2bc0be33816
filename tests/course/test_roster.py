"""Rosters as spreadsheets write them, and what is wrong with others."""

import pytest

from dlphys.course.roster import Person, login_of, read


def written(tmp_path, text):
    path = tmp_path / "class.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_spreadsheet_with_semicolons_a_byte_order_mark_and_other_columns(tmp_path):
    text = "\ufeffname;student;mark\nLovelace, Ada; ada ;1.0\nNoether, Emmy;emmy@uni;1.3\n"
    assert read(written(tmp_path, text)) == {
        "ada": Person("ada", name="Lovelace, Ada"),
        "emmy@uni": Person("emmy@uni", name="Noether, Emmy"),
    }


def test_the_key_is_the_login_unless_the_roster_says_otherwise(tmp_path):
    people = read(written(tmp_path, "student,key,group\nada,17,A\nemmy,,A\n"))
    assert [(p.key, p.group) for p in people.values()] == [("17", "A"), ("emmy", "A")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("login\nada\n", "roster must have the columns student: class.csv has no student, got login"),
        ("student\nada\n../emmy\n", "line 3: student must be a login, got '../emmy'"),
        ("student\nada\n.ssh\n", "line 3: student must be a login"),
        ("student,name\n,Ada\n", "line 2: student must be a login, got ''"),
        ("student\nada\nada\n", "line 3: ada stands there twice"),
        ("student,key\nada,1\nemmy,1\n", "line 3: emmy has the key of ada"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, said):
    with pytest.raises(ValueError, match=r".*") as error:
        read(written(tmp_path, text))
    assert said in str(error.value)


def test_a_roster_that_is_no_utf_8_is_refused_with_a_sentence(tmp_path):
    """As some spreadsheets write it."""
    (tmp_path / "class.csv").write_bytes("student,name\njo,Jörg\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"roster must be a CSV file in UTF-8, but class\.csv is not"):
        read(tmp_path / "class.csv")


def test_a_person_is_found_by_name_or_address_and_two_of_a_name_are_not():
    people = {
        "ada": Person("ada", "Ada Lovelace", "ada@example.org"),
        "e1": Person("e1", "Emmy"),
        "e2": Person("e2", "Emmy"),
    }
    assert [login_of(people, said) for said in ("Lovelace_Ada", "ADA@example.org", "Emmy", "", "Otto")] == [
        "ada", "ada", "", "", "",
    ]  # fmt: skip
