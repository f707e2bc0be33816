"""How the simulator of cosmic-ray skies behaves as a program; its physics is tested in tests/physics."""

import dataclasses
import tracemalloc

import numpy as np
import pytest

from dlphys import _blocks
from dlphys.simulators import cosmic_rays
from dlphys.simulators.cosmic_rays import (
    CHARGES,
    deflect,
    known_source_ratio,
    pair_counts,
    power_law_energy,
    simulate,
    von_mises_fisher,
)


def same(a, b):
    return all(np.array_equal(x, b.arrays()[name]) for name, x in a.arrays().items())


def known(skies):
    names = ("source", "tangent", "deflection", "flux")
    return {name: getattr(skies, name) for name in names}


@pytest.mark.parametrize(("preset", "k"), [("book", 1), ("physics", 10)])
def test_arrays_have_the_documented_shapes_and_types(preset, k):
    """Docstring of CosmicRaySkies."""
    skies = simulate(7, seed=1, preset=preset, arrivals=30)
    found = {name: (a.shape, a.dtype.str[1:]) for name, a in skies.arrays().items()}
    assert found == {
        "data": ((7, 30, 4), "f4"),
        "label": ((7,), "i1"),
        "charge": ((7, 30), "i1"),
        "origin": ((7, 30), "i1"),
        "source": ((7, k, 3), "f4"),
        "tangent": ((7, k, 3), "f4"),
        "deflection": ((7, k), "f4"),
        "flux": ((7, k), "f4"),
    }


def test_the_book_preset_has_the_form_of_the_books_file():
    """(n, 500, 4) float32, the fourth column log10(E/eV)/20.5 between those of 40 and 155 EeV: 0.956 to 0.985."""
    skies = simulate(200, seed=2)
    column = skies.data[..., 3]
    assert skies.data.shape == (200, 500, 4)
    assert np.log10(40e18) / 20.5 - 1e-6 <= column.min() < 0.9563
    assert 0.983 < column.max() <= np.log10(155e18) / 20.5 + 1e-6
    np.testing.assert_allclose(np.linalg.norm(skies.directions, axis=-1), 1.0, atol=2e-7)


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(monkeypatch):
    """Design: one seed, one result, whatever the number of workers."""
    n = 6 * cosmic_rays.BLOCK + 5
    samples = []
    for workers in (1, 3):
        monkeypatch.setattr(_blocks, "thread_count", lambda workers=workers: workers)
        samples.append(simulate(n, seed=3, preset="physics", arrivals=40))
    assert same(*samples)
    assert not same(samples[0], simulate(n, seed=4, preset="physics", arrivals=40))


def test_the_first_skies_do_not_depend_on_how_many_follow():
    """Docstring of simulate, over the edge of a block."""
    n = cosmic_rays.BLOCK + 3
    long, short = (simulate(size, seed=5, arrivals=40) for size in (2 * n, n))
    assert same(short, dataclasses.replace(long, **{name: a[:n] for name, a in long.arrays().items()}))


def test_sources_leave_all_other_arrivals_as_they_are():
    """Docstring of simulate: isotropic arrivals, energies and charges do not depend on the sources."""
    plain = simulate(100, seed=6, source_skies=0.0)
    for options in ({"source_skies": 1.0}, {"source_skies": 1.0, "preset": "physics", "maximum_energy": 155.0}):
        other = simulate(100, seed=6, **options)
        isotropic = other.origin < 0
        np.testing.assert_array_equal(other.data[isotropic], plain.data[isotropic])
        np.testing.assert_array_equal(other.data[..., 3], plain.data[..., 3])
        np.testing.assert_array_equal(other.charge, plain.charge)


def test_labels_and_charges_are_the_same_on_every_processor():
    """Golden numbers: comparisons of uniform numbers with constants."""
    skies = simulate(300, seed=7)
    assert int(skies.label.sum()) == GOLDEN["label"]
    assert np.bincount(skies.charge.ravel(), minlength=8)[CHARGES].tolist() == GOLDEN["charge"]
    assert int((skies.origin >= 0).sum()) == GOLDEN["origin"]


GOLDEN = {"label": 155, "charge": [22590, 67426, 59984], "origin": 3406}


def test_the_compiled_loop_agrees_with_the_plain_functions():
    """The same sky from deflect, von_mises_fisher and power_law_energy: quantiles of angles and energies to 4 sigma."""
    n = 40_000
    skies = simulate(1, seed=8, arrivals=n, source_skies=1.0, signal_share=0.999, deflection=5.0, blur=2.0)
    signal = skies.origin[0] == 0
    random = np.random.default_rng(9)
    energy = power_law_energy(random.random(n))
    charge = random.choice(CHARGES, n, p=(0.15, 0.45, 0.40))
    ratio = 40.0 * charge / energy
    source, tangent = skies.source[0, 0].astype(float), skies.tangent[0, 0].astype(float)
    expected = von_mises_fisher(deflect(source, tangent, 5.0 * ratio), 1 / np.radians(2.0 * ratio) ** 2, seed=random)
    across = np.cross(source, tangent)
    for axis in (source, tangent, across):
        a, b = skies.directions[0, signal] @ axis, expected @ axis
        error = np.sqrt(a.var() / len(a) + b.var() / len(b))
        assert abs(a.mean() - b.mean()) < 4 * error
        for level in np.quantile(b, (0.1, 0.3, 0.5, 0.7, 0.9)):
            assert abs((a < level).mean() - (b < level).mean()) < 4 * np.sqrt(0.25 / len(a) + 0.25 / len(b))
    for level in (45.0, 60.0, 90.0):
        assert abs((skies.energy < level).mean() - (energy < level).mean()) < 4 * np.sqrt(0.5 / n)


def test_the_oracle_is_the_plain_formula():
    """Docstring of known_source_ratio, written with NumPy, for several sources."""
    settings = {"preset": "physics", "blur": 3.0, "signal_share": 0.3}
    skies = simulate(20, seed=10, arrivals=60, sources=3, **settings)
    density = 0.0
    for s in range(3):
        for charge, share in zip(CHARGES, (0.15, 0.45, 0.40), strict=True):
            ratio = 40.0 * charge / skies.energy
            angle = np.radians(skies.deflection[:, s, None] * ratio)
            kappa = 1.0 / np.radians(3.0 * ratio) ** 2
            along = np.einsum("nik,nk->ni", skies.directions.astype(float), skies.source[:, s])
            across = np.einsum("nik,nk->ni", skies.directions.astype(float), skies.tangent[:, s])
            cosine = along * np.cos(angle) + across * np.sin(angle)
            fisher = 2 * kappa / (1 - np.exp(-2 * kappa)) * np.exp(kappa * (cosine - 1))
            density += skies.flux[:, s, None] * share * fisher
    expected = np.log(1 - 0.3 + 0.3 * density).sum(1)
    found = known_source_ratio(skies.directions, skies.energy, **known(skies), **settings)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)


def test_pairs_are_those_of_the_matrix_of_cosines():
    """All pairs, each once."""
    skies = simulate(5, seed=11, arrivals=80)
    cosine = np.einsum("nik,njk->nij", skies.directions.astype(float), skies.directions.astype(float))
    close = (cosine > np.cos(np.radians(20.0))).sum((1, 2)) - 80
    np.testing.assert_array_equal(pair_counts(skies.directions, angle=20.0), close // 2)


def test_memory_beyond_the_result_is_a_few_blocks():
    """Design, section 3: bounded, however large the result."""
    tracemalloc.start()
    try:
        skies = simulate(4000, seed=1)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - sum(a.nbytes for a in skies.arrays().values()) < 10e6


def test_edges_of_the_arguments():
    """One arrival, no signal, one element, many sources."""
    assert simulate(3, seed=1, arrivals=1).data.shape == (3, 1, 4)
    assert (simulate(20, seed=1, signal_share=0.0, source_skies=1.0).origin == -1).all()
    assert set(np.unique(simulate(5, seed=1, composition=[0, 1, 0]).charge)) == {2}
    many = simulate(20, seed=1, sources=100, signal_share=0.9, source_skies=1.0, preset="physics")
    assert many.origin.max() > 50
    np.testing.assert_allclose(many.flux.sum(1), 1.0, atol=1e-5)
    assert (simulate(5, seed=1, sources=4).flux == 0.25).all()
