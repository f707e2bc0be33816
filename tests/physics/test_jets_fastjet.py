"""Our clustering against FastJet, where it is installed: python -m pip install fastjet"""

import numpy as np
import pytest

from dlphys.simulators import jets

pytestmark = pytest.mark.fastjet


@pytest.mark.parametrize("algorithm", ["anti-kt", "cambridge", "kt"])
@pytest.mark.parametrize("radius", [0.15, 0.4])
def test_subjets_are_those_of_fastjet(algorithm, radius):
    """M. Cacciari, G. P. Salam and G. Soyez, Eur. Phys. J. C 72 (2012) 1896."""
    import fastjet

    names = {"anti-kt": "antikt_algorithm", "cambridge": "cambridge_algorithm", "kt": "kt_algorithm"}
    definition = fastjet.JetDefinition(getattr(fastjet, names[algorithm]), radius)
    sample = jets.simulate(100, seed=3, preset="physics")
    labels = jets.subjets(sample.constituents, radius=radius, algorithm=algorithm)
    momenta = jets.four_momenta(sample.constituents.astype(np.float64))
    for momentum, label in zip(momenta, labels, strict=True):
        particles = [fastjet.PseudoJet(*map(float, (*p[1:], p[0]))) for p in momentum[label >= 0]]
        for number, particle in enumerate(particles):
            particle.set_user_index(number)
        cluster = fastjet.ClusterSequence(particles, definition)
        theirs = [sorted(piece.user_index() for piece in jet.constituents()) for jet in cluster.inclusive_jets()]
        ours = [np.flatnonzero(label == i).tolist() for i in range(label.max() + 1)]
        assert sorted(ours) == sorted(theirs)
