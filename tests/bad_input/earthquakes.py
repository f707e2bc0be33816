"""Wrong arguments to every public function of dlphys.simulators.earthquakes."""

import numpy as np

from dlphys.simulators.earthquakes import cramer_rao, plate_border, simulate, travel_times, triangulate

PLACE = np.array([[3.0, 4.0]])
TIMES = travel_times(PLACE).reshape(1, 8)
LINE = np.array([(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (5.0, 5.0)])

CASES = [
    (travel_times, ([[1.0, 2.0, 3.0]],), {}, ValueError, r"epicentres must have shape \(any, 2\), got \(1, 3\)"),
    (travel_times, (PLACE, [1.0, 2.0]), {}, ValueError, r"stations must have shape"),
    (travel_times, (PLACE,), {"v_p": -7.0}, ValueError, r"v_p must be .* km/s, got -7"),
    (travel_times, (PLACE,), {"v_s": 8.0}, ValueError, r"v_s must be a finite number in \(0, 7\) km/s, got 8"),
    (travel_times, (PLACE,), {"depth": -1.0}, ValueError, r"depth must lie in \[0, inf\] km"),
    (travel_times, (PLACE,), {"depth": [1.0, 2.0]}, ValueError, r"depth must be one number or one for each of the 1"),
    (travel_times, ([["here", "there"]],), {}, TypeError, r"epicentres must be an array of numbers"),
    (plate_border, (46.0,), {}, ValueError, r"y must lie in \[-45, 45\] km"),
    (plate_border, ("north",), {}, TypeError, r"y must be an array of numbers, got 'north'"),
    (simulate, (0,), {"seed": 1}, ValueError, r"n must be at least 1, got 0"),
    (simulate, (1e3,), {"seed": 1}, TypeError, r"n must be a whole number, got 1000.0"),
    (simulate, (10,), {"seed": -1}, ValueError, r"seed must be at least 0, got -1"),
    (
        simulate,
        (10,),
        {"seed": 1, "preset": "moon"},
        ValueError,
        r"preset must be one of 'book', 'physics', got 'moon'",
    ),
    (simulate, (10,), {"seed": 1, "timing_error": -0.01}, ValueError, r"timing_error must be .* s, got -0.01"),
    (simulate, (10,), {"seed": 1, "depth": 10.0}, ValueError, r"depth must be one of None, True, False, got 10.0"),
    (simulate, (10,), {"seed": 1, "origin_time": "no"}, ValueError, r"origin_time must be one of .* got 'no'"),
    (triangulate, (TIMES[:, :6],), {}, ValueError, r"times must have shape \(any, 8\), got \(1, 6\)"),
    (triangulate, (TIMES * np.nan,), {}, ValueError, r"times must be finite, got 8 entries"),
    (triangulate, (TIMES,), {"stations": LINE}, ValueError, r"stations must be at least three that do not lie on one"),
    (triangulate, (TIMES,), {"offsets": [0.1] * 8}, ValueError, r"offsets must have shape \(4, 2\), got \(8,\)"),
    (triangulate, (TIMES,), {"origin_time": 3.5}, ValueError, r"origin_time must be one of True, False, got 3.5"),
    (triangulate, (TIMES,), {"fit_depth": None}, ValueError, r"fit_depth must be one of True, False, got None"),
    (cramer_rao, (PLACE,), {"timing_error": 0.0}, ValueError, r"timing_error must be .* s, got 0.0"),
    (cramer_rao, ([[10.0, 10.0]],), {"timing_error": 0.01}, ValueError, r"must not lie on a station .* \[10.0, 10.0\]"),
    (
        cramer_rao,
        ([[3.0, 3.0]],),
        {"timing_error": 0.01, "stations": LINE},
        ValueError,
        r"stations must determine every epicentre, but \[3.0, 3.0\] km",
    ),
]
