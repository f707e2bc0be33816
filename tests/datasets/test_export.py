"""The book's own files: keys, shapes, units and normalisations as its notebooks read them."""

import numpy as np
import pytest
from typer.testing import CliRunner

from dlphys import cli
from dlphys.datasets import export
from dlphys.datasets.export import BOOK_FILES, export_book

SHARE = 0.02


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book")
    export_book(folder, share=SHARE)
    return {path.stem: dict(np.load(path)) for path in folder.glob("*.npz")} | {"folder": folder}


def test_the_files_are_those_of_the_exercises(book):
    """Exercises 7.1, 7.2, 9.2, 10.1, 11.1, 16.1, 17.1 and 18.2 of the book's repository."""
    assert set(book) - {"folder"} == set(BOOK_FILES) == {
        "ising_data", "airshowers_mnist", "airshowers", "radio_data", "cr_sphere", "speckles", "shower_maps",
        "karate_club",
    }  # fmt: skip


@pytest.mark.parametrize("name", list(BOOK_FILES))
def test_keys_shapes_and_numbers_of_events_are_the_books(name, book):
    expected = BOOK_FILES[name]
    events = round(expected.n * SHARE) if name != "karate_club" else 34
    shapes = {key: array.shape for key, array in book[name].items()}
    assert shapes == {key: (events, *shape) for key, shape in expected.shapes.items()}
    assert all(array.dtype.kind == "f" for key, array in book[name].items() if key != "label")


def test_the_numbers_of_events_are_those_that_the_notebooks_divide():
    assert {name: book.n for name, book in BOOK_FILES.items()} == {
        "ising_data": 26_000, "airshowers_mnist": 100_000, "airshowers": 200_000, "radio_data": 50_000,
        "cr_sphere": 50_000, "speckles": 25_500, "shower_maps": 100_000, "karate_club": 34,
    }  # fmt: skip


def test_ising_lattices_are_of_plus_and_minus_one_at_26_temperatures_in_random_order(book):
    data = book["ising_data"]
    assert set(np.unique(data["C"])) == {-1, 1}
    assert np.allclose(np.unique(data["T"]), np.arange(10, 36) / 10)
    assert abs(np.corrcoef(data["T"], np.arange(len(data["T"])))[0, 1]) < 4 / np.sqrt(len(data["T"]))
    assert abs(data["C"].mean((1, 2))[data["T"] < 2]).mean() > 0.9, "below the critical temperature spins are aligned"


@pytest.mark.parametrize(("name", "low", "high"), [("airshowers", 18.5, 20.0), ("airshowers_mnist", 18.4771, 20.0)])
def test_showers_have_times_in_seconds_signals_that_mark_silent_stations_and_the_books_energies(name, low, high, book):
    data = book[name]
    silent = np.isnan(data["time"])
    assert np.array_equal(silent, np.isnan(data["signal"]))
    assert 0.2 < silent.mean() < 0.95
    assert np.nanmax(np.abs(data["time"])) < 1e-4, "seconds"
    assert np.nanmin(data["signal"]) > 0
    assert np.allclose(np.linalg.norm(data["showeraxis"], axis=1), 1, atol=1e-5)
    assert (data["showeraxis"][:, 2] >= 0.4999).all(), "zenith angles up to 60 degrees"
    log_energy = data["logE"] if "logE" in data else 18 + np.log10(data["energy"])
    assert low - 1e-4 <= log_energy.min() < low + 0.02
    assert high - 0.02 < log_energy.max() <= high + 1e-4


def test_what_the_notebook_of_exercise_11_does_with_its_file_works(book):
    """It subtracts in place, divides, and fills silent stations."""
    times = book["airshowers"]["time"].copy()
    times -= np.nanmean(times)
    times /= np.nanstd(times)
    times[np.isnan(times)] = 0
    assert np.isfinite(times).all()


def test_half_of_the_radio_traces_hold_a_signal_of_twice_the_noise(book):
    """The notebook's label is signals.std() != 0; amplitudes are in mV."""
    traces, signals = book["radio_data"]["traces"], book["radio_data"]["signals"]
    label = signals.std(axis=-1) != 0
    assert abs(label.mean() - 0.5) < 4 * 0.5 / np.sqrt(len(label))
    noise = traces - signals
    assert abs(noise.std() - 0.1) < 0.01
    ratio = np.abs(signals[label]).max(1) / noise[label].std(1)
    assert np.allclose(ratio, 2, rtol=0.05)


def test_skies_hold_unit_vectors_and_scaled_energies(book):
    data, label = book["cr_sphere"]["data"], book["cr_sphere"]["label"]
    assert np.allclose(np.linalg.norm(data[..., :3], axis=-1), 1, atol=1e-5)
    energy = 10 ** (20.5 * data[..., 3].astype(float) - 18)
    assert energy.min() > 39.9
    assert energy.max() < 156
    assert set(np.unique(label)) == {0, 1}


def test_speckle_images_are_intensities_that_the_notebook_scales(book):
    data = book["speckles"]
    assert data["speckle_images"].min() >= 0
    assert data["target_images"].min() >= 0
    highest = np.log10(1 + data["speckle_images"]).max((1, 2, 3))
    assert (highest > 0).all(), "the notebook divides by it"


def test_footprints_are_logarithms_with_zero_for_silent_stations(book):
    maps = book["shower_maps"]["shower_maps"]
    assert maps.min() == 0
    assert 2.5 < maps.max() < 4.5
    assert (maps.reshape(len(maps), -1).argmax(1) == 40).mean() > 0.5, "the core is in the centre"


def test_the_karate_club_has_78_friendships_and_four_groups(book):
    """W. W. Zachary, J. Anthropol. Res. 33 (1977) 452."""
    club = book["karate_club"]
    assert np.array_equal(club["adj"], club["adj"].T)
    assert club["adj"].sum() == 2 * 78
    assert np.array_equal(club["features"], np.eye(34))
    assert (club["labels_one_hot"].sum(1) == 1).all()
    labelled = club["labels_one_hot"][[4, 19, 31, 33]].argmax(1)
    assert labelled.tolist() == [0, 1, 2, 3], "as the book's file numbers them"


def test_the_same_seed_gives_the_same_files(tmp_path):
    for folder in ("one", "two"):
        export_book(tmp_path / folder, ["cr_sphere"], share=0.001, seed=4)
    one, two = (dict(np.load(tmp_path / folder / "cr_sphere.npz")) for folder in ("one", "two"))
    assert all(np.array_equal(one[key], two[key]) for key in one)


def test_an_interrupted_export_leaves_the_old_file(tmp_path, monkeypatch):
    path = export_book(tmp_path, ["karate_club"])[0]
    before = path.read_bytes()

    def interrupted(n, seed):
        raise KeyboardInterrupt

    broken = export.BookFile("16.1", 34, {}, interrupted)
    monkeypatch.setitem(export.BOOK_FILES, "karate_club", broken)
    with pytest.raises(KeyboardInterrupt):
        export_book(tmp_path, ["karate_club"])
    assert path.read_bytes() == before
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["README.txt", "karate_club.npz"]


def test_the_readme_says_which_exercise_reads_which_file(book):
    text = (book["folder"] / "README.txt").read_text()
    for name, entry in BOOK_FILES.items():
        assert f"{name}.npz" in text
        assert f"exercise {entry.exercises}: " in text


def test_the_command_writes_what_was_named(tmp_path):
    told = CliRunner().invoke(cli.app, ["data", "export", "--book", str(tmp_path), "karate_club"])
    assert told.exit_code == 0, told.output
    assert [line.split()[0] for line in told.output.splitlines()] == [
        str(tmp_path / "karate_club.npz"),
        str(tmp_path / "README.txt"),
    ]
    told = CliRunner().invoke(cli.app, ["data", "export", "--book", str(tmp_path), "weather"])
    assert told.exit_code == 2
    assert "names must be one of 'ising_data', " in told.stderr
