# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 14, title: "Objective functions: examples and methods", level: 3, minutes: 85, sections: "14.3-14.8", data: [gas, oscillators, tth], fast: {TRAININGS: 1, N_GASES: 14000, N_EVENTS: 3000, N_JUDGED: 3000, RBM_STEPS: 900, STEPS_GLOBAL: 350}}
# ---
# %% [markdown]
r"""
# Objective functions: examples and methods

**You will**

- let a network read the temperature of a gas from the speeds of 25 atoms, and hold it against three yardsticks;
- put energy conservation into a network, by making the energy its output and Hamilton's equations its objective;
- find the parents of eight jets among 280 possibilities;
- train a Boltzmann machine whose every probability can be computed, and see what contrastive divergence leaves out;
- optimise the significance of a whole experiment instead of the classification of single events.

**You need** `keras.Model`, derivatives with `dlphys.autodiff`, maximum likelihood, and the beginning of chapter 14.
**Time:** about 85 minutes, in any order; the cells run in about a minute and a half.

**You will see** that the objective is the place where physics enters, and that the best classifier need not make the best measurement.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.simulators import gas, oscillators, resonance

check = checks.start("ch14_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
TRAININGS = 3  # of each network, for the spread
ATOMS = 25  # speeds measured in each gas
N_GASES = 20_000  # three fifths of them for training
EPOCHS_GAS = 10
EPOCHS_MOTION = 20  # of the networks that learn a motion
N_EVENTS = 7_000  # ttH events for training
EPOCHS_EVENTS = 5
N_JUDGED = 6_000  # ttH events for the comparison
RBM_STEPS = 1_500
STEPS_GLOBAL = 500  # of the objective of a whole experiment

# %% [markdown]
r"""
## Example 14.4: the gas thermometer

A gas has a temperature $T$; we measure the speeds of $m = 25$ of its helium atoms. A network is given many pairs of speeds and temperature and minimises

$$\mathcal{L} = \frac{1}{k}\sum_{i=1}^{k} \big(T_i - \hat T(v_i)\big)^2 . \tag{14.26}$$

What does it learn? For this loss the best possible answer is the **mean of the posterior** $p(T | v)$: the objective is a statement about a conditional probability, and that is known here in closed form. So there are three yardsticks, and they are not the same thing.

- $\hat T = m_\mathrm{He} \langle v^2\rangle / 3k_B$, the maximum likelihood: a *baseline* which knows the physics, but not that all temperatures lie between 100 and 1000 K.
- $\sigma_T = T \sqrt{2 / 3m}$, the bound of Cramér and Rao. It binds **unbiased** estimates only.
- The posterior mean, the *limit*: no method has a smaller error on average over the temperatures.

The atoms have no order. A network of the form $\hat T = g\big(\tfrac1m \sum_j h(v_j)\big)$ cannot depend on it: the same small network $h$ for each atom, the mean over the atoms, another network $g$. It takes any number of atoms.

**Your task.** Build this network, without compiling it. (Speeds have the shape (gases, atoms); `keras.ops.expand_dims` makes (gases, atoms, 1) of it, to which Dense layers apply atom by atom.)
"""


# %% task="X14.4" points=3
def build_thermometer(width):
    """Network for the temperature of gases, which does not know the order of the atoms.

    Input (any number of atoms,): speeds. Two hidden layers with `width` nodes for each atom, the mean over the atoms,
    one hidden layer with `width` nodes, then one linear output. Returns a keras.Model.
    """
    ### BEGIN SOLUTION
    speeds = keras.Input((None,))
    of_atoms = keras.ops.expand_dims(speeds, axis=-1)
    for _ in range(2):
        of_atoms = layers.Dense(width, activation="elu")(of_atoms)
    of_gas = layers.GlobalAveragePooling1D()(of_atoms)
    of_gas = layers.Dense(width, activation="elu")(of_gas)
    return keras.Model(speeds, layers.Dense(1)(of_gas))
    ### END SOLUTION


# %% check="X14.4"
check("X14.4", build_thermometer)

# %% [markdown]
r"""
**Before you run it:** by how many per cent will the network's error lie above the limit? And will it beat the Cramér-Rao bound anywhere?

A dense network that sees the atoms as 25 different inputs is trained beside it.
"""

# %%
build_thermometer = check.catch_up("X14.4", build_thermometer)
data = datasets.load_gas(N_GASES, seed=check.seed, atoms=ATOMS)
test = gas.simulate(20_000, seed=check.seed + 1, atoms=ATOMS)
MIDDLE, SCALE = 550.0, 260.0  # K: mean and standard deviation of the temperatures


def dense_thermometer():
    """The same task for a network that has to learn that atoms have no order."""
    hidden = [layers.Dense(64, activation="elu") for _ in range(2)]
    return keras.Sequential([keras.Input((ATOMS,)), *hidden, layers.Dense(1)])


def train_thermometer(model):
    """Minimise (14.26); answers for the test gases in K."""
    steps = EPOCHS_GAS * -(-len(data.x_train) // 64)
    rate = keras.optimizers.schedules.CosineDecay(1e-2, steps)
    model.compile(keras.optimizers.Adam(rate), "mse", steps_per_execution=25)
    target = (data.y_train - MIDDLE) / SCALE
    model.fit(data.x_train, target, batch_size=64, epochs=EPOCHS_GAS, verbose=0)
    answer = model.predict(test.speeds / 1000, batch_size=5000, verbose=0)
    return MIDDLE + SCALE * answer[:, 0]


def root_mean_square(error):
    """Root of the mean squared error, with its statistical error."""
    mean, uncertainty = metrics.mean_with_error(error**2)
    return np.sqrt(mean), uncertainty / (2 * np.sqrt(mean))


found = {"network, atoms without order": [], "dense network": []}
for number in range(TRAININGS):
    keras.utils.set_random_seed(check.seed + number)
    thermometer = build_thermometer(16)
    found["network, atoms without order"].append(train_thermometer(thermometer))
dense = dense_thermometer()
found["dense network"].append(train_thermometer(dense))
found["maximum likelihood (baseline)"] = [gas.maximum_likelihood(test.speeds)]
found["posterior mean (limit)"] = [gas.posterior_mean(test.speeds)]
limit = gas.limit_rmse(atoms=ATOMS)
rmse = {}
for name, answers in found.items():
    results = [root_mean_square(answer - test.temperature) for answer in answers]
    rmse[name] = np.mean([value for value, _ in results]), results[0][1]
    spread = f", spread over {len(answers)} trainings {np.std([value for value, _ in results]):.2f}" if len(answers) > 1 else ""  # fmt: skip
    print(f"{name:30s} {rmse[name][0]:6.2f} +- {rmse[name][1]:.2f} K{spread}")
print(f"{'limit, by integration':30s} {limit:6.2f} K")

# %%
edges = np.linspace(100, 1000, 10)
which = np.digitize(test.temperature, edges) - 1
middle = (edges[1:] + edges[:-1]) / 2
curves, errors, bias = {}, {}, {}
for name, answers in found.items():
    inside = [root_mean_square((answers[0] - test.temperature)[which == k]) for k in range(9)]
    curves[name], errors[name] = np.transpose(inside)
    bias[name] = [np.mean((answers[0] - test.temperature)[which == k]) for k in range(9)]
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4))
for colour, name in zip(plotting.COLOURS, curves, strict=False):
    style = "-" if "network" in name else "--"
    axes[0].errorbar(
        middle, curves[name], errors[name], color=colour, ls=style, marker="o", ms=3, label=name
    )
    axes[1].plot(middle, bias[name], color=colour, ls=style, marker="o", ms=3)
axes[0].plot(middle, gas.cramer_rao(middle, atoms=ATOMS), ":", color=plotting.INK, label="Cramér-Rao, unbiased only")  # fmt: skip
axes[0].set(xlabel="temperature (K)", ylabel="root mean square error (K)")
axes[1].set(xlabel="temperature (K)", ylabel="mean of estimate - truth (K)")
axes[0].legend(fontsize=8)
figure.suptitle(
    "The network follows the posterior mean: biased at both ends, and below Cramér-Rao there"
)
plotting.show("Left: the error of four thermometers over the temperature with the Cramér-Rao bound; the networks lie on the posterior mean. Right: their bias, positive at low and negative at high temperatures.", figure)  # fmt: skip

# %% [markdown]
r"""
Network and posterior mean agree in error **and** in bias. Near 1000 K both undercut the bound: knowing that nothing is hotter, they pull their estimates down. The bound is not violated, since it speaks about unbiased estimates. Averaged over all temperatures nothing undercuts the limit.

*Units.* The book labels the speeds of its figure 14.1 with km/s. At 4000 km/s helium would have more than $10^9$ K; the curves are those of m/s.
"""

# %% covers="X14.4"
shuffled = random.permuted(data.x_test[:200], axis=1)
changes = {}
for name, model in [("sets", thermometer), ("dense", dense)]:
    before = model.predict(data.x_test[:200], verbose=0)
    changes[name] = SCALE * np.abs(model.predict(shuffled, verbose=0) - before).max()
value, error = rmse["network, atoms without order"]
baseline = rmse["maximum likelihood (baseline)"][0]
hottest = gas.cramer_rao(middle[-1], atoms=ATOMS)
names = list(curves)
print(
    f"another order of the atoms: {changes['sets']:.0e} K, dense network {changes['dense']:.0f} K"
)
check.claim("X14.4", changes["sets"], at_most=0.01, wrong=changes["dense"])
check.claim("X14.4", value, at_most=0.92 * baseline, wrong=baseline)
check.claim("X14.4", value, at_least=limit - 3 * error, wrong=0.9 * limit)
check.claim("X14.4", curves[names[0]][-1] / hottest, at_most=0.8, wrong=curves[names[2]][-1] / hottest)  # fmt: skip

# %%
check.quiz("X14.4-q1")

# %% [markdown]
r"""
## Example 14.5: a network that keeps the energy

A spring pendulum with coordinate $q$ and momentum $p$ has the energy $H = k q^2/2 + p^2/2m$ (14.38), and moves by Hamilton's equations

$$\frac{\mathrm{d}q}{\mathrm{d}t} = \frac{\partial H}{\partial p}, \qquad \frac{\mathrm{d}p}{\mathrm{d}t} = -\frac{\partial H}{\partial q}. \tag{14.33, 14.34}$$

A *plain* network learns the two derivatives as functions of $(q, p)$. Nothing forbids it to gain or lose a little energy at every step. A **Hamiltonian network** has one output, $H_\theta(q, p)$, and the motion follows from its derivatives.
Whatever its weights, $\mathrm{d}H_\theta/\mathrm{d}t = \partial_q H_\theta\, \dot q + \partial_p H_\theta\, \dot p = 0$: it conserves *an* energy exactly. The training makes it the right one, without a label for the energy:

$$\mathcal{L} = \Big(\frac{\partial H_\theta}{\partial p} - \frac{\mathrm{d}q}{\mathrm{d}t}\Big)^2 + \Big(\frac{\partial H_\theta}{\partial q} + \frac{\mathrm{d}p}{\mathrm{d}t}\Big)^2 . \tag{14.35, corrected}$$

The book prints this equation with $\mathrm{d}q/\mathrm{d}t$ and $\mathrm{d}p/\mathrm{d}t$ exchanged, and (14.31) without the minus sign. Both contradict (14.33) and (14.34).

**Your task.** Return the time derivatives of states, from a network for the energy. `autodiff.gradient(energy, states)` gives $(\partial H/\partial q, \partial H/\partial p)$ of every state; use `keras.ops` for what follows.
"""


# %% task="X14.5" points=3
def hamiltonian_field(energy, states):
    """Time derivatives (dq/dt, dp/dt) by Hamilton's equations.

    energy: Keras model, (n, 2) -> (n, 1); states: (n, 2) with columns q, p. Returns a tensor (n, 2).
    """
    ### BEGIN SOLUTION
    slopes = autodiff.gradient(energy, states)
    return keras.ops.stack([slopes[:, 1], -slopes[:, 0]], axis=1)
    ### END SOLUTION


# %% check="X14.5"
check("X14.5", hamiltonian_field)

# %% [markdown]
r"""
Now the field becomes the output of a model. Its `call` contains a derivative already; `fit` takes another one, with respect to the weights, and the ordinary mean squared error is one half of (14.35). Nothing else is needed.

The data: 120 motions of a spring (and of a pendulum, $H = p^2 + 3(1 - \cos q)$), whose states are measured with a noise of 0.02 in both coordinates. Both networks have two hidden layers with 32 nodes and get the same batches. We then start 30 new motions and integrate 20 periods with Runge-Kutta steps of 0.1 s, and compute the *true* energy along the way.
As *oracle*, the true field goes through the same steps.
"""

# %%
hamiltonian_field = check.catch_up("X14.5", hamiltonian_field)


def hidden_layers():
    return [keras.Input((2,)), *(layers.Dense(32, activation="swish") for _ in range(2))]


class HamiltonianNetwork(keras.Model):
    """Called with states it answers with their time derivatives; `energy` is the network inside."""

    def __init__(self):
        super().__init__()
        self.energy = keras.Sequential([*hidden_layers(), layers.Dense(1, use_bias=False)])

    def call(self, states):
        return hamiltonian_field(self.energy, states)


def plain_network():
    return keras.Sequential([*hidden_layers(), layers.Dense(2)])


def train_motion(model, motions):
    steps = EPOCHS_MOTION * -(-len(motions.x_train) // 100)
    rate = keras.optimizers.schedules.CosineDecay(1e-2, steps)
    model.compile(keras.optimizers.Adam(rate), "mse", steps_per_execution=18)
    model.fit(motions.x_train, motions.y_train, batch_size=100, epochs=EPOCHS_MOTION, verbose=0)
    return model


def follow(field, states, duration, step=0.1):
    """Motions in Runge-Kutta steps of fourth order; (n, points, 2)."""

    def forward(x):
        k1 = field(x)
        k2 = field(x + step / 2 * k1)
        k3 = field(x + step / 2 * k2)
        k4 = field(x + step * k3)
        return x + step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    forward = autodiff.compiled(forward) if isinstance(field, keras.Model) else forward
    path = [states]
    for _ in range(round(duration / step)):
        path.append(np.asarray(forward(path[-1])))
    return np.stack(path, axis=1)


PERIODS = {"spring": np.pi, "pendulum": 2 * np.pi / np.sqrt(6)}  # s; the pendulum's of small swings
paths, deviation, springs = {}, {}, []
for system, period in PERIODS.items():
    motions = datasets.load_oscillators(200, seed=check.seed, system=system, noise=0.02)
    starts = oscillators.simulate(30, seed=check.seed + 1, system=system).states[:, 0]
    fields = [("oracle", lambda x, system=system: oscillators.vector_field(x, system=system))]
    for number in range(min(TRAININGS, 2)):
        keras.utils.set_random_seed(check.seed + number)
        fields.append(("Hamiltonian network", train_motion(HamiltonianNetwork(), motions)))
        fields.append(("plain network", train_motion(plain_network(), motions)))
    springs += [field for name, field in fields if system == "spring" and name[0] == "H"]
    for name, field in fields:
        path = follow(field, starts, 20 * period)
        energy = oscillators.hamiltonian(path, system=system)
        paths.setdefault((system, name), path)
        relative = np.abs(energy / energy[:, :1] - 1).max(
            axis=1
        )  # worst in 20 periods, each motion
        deviation.setdefault((system, name), []).append(np.median(relative))
for (system, name), medians in deviation.items():
    print(f"{system:9s} {name:20s} largest deviation of the energy in 20 periods {np.mean(medians):.2%} +- {np.std(medians):.2%} (median of 30 motions, {len(medians)} trainings)")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 3, figsize=(12, 3.9))
shown = np.argsort(oscillators.hamiltonian(paths["spring", "oracle"][:, 0], system="spring"))[15]
for name, colour in [("plain network", plotting.COLOURS[1]), ("Hamiltonian network", plotting.COLOURS[0]), ("oracle", plotting.INK)]:  # fmt: skip
    path = paths["spring", name][shown]
    axes[0].plot(
        *path.T,
        color=colour,
        lw=0.7 if name != "oracle" else 1.2,
        ls=":" if name == "oracle" else "-",
    )
    for axis, system in zip(axes[1:], PERIODS, strict=True):
        energy = oscillators.hamiltonian(paths[system, name], system=system)
        time = np.arange(energy.shape[1]) * 0.1 / PERIODS[system]
        axis.plot(time, np.median(energy / energy[:, :1], axis=0), color=colour, label=name, ls=":" if name == "oracle" else "-")  # fmt: skip
axes[0].set(xlabel="coordinate $q$", ylabel="momentum $p$", title="spring, 20 periods")
axes[0].set_aspect("equal", "datalim")
for axis, system in zip(axes[1:], PERIODS, strict=True):
    axis.set(xlabel="time (periods)", ylabel="true energy / energy at the start", title=f"{system}, median of 30")  # fmt: skip
axes[1].legend(fontsize=8)
figure.suptitle("The plain network loses its orbit, the Hamiltonian network stays on it")
plotting.show("Left: orbits in phase space, the plain network's leaves the circle. Middle and right: the energy over 20 periods is constant for the Hamiltonian network and drifts for the plain one.", figure)  # fmt: skip

# %% [markdown]
r"""
The energy that the network invented can be looked at: up to a constant it must be $k q^2/2 + p^2/2m = q^2 + p^2$. And what about the printed (14.35)? For this spring the function $H = -2qp$ makes it exactly zero. A training would end with a perfect loss, and the motion it describes, $\dot q = -2q$, is no oscillation at all. A loss that is zero proves only that the equations in it are fulfilled.
"""

# %% covers="X14.5"
states = random.uniform(-0.7, 0.7, (500, 2)).astype("float32")
true_energy = oscillators.hamiltonian(states, system="spring")
learned = np.asarray(springs[0].energy(states))[:, 0]
correlation = np.corrcoef(learned, true_energy)[0, 1]
q, p = states.T
speed, force = oscillators.vector_field(states, system="spring").T
corrected = np.mean((2 * p - speed) ** 2 + (2 * q + force) ** 2)  # with dH/dq = 2q, dH/dp = 2p
printed = np.mean((2 * p - force) ** 2 + (2 * q + speed) ** 2)
printed_saddle = np.mean((-2 * q - force) ** 2 + (-2 * p + speed) ** 2)  # with H = -2 q p
print(f"at the true energy: (14.35) corrected {corrected:.1e}, as printed {printed:.2f}; printed, at H = -2qp: {printed_saddle:.1e}")  # fmt: skip
spring = {name: np.mean(deviation["spring", name]) for name in ("Hamiltonian network", "plain network")}  # fmt: skip
pendulum = {name: np.mean(deviation["pendulum", name]) for name in ("Hamiltonian network", "plain network")}  # fmt: skip
check.claim("X14.5", spring["Hamiltonian network"], at_most=0.02, wrong=spring["plain network"])
check.claim(
    "X14.5",
    pendulum["Hamiltonian network"] / pendulum["plain network"],
    at_most=0.5,
    wrong=pendulum["plain network"] / pendulum["Hamiltonian network"],
)
check.claim("X14.5", correlation, at_least=0.999, wrong=np.corrcoef(q * p, true_energy)[0, 1])
check.claim("X14.5", corrected, at_most=1e-10, wrong=printed)
check.claim("X14.5", printed_saddle, at_most=1e-10, wrong=printed)
check.claim("X14.5", np.mean(deviation["spring", "oracle"]), at_most=2e-3, wrong=spring["plain network"])  # fmt: skip

# %%
check.quiz("X14.5-q1")

# %% [markdown]
r"""
## Example 14.6: whose jet is it?

A Higgs boson and two top quarks decay to eight jets: two from the Higgs boson, three from each top quark. Which jet belongs to whom? The two top quarks cannot be told apart, so there are $8!/(2!\,3!\,3!\,2!) = 280$ **assignments**, and the answer is one of them: a discrete choice, through which no gradient passes.

The book's network tries permutations as a policy. We let a network give each assignment a **score** and take the largest. The score is a sum over the three parents,

$$s(\text{assignment}) = f_H(\text{pair}) + f_t(\text{triplet}_1) + f_t(\text{triplet}_2), \qquad P(\text{assignment}) = \mathrm{softmax}(s),$$

with a network $f_H$ for the 28 pairs of jets and a network $f_t$ for the 56 triplets: 84 small evaluations give all 280 scores, and the cross-entropy of the true assignment has a gradient. Minus the score is an **energy**, as in the section on Boltzmann machines below.

The *baseline* is the classical criterion: the assignment with the smallest $\chi^2$ of the masses of the Higgs boson, the top quarks and the W bosons, with a fixed cost for missing b-tags. Its ingredient is the invariant mass of two jets without masses of their own,

$$m_{jk}^2 = 2\, p_{T,j}\, p_{T,k}\, \big(\cosh(\eta_j - \eta_k) - \cos(\phi_j - \phi_k)\big);$$

three of these squares add up to the squared mass of a triplet.

**Your task.** Compute the masses of all pairs.
"""


# %% task="X14.6" points=2
def pair_masses(pt, eta, phi):
    """Invariant masses of all pairs of massless jets, in GeV.

    pt (GeV), eta and phi (rad): (n, jets). Returns an array (n, jets, jets), zero on the diagonal.
    """
    ### BEGIN SOLUTION
    rapidity_gap = eta[:, :, None] - eta[:, None, :]
    angle = phi[:, :, None] - phi[:, None, :]
    square = 2 * pt[:, :, None] * pt[:, None, :] * (np.cosh(rapidity_gap) - np.cos(angle))
    return np.sqrt(np.maximum(square, 0.0))  # rounding may leave a negative square
    ### END SOLUTION


# %% check="X14.6"
check("X14.6", pair_masses)

# %% [markdown]
r"""
A pair enters $f_H$ with its mass (as a pull from 125 GeV), its transverse momenta, its opening in $\eta$ and its tags. A triplet enters $f_t$ three times, once for every jet that may be the b: with the masses of the W boson and the top quark, momenta and tags; the three answers are joined by a $\log\sum\exp$, since one of them is enough.
"""

# %%
pair_masses = check.catch_up("X14.6", pair_masses)
ASSIGNMENTS = resonance.assignments()  # (280, 8): parent of each jet
PAIRS = np.array([(i, j) for i in range(8) for j in range(i)])
TRIPLETS = np.array([(i, j, k) for i in range(8) for j in range(i) for k in range(j)])


def rows(groups, parent):
    """Which pair or triplet each of the 280 assignments gives to a parent."""
    numbers = {frozenset(group): number for number, group in enumerate(groups.tolist())}
    return np.array([numbers[frozenset(np.flatnonzero(row == parent))] for row in ASSIGNMENTS])


def pull(mass, expected, width):
    """Distance from the expected mass and its square, both bounded."""
    distance = np.clip((mass - expected) / width, -5, 5)
    return [distance, distance**2 / 4]


def candidates(events):
    """Inputs of both networks: pairs (n, 28, 8) and triplets (n, 56, 3, 15), and the true row of ASSIGNMENTS."""
    pt, eta, phi = (events.jets[..., k].astype("float32") for k in range(3))
    tag = np.eye(3, dtype="float32")[events.jets[..., 3].astype(int)]
    log_pt = np.log(pt / 100)
    mass = pair_masses(pt, eta, phi).astype("float32")
    i, j = PAIRS.T
    columns = [
        *pull(mass[:, i, j], 125, 12),
        log_pt[:, i] + log_pt[:, j],
        np.abs(log_pt[:, i] - log_pt[:, j]),
        np.abs(eta[:, i] - eta[:, j]),
    ]
    pairs = np.concatenate([np.stack(columns, axis=-1), tag[:, i] + tag[:, j]], axis=-1)
    triplets = []
    for shift in range(3):
        b, j, k = np.roll(TRIPLETS, shift, axis=1).T
        w, top = (
            mass[:, j, k],
            np.sqrt(mass[:, j, k] ** 2 + mass[:, b, j] ** 2 + mass[:, b, k] ** 2),
        )
        columns = [
            *pull(w, 80.4, 10),
            *pull(top, 172.5, 20),
            *pull(top - w, 92.1, 15),
            log_pt[:, b],
            log_pt[:, j] + log_pt[:, k],
            np.abs(log_pt[:, j] - log_pt[:, k]),
        ]
        triplets.append(np.concatenate([np.stack(columns, axis=-1), tag[:, b], tag[:, j] + tag[:, k]], axis=-1))  # fmt: skip
    truth = (events.parent[:, None] == ASSIGNMENTS).all(axis=-1).argmax(axis=1)
    return [pairs, np.stack(triplets, axis=2)], truth


def score_network():
    """Scores of the 280 assignments from 28 pairs and 56 triplets."""
    pairs, triplets = keras.Input((28, 8)), keras.Input((56, 3, 15))

    def scores(x):
        x = layers.BatchNormalization(momentum=0.9)(x)
        for _ in range(2):
            x = layers.Dense(32, activation="elu")(x)
        return layers.Dense(1)(x)[..., 0]

    higgs, top = scores(pairs), keras.ops.logsumexp(scores(triplets), axis=-1)
    total = sum(keras.ops.take(*part, axis=1) for part in [(higgs, rows(PAIRS, 0)), (top, rows(TRIPLETS, 1)), (top, rows(TRIPLETS, 2))])  # fmt: skip
    return keras.Model([pairs, triplets], total)


judged = resonance.simulate_tth(N_JUDGED, seed=check.seed + 1)
x_judged, _ = candidates(judged)
x_train, y_train = candidates(resonance.simulate_tth(N_EVENTS, seed=check.seed))
correct, probability = [], None
for number in range(min(TRAININGS, 2)):
    keras.utils.set_random_seed(check.seed + number)
    model = score_network()
    rate = keras.optimizers.schedules.CosineDecay(5e-3, EPOCHS_EVENTS * -(-N_EVENTS // 100))
    model.compile(keras.optimizers.Adam(rate), keras.losses.SparseCategoricalCrossentropy(from_logits=True))  # fmt: skip
    model.fit(x_train, y_train, batch_size=100, epochs=EPOCHS_EVENTS, verbose=0)
    scores = model.predict(x_judged, batch_size=500, verbose=0)
    chosen = ASSIGNMENTS[scores.argmax(axis=1)]
    correct.append(resonance.correct_assignments(chosen, judged.parent))
by_chi2 = resonance.assign_jets(judged)
chi2_correct = resonance.correct_assignments(by_chi2, judged.parent)
network_rate, chi2_rate = (metrics.accuracy_with_error(c) for c in (correct[0], chi2_correct))
print(f"network             {network_rate[0]:.3f} +- {network_rate[1]:.3f} of the events right in all eight jets (other trainings: {', '.join(f'{c.mean():.3f}' for c in correct[1:]) or 'none'})")  # fmt: skip
print(f"chi2 (baseline)     {chi2_rate[0]:.3f} +- {chi2_rate[1]:.3f}")
print(f"by chance           {1 / 280:.4f}")
for name, assigned in [("network", chosen), ("chi2", by_chi2)]:
    higgs = ((assigned == 0) == (judged.parent == 0)).all(axis=1)
    fraction, error = metrics.accuracy_with_error(higgs)
    print(f"{name:8s} Higgs boson right: {fraction:.3f} +- {error:.3f}")

# %%
shares = np.exp(scores - scores.max(axis=1, keepdims=True))
confidence = (shares / shares.sum(axis=1, keepdims=True)).max(axis=1)
figure, axes = plt.subplots(1, 2, figsize=(10, 4))
bins = np.linspace(0, 1, 9)
inside = np.digitize(confidence, bins) - 1
for axis_x, k in [(confidence[inside == k].mean(), k) for k in range(8) if np.sum(inside == k) > 30]:  # fmt: skip
    axes[0].errorbar(axis_x, *metrics.accuracy_with_error(correct[-1][inside == k]), fmt="o", color=plotting.COLOURS[0])  # fmt: skip
axes[0].plot([0, 1], [0, 1], ":", color=plotting.INK)
axes[0].set(xlabel="softmax of the best assignment", ylabel="fraction right", title="The softmax is a probability", xlim=(0, 1), ylim=(0, 1))  # fmt: skip
order = np.argsort(-confidence)
kept = np.arange(1, len(order) + 1)
axes[1].plot(kept / len(order), np.cumsum(correct[-1][order]) / kept, label="network, most confident first")  # fmt: skip
axes[1].axhline(chi2_rate[0], ls="--", color=plotting.COLOURS[1], label=r"$\chi^2$ (baseline), all events")  # fmt: skip
axes[1].axhline(1 / 280, ls=":", color=plotting.GREY, label="chance, 1/280")
axes[1].set(xlabel="fraction of the events kept", ylabel="fraction right in all eight jets", title="Fewer events, purer ones", ylim=(0, 1))  # fmt: skip
axes[1].legend(loc="lower left", fontsize=8)
figure.suptitle(
    "The network assigns more events than the masses alone, and knows which ones to trust"
)
plotting.show("Left: fraction of right assignments against the softmax, near the diagonal. Right: fraction right among the most confident events, falling to the overall value, above the chi-square baseline.", figure)  # fmt: skip

# %% [markdown]
r"""
Where does the gain come from? The $\chi^2$ has one resolution for all jets and one cost for a missing tag; the network learns both from the events, as functions of the momenta. The simulator ships no limit for this problem: the densities behind the scores are not known in closed form. What can be tested is whether the scores are *calibrated*, in the left picture.
"""

# %% covers="X14.6"
check.claim("X14.6", len(np.unique(ASSIGNMENTS, axis=0)), 280, wrong=2520)
check.claim("X14.6", network_rate[0], at_least=chi2_rate[0] + 2 * chi2_rate[1], wrong=chi2_rate[0])
check.claim("X14.6", np.abs(confidence.mean() - correct[-1].mean()), at_most=0.04, wrong=1 - correct[-1].mean())  # fmt: skip

# %% [markdown]
r"""
## Section 14.6: a Boltzmann machine without secrets

Any function $E(x)$ gives a density $p(x) = \mathrm{e}^{-E(x)}/Z$, positive by construction. Its price is the normalisation $Z$, a sum over all states. The **restricted Boltzmann machine** has binary units, visible ones $x$ and hidden ones $h$, and connections between the two layers only:

$$E(x, h) = -\sum_i a_i x_i - \sum_j b_j h_j - \sum_{ij} x_i h_j W_{ij}, \qquad p(x) = \frac1Z \sum_h \mathrm{e}^{-E(x, h)}. \tag{14.41, 14.42}$$

The sum over $h$ factorises, unit by unit. What remains is the **free energy** of the visible units, $F(x) = -\ln \sum_h \mathrm{e}^{-E(x,h)} = -\sum_i a_i x_i - \sum_j \ln\big(1 + \mathrm{e}^{\,b_j + \sum_i x_i W_{ij}}\big)$.

**Your task.** Write it, so that it survives arguments of 1000 (`np.logaddexp`).
"""


# %% task="M14.3a" points=2
def free_energy(x, a, b, W):
    """Free energy of the visible units of a restricted Boltzmann machine.

    x: (n, visible), 0 or 1; a: (visible,); b: (hidden,); W: (visible, hidden). Returns an array (n,).
    """
    ### BEGIN SOLUTION
    into_hidden = b + x @ W
    return -(x @ a) - np.logaddexp(0.0, into_hidden).sum(axis=1)
    ### END SOLUTION


# %% check="M14.3a"
check("M14.3a", free_energy)

# %% [markdown]
r"""
The gradient of the mean log-likelihood by $W$ is $\langle x_i h_j\rangle_\mathrm{data} - \langle x_i h_j\rangle_\mathrm{model}$. The second mean runs over all states of the model, which for a machine of useful size nobody can sum. **Contrastive divergence** (CD-1) replaces it: let the machine take *one* step away from the data,

$$x \;\to\; h \sim p(h|x) = \sigma(b + x W) \;\to\; x' \sim p(x'|h) = \sigma(a + h W^T) \;\to\; p(h'|x'),$$

and use $\langle x\, p(h|x)\rangle - \langle x'\, p(h'|x')\rangle$. Probabilities stand in the means, samples $0$ or $1$ in between: a unit is 1 where a random number $u$ between 0 and 1 is smaller than its probability.

**Your task.** Return this estimate for $W$, $a$ and $b$, as means over the data. The random numbers are given.
"""


# %% task="M14.3b" points=3
def contrastive_gradient(x, a, b, W, u_hidden, u_visible):
    """CD-1 estimates of the gradients of the mean log-likelihood by W, a and b.

    x: (n, visible), 0 or 1; u_hidden: (n, hidden) and u_visible: (n, visible), random numbers between 0 and 1; a, b, W
    as in free_energy. Returns three arrays in the shapes of W, a and b.
    """
    ### BEGIN SOLUTION
    on = 1 / (1 + np.exp(-(b + x @ W)))
    hidden = (u_hidden < on).astype(float)
    back = (u_visible < 1 / (1 + np.exp(-(a + hidden @ W.T)))).astype(float)
    on_again = 1 / (1 + np.exp(-(b + back @ W)))
    to_W = (x.T @ on - back.T @ on_again) / len(x)
    return to_W, (x - back).mean(axis=0), (on - on_again).mean(axis=0)
    ### END SOLUTION


# %% check="M14.3b"
check("M14.3b", contrastive_gradient)

# %% [markdown]
r"""
**The experiment.** Ising spins on a torus of $3 \times 4$ sites have $2^{12} = 4096$ states. Their energies, the probabilities $\mathrm{e}^{-E/T}/Z$ at $T = 2.6$ and the entropy can be enumerated, and so can $Z$ of the machine: the Kullback-Leibler divergence from the truth to the machine is a plain sum. Its limit is 0, or for the mean negative log-likelihood the entropy of the spins.

Can a machine reach the limit at all? Yes, and the physics tells how. One hidden unit joined to two spins $s, s' = \pm 1$ contributes $2\cosh\big(w(s + s')\big)$ to the sum over $h$, up to terms that the biases absorb. With $\cosh 2w = \mathrm{e}^{2/T}$ this is the Boltzmann factor of one bond. So 24 hidden units, one for each bond, are exactly an Ising model. (In units of 0 and 1, with $s = 2x - 1$, the weights are $4w$.)
"""

# %%
free_energy = check.catch_up("M14.3a", free_energy)
contrastive_gradient = check.catch_up("M14.3b", contrastive_gradient)
T_ISING, N_SITES, N_HIDDEN = 2.6, 12, 12
STATES = (np.arange(4096)[:, None] >> np.arange(N_SITES) & 1).astype(float)
lattices = (2 * STATES - 1).reshape(-1, 3, 4)
ising_energy = -(lattices * (np.roll(lattices, 1, axis=1) + np.roll(lattices, 1, axis=2))).sum(
    axis=(1, 2)
)
log_truth = -ising_energy / T_ISING
log_truth -= np.logaddexp.reduce(log_truth)
truth = np.exp(log_truth)
magnetisation = np.abs(lattices.mean(axis=(1, 2)))
entropy = -truth @ log_truth


def log_probability(a, b, W):
    """Logarithm of the machine's probability of each of the 4096 states, with the exact Z."""
    negative = -free_energy(STATES, a, b, W)
    return negative - np.logaddexp.reduce(negative)


def divergence(a, b, W):
    """Kullback-Leibler divergence from the truth to the machine, in nats."""
    return truth @ (log_truth - log_probability(a, b, W))


def exact_gradient(x, a, b, W):
    """The gradients that CD-1 estimates, with the mean over all states of the machine."""
    model = np.exp(log_probability(a, b, W))
    on, on_states = (1 / (1 + np.exp(-(b + y @ W))) for y in (x, STATES))
    to_W = x.T @ on / len(x) - (STATES * model[:, None]).T @ on_states
    return to_W, x.mean(axis=0) - model @ STATES, on.mean(axis=0) - model @ on_states


# one hidden unit for each bond
sites = np.arange(N_SITES).reshape(3, 4)
bonds = [(i, j) for axis in (0, 1) for i, j in zip(sites.ravel(), np.roll(sites, -1, axis).ravel(), strict=True)]  # fmt: skip
w = np.arccosh(np.exp(2 / T_ISING)) / 2
by_hand = np.zeros(N_SITES), np.full(24, -4 * w), np.zeros((N_SITES, 24))
for k, bond in enumerate(bonds):
    for site in bond:
        by_hand[0][site] -= 2 * w
        by_hand[2][site, k] = 4 * w


def train_machine(gradient, seed):
    """Adam upwards on the log-likelihood of 20 000 lattices, with a cosine-decayed rate; parameters and history."""
    draw = np.random.default_rng(seed)
    lattice_sample = STATES[draw.choice(4096, 20_000, p=truth)]
    W = draw.normal(0, 0.1, (N_SITES, N_HIDDEN))
    parameters = [W, -W.sum(axis=1) / 2, -W.sum(axis=0) / 2]  # centred: 0 and 1 alike
    means, squares = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    history = []
    for step in range(RBM_STEPS):
        W, a, b = parameters
        if step % (RBM_STEPS // 30) == 0:
            history.append((step, divergence(a, b, W)))
        x = lattice_sample[draw.integers(0, len(lattice_sample), 200)]
        rate = 0.03 * (1 + np.cos(np.pi * step / RBM_STEPS)) / 2
        for k, slope in enumerate(gradient(x, a, b, W, draw)):
            means[k] = 0.9 * means[k] + 0.1 * slope
            squares[k] = 0.999 * squares[k] + 0.001 * slope**2
            scaled = np.sqrt(squares[k] / (1 - 0.999 ** (step + 1))) + 1e-8
            parameters[k] = parameters[k] + rate * means[k] / (1 - 0.9 ** (step + 1)) / scaled
    W, a, b = parameters
    return (a, b, W), [*history, (RBM_STEPS, divergence(a, b, W))]


def by_contrast(x, a, b, W, draw):
    return contrastive_gradient(x, a, b, W, draw.random((len(x), len(b))), draw.random(x.shape))


def by_enumeration(x, a, b, W, draw):
    return exact_gradient(x, a, b, W)


machines = {}
for name, gradient in [("exact gradient", by_enumeration), ("contrastive divergence", by_contrast)]:
    machines[name] = [
        train_machine(gradient, check.seed + number) for number in range(max(TRAININGS, 2))
    ]
magnetisations, reached = {}, {}
for name, runs in machines.items():
    reached[name] = [history[-1][1] for _, history in runs]
    magnetisations[name] = [np.exp(log_probability(*parameters)) @ magnetisation for parameters, _ in runs]  # fmt: skip
    print(f"{name:23s} divergence {np.mean(reached[name]):.4f} +- {np.std(reached[name]):.4f} nats, <|m|> {np.mean(magnetisations[name]):.4f} +- {np.std(magnetisations[name]):.4f}")  # fmt: skip
one_site = truth @ STATES
alone = log_probability(np.log(one_site / (1 - one_site)), np.zeros(1), np.zeros((N_SITES, 1)))
independent = truth @ (log_truth - alone)
print(f"{'independent spins':23s} divergence {independent:.4f} nats (baseline), <|m|> {np.exp(alone) @ magnetisation:.4f}")  # fmt: skip
print(f"{'one unit a bond':23s} divergence {divergence(*by_hand):.1e} nats (limit: 0), <|m|> {truth @ magnetisation:.4f} exact")  # fmt: skip
print(f"entropy of the spins {entropy:.4f} nats: no machine has a smaller mean negative log-likelihood on new lattices")  # fmt: skip

# %% [markdown]
r"""
How good is one step as a replacement for all states? We switch on the weights of a trained machine slowly, and compare the CD-1 estimate from 20 000 lattices with the exact gradient by $W$: the angle between the two, and their lengths.
"""

# %%
lattice_sample = STATES[random.choice(4096, 20_000, p=truth)]
sharpness = np.linspace(0.1, 0.9, 9)  # the weights of a trained machine, switched on slowly
trained = machines["exact gradient"][0][0]
cosines, lengths = [], []
for factor in sharpness:
    parameters = [factor * array for array in trained]
    estimate = by_contrast(lattice_sample, *parameters, random)[0]
    exact = exact_gradient(lattice_sample, *parameters)[0]
    cosines.append(np.sum(estimate * exact) / np.linalg.norm(estimate) / np.linalg.norm(exact))
    lengths.append(np.linalg.norm(estimate) / np.linalg.norm(exact))
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4))
for colour, (name, runs) in zip(plotting.COLOURS, machines.items(), strict=False):
    for number, (_, history) in enumerate(runs):
        axes[0].plot(*np.transpose(history), color=colour, lw=1, label=name if number == 0 else None)  # fmt: skip
axes[0].axhline(independent, ls="--", color=plotting.GREY, label="independent spins (baseline)")
axes[0].set(xlabel="step", ylabel="divergence from the truth (nats)", yscale="log", title="Both learn; the limit is 0")  # fmt: skip
axes[0].legend(fontsize=8, loc="center right")
axes[1].plot(sharpness, cosines, "o-", ms=4, label="cosine of the angle")
axes[1].plot(sharpness, lengths, "s--", ms=4, label="ratio of the lengths")
axes[1].axhline(1, ls=":", color=plotting.INK, label="exact gradient")
axes[1].set(xlabel="weights, relative to a trained machine", ylabel="CD-1 against the exact gradient", title="The direction is right, the length falls", ylim=(0, 1.2))  # fmt: skip
axes[1].legend(fontsize=8, loc="lower left")
figure.suptitle("Contrastive divergence climbs nearly as high, without ever knowing Z")
plotting.show("Left: the divergence of Boltzmann machines falls during the training, with the exact gradient and with contrastive divergence. Right: cosine and length of the CD-1 estimate relative to the exact gradient.", figure)  # fmt: skip

# %% [markdown]
r"""
A machine with large weights answers one step with nearly what it was given: the reconstruction stays close to the data, and the estimate is short. Since Adam divides by the length, little is lost here. What remains is a bias: states that no data are near, which a longer walk would find and push down, are never visited. Machines with many separate modes suffer from it most.
"""

# %% covers="M14.3"
total = np.exp(log_probability(*machines["contrastive divergence"][0][0])).sum()
unnormalised = np.exp(-free_energy(STATES, *machines["contrastive divergence"][0][0])).sum()
check.claim("M14.3", total, 1, tolerance=1e-9, wrong=unnormalised)
check.claim("M14.3", divergence(*by_hand), 0, tolerance=1e-9, wrong=reached["exact gradient"][0])
check.claim("M14.3", np.mean(reached["exact gradient"]), at_most=0.15, wrong=independent)
check.claim("M14.3", np.mean(reached["contrastive divergence"]), at_most=0.25, wrong=independent)
check.claim("M14.3", min(cosines), at_least=0.9, wrong=-min(cosines))
check.claim("M14.3", lengths[-1], at_most=0.8, wrong=lengths[1])
check.claim("M14.3", np.mean(magnetisations["contrastive divergence"]), truth @ magnetisation, tolerance=0.04, wrong=np.exp(alone) @ magnetisation)  # fmt: skip

# %% [markdown]
r"""
## Section 14.8: an objective for the whole experiment

A search counts the events that pass a selection. The cross-entropy judges events one by one, a **local** objective; what is published is a property of the whole experiment: the expected significance with $s$ signal events over $b$ background events, of which $b$ is known to $\pm u$. The median of many such experiments is near the **Asimov significance**

$$Z = \sqrt{2\left[(s + b)\,\ln\frac{(s + b)(b + u^2)}{b^2 + (s + b)\,u^2} - \frac{b^2}{u^2}\,\ln\left(1 + \frac{u^2 s}{b\,(b + u^2)}\right)\right]},$$

which for few signal events becomes $s / \sqrt{b + u^2}$. (The book has no formula; this one is by Cowan, Cranmer, Gross and Vitells.)

**Your task.** Write it with `keras.ops`, so that a training can differentiate it.
"""


# %% task="M14.4" points=2
def asimov_significance(signal, background, uncertainty):
    """Median significance of a counting experiment whose background has an uncertainty.

    signal, background: expected events, above 0; uncertainty: standard deviation of the background in events, above 0;
    numbers, arrays or tensors of one shape. Returns a tensor of this shape.
    """
    ### BEGIN SOLUTION
    variance = uncertainty**2
    count = signal + background
    inside = count * (background + variance) / (background**2 + count * variance)
    first = count * keras.ops.log(inside)
    ratio = variance * signal / (background * (background + variance))
    second = background**2 / variance * keras.ops.log1p(ratio)
    return keras.ops.sqrt(2 * (first - second))
    ### END SOLUTION


# %% check="M14.4"
check("M14.4", asimov_significance)

# %% [markdown]
r"""
**The experiment.** 100 signal events are expected among 1000 of background. Two quantities are measured; in units of their spread the signal lies at $(1.5, 1.2)$ and the background at the origin. The first separates better, but its calibration is uncertain: the background may lie higher by 0.3, and a selection in its tail then lets far more background pass. With an uncertainty of 5 % on the rate of the background,

$$u^2 = (0.05\, b)^2 + (b_\mathrm{shifted} - b)^2 .$$

The global objective is $-Z$, with $s$, $b$ and $b_\mathrm{shifted}$ as sums of the network's outputs between 0 and 1: every step needs a large sample, since $Z$ is no sum over events. Beside it stands the same network with cross-entropy. All densities are known, so both can be judged without statistical errors, each with the cut that gives it the largest $Z$, and so can two procedures that know them:

- a cut on the exact density ratio, an *oracle*: there a perfect training with cross-entropy would lead;
- the *limit*: the best of all selections. $Z$ depends on a selection through three integrals; at the maximum, an event is kept if $p_s > \lambda\, p_b + \kappa\,(p_\mathrm{shifted} - p_b)$, with two numbers that we scan.
"""

# %%
asimov_significance = check.catch_up("M14.4", asimov_significance)
N_SIGNAL, N_BACKGROUND, RATE_ERROR, SHIFT = 100.0, 1000.0, 0.05, 0.3
CENTRE = np.array([1.5, 1.2])
axis_points = np.linspace(-6, 8, 141)
plane = np.stack(np.meshgrid(axis_points, axis_points, indexing="ij"), axis=-1)


def density(centre):
    """Share of a Gaussian of spread 1 in each cell of the plane."""
    values = np.exp(-((plane - centre) ** 2).sum(axis=-1) / 2)
    return values / values.sum()


p_signal, p_background, p_shifted = density(CENTRE), density([0, 0]), density([SHIFT, 0])


def best_cut(score):
    """Z of the best cut on a score from the exact densities, with s, b, u and the region that passes."""
    order = np.argsort(-score, axis=None)
    s, b, moved = (np.cumsum(p.ravel()[order]) for p in (p_signal, p_background, p_shifted))
    s, b, moved = N_SIGNAL * s, N_BACKGROUND * b, N_BACKGROUND * (moved - b)
    u = np.hypot(RATE_ERROR * b, moved)
    some = np.flatnonzero((s > 1) & (np.diff(s, append=np.inf) > 0))  # at least one signal event
    z = np.asarray(asimov_significance(s[some], b[some], u[some]))
    last = some[z.argmax()]
    region = np.zeros(score.size, bool)
    region[order[: last + 1]] = True
    return z.max(), s[last], b[last], u[last], region.reshape(score.shape)


def safer(shift):
    """Density ratio, with events punished where the shift brings background."""
    return (p_signal - shift * (p_shifted - p_background)) / p_background


by_ratio = best_cut(p_signal / p_background)
scan = np.geomspace(0.1, 1000, 81)
rough = max([0.0, *scan, *-scan], key=lambda shift: best_cut(safer(shift))[0])
limit = max((best_cut(safer(rough * factor)) for factor in np.linspace(0.9, 1.12, 23)), key=lambda found: found[0])  # fmt: skip

signal = (random.normal(size=(20_000, 2)) + CENTRE).astype("float32")
background = random.normal(size=(20_000, 2)).astype("float32")
shifted = background + np.array([SHIFT, 0], "float32")


def selection_network():
    hidden = [layers.Dense(16, activation="elu") for _ in range(2)]
    return keras.Sequential([keras.Input((2,)), *hidden, layers.Dense(1)])


def train_local(model):
    """Cross-entropy of single events."""
    x = np.concatenate([signal, background])
    y = np.repeat([1.0, 0.0], 20_000).astype("float32")
    rate = keras.optimizers.schedules.CosineDecay(1e-2, 240)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=20)
    model.fit(x, y, batch_size=2000, epochs=12, verbose=0)


def train_global(model, seed):
    """Minus the significance of the whole experiment, estimated from 5000 events of each kind at every step."""
    draw = np.random.default_rng(seed)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, STEPS_GLOBAL))
    optimizer.build(model.trainable_variables)

    @autodiff.compiled
    def step(signal, background, shifted):
        def loss():
            passed = [keras.ops.mean(keras.ops.sigmoid(model(x))) for x in (signal, background, shifted)]  # fmt: skip
            s, b, moved = N_SIGNAL * passed[0], N_BACKGROUND * passed[1], N_BACKGROUND * (passed[2] - passed[1])  # fmt: skip
            return -asimov_significance(s, b, keras.ops.sqrt((RATE_ERROR * b) ** 2 + moved**2))

        value, slopes = autodiff.value_and_gradients(loss, model.trainable_variables)
        optimizer.apply(slopes, model.trainable_variables)
        return value

    for _ in range(STEPS_GLOBAL):
        some = draw.integers(0, 20_000, 5_000)
        step(signal[some], background[some], shifted[some])


scores = {"cross-entropy": [], "significance": []}
for number in range(TRAININGS):
    for name in scores:
        keras.utils.set_random_seed(check.seed + number)
        model = selection_network()
        if name == "significance":
            train_global(model, check.seed + number)
        else:
            train_local(model)
        score = model.predict(plane.reshape(-1, 2), batch_size=20_000, verbose=0)
        scores[name].append(score.reshape(plane.shape[:2]))
cuts = {name: [best_cut(score) for score in tries] for name, tries in scores.items()}
cuts |= {"exact density ratio": [by_ratio], "limit": [limit]}
significance, areas = {}, {}
for name, tries in cuts.items():
    results = np.array([found[:4] for found in tries])
    significance[name] = results[:, 0]
    z, s, b, u = results.mean(axis=0)
    print(f"{name:20s} Z = {z:.2f} +- {results[:, 0].std():.2f} ({len(tries)} trainings); on average s = {s:.1f}, b = {b:.1f}, u = {u:.1f}")  # fmt: skip
for name, tries in scores.items():
    order = np.argsort(-tries[0], axis=None)
    passing = [np.cumsum(p.ravel()[order]) for p in (p_background, p_signal)]
    areas[name] = np.trapezoid(passing[1], passing[0])
    print(f"{name:20s} area under the ROC curve {areas[name]:.3f}")
gain = significance["significance"] - significance["cross-entropy"]
print(f"gain in expected significance {gain.mean():.2f} +- {gain.std():.2f} (spread over {len(gain)} trainings)")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(10.5, 4.4), sharey=True)
panels = [("cross-entropy", "exact density ratio"), ("significance", "limit")]
for axis, (name, compared) in zip(axes, panels, strict=True):
    grid = plane[..., 0], plane[..., 1]
    axis.contour(*grid, p_background, levels=4, colors=plotting.GREY, linewidths=0.8)
    axis.contour(*grid, p_signal, levels=4, colors=plotting.COLOURS[1], linewidths=0.8)
    axis.contourf(*grid, cuts[name][0][-1], levels=[0.5, 1.5], colors=[plotting.COLOURS[0]], alpha=0.25)  # fmt: skip
    axis.contour(*grid, cuts[compared][0][-1].astype(float), levels=[0.5], colors=[plotting.INK], linestyles="--")  # fmt: skip
    axis.arrow(0, -2.2, 1.2, 0, width=0.05, color=plotting.GREY)
    axis.text(
        0, -2.9, "background may shift this\nway (by a quarter of the arrow)", fontsize=8, va="top"
    )
    axis.set(xlabel="first quantity (its calibration is uncertain)", title=f"{name}: Z = {significance[name][0]:.2f}\ndashed: {compared}, Z = {significance[compared][0]:.2f}", xlim=(-4, 6), ylim=(-4, 6))  # fmt: skip
axes[0].set_ylabel("second quantity")
figure.suptitle(
    "With an uncertain calibration, the best selection lets gains and losses of background cancel"
)
plotting.show("Two maps of the plane of both quantities with the densities of signal and background. The selection by cross-entropy lies in the corner along the line between the two; the selection by significance is larger, includes a strip at the far left without signal, and resembles the limit.", figure)  # fmt: skip

# %% [markdown]
r"""
The network with the larger area under the ROC curve makes the worse measurement. Cross-entropy cannot know that one direction is uncertain; to make its selection safe it must be cut hard, and most of the signal is lost.

And the other network? It keeps many times more background, but of a number that is known. Look at the left edge: it also accepts a region where there is no signal at all. When the background moves to the right, as many events leave there as enter on the other side, and $b$ stays the same. Nobody told the network to do so; the limit does it too. This is a warning as well: an objective takes its uncertainties literally. If the two edges did not move together, the cancellation would fail. What is not in the objective is not protected by it.

Where the only uncertainty is a factor on the rate of the background, $Z$ depends on $s$ and $b$ alone; then the best selection is a cut on the density ratio, and a global objective wins nothing over a perfect classifier with the right cut.
"""

# %% covers="M14.4"
single = float(asimov_significance(np.array([5.0]), np.array([100.0]), np.array([1e-2]))[0])
counting = np.sqrt(2 * (105 * np.log(1.05) - 5))
gauss = 5 / np.sqrt(100)
check.claim("M14.4", single, counting, tolerance=0.01, wrong=gauss + 0.1)
check.claim("M14.4", significance["significance"].mean(), at_least=1.3 * significance["cross-entropy"].mean(), wrong=significance["exact density ratio"][0])  # fmt: skip
check.claim("M14.4", significance["significance"].max(), at_most=1.002 * significance["limit"][0], wrong=1.1 * significance["limit"][0])  # fmt: skip
check.claim("M14.4", areas["cross-entropy"] - areas["significance"], at_least=0.005, wrong=0.0)

# %%
check.quiz("M14.4-q1")

# %% tags=["instructor"]
# X14.4: let the group give the network 100 atoms of one gas without training it anew. It runs, but it still believes in the width of 25 atoms.
# X14.5: the plain network is not bad: its field is nearly as accurate. Errors that point outwards add up over 20 periods, errors along the orbit only shift the time.
# Raise the noise to 0.1, the value of Greydanus et al.: the Hamiltonian network then keeps the energy to about 2 per cent, with a wobble that is no drift.
# X14.6: train f_H alone and look at the masses it prefers; the score is a learnt log-likelihood ratio.
# M14.3: 24 hidden units suffice exactly; 12 cannot, and the training does not find the 24 by itself.
for question, answer in [("X14.4-q1", 2), ("X14.5-q1", 3), ("M14.4-q1", 1)]:
    check.quiz(question, answer)

# %% [markdown]
r"""
## Key points

- Mean squared error leads to the posterior mean: biased at the ends, unbeatable on average. Cramér and Rao bind unbiased estimates only.
- A symmetry, such as the order of atoms or the conservation of energy, is better built in than learnt. Derive the signs of an objective before you trust its zero.
- A discrete choice becomes differentiable as a softmax over scores; scores that add up over the parents are cheap.
- Energy-based models are easy to write and hard to normalise. Contrastive divergence avoids $Z$; where $Z$ can be summed, compare.
- The best classifier need not make the best measurement: an objective of the whole experiment knows its uncertainties.
"""

# %%
check.summary()
