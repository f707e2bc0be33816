"""How the resonance simulators behave as programs; their physics is tested in tests/physics."""

import hashlib
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate

from dlphys.simulators import _resonance_kinematics as kinematics
from dlphys.simulators import _resonance_spectrum, resonance


def test_arrays_have_the_documented_shapes_and_types():
    dijets, higgs, tth = (f(20, seed=1) for f in (resonance.simulate, resonance.simulate_higgs, resonance.simulate_tth))
    assert {k: (a.shape, a.dtype.name) for k, a in dijets.arrays().items()} == {
        "mass": ((20,), "float32"),
        "features": ((20, 2), "float32"),
        "label": ((20,), "uint8"),
    }
    assert {k: (a.shape, a.dtype.name) for k, a in higgs.arrays().items()} == {
        "features": ((20, 28), "float32"),
        "label": ((20,), "uint8"),
    }
    assert {k: (a.shape, a.dtype.name) for k, a in tth.arrays().items()} == {
        "jets": ((20, 8, 4), "float32"),
        "count": ((20,), "int8"),
        "parent": ((20, 8), "int8"),
        "lepton": ((20, 3), "float32"),
        "missing": ((20, 2), "float32"),
    }
    assert resonance.simulate_higgs_partons(3, seed=1).momenta.shape == (3, len(resonance.HIGGS_PARTICLES), 4)
    assert resonance.simulate_tth_partons(3, seed=1).momenta.shape == (3, 17, 4)


def test_labels_of_a_seed_never_change():
    """Golden: integers are the same on every machine."""
    digests = [
        hashlib.sha256(labels.tobytes()).hexdigest()[:12]
        for labels in (
            resonance.simulate(10_000, signal_fraction=0.3, seed=1).label,
            resonance.simulate_higgs_partons(5000, seed=1).label,
        )
    ]
    assert digests == ["6d1b6fa6f0c5", "fae3e9a1cf89"]


def test_the_background_stays_as_it_is_for_any_signal():
    """Docstring of simulate."""
    one, other = (resonance.simulate(5000, seed=2, signal_fraction=0.1, resonance=m) for m in (3.5, 5.0))
    background = one.label == 0
    np.testing.assert_array_equal(one.label, other.label)
    np.testing.assert_array_equal(one.features, other.features)
    np.testing.assert_array_equal(one.mass[background], other.mass[background])
    assert (one.mass[~background] != other.mass[~background]).all()


@pytest.mark.parametrize("fraction", [0.0, 1.0])
def test_pure_samples(fraction):
    assert (resonance.simulate(1000, signal_fraction=fraction, seed=3).label == fraction).all()
    assert (resonance.simulate_higgs(1000, signal_fraction=fraction, seed=3).label == fraction).all()


def test_quantile_and_distribution_are_inverse_to_each_other():
    u = np.linspace(0, 1, 1001)
    masses = _resonance_spectrum.mass_quantile(u)
    np.testing.assert_allclose(_resonance_spectrum.mass_distribution(masses), u, atol=1e-12)
    assert masses[0] == 2.5
    assert masses[-1] == 13.0


def test_uci_units_are_the_documented_scales():
    """Means of positive columns and spreads of angles are 1 within 2 %."""
    raw, scaled = (resonance.simulate_higgs(20_000, seed=4, units=u).features.astype(float) for u in ("GeV", "uci"))
    np.testing.assert_allclose(scaled * resonance.HIGGS_SCALES, raw, rtol=1e-5, atol=1e-5)
    angle = [name.endswith(("eta", "phi")) for name in resonance.HIGGS_COLUMNS]
    np.testing.assert_allclose(np.where(angle, scaled.std(0), scaled.mean(0)), 1.0, atol=0.03)


def test_selected_events_fulfil_the_selection():
    """Docstring of simulate_higgs: pT, eta, order of the jets, distances, tags."""
    f = resonance.simulate_higgs(5000, seed=5, units="GeV").features
    jets = f[:, 5:21].reshape(-1, 4, 4)
    assert min(f[:, 0].min(), jets[..., 0].min()) > 20 - 1e-4
    assert max(np.abs(f[:, 1]).max(), np.abs(jets[..., 1]).max()) < 2.5 + 1e-6
    assert (np.diff(jets[..., 0], axis=1) <= 0).all()
    assert set(np.unique(jets[..., 3])) == {0, 1, 2}
    everything = np.concatenate([jets[..., 1:3], f[:, None, 1:3]], axis=1)
    away = everything[:, :, None] - everything[:, None]
    away[..., 1] = (away[..., 1] + np.pi) % (2 * np.pi) - np.pi
    distance = np.linalg.norm(away, axis=-1) + 9 * np.eye(5)
    assert distance.min() > 0.4 - 1e-5


def test_every_parent_has_its_jets_in_both_presets():
    book, physics = (resonance.simulate_tth(2000, seed=6, preset=p) for p in ("book", "physics"))
    assert (book.count == 8).all()
    assert np.isnan(book.lepton).all()
    assert ((book.parent[:, :, None] == [0, 1, 2]).sum(1) == [2, 3, 3]).all()
    hardest = np.argmax(book.parent > 0, axis=1)
    assert (book.parent[np.arange(2000), hardest] == 1).all(), "1 is the top quark with the hardest jet"
    assert ((physics.parent[:, :, None] == [0, 1, 2]).sum(1) == [2, 3, 1]).all()
    assert set(physics.count) == {6, 7, 8}
    assert np.isfinite(physics.lepton).all()
    padding = np.arange(8) >= physics.count[:, None]
    assert not physics.jets[padding].any()
    assert (physics.parent[padding] == -1).all()


def test_found_assignments_are_among_all_assignments():
    events = resonance.simulate_tth(300, seed=7)
    found = resonance.assign_jets(events)
    table = {row.tobytes() for row in resonance.assignments()}
    assert all(row.tobytes() in table for row in found)
    assert all(row.tobytes() in table for row in events.parent)
    physics = resonance.simulate_tth(300, seed=7, preset="physics")
    found = resonance.assign_jets(physics)
    assert ((found[:, :, None] == [0, 1, 2]).sum(1) == [2, 3, 1]).all()
    assert (found[np.arange(8) >= physics.count[:, None]] == -1).all()


def test_the_compiled_decay_is_the_readable_one():
    """put_decay and two_body_decay, solve_neutrino and neutrino_pz, momentum_of and two_body_momentum."""
    random = np.random.default_rng(8)
    a, b = np.empty(4), np.empty(4)
    for _ in range(50):
        p = random.normal(0, 200, 3)
        parent = np.array([np.sqrt(p @ p + 172.5**2), *p])
        cosine, azimuth = random.uniform(-1, 1), random.uniform(0, 6)
        kinematics.put_decay(parent, 80.4, 4.7, cosine, azimuth, a, b)
        plain = kinematics.two_body_decay(parent[None], 80.4, 4.7, [cosine], [azimuth])
        np.testing.assert_allclose([a, b], [plain[0][0], plain[1][0]], rtol=1e-10, atol=1e-9)
        lepton = np.array([np.linalg.norm(p), *p])
        x, y = random.normal(0, 40, 2)
        plain_z = kinematics.neutrino_pz(lepton[None], [[x, y]])[0]
        assert kinematics.solve_neutrino(lepton, x, y) == pytest.approx(plain_z, rel=1e-9)
    assert kinematics.momentum_of(172.5, 80.4, 4.7) == pytest.approx(kinematics.two_body_momentum(172.5, 80.4, 4.7))


def test_the_fitted_parameters_are_those_of_the_printed_formula():
    """p0 (1 - x)^p1 / x^(p2 + p3 ln x), integrated over each bin, is what the fit expects in it."""
    edges = np.linspace(2.5, 5.0, 26)
    counts = np.histogram(resonance.simulate(5000, signal_fraction=0.0, seed=9).mass, edges)[0]
    fit = resonance.fit_spectrum(counts, edges)
    assert fit.expected.sum() == pytest.approx(counts.sum(), rel=1e-6)  # the norm is fitted
    p0, p1, p2, p3 = fit.parameters

    def spectrum(mass):
        x = mass / 13
        return p0 * (1 - x) ** p1 / x ** (p2 + p3 * np.log(x))

    integrals = [integrate.quad(spectrum, low, high)[0] for low, high in pairwise(edges)]
    np.testing.assert_allclose(integrals, fit.expected, rtol=1e-8)


def test_efficiencies_begin_at_zero_and_end_at_one():
    for rho in (-0.8, 0.0, 0.8):
        values = resonance.optimal_background_efficiency(np.linspace(0, 1, 101), rho=rho)
        assert (np.diff(values) >= 0).all()
        assert values[0] == 0
        assert values[-1] == pytest.approx(1, abs=1e-6)
    assert resonance.optimal_improvement([0.0])[0] == 0
