"""Events in detectors: shapes, presets, edges, and what each function must leave alone."""

import hashlib

import numpy as np
import pytest

from dlphys.simulators import events

MAKERS = {
    events.neutrino_displays: {},
    events.tpc_pixels: {"size": 32},
    events.scenes: {"size": 48},
    events.tracker_hits: {"preset": "physics"},
    events.single_molecules: {"molecules": 3},
    events.stm_topographs: {"size": 32},
}


def equal(first, second, n):
    return all(np.array_equal(a[:n], b[:n], equal_nan=a.dtype.kind == "f") for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(("make", "keywords"), MAKERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_one_seed_gives_the_same_bits_and_the_first_events_do_not_depend_on_n(make, keywords):
    short, again, longer = (make(n, seed=5, **keywords).arrays().values() for n in (70, 70, 300))
    assert equal(short, again, 70)
    assert equal(short, longer, 70)
    other = make(70, seed=6, **keywords).arrays().values()
    assert not equal(short, other, 70)


@pytest.mark.parametrize(("make", "keywords"), MAKERS.items(), ids=lambda value: getattr(value, "__name__", ""))
def test_threads_change_nothing(make, keywords, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    one = make(300, seed=5, **keywords).arrays().values()
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert equal(one, make(300, seed=5, **keywords).arrays().values(), 300)


def test_integers_of_a_seed_are_the_same_on_every_machine():
    """Golden hashes of numbers that come from uniform and Poisson draws alone."""
    charge = events.tracker_hits(64, seed=1).charge
    defects = events.stm_topographs(64, seed=1, size=16).defects
    assert hashlib.sha256(charge.tobytes()).hexdigest()[:12] == "5887f40c5d0c"
    assert hashlib.sha256(defects.tobytes()).hexdigest()[:12] == "43acb6085aa4"


def test_displays_have_two_classes_in_the_book_and_three_in_physics():
    book = events.neutrino_displays(200, seed=1)
    physics = events.neutrino_displays(200, seed=1, preset="physics")
    assert set(book.label.tolist()) == {0, 1}
    assert set(physics.label.tolist()) == {0, 1, 2}
    assert (book.images >= 0).all()
    assert book.images.dtype == np.float32
    assert (book.images[book.images > 0] >= 0.5).all(), "below threshold"


def test_noise_hits_leave_the_particles_alone():
    quiet = events.neutrino_displays(20, seed=1)
    noisy = events.neutrino_displays(20, seed=1, noise_hits=50.0)
    assert np.array_equal(quiet.neutrino_energy, noisy.neutrino_energy)
    assert (noisy.images > 0).sum() > (quiet.images > 0).sum() + 500


def test_the_vertex_is_where_the_display_begins():
    displays = events.neutrino_displays(100, seed=2)
    plane = displays.vertex[:, 2] / 6.6 / 2
    first = (displays.images.sum((2, 3)) > 0).argmax(1)
    assert np.median(np.abs(first - plane)) < 2.0


def test_pixels_without_energy_are_background_and_shares_add_up():
    pictures = events.tpc_pixels(100, seed=1)
    assert (pictures.truth[pictures.energy == 0] == 0).all()
    clean = events.tpc_pixels(100, seed=1, electronics_noise=0.0, noise_hits=0.0, threshold=0.0)
    total = clean.energy.sum((1, 2), dtype=np.float64)
    np.testing.assert_allclose(total, clean.track_energy + clean.shower_energy, rtol=1e-5)
    assert ((clean.truth == 0) == (clean.energy == 0)).all(), "without noise all that is left is tracks and showers"
    assert np.array_equal(clean.vertex, pictures.vertex)


def test_boxes_lie_in_the_picture_and_hold_their_object():
    pictures = events.scenes(100, seed=3, objects=1, electronics_noise=0.0)
    boxes = pictures.boxes[:, 0]
    assert (pictures.kind[:, 0] >= 0).all()
    assert (boxes[:, :2] >= 0).all()
    assert (boxes[:, 2:] <= 96).all()
    assert (boxes[:, 2:] > boxes[:, :2]).all()
    for image, kind, (top, left, bottom, right) in zip(pictures.images, pictures.kind[:, 0], boxes, strict=True):
        inside = image[int(top) : int(bottom), int(left) : int(right)].sum()
        assert inside > (0.5 if kind == 0 else 0.1) * image.sum()


def test_objects_that_are_not_there_have_no_box():
    pictures = events.scenes(60, seed=3, objects=4)
    there = np.arange(4) < pictures.count[:, None]
    assert np.isfinite(pictures.boxes[there]).all()
    assert np.isnan(pictures.boxes[~there]).all()
    assert ((pictures.kind >= 0) == there).all()
    assert set(pictures.count.tolist()) == {1, 2, 3, 4}


def test_overlap_of_boxes():
    square = np.array([0.0, 0.0, 2.0, 2.0])
    assert events.overlap(square, square) == 1.0
    assert events.overlap(square, square + 2.0) == 0.0
    assert events.overlap(square, [1, 1, 3, 3]) == pytest.approx(1 / 7)
    assert events.overlap(square, [0, 0, 1, 1]) == pytest.approx(1 / 4)
    assert events.overlap(np.full(4, np.nan), square) == 0.0
    assert events.overlap(np.zeros((5, 1, 4)), np.zeros((1, 3, 4))).shape == (5, 3)


def test_hits_are_sorted_and_edges_join_neighbouring_layers_of_one_particle():
    sample = events.tracker_hits(100, seed=1, preset="physics")
    for hits, layer, particle, edges in zip(sample.hits, sample.layer, sample.particle, sample.edges, strict=True):
        there = layer >= 0
        assert (np.diff(layer[there]) >= 0).all()
        assert np.isfinite(hits[there]).all()
        assert np.isnan(hits[~there]).all()
        assert (particle[~there] == -1).all()
        inner, outer = edges[edges[:, 0] >= 0].T
        assert (layer[outer] == layer[inner] + 1).all()
        assert (particle[outer] == particle[inner]).all()
        assert (particle[inner] >= 0).all()


def test_hits_of_a_layer_stand_in_random_order():
    sample = events.tracker_hits(200, seed=1)
    first = sample.particle[:, :12]
    assert np.array_equal(np.sort(first, axis=1), np.broadcast_to(np.arange(12), first.shape))
    assert abs(first[:, 0].mean() - 5.5) < 4 * np.sqrt(143 / 12 / 200)


def test_candidates_hold_every_true_segment_and_say_how_many_were_dropped():
    sample = events.tracker_hits(50, seed=1, preset="physics")
    edges, count = events.edge_candidates(sample.hits, sample.layer, most=800)
    for true, found in zip(sample.edges, edges, strict=True):
        assert set(map(tuple, true[true[:, 0] >= 0])) <= set(map(tuple, found))
    few, same = events.edge_candidates(sample.hits, sample.layer, most=50)
    assert np.array_equal(count, same)
    assert (few >= 0).all(), "an event with more than fifty candidates fills its room"


def test_all_directions_without_a_cone():
    sample = events.tracker_hits(500, seed=1, cone=np.pi)
    azimuth = np.arctan2(sample.momentum[..., 1], sample.momentum[..., 0]).ravel()
    assert abs(np.exp(1j * azimuth).mean()) < 4 / np.sqrt(azimuth.size)


def test_molecules_that_are_not_there_are_nan_and_images_are_counts():
    pictures = events.single_molecules(300, seed=1, molecules=3)
    there = np.isfinite(pictures.positions).all(-1)
    assert np.array_equal(there, np.isfinite(pictures.photons))
    assert set(there.sum(1).tolist()) == {1, 2, 3}
    assert np.array_equal(pictures.images, np.round(pictures.images))


def test_voxels_say_where_the_molecules_are():
    pictures = events.single_molecules(50, seed=1, molecules=2)
    occupied, inside = events.voxel_targets(pictures.positions)
    edges = np.array(events.VOXEL)
    for places, cells, part in zip(pictures.positions, occupied, inside, strict=True):
        found = {tuple(np.array([column, row, depth]) * edges) for row, column, depth in np.argwhere(cells)}
        there = np.isfinite(places[:, 0])
        corner = places[there] - part[there] * edges + [0.0, 0.0, 500.0]
        assert found == {tuple(np.round(place)) for place in corner}


def test_larger_voxels_and_pictures():
    pictures = events.single_molecules(5, seed=1, size=8)
    occupied, _ = events.voxel_targets(pictures.positions, size=8, voxel=(48.0, 48.0, 100.0))
    assert occupied.shape == (5, 16, 16, 10)
    assert (occupied.sum((1, 2, 3)) == 1).all()


def test_scans_without_noise_are_smooth_and_gaps_positive():
    scans = events.stm_topographs(50, seed=1, tip_noise=0.0, line_noise=0.0, gap_error=0.0)
    assert np.array_equal(scans.gap, scans.measured_gap)
    assert (scans.gap >= 0).all()
    noisy = events.stm_topographs(50, seed=1)
    assert np.array_equal(noisy.gap, scans.gap)
    step = np.diff(noisy.height - scans.height, axis=2)
    assert step.std() == pytest.approx(1.5 * np.sqrt(2), rel=0.02), "the offset of a line is the same along it"
