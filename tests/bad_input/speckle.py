"""Wrong arguments to every public function of dlphys.simulators.speckle and to the loader of its set."""

import numpy as np

from dlphys.datasets._speckle import load_speckles
from dlphys.simulators import speckle
from dlphys.simulators.speckle import (
    box_filter,
    cylinder_form_factor,
    film_form_factor,
    hard_sphere_structure_factor,
    kiessig_fringes,
    measure,
    mode_weights,
    paracrystal_structure_factor,
    photon_probability,
    speckle_correlation,
    speckle_pattern_plain,
    speckle_patterns,
    sphere_form_factor,
    vineyard_factor,
    wiener_filter,
)

IMAGE = np.ones((1, 8, 8))

CASES = [
    (speckle.simulate, (0,), {"seed": 1}, ValueError, r"n must be at least 1, got 0"),
    (speckle.simulate, (4,), {"seed": "x"}, TypeError, r"seed must be a whole number"),
    (speckle.simulate, (4,), {"seed": 1, "preset": "moon"}, ValueError, r"preset must be one of 'book', 'physics'"),
    (speckle.simulate, (4,), {"seed": 1, "modes": 0.5}, ValueError, r"modes must be .* \[1, 64\], got 0.5"),
    (speckle.simulate, (4,), {"seed": 1, "speckle_size": 20.0}, ValueError, r"speckle_size must be .* pixels, got 20"),
    (speckle.simulate, (4,), {"seed": 1, "photons": 1e4}, ValueError, r"photons must have shape \(2,\), got \(\)"),
    (speckle.simulate, (4,), {"seed": 1, "photons": [9.0, 3.0]}, ValueError, r"photons must be the smallest and the"),
    (speckle.simulate, (4,), {"seed": 1, "photons": [0.0, 3.0]}, ValueError, r"photons must lie in \[1, 1e\+09\]"),
    (measure, (4,), {"seed": 1, "modes": [1.0, 99.0]}, ValueError, r"modes must lie in \[1, 64\], got 99"),
    (measure, (4,), {"seed": 1, "modes": 2.0}, ValueError, r"modes must have shape \(2,\)"),
    (speckle_patterns, (4,), {"seed": 1, "modes": "two"}, TypeError, r"modes must be a number, got 'two'"),
    (speckle_pattern_plain, (1,), {"modes": 1.5}, TypeError, r"modes must be a whole number, got 1.5"),
    (mode_weights, ([1.0, 0.0],), {}, ValueError, r"modes must lie in \[1, 64\], got 0"),
    (speckle_correlation, ("far",), {}, TypeError, r"shift must be an array of numbers"),
    (speckle_correlation, (1.0,), {"speckle_size": 0.5}, ValueError, r"speckle_size must be .* pixels, got 0.5"),
    (photon_probability, (-1,), {"mean": 1.0}, ValueError, r"counts must lie in \[0, inf\] photons, got -1"),
    (photon_probability, (1,), {"mean": 0.0}, ValueError, r"mean must be .* photons, got 0.0"),
    (box_filter, (IMAGE,), {"width": 4}, ValueError, r"width must be odd, so that it has a middle, got 4"),
    (box_filter, (IMAGE[0],), {}, ValueError, r"speckled must have 3 axes, got shape \(8, 8\)"),
    (wiener_filter, (-IMAGE,), {}, ValueError, r"speckled must lie in \[0, inf\] photons, got -1"),
    (wiener_filter, (IMAGE,), {"width": 99}, ValueError, r"width must be between 1 and 31, got 99"),
    (sphere_form_factor, (-1.0,), {"radius": 5.0}, ValueError, r"q must lie in \[0, inf\] nm\^-1, got -1"),
    (sphere_form_factor, (1.0,), {"radius": 0.0}, ValueError, r"radius must lie in .* nm, got 0"),
    (sphere_form_factor, (1.0,), {"radius": 5.0, "spread": 0.0}, ValueError, r"spread must lie in \[0.01, 1\], got 0"),
    (
        hard_sphere_structure_factor,
        (1.0,),
        {"radius": 5.0, "fraction": 0.7},
        ValueError,
        r"fraction must lie in \[0, 0.5\], got 0.7",
    ),
    (cylinder_form_factor, (1.0,), {"radius": 5.0, "spread": 0.5}, ValueError, r"spread must lie in \[0, 0.3\]"),
    (film_form_factor, (1.0,), {"thickness": -20.0}, ValueError, r"thickness must lie in .* nm, got -20"),
    (
        kiessig_fringes,
        (1.0,),
        {"thickness": 20.0, "roughness": -1.0},
        ValueError,
        r"roughness must lie in \[0, inf\] nm, got -1",
    ),
    (
        paracrystal_structure_factor,
        (1.0,),
        {"spacing": 20.0, "disorder": 0.0},
        ValueError,
        r"disorder must lie in .* nm, got 0",
    ),
    (vineyard_factor, (np.nan,), {"k_critical": 0.1}, ValueError, r"k_normal must be finite, got 1 entries"),
    (vineyard_factor, (1.0,), {"k_critical": 0.0}, ValueError, r"k_critical must lie in .* nm\^-1, got 0"),
    (load_speckles, (2,), {"seed": 1}, ValueError, r"n must be at least 3, got 2"),
    (load_speckles, (12,), {"seed": 1, "experimental": "yes"}, ValueError, r"experimental must be one of True, False"),
    (load_speckles, (12,), {"seed": -1}, ValueError, r"seed must be at least 0, got -1"),
    (load_speckles, (12,), {"seed": 1, "experimental": True, "preset": "moon"}, ValueError, r"preset must be one of"),
]
