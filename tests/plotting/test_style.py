"""The style can be read by all eyes: contrast after WCAG 2.1, colours under simulated colour blindness."""

import subprocess
import sys
from itertools import combinations

import matplotlib
import numpy as np
import pytest

from dlphys import plotting
from dlphys.plotting.style import MARKERS

# Machado, Oliveira and Fernandes, IEEE Trans. Vis. Comput. Graph. 15 (2009) 1291, severity 1, on linear RGB
SIGHT = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def linear(colour):
    """Linear RGB of a colour, IEC 61966-2-1."""
    c = np.array(matplotlib.colors.to_rgb(colour))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* (D65) of linear RGB; distances there are differences seen, 2.3 being just noticeable."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = to_xyz @ np.clip(rgb, 0, 1) / np.array([0.9505, 1.0, 1.089])
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def contrast(one, other):
    """Contrast ratio of WCAG 2.1."""
    low, high = sorted(linear(colour) @ (0.2126, 0.7152, 0.0722) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def test_the_colour_measures_give_known_values():
    """Black on white is 21 : 1; white has L* = 100; the simulations leave grey as it is."""
    assert contrast("black", "white") == pytest.approx(21)
    assert lab(np.ones(3)) == pytest.approx([100, 0, 0], abs=0.02)
    for matrix in SIGHT.values():
        assert matrix @ np.ones(3) == pytest.approx(np.ones(3), abs=1e-5)


@pytest.mark.parametrize("sight", SIGHT)
def test_the_colours_differ_for_all_eyes(sight):
    """At least 15 in CIE 1976, more than six times the just noticeable difference, text colour included."""
    seen = [lab(SIGHT[sight] @ linear(colour)) for colour in (*plotting.COLOURS, plotting.INK)]
    assert min(np.linalg.norm(a - b) for a, b in combinations(seen, 2)) > 15


def test_a_red_and_a_green_of_the_same_brightness_would_fail_this_test():
    seen = [lab(SIGHT["deuteranopia"] @ linear(colour)) for colour in ("#c44e00", "#a97b00")]
    assert np.linalg.norm(seen[0] - seen[1]) < 15


@pytest.mark.parametrize("colour", [plotting.INK, plotting.GREY])
def test_text_has_the_contrast_that_wcag_asks_for(colour):
    assert contrast(colour, plotting.BACKGROUND) >= 4.5


def test_every_colour_has_a_marker_of_its_own():
    assert len(set(MARKERS)) == len(plotting.COLOURS) == len(set(plotting.COLOURS))


def test_importing_the_package_sets_an_opaque_style():
    """A transparent figure is unreadable on a dark theme."""
    program = (
        "import matplotlib; import dlphys.plotting as p; r = matplotlib.rcParams;"
        "assert r['figure.facecolor'] == r['axes.facecolor'] == p.BACKGROUND and not r['savefig.transparent'];"
        "assert r['axes.prop_cycle'].by_key()['color'] == list(p.COLOURS);"
        "assert r['figure.constrained_layout.use'];"
        "import sys; assert not {'keras', 'tensorflow', 'IPython', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=120)
