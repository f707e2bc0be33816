"""Toys of reinforcement learning with exact answers: slot machines, and a grid of rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import xlogy

from dlphys._blocks import Streams, fill_blocks
from dlphys._random import Seed
from dlphys._validation import check_array, check_count, check_number
from dlphys.simulators._sample import Sample

ARMS = (0.2, 0.3, 0.45, 0.5, 0.6)  # probabilities to win

SIDE, MOVES = 5, ("north", "south", "east", "west")
STEPS = np.array([(-1, 0), (1, 0), (0, 1), (0, -1)])  # row, column
DOORS = {1: (21, 10.0), 3: (13, 5.0)}  # a room, where it leads whatever one does, and the reward for it

BLOCK, WALKS = 8192, 1024  # events in a block
WIN, MOVE, SLIP = 0, 0, 1


@dataclass(frozen=True, repr=False)
class BanditRounds(Sample):
    """What every arm would pay; the first axis is the round.

    Attributes
    ----------
    reward : array, (n, arms), uint8
        0 or 1. A player sees one entry of each row; with all of them, players can be compared on the same luck.
    """

    units: ClassVar = {"reward": "1"}

    reward: np.ndarray


@dataclass(frozen=True, repr=False)
class GridWalks(Sample):
    """Walks of random moves; the first axis of every array is the walk.

    Attributes
    ----------
    state, action, following : array, (n, steps), int8
        Room (0 to 24, row by row), move (0 north, 1 south, 2 east, 3 west), next room.
    reward : array, (n, steps), float32
    """

    units: ClassVar = {"state": "", "action": "", "following": "", "reward": "1"}

    state: np.ndarray
    action: np.ndarray
    following: np.ndarray
    reward: np.ndarray


def simulate_bandit(n: int, *, seed: Seed, means: list | tuple = ARMS) -> BanditRounds:
    """Rounds of a game with several slot machines that win with fixed probabilities.

    Parameters
    ----------
    n : int
        Number of rounds.
    seed : int or numpy.random.Generator
    means : sequence of float, default (0.2, 0.3, 0.45, 0.5, 0.6)
        Probability of each arm to pay 1, in [0, 1]. Always playing the best one is the limit.

    Returns
    -------
    BanditRounds

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> simulate_bandit(10_000, seed=1).reward.mean(0).round(1)
    array([0.2, 0.3, 0.4, 0.5, 0.6])
    """
    n = check_count(n=n)
    chances = check_array(ndim=1, minimum=0.0, maximum=1.0, means=means)
    stream = Streams.of(seed)
    rounds = BanditRounds(np.empty((n, len(chances)), np.uint8))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        rounds.reward[events] = stream(WIN, block).random((BLOCK, len(chances)))[:m] < chances

    fill_blocks(fill, n, block=BLOCK, title="bandit")
    return rounds


def play_upper_bound(reward: ArrayLike) -> np.ndarray:
    """The arms that a player chooses who trusts upper confidence bounds (UCB1): the baseline.

    After every arm once, the one with the largest mean + sqrt(2 ln t / plays).

    Parameters
    ----------
    reward : array, (n, arms)
        As in `BanditRounds`; only what the player chose is used.

    Returns
    -------
    array, (n,), int64

    Raises
    ------
    ValueError, TypeError
        If the array has another shape or rewards outside [0, 1].

    References
    ----------
    P. Auer, N. Cesa-Bianchi and P. Fischer, Machine Learning 47 (2002) 235.

    Examples
    --------
    >>> play_upper_bound([[1, 0], [1, 0], [1, 0], [1, 0]])
    array([0, 1, 0, 0])
    """
    paid = check_array(ndim=2, minimum=0.0, maximum=1.0, reward=reward)
    rounds, arms = paid.shape
    plays, sums, chosen = np.zeros(arms), np.zeros(arms), np.empty(rounds, np.int64)
    for t in range(rounds):
        arm = t if t < arms else int((sums / plays + np.sqrt(2.0 * np.log(t) / plays)).argmax())
        chosen[t] = arm
        plays[arm] += 1.0
        sums[arm] += paid[t, arm]
    return chosen


def regret_rate(means: ArrayLike = ARMS) -> float:
    """Least growth of the regret with ln t of any player who does well on all games (Lai and Robbins): a limit.

    sum over the worse arms of (best - mean) / KL(mean, best), with the Kullback-Leibler divergence of coin tosses.
    It binds for many rounds.

    Parameters
    ----------
    means : array, (arms,)
        Probabilities to win, strictly between 0 and 1.

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If a probability is out of range.

    References
    ----------
    T. L. Lai and H. Robbins, Adv. Appl. Math. 6 (1985) 4.

    Examples
    --------
    >>> round(regret_rate([0.5, 0.6]), 3)
    4.899
    """
    means = check_array(ndim=1, minimum=1e-9, maximum=1 - 1e-9, means=means)
    best = means.max()
    worse = means[means < best]
    divergence = xlogy(worse, worse / best) + xlogy(1 - worse, (1 - worse) / (1 - best))
    return float(((best - worse) / divergence).sum())


def gridworld(*, slip: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """The 5 x 5 grid of Sutton and Barto: where moves lead and what they pay.

    Every move pays 0; against the wall it pays -1 and one stays. From room 1 (top row, second column) every move leads
    to room 21 (bottom row) and pays 10; from room 3 to room 13 and pays 5.

    Parameters
    ----------
    slip : float, default 0
        Probability that a random one of the four moves is made instead of the chosen one, in [0, 1].

    Returns
    -------
    (array, array), (25, 4, 25) and (25, 4)
        Probabilities of the next room, and expected rewards, for each room and move (north, south, east, west).

    Raises
    ------
    ValueError, TypeError
        If ``slip`` is out of range.

    References
    ----------
    R. S. Sutton and A. G. Barto, Reinforcement Learning, 2nd ed. (2018), Examples 3.5 and 3.8.

    Examples
    --------
    >>> transitions, rewards = gridworld()
    >>> rewards[[0, 1, 3]].tolist()
    [[-1.0, 0.0, 0.0, -1.0], [10.0, 10.0, 10.0, 10.0], [5.0, 5.0, 5.0, 5.0]]
    """
    slip = check_number(minimum=0.0, maximum=1.0, slip=slip)
    following, reward = _moves()
    transitions = np.eye(SIDE**2)[following]
    mean_transitions, mean_reward = transitions.mean(1, keepdims=True), reward.mean(1, keepdims=True)
    return (1 - slip) * transitions + slip * mean_transitions, (1 - slip) * reward + slip * mean_reward


def value_iteration(
    transitions: ArrayLike, rewards: ArrayLike, *, discount: float = 0.9, tolerance: float = 1e-10
) -> np.ndarray:
    """Values of all actions under the best behaviour, by Bellman's equation: the limit of any agent.

    Q(s, a) = R(s, a) + discount sum_s' P(s, a, s') max_a' Q(s', a'), repeated until nothing changes. The value of a
    room is the largest entry of its row, the best move where it is.

    Parameters
    ----------
    transitions : array, (states, actions, states)
    rewards : array, (states, actions)
    discount : float, default 0.9
        In [0, 1).
    tolerance : float
        Largest error of a value.

    Returns
    -------
    array, (states, actions)

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or probabilities do not add up to 1.

    Examples
    --------
    >>> value_iteration(*gridworld()).max(1)[:5].round(1)
    array([22. , 24.4, 22. , 19.4, 17.5])
    """
    transitions, rewards, discount = _model(transitions, rewards, discount)
    check_number(minimum=0.0, exclusive=True, tolerance=tolerance)
    values = np.zeros_like(rewards)
    change = np.inf
    while change > tolerance * (1.0 - discount):
        new = rewards + discount * transitions @ values.max(1)
        change, values = np.abs(new - values).max(), new
    return values


def policy_values(
    policy: ArrayLike, transitions: ArrayLike, rewards: ArrayLike, *, discount: float = 0.9
) -> np.ndarray:
    """Values of all states under a given behaviour, exactly: v = (1 - discount P)^-1 r.

    Parameters
    ----------
    policy : array, (states, actions)
        Probabilities of the actions.
    transitions, rewards, discount
        As in `value_iteration`.

    Returns
    -------
    array, (states,)

    Raises
    ------
    ValueError, TypeError
        If an array has another shape, or probabilities do not add up to 1.

    Examples
    --------
    >>> policy_values(np.full((25, 4), 0.25), *gridworld())[:5].round(1)  # random moves
    array([3.3, 8.8, 4.4, 5.3, 1.5])
    """
    transitions, rewards, discount = _model(transitions, rewards, discount)
    policy = check_array(shape=rewards.shape, minimum=0.0, policy=policy)
    if np.abs(policy.sum(1) - 1.0).max() > 1e-6:
        raise ValueError("policy must have probabilities that add up to 1 in each state")
    step = np.einsum("sa,sat->st", policy, transitions)
    return np.linalg.solve(np.eye(len(step)) - discount * step, (policy * rewards).sum(1))


def simulate_gridworld(n: int, *, seed: Seed, steps: int = 50, slip: float = 0.0) -> GridWalks:
    """Random walks on the grid: the experience from which Q-learning can find the values.

    Parameters
    ----------
    n : int
        Number of walks, each from a random room.
    seed : int or numpy.random.Generator
    steps : int, default 50
        Moves in a walk.
    slip : float, default 0
        As in `gridworld`; ``action`` is the chosen move.

    Returns
    -------
    GridWalks

    Raises
    ------
    ValueError, TypeError
        If an argument is out of range.

    Examples
    --------
    >>> walks = simulate_gridworld(100, seed=1)
    >>> walks.state.shape, bool((walks.following[:, :-1] == walks.state[:, 1:]).all())
    ((100, 50), True)
    """
    n = check_count(n=n)
    steps = check_count(steps=steps, maximum=10_000)
    slip = check_number(minimum=0.0, maximum=1.0, slip=slip)
    following, reward = _moves()
    stream = Streams.of(seed)
    walks = GridWalks(*(np.empty((n, steps), kind) for kind in (np.int8, np.int8, np.int8, np.float32)))

    def fill(block: int, events: slice) -> None:
        m = events.stop - events.start
        moves = stream(MOVE, block).integers(4, size=(WALKS, steps), dtype=np.int8)[:m]
        random = stream(SLIP, block)
        room = random.integers(SIDE**2, size=WALKS)[:m]
        slips = random.random((WALKS, steps))[:m]
        made = moves
        if slip:  # where it slips, the random number is uniform in [0, slip): it also chooses the move
            made = np.where(slips < slip, np.minimum(4.0 * slips / slip, 3.0).astype(np.int8), moves)
        walks.action[events] = moves
        for t in range(steps):
            walks.state[events, t], walks.reward[events, t] = room, reward[room, made[:, t]]
            room = following[room, made[:, t]]
            walks.following[events, t] = room

    fill_blocks(fill, n, block=WALKS, title="gridworld")
    return walks


def _moves() -> tuple[np.ndarray, np.ndarray]:
    """Next room and reward of each room and move; (25, 4) each."""
    rooms = np.stack(np.divmod(np.arange(SIDE**2), SIDE), axis=-1)
    target = rooms[:, None] + STEPS
    wall = ((target < 0) | (target >= SIDE)).any(-1)
    following = np.where(wall, np.arange(SIDE**2)[:, None], target @ [SIDE, 1])
    reward = np.where(wall, -1.0, 0.0)
    for room, (leads_to, pays) in DOORS.items():
        following[room], reward[room] = leads_to, pays
    return following, reward


def _model(transitions: ArrayLike, rewards: ArrayLike, discount: float) -> tuple[np.ndarray, np.ndarray, float]:
    rewards = check_array(ndim=2, rewards=rewards)
    states, actions = rewards.shape
    transitions = check_array(shape=(states, actions, states), minimum=0.0, transitions=transitions)
    if np.abs(transitions.sum(-1) - 1.0).max() > 1e-6:
        raise ValueError("transitions must be probabilities that add up to 1 over the last axis")
    return transitions, rewards, check_number(minimum=0.0, maximum=0.999999, discount=discount)
