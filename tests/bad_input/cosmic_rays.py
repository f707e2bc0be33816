"""Wrong arguments to every public function of dlphys.simulators.cosmic_rays, and to the loader."""

import numpy as np

from dlphys.datasets._cosmic_rays import load_cosmic_ray_skies
from dlphys.simulators.cosmic_rays import (
    deflect,
    field_deflection,
    known_source_ratio,
    pair_counts,
    power_law_energy,
    simulate,
    von_mises_fisher,
)

NORTH, EAST = [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]
SKY = np.array([[NORTH, EAST]])
ENERGY = np.array([[50.0, 60.0]])
KNOWN = {"source": [[NORTH]], "tangent": [[EAST]], "deflection": [[6.0]], "flux": [[1.0]]}

CASES = [
    (simulate, (0,), {"seed": 1}, ValueError, r"n must be at least 1, got 0"),
    (simulate, (3,), {"seed": None}, TypeError, r"seed must be a whole number"),
    (simulate, (3,), {"seed": 1, "preset": "moon"}, ValueError, r"preset must be one of 'book', 'physics', got 'moon'"),
    (simulate, (3,), {"seed": 1, "arrivals": 0}, ValueError, r"arrivals must be at least 1, got 0"),
    (simulate, (3,), {"seed": 1, "sources": 101}, ValueError, r"sources must be between 1 and 100, got 101"),
    (simulate, (3,), {"seed": 1, "signal_share": 1.0}, ValueError, r"signal_share must be .* in \[0, 0.999\], got 1.0"),
    (simulate, (3,), {"seed": 1, "deflection": -1.0}, ValueError, r"deflection must lie in \[0, inf\] deg, got -1"),
    (simulate, (3,), {"seed": 1, "deflection": [9, 3]}, ValueError, r"deflection must be a number or \(low, high\)"),
    (simulate, (3,), {"seed": 1, "blur": 0.0}, ValueError, r"blur must be .* in \[0.01, 30\] deg, got 0.0"),
    (simulate, (3,), {"seed": 1, "composition": [1, 0]}, ValueError, r"composition must have shape \(3,\), got \(2,\)"),
    (simulate, (3,), {"seed": 1, "composition": [1, 1, 0]}, ValueError, r"composition must add up to 1, got 2"),
    (
        simulate,
        (3,),
        {"seed": 1, "spectral_index": 1.0},
        ValueError,
        r"spectral_index must be .* in \(1, 20\), got 1.0",
    ),
    (simulate, (3,), {"seed": 1, "maximum_energy": 40.0}, ValueError, r"maximum_energy must be .* EeV, got 40.0"),
    (simulate, (3,), {"seed": 1, "source_skies": 1.5}, ValueError, r"source_skies must be .* in \[0, 1\], got 1.5"),
    (power_law_energy, (1.5,), {}, ValueError, r"u must lie in \[0, 1\], got 1.5"),
    (power_law_energy, (0.5,), {"spectral_index": 0.5}, ValueError, r"spectral_index must be"),
    (power_law_energy, (0.5,), {"maximum_energy": 10.0}, ValueError, r"maximum_energy must be .* EeV, got 10.0"),
    (field_deflection, (0.0,), {"field": 1.0, "length": 1.0}, ValueError, r"rigidity must be above 0 EV, got 0"),
    (field_deflection, (9.0,), {"field": -1.0, "length": 1.0}, ValueError, r"field must be .* microgauss, got -1.0"),
    (field_deflection, (9.0,), {"field": 1.0, "length": 0.0}, ValueError, r"length must be .* kpc, got 0.0"),
    (deflect, (NORTH, NORTH, 5.0), {}, ValueError, r"tangent must be at right angles to source, got a cosine of 1"),
    (deflect, ([0.0, 0.0, 2.0], EAST, 5.0), {}, ValueError, r"source must be unit vectors in space"),
    (deflect, ([NORTH] * 2, [EAST] * 2, [1.0, 2.0, 3.0]), {}, ValueError, r"must have the same number of entries"),
    (von_mises_fisher, ([NORTH], 0.0), {"seed": 1}, ValueError, r"kappa must be above 0, got 0"),
    (von_mises_fisher, ([NORTH], [1.0, 2.0]), {"seed": 1}, ValueError, r"kappa must be one number or one for each of"),
    (von_mises_fisher, ([[1.0, 1.0, 0.0]], 1.0), {"seed": 1}, ValueError, r"mean must be unit vectors in space"),
    (
        known_source_ratio,
        (SKY[0], ENERGY),
        KNOWN,
        ValueError,
        r"directions must have shape \(any, any, 3\), got \(2, 3\)",
    ),
    (known_source_ratio, (SKY, ENERGY[0]), KNOWN, ValueError, r"energy must have shape \(1, 2\), got \(2,\)"),
    (known_source_ratio, (SKY, 0 * ENERGY), KNOWN, ValueError, r"energy must be above 0 EeV, got 0"),
    (known_source_ratio, (SKY, ENERGY), {**KNOWN, "flux": [[1.0, 0.0]]}, ValueError, r"flux must have shape \(1, 1\)"),
    (known_source_ratio, (SKY, ENERGY), {**KNOWN, "blur": 99.0}, ValueError, r"blur must be .* deg, got 99.0"),
    (pair_counts, (SKY[0],), {}, ValueError, r"directions must have shape \(any, any, 3\), got \(2, 3\)"),
    (pair_counts, (SKY,), {"angle": 180.0}, ValueError, r"angle must be .* in \(0, 180\) deg, got 180.0"),
    (load_cosmic_ray_skies, (2,), {"seed": 1}, ValueError, r"n must be at least 3, got 2"),
    (load_cosmic_ray_skies, (9,), {"seed": 0.5}, TypeError, r"seed must be a whole number"),
    (load_cosmic_ray_skies, (9,), {"seed": 1, "blur": -1.0}, ValueError, r"blur must be .* deg, got -1.0"),
]
