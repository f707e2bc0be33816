"""Ready-to-train data sets: one loader a set, all returning the same frozen `Dataset`.

The bytes of a downloaded set come from the first of these that has them, said in one printed line and in
``about.source``: the mirror ``DLPHYS_DATA_DIR``, the cache (``DLPHYS_CACHE_DIR``), the network, an offline stand-in.
Simulated sets are computed here and kept in the cache.
"""

from dlphys.datasets import export, manage, shards
from dlphys.datasets._airshower import (
    load_airshower_energy,
    load_airshowers,
    load_shower_footprints,
    load_shower_traces,
)
from dlphys.datasets._calorimeter import load_calorimeter_showers, load_electron_proton
from dlphys.datasets._cosmic_rays import load_cosmic_ray_skies
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._errors import DataUnavailable, StandInWarning
from dlphys.datasets._events import (
    load_neutrino_displays,
    load_scenes,
    load_single_molecules,
    load_stm,
    load_tpc_pixels,
    load_tracker_hits,
)
from dlphys.datasets._galaxies import load_spiral_galaxies
from dlphys.datasets._gas import load_gas
from dlphys.datasets._higgs import load_higgs
from dlphys.datasets._images import load_cifar10, load_fashion_mnist, load_mnist
from dlphys.datasets._jets import load_b_jets, load_quark_gluon_jets, load_top_jets, load_zprime_jets
from dlphys.datasets._karate import GraphDataset, load_karate_club
from dlphys.datasets._lattice_field import load_lattice_field
from dlphys.datasets._oscillators import load_oscillators
from dlphys.datasets._radio import load_noisy_radio_traces, load_radio_traces
from dlphys.datasets._resonance import load_dijets, load_tth
from dlphys.datasets._series import load_absorbers, load_cracks, load_neutron_gamma, load_quenches, load_sine
from dlphys.datasets._simulated import load_earthquakes, load_ising
from dlphys.datasets._speckle import load_speckles
from dlphys.datasets._spectra import load_eels, load_gluon
from dlphys.datasets._top_tagging import load_top_tagging
from dlphys.datasets._toys import load_checkerboard, load_interpolation, load_planing
from dlphys.datasets._wine import load_wine

__all__ = [
    "About",
    "DataUnavailable",
    "Dataset",
    "GraphDataset",
    "StandInWarning",
    "export",
    "load_absorbers",
    "load_airshower_energy",
    "load_airshowers",
    "load_b_jets",
    "load_calorimeter_showers",
    "load_checkerboard",
    "load_cifar10",
    "load_cosmic_ray_skies",
    "load_cracks",
    "load_dijets",
    "load_earthquakes",
    "load_eels",
    "load_electron_proton",
    "load_fashion_mnist",
    "load_gas",
    "load_gluon",
    "load_higgs",
    "load_interpolation",
    "load_ising",
    "load_karate_club",
    "load_lattice_field",
    "load_mnist",
    "load_neutrino_displays",
    "load_neutron_gamma",
    "load_noisy_radio_traces",
    "load_oscillators",
    "load_planing",
    "load_quark_gluon_jets",
    "load_quenches",
    "load_radio_traces",
    "load_scenes",
    "load_shower_footprints",
    "load_shower_traces",
    "load_sine",
    "load_single_molecules",
    "load_speckles",
    "load_spiral_galaxies",
    "load_stm",
    "load_top_jets",
    "load_top_tagging",
    "load_tpc_pixels",
    "load_tracker_hits",
    "load_tth",
    "load_wine",
    "load_zprime_jets",
    "manage",
    "shards",
]
