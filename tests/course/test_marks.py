"""Tables of marks, as people save them."""

import pytest

from dlphys.course.marks import Mark, read

HEAD = "student,question,points,comment\n"


@pytest.mark.parametrize(
    "text",
    [
        f'{HEAD}ada,q1,1.5,"good, but why?\nSee 3.2"\nemmy,q1,,\n',
        '\ufeffstudent;question;points;comment\nada;q1;1,5;"good, but why?\nSee 3.2"\nemmy;q1;;\n',
        'comment,question,points,student,seen\n"good, but why?\nSee 3.2",q1, 1.5 , ada ,x\n,q1,,emmy\n',
    ],
)
def test_commas_semicolons_decimal_commas_and_lines_in_a_comment(tmp_path, text):
    (tmp_path / "marks.csv").write_text(text, encoding="utf-8")
    assert read(tmp_path / "marks.csv") == [Mark("ada", "q1", 1.5, "good, but why?\nSee 3.2"), Mark("emmy", "q1")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("student,question,points\n", r"marks must have the columns .*: marks\.csv has no comment"),
        ("", r"marks\.csv has no student, got none"),
        (f"{HEAD},q1,1,\n", r"marks\.csv, line 2: a mark needs a student and a question"),
        (f"{HEAD}ada,q1,much,\n", r"marks\.csv, line 2: points must be a number from 0 upwards, got 'much'"),
        (f"{HEAD}ada,q1,nan,\n", "points must be a number from 0 upwards, got 'nan'"),
        (f"{HEAD}ada,q1,-1,\n", "points must be a number from 0 upwards, got '-1'"),
        (f"{HEAD}ada,q1,1,\nada,q1,2,\n", r"marks\.csv, line 3: ada has a mark for q1 already"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, said):
    (tmp_path / "marks.csv").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=said):
        read(tmp_path / "marks.csv")


def test_a_file_in_another_encoding_is_refused(tmp_path):
    (tmp_path / "marks.csv").write_bytes(f"{HEAD}ada,q1,1,größer\n".encode("latin-1"))
    with pytest.raises(ValueError, match=r"marks must be a CSV file in UTF-8, but marks\.csv is not"):
        read(tmp_path / "marks.csv")
