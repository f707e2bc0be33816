"""Sets of pictures and hits that `dlphys.simulators.events` makes."""

from __future__ import annotations

import numpy as np

from dlphys._random import Seed
from dlphys._validation import check_count
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._parts import divided, held_out
from dlphys.datasets._source import announce

LICENCE = "MIT, as this package"
LEAST = 10  # events of a set
BOOK = "Erdmann, Glombitza, Kasieczka and Klemradt, Deep Learning for Physics Research (2021)"
COUNT_SCALE = 100.0  # photons
HEIGHT_SCALE = 20.0  # pm


def load_neutrino_displays(
    n: int = 5000, *, seed: Seed, preset: str = "book", neutral_current: float | None = None
) -> Dataset:
    """Event displays of a neutrino beam: was it a muon or an electron neutrino?

    Parameters
    ----------
    n : int, default 5000
        Number of events, at least 10: one in ten for validation, one in five for the test, the rest for training.
    seed : int or numpy.random.Generator
    preset : {"book", "physics"}
        "book" has two classes; "physics" noise hits and neutral currents as a third class.
    neutral_current : float, optional
        Share of neutral currents. All as in `dlphys.simulators.events.neutrino_displays`.

    Returns
    -------
    Dataset
        x (n, 80, 48, 2) float32, ln(1 + energy / MeV): plane along the beam, cell across, the two views as channels;
        y (n,) int32, 0 muon, 1 electron, 2 neutral current; extra: neutrino_energy and lepton_energy (n,) GeV,
        vertex (n, 3) cm, float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    To compare with: `dlphys.simulators.events.track_likeness`, a baseline; it takes energies, ``np.expm1(x)``.

    Examples
    --------
    >>> data = load_neutrino_displays(20, seed=1)
    neutrino_displays: simulated
    >>> data.x_train.shape, data.y_test.shape
    ((14, 80, 48, 2), (4,))
    """
    from dlphys.simulators import events  # compiled code: imported where it is used

    n = check_count(n=n, minimum=LEAST)
    made = events.neutrino_displays(n, seed=seed, preset=preset, neutral_current=neutral_current)
    announce("neutrino_displays", "simulated")
    extra = {
        "neutrino_energy": made.neutrino_energy,
        "lepton_energy": made.lepton_energy,
        "vertex": made.vertex,
    }
    x = np.log1p(made.images, out=made.images)
    values = divided(x, made.label.astype(np.int32), extra, validation=held_out(n, 0.1), test=held_out(n, 0.2))
    about = About(
        title="Event displays of a neutrino beam in two views",
        source="simulated",
        units={"from above": "ln(1 + energy / MeV)", "from the side": "ln(1 + energy / MeV)"},
        target_units={"flavour": "0 muon, 1 electron, 2 neutral current"},
        extra_units={"neutrino_energy": "GeV", "lepton_energy": "GeV", "vertex": "cm"},
        made=f"dlphys.simulators.events.neutrino_displays, preset {preset}",
        licence=LICENCE,
        citation=f"{BOOK}, example 8.8; A. Aurisano et al., JINST 11 (2016) P09001",
        flaws=("hadrons are pions and a proton that share the energy at random; no generator of neutrino events",),
        classes=("muon", "electron", "neutral current"),
    )
    return Dataset(name="neutrino_displays", about=about, **values)


def load_tpc_pixels(n: int = 2000, *, seed: Seed, size: int = 64) -> Dataset:
    """Pictures of a liquid-argon chamber with the class of every pixel: track, shower, or noise.

    Parameters
    ----------
    n : int, default 2000
        Number of pictures, at least 10: one in ten for validation, one in five for the test, the rest for training.
    seed : int or numpy.random.Generator
    size : int, default 64
        Pixels of 1 cm along an edge, at least 16.

    Returns
    -------
    Dataset
        x (n, size, size, 1) float32, ln(1 + energy / MeV); y (n, size, size) uint8, 0 noise or nothing, 1 track,
        2 shower; extra: vertex (n, 2) pixels, track_energy and shower_energy (n,) MeV, float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Nineteen pixels in twenty are empty and of class 0: count errors among pixels with energy, or all methods look
    alike. `dlphys.simulators.events.tpc_pixels` makes the pictures.

    Examples
    --------
    >>> data = load_tpc_pixels(20, seed=1, size=32)
    tpc_pixels: simulated
    >>> data.x_train.shape, data.y_train.shape
    ((14, 32, 32, 1), (14, 32, 32))
    """
    from dlphys.simulators import events

    n = check_count(n=n, minimum=LEAST)
    made = events.tpc_pixels(n, seed=seed, size=size)
    announce("tpc_pixels", "simulated")
    extra = {"vertex": made.vertex, "track_energy": made.track_energy, "shower_energy": made.shower_energy}
    x = np.log1p(made.energy, out=made.energy)[..., None]
    values = divided(x, made.truth, extra, validation=held_out(n, 0.1), test=held_out(n, 0.2))
    about = About(
        title="Liquid-argon pictures with the class of every pixel",
        source="simulated",
        units={"energy": "ln(1 + energy / MeV)"},
        target_units={"pixel": "0 noise or nothing, 1 track, 2 shower"},
        extra_units={"vertex": "pixels", "track_energy": "MeV", "shower_energy": "MeV"},
        made=f"dlphys.simulators.events.tpc_pixels, {size} x {size} pixels of 1 cm",
        licence=LICENCE,
        citation=f"{BOOK}, example 8.10; MicroBooNE, Phys. Rev. D 99 (2019) 092001",
        flaws=("no recombination, diffusion or wire response: a pixel holds the deposited energy",),
        classes=("noise or nothing", "track", "shower"),
    )
    return Dataset(name="tpc_pixels", about=about, **values)


def load_scenes(n: int = 2000, *, seed: Seed, size: int = 96, objects: int = 3) -> Dataset:
    """Pictures with one to three objects and the box of each: for region proposals and detection.

    Parameters
    ----------
    n : int, default 2000
        Number of pictures, at least 10: one in ten for validation, one in five for the test, the rest for training.
    seed : int or numpy.random.Generator
    size : int, default 96
        Pixels of 1 cm along an edge, at least 32.
    objects : int, default 3
        Largest number of objects.

    Returns
    -------
    Dataset
        x (n, size, size, 1) float32, ln(1 + energy / MeV); y["boxes"] (n, objects, 4) float32, pixels: first row,
        first column, last row + 1, last column + 1, NaN where there is no object; y["kind"] (n, objects) int32,
        0 track, 1 shower, 2 interaction, -1 none; extra["count"] (n,) int8.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    `dlphys.simulators.events.overlap` compares boxes.

    Examples
    --------
    >>> data = load_scenes(20, seed=1)
    scenes: simulated
    >>> data.x_train.shape, data.y_train["boxes"].shape
    ((14, 96, 96, 1), (14, 3, 4))
    """
    from dlphys.simulators import events

    n = check_count(n=n, minimum=LEAST)
    made = events.scenes(n, seed=seed, size=size, objects=objects)
    announce("scenes", "simulated")
    targets = {"boxes": made.boxes, "kind": made.kind.astype(np.int32)}
    x = np.log1p(made.images, out=made.images)[..., None]
    values = divided(x, targets, {"count": made.count}, validation=held_out(n, 0.1), test=held_out(n, 0.2))
    about = About(
        title="Pictures with several objects and their boxes",
        source="simulated",
        units={"energy": "ln(1 + energy / MeV)"},
        target_units={"boxes": "pixels", "kind": "0 track, 1 shower, 2 interaction, -1 none"},
        extra_units={"count": "objects"},
        made=f"dlphys.simulators.events.scenes, {size} x {size} pixels of 1 cm, up to {objects} objects",
        licence=LICENCE,
        citation="R. Girshick et al., CVPR (2014) 580; MicroBooNE, JINST 12 (2017) P03011",
        flaws=("distant photons of a shower lie outside of its box",),
        classes=("track", "shower", "interaction"),
    )
    return Dataset(name="scenes", about=about, **values)


def load_tracker_hits(
    n: int = 2000, *, seed: Seed, preset: str = "physics", tracks: int = 12, max_edges: int = 400
) -> Dataset:
    """Hits of a tracker as graphs: which of the candidate segments are true?

    Parameters
    ----------
    n : int, default 2000
        Number of events, at least 10: one in ten for validation, one in five for the test, the rest for training.
    seed : int or numpy.random.Generator
    preset : {"physics", "book"}
        As in `dlphys.simulators.events.tracker_hits`.
    tracks : int, default 12
        Particles in an event.
    max_edges : int, default 400
        Room for candidates; with 12 tracks one event in some thousands has more, and loses some.

    Returns
    -------
    Dataset
        x["nodes"] (n, h, 4) float32: x, y, z in m, layer / 10, and 0 after the last hit; x["edges"] (n, max_edges, 2)
        int32, rows of nodes, inner first, and 0 after the last; x["features"] (n, max_edges, 3) float32: change of
        radius (m), azimuth (rad) and z (m) along the edge; x["mask"] (n, max_edges) float32, 1 for an edge and 0 after
        the last. y (n, max_edges) float32, 1 for two hits of one particle. extra["particle"] (n, h) int16, -1 noise.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    Candidates are the pairs of `dlphys.simulators.events.edge_candidates` with its default limits, half of them true.
    With tighter limits the same function is the baseline. Give the mask to the loss as a weight.

    Examples
    --------
    >>> data = load_tracker_hits(20, seed=1)
    tracker_hits: simulated
    >>> data.x_train["edges"].shape, data.y_train.shape
    ((14, 400, 2), (14, 400))
    """
    from dlphys.simulators import events

    n = check_count(n=n, minimum=LEAST)
    max_edges = check_count(max_edges=max_edges)
    made = events.tracker_hits(n, seed=seed, preset=preset, tracks=tracks)
    announce("tracker_hits", "simulated")
    edges, _ = events.edge_candidates(made.hits, made.layer, most=max_edges)
    mask = edges[..., 0] >= 0
    edges = np.where(mask[..., None], edges, 0)
    hits = np.nan_to_num(made.hits)
    event = np.arange(n)[:, None]
    inner, outer = edges[..., 0], edges[..., 1]
    radius, azimuth = np.hypot(hits[..., 0], hits[..., 1]), np.arctan2(hits[..., 1], hits[..., 0])
    turn = azimuth[event, outer] - azimuth[event, inner]
    features = np.stack(
        [
            radius[event, outer] - radius[event, inner],
            (turn + np.pi) % (2.0 * np.pi) - np.pi,
            hits[event, outer, 2] - hits[event, inner, 2],
        ],
        axis=-1,
    )
    nodes = np.concatenate([hits, np.maximum(made.layer, 0)[..., None] / 10.0], axis=-1)
    same = (made.particle[event, inner] == made.particle[event, outer]) & (made.particle[event, inner] >= 0)
    x = {
        "nodes": nodes.astype(np.float32),
        "edges": edges,
        "features": np.where(mask[..., None], features, 0.0).astype(np.float32),
        "mask": mask.astype(np.float32),
    }
    y = (same & mask).astype(np.float32)
    values = divided(x, y, {"particle": made.particle}, validation=held_out(n, 0.1), test=held_out(n, 0.2))
    about = About(
        title="Hits of a tracker in a solenoid, as graphs",
        source="simulated",
        units={"nodes": "x, y, z (m), layer / 10", "edges": "rows of nodes", "features": "m, rad, m", "mask": "1 edge"},
        target_units={"edge": "1 true, 0 false"},
        extra_units={"particle": "-1 noise"},
        made=f"dlphys.simulators.events.tracker_hits, preset {preset}, {tracks} particles an event",
        licence=LICENCE,
        citation="S. Amrouche et al., arXiv:1904.06778; S. Farrell et al., arXiv:1810.06111",
        flaws=("a segment across a layer whose hit was lost is not among the candidates",),
    )
    return Dataset(name="tracker_hits", about=about, **values)


def load_single_molecules(
    n: int = 3000,
    *,
    seed: Seed,
    size: int = 12,
    molecules: int = 1,
    voxel: tuple[float, float, float] = (24.0, 24.0, 50.0),
) -> Dataset:
    """Pictures of single fluorescent molecules: in which voxel is the molecule, and where in it?

    Parameters
    ----------
    n : int, default 3000
        Number of pictures, at least 10: one in ten for validation, one in five for the test, the rest for training.
    seed : int or numpy.random.Generator
    size : int, default 12
        Pixels of 96 nm along an edge.
    molecules : int, default 1
        Largest number in a picture.
    voxel : (float, float, float), nm
        Edges of a voxel, by default those of the book.

    Returns
    -------
    Dataset
        x (n, size, size, 1) float32, photons / 100. y["occupied"] (n, rows, columns, depths) uint8, 1 in voxels with a
        molecule, (48, 48, 20) of them by default; y["inside"] (n, molecules, 3) float32, place of each in its
        voxel, x, y, z in [0, 1), NaN where there is none. extra: positions (n, molecules, 3) nm, photons
        (n, molecules), background (n,) photons per pixel, float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range or the voxels do not fit.

    Notes
    -----
    One voxel in 46 080 is occupied. To compare with: `dlphys.simulators.events.fit_molecules` (maximum likelihood,
    a baseline) and `localisation_bound` (the smallest error without bias); they take photons, 100 x.

    Examples
    --------
    >>> data = load_single_molecules(20, seed=1)
    single_molecules: simulated
    >>> data.x_train.shape, data.y_train["occupied"].shape
    ((14, 12, 12, 1), (14, 48, 48, 20))
    """
    from dlphys.simulators import events

    n = check_count(n=n, minimum=LEAST)
    made = events.single_molecules(n, seed=seed, size=size, molecules=molecules)
    occupied, inside = events.voxel_targets(made.positions, size=size, voxel=voxel)
    announce("single_molecules", "simulated")
    extra = {"positions": made.positions, "photons": made.photons, "background": made.background}
    x = (made.images / np.float32(COUNT_SCALE))[..., None]
    y = {"occupied": occupied, "inside": inside}
    values = divided(x, y, extra, validation=held_out(n, 0.1), test=held_out(n, 0.2))
    about = About(
        title="Single molecules on a camera, to be found in voxels",
        source="simulated",
        units={"light": "100 photons"},
        target_units={"occupied": "1 with a molecule", "inside": "edges of the voxel"},
        extra_units={"positions": "nm", "photons": "photons", "background": "photons per pixel"},
        made=f"dlphys.simulators.events.single_molecules, {size} x {size} pixels of 96 nm, astigmatic",
        licence=LICENCE,
        citation=f"{BOOK}, example 8.11; T. Aritake et al., Results in Optics 1 (2020) 100019",
        flaws=("the camera counts photons without noise of its own", "a Gaussian spot instead of Airy's rings"),
    )
    return Dataset(name="single_molecules", about=about, **values)


def load_stm(n: int = 1500, *, seed: Seed, size: int = 64) -> Dataset:
    """Topographs of a surface and maps of its band gap: can the gap be seen in the topograph?

    Parameters
    ----------
    n : int, default 1500
        Number of scans, at least 10: one in ten for validation, one in five for the test, the rest for training.
    seed : int or numpy.random.Generator
    size : int, default 64
        Pixels of 0.125 nm along an edge, at least 16.

    Returns
    -------
    Dataset
        x (n, size, size, 1) float32, height / 20 pm; y (n, size, size, 1) float32, measured gap in meV;
        extra["gap"] (n, size, size, 1) float32, meV, without the error of a spectrum.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    To compare with: `dlphys.simulators.events.wiener_gap`, the best linear filter (a baseline), which takes heights,
    20 x. No method gets below 0.5 meV on y, the error of a spectrum.

    Examples
    --------
    >>> data = load_stm(20, seed=1)
    stm: simulated
    >>> data.x_train.shape, data.y_train.shape
    ((14, 64, 64, 1), (14, 64, 64, 1))
    """
    from dlphys.simulators import events

    n = check_count(n=n, minimum=LEAST)
    made = events.stm_topographs(n, seed=seed, size=size)
    announce("stm", "simulated")
    x = (made.height / np.float32(HEIGHT_SCALE))[..., None]
    values = divided(
        x,
        made.measured_gap[..., None],
        {"gap": made.gap[..., None]},
        validation=held_out(n, 0.1),
        test=held_out(n, 0.2),
    )
    about = About(
        title="Scanning tunnelling topographs and maps of the band gap",
        source="simulated",
        units={"height": "20 pm"},
        target_units={"gap": "meV"},
        extra_units={"gap": "meV"},
        made=f"dlphys.simulators.events.stm_topographs, {size} x {size} pixels of 0.125 nm",
        licence=LICENCE,
        citation=f"{BOOK}, example 8.6; R. Wiesendanger, Scanning Probe Microscopy and Spectroscopy (1994)",
        flaws=("shapes of the defects and their effect on the gap are invented; only scale and symmetry are real",),
    )
    return Dataset(name="stm", about=about, **values)
