"""A chain of linear Gaussian steps, as a stand-in for a simulation whose likelihood nobody can write down.

theta (two parameters) -> parton (two) -> shower (three) -> x (three measured numbers); every arrow is a matrix and
Gaussian noise, and the prior of theta is standard normal. All densities, posteriors and scores are then exact, so that
inference from simulations alone can be compared with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_choice, check_count
from dlphys.simulators._sample import Sample

STAGES = ("theta", "parton", "shower", "x")
MATRICES = (
    np.array([[1.0, 0.3], [-0.4, 0.8]]),
    np.array([[0.9, 0.2], [0.1, 0.7], [0.5, -0.5]]),
    np.array([[1.0, 0.1, 0.0], [0.0, 0.9, 0.2], [0.1, 0.0, 1.1]]),
)
NOISES = (0.3, 0.2, 0.5)  # standard deviations of the three steps

BLOCK = 8192  # events
PRIOR, STEP = 0, 1


@dataclass(frozen=True, repr=False)
class Chain(Sample):
    """Events of the chain; the first axis of every array is the event, nothing has a unit.

    Attributes
    ----------
    theta : array, (n, 2), float32
        Parameters, from a standard normal prior.
    parton : array, (n, 2), float32
    shower : array, (n, 3), float32
        Hidden stages.
    x : array, (n, 3), float32
        Measured numbers.
    joint_score : array, (n, 2), float32
        d ln p(x, shower, parton | theta) / d theta, which a simulator knows though the likelihood is hidden; its mean
        at given x is the score of the likelihood.
    """

    units: ClassVar = {"theta": "1", "parton": "1", "shower": "1", "x": "1", "joint_score": "1"}

    theta: np.ndarray
    parton: np.ndarray
    shower: np.ndarray
    x: np.ndarray
    joint_score: np.ndarray


def simulate_chain(n: int, *, seed: Seed, theta: list | None = None) -> Chain:
    """Events of the linear Gaussian chain.

    Parameters
    ----------
    n : int
    seed : int or numpy.random.Generator
    theta : two numbers, optional
        Parameters of all events; by default each event has its own from the prior.

    Returns
    -------
    Chain

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Notes
    -----
    One seed gives the same bits for any number of threads, and the first events do not depend on ``n``.

    Examples
    --------
    >>> chain = simulate_chain(1000, seed=1)
    >>> chain.theta.shape, chain.x.shape
    ((1000, 2), (1000, 3))
    """
    n = check_count(n=n)
    fixed = None if theta is None else check_array(shape=(2,), theta=theta)
    stream = Streams.of(seed)
    chain = Chain(*(np.empty((n, d), np.float32) for d in (2, 2, 3, 3, 2)))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        value = stream(PRIOR, block).standard_normal((BLOCK, 2))[:m]
        if fixed is not None:
            value = np.broadcast_to(fixed, (m, 2))
        chain.theta[events] = value
        for i, (name, matrix, noise) in enumerate(zip(STAGES[1:], MATRICES, NOISES, strict=True)):
            normal = stream(STEP + i, block).standard_normal((BLOCK, len(matrix)))[:m]
            value = value @ matrix.T + noise * normal
            getattr(chain, name)[events] = value
            if i == 0:  # the later steps do not know theta
                chain.joint_score[events] = normal @ matrix / noise

    fill_blocks(fill, n, block=BLOCK, title="chain")
    return chain


def chain_likelihood() -> tuple[np.ndarray, np.ndarray]:
    """The likelihood p(x | theta) = Gaussian(A theta, C): the matrix A (3, 2) and the covariance C (3, 3).

    Examples
    --------
    >>> matrix, covariance = chain_likelihood()
    >>> matrix.shape, covariance.shape
    ((3, 2), (3, 3))
    """
    matrix, covariance = np.eye(2), np.zeros((2, 2))
    for step, noise in zip(MATRICES, NOISES, strict=True):
        matrix = step @ matrix
        covariance = step @ covariance @ step.T + noise**2 * np.eye(len(step))
    return matrix, covariance


def chain_log_likelihood(x: ArrayLike, theta: ArrayLike) -> np.ndarray:
    """Logarithm of the likelihood p(x | theta), exactly: what a neural likelihood or ratio is to be compared with.

    Parameters
    ----------
    x : array, (n, 3)
    theta : array, (n, 2) or (2,)

    Returns
    -------
    array, (n,)

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit.

    Examples
    --------
    >>> chain_log_likelihood([[0.0, 0.0, 0.0]], [0.0, 0.0]).round(3)
    array([-1.159])
    """
    x, theta = _pair(x, theta)
    matrix, covariance = chain_likelihood()
    away = x - theta @ matrix.T
    size = np.linalg.slogdet(2 * np.pi * covariance)[1]
    return -0.5 * (np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away) + size)


def chain_log_evidence(x: ArrayLike) -> np.ndarray:
    """Logarithm of p(x), the likelihood averaged over the prior; (n, 3) to (n,). Errors as `chain_log_likelihood`.

    Examples
    --------
    >>> chain_log_evidence([[0.0, 0.0, 0.0]]).round(3)
    array([-2.344])
    """
    x = check_array(shape=(None, 3), x=x)
    covariance = _joint()[-3:, -3:]
    size = np.linalg.slogdet(2 * np.pi * covariance)[1]
    return -0.5 * (np.einsum("ni,ij,nj->n", x, np.linalg.inv(covariance), x) + size)


def chain_score(x: ArrayLike, theta: ArrayLike) -> np.ndarray:
    """Derivative of ln p(x | theta) by theta, A^T C^-1 (x - A theta); shapes as `chain_log_likelihood`, to (n, 2).

    Raises
    ------
    ValueError, TypeError
        If the shapes do not fit.

    Examples
    --------
    >>> chain_score([[0.0, 0.0, 0.0]], [0.0, 0.0])
    array([[0., 0.]])
    """
    x, theta = _pair(x, theta)
    matrix, covariance = chain_likelihood()
    return (x - theta @ matrix.T) @ np.linalg.inv(covariance) @ matrix


def chain_information() -> np.ndarray:
    """Fisher information of one event about theta, A^T C^-1 A; (2, 2).

    The covariance of any unbiased estimate from k events is at least its inverse over k (Cramer and Rao).

    Examples
    --------
    >>> chain_information().round(2)
    array([[3.36, 0.34],
           [0.34, 1.48]])
    """
    matrix, covariance = chain_likelihood()
    return matrix.T @ np.linalg.inv(covariance) @ matrix


def chain_posterior(x: ArrayLike, *, of: str = "theta") -> tuple[np.ndarray, np.ndarray]:
    """The exact posterior of the parameters, or of a hidden stage (unfolding), given the measured numbers: the limit.

    It is Gaussian; its mean has the smallest mean squared error of all estimates, and is its maximum as well.

    Parameters
    ----------
    x : array, (n, 3)
    of : {"theta", "parton", "shower"}, default "theta"

    Returns
    -------
    (array, array), (n, d) and (d, d)
        Means, and the covariance, which is the same for all x.

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> mean, covariance = chain_posterior([[1.0, 0.0, 0.0]])
    >>> mean.round(3), covariance.round(3)
    (array([[0.406, 0.463]]), array([[ 0.232, -0.032],
           [-0.032,  0.408]]))
    """
    x = check_array(shape=(None, 3), x=x)
    check_choice(choices=STAGES[:-1], of=of)
    begin = {"theta": 0, "parton": 2, "shower": 4}[of]
    chosen = slice(begin, begin + (3 if of == "shower" else 2))
    joint = _joint()
    gain = joint[chosen, -3:] @ np.linalg.inv(joint[-3:, -3:])
    return x @ gain.T, joint[chosen, chosen] - gain @ joint[-3:, chosen]


def _pair(x: ArrayLike, theta: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    x = check_array(shape=(None, 3), x=x)
    values = check_array(ndim=(1, 2), theta=theta)
    if values.shape not in ((2,), (len(x), 2)):
        raise ValueError(f"theta must have shape (2,) or ({len(x)}, 2), got {values.shape}")
    return x, values


@lru_cache(maxsize=1)
def _joint() -> np.ndarray:
    """Covariance (10, 10) of theta, parton, shower and x together; all means are 0."""
    root = np.eye(2, 10)  # each stage as a combination of ten independent standard normal numbers
    rows, used = [root], 2
    for matrix, noise in zip(MATRICES, NOISES, strict=True):
        root = matrix @ root
        root[np.arange(len(matrix)), used + np.arange(len(matrix))] = noise
        used += len(matrix)
        rows.append(root)
    stacked = np.concatenate(rows)
    return stacked @ stacked.T
