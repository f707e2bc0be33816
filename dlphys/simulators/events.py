"""Events in detectors: neutrinos, liquid argon, a tracker, single molecules, a scanned surface.

Each system is a function of its own. Particles are followed through matter one by one, so a track is thin because a
muon loses little and scatters little, and a shower is broad because an electron radiates. Used in chapter 8
(examples 8.6, 8.8, 8.10 and 8.11) and in the lectures on vision and graphs.

Beside the data stands what a network is to be compared with: `track_likeness`, `edge_candidates`, `fit_molecules` and
`wiener_gap` are baselines, and `localisation_bound` is the smallest error of an unbiased method.
"""

from __future__ import annotations

from dlphys.simulators._events_displays import NeutrinoDisplays, neutrino_displays, track_likeness
from dlphys.simulators._events_matter import (
    LIQUID_ARGON,
    SCINTILLATOR,
    Medium,
    highland_width,
    shower_maximum,
    stopping_power,
)
from dlphys.simulators._events_molecules import (
    VOXEL,
    SingleMolecules,
    fit_molecules,
    localisation_bound,
    single_molecules,
    spot_widths,
    voxel_targets,
)
from dlphys.simulators._events_stm import STMTopographs, stm_topographs, wiener_gap
from dlphys.simulators._events_tpc import Scenes, TPCPixels, overlap, scenes, tpc_pixels
from dlphys.simulators._events_tracker import LAYERS, TrackerHits, bending_radius, edge_candidates, tracker_hits

__all__ = [
    "LAYERS",
    "LIQUID_ARGON",
    "SCINTILLATOR",
    "VOXEL",
    "Medium",
    "NeutrinoDisplays",
    "STMTopographs",
    "Scenes",
    "SingleMolecules",
    "TPCPixels",
    "TrackerHits",
    "bending_radius",
    "edge_candidates",
    "fit_molecules",
    "highland_width",
    "localisation_bound",
    "neutrino_displays",
    "overlap",
    "scenes",
    "shower_maximum",
    "single_molecules",
    "spot_widths",
    "stm_topographs",
    "stopping_power",
    "tpc_pixels",
    "track_likeness",
    "tracker_hits",
    "voxel_targets",
    "wiener_gap",
]
