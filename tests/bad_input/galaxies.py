"""Wrong arguments to every public function of dlphys.simulators.galaxies and to the loader of its set."""

import numpy as np

from dlphys.datasets._galaxies import load_spiral_galaxies
from dlphys.simulators import galaxies
from dlphys.simulators.galaxies import fourier_handedness, mirror, render_plain, sersic_b

CASES = [
    (galaxies.simulate, (0,), {"seed": 1}, ValueError, r"n must be at least 1, got 0"),
    (galaxies.simulate, (4,), {"seed": 1.5}, TypeError, r"seed must be a whole number"),
    (galaxies.simulate, (4,), {"seed": 1, "preset": "moon"}, ValueError, r"preset must be one of 'book', 'physics'"),
    (galaxies.simulate, (4,), {"seed": 1, "noise": -0.1}, ValueError, r"noise must be .* \[0, 1\], got -0.1"),
    (mirror, (np.zeros((3, 32, 32)),), {}, TypeError, r"galaxies must be a SpiralGalaxies, got an array of shape"),
    (render_plain, (None,), {}, TypeError, r"galaxies must be a SpiralGalaxies, got None"),
    (sersic_b, (0.1,), {}, ValueError, r"index must lie in \[0.5, 10\], got 0.1"),
    (sersic_b, ("four",), {}, TypeError, r"index must be an array of numbers"),
    (fourier_handedness, (np.zeros((3, 28, 28)),), {}, ValueError, r"images must have shape \(n, 32, 32\) or"),
    (fourier_handedness, (-np.ones((3, 32, 32)),), {}, ValueError, r"images must lie in \[0, inf\], got -1"),
    (load_spiral_galaxies, (2,), {"seed": 1}, ValueError, r"n must be at least 3, got 2"),
    (load_spiral_galaxies, (21,), {"seed": 1, "noise": 2.0}, ValueError, r"noise must be .* \[0, 1\], got 2.0"),
    (load_spiral_galaxies, (21,), {"seed": 1, "preset": 1}, ValueError, r"preset must be one of"),
]
