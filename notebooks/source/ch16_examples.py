# ---
# jupyter:
#   jupytext: {text_representation: {extension: .py, format_name: percent}}
#   kernelspec: {name: python3, display_name: Python 3, language: python}
#   dlphys: {chapter: 16, title: "Weak supervision: examples and methods", level: 3, minutes: 80, sections: "16.1-16.3", data: [ising, neutron_gamma], fast: {REPEATS: 20, QUERIES: 20, COPIES: 6, N_PULSES: 8000, POLLUTED_TRAININGS: 1}}
# ---
# %% [markdown]
r"""
# Weak supervision: examples and methods

**You will**

- let a committee of networks choose whose label it wants to know, and find the critical temperature of the Ising model with few labels;
- learn to recognise single events from labels that only whole groups of them have;
- learn from two mixtures whose compositions are all that is known;
- train with labels of which up to a third are wrong, reach the limit nevertheless, and find where the threshold has to move.

**You need** binary cross-entropy, ROC curves, density ratios (chapter 14); the trick of many networks in one tensor is explained in `ch16_weak_supervision`.
**Time:** about 80 minutes, in any order; the cells run in less than a minute.

**You will see** that labels may be few, coarse and wrong, and that what they still must have can be said exactly.
"""

# %% tags=["setup"]
from dlphys import autodiff, checks, datasets, metrics, plotting
from dlphys.simulators import ising, series, toys

check = checks.start("ch16_examples")

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import layers, ops

keras.utils.set_random_seed(check.seed)
random = np.random.default_rng(check.seed)

# %% tags=["parameters"]
REPEATS = 24  # independent searches with active learning
QUERIES = 36  # labels asked for in each
COPIES = 8  # networks, each with data of its own, for every setting of the methods with groups
STEPS = 200  # of their trainings
N_PULSES = 14_000  # neutron and gamma pulses for each training
POLLUTED_TRAININGS = 3  # of the network with wrong labels, for the spread

# %% [markdown]
r"""
## Method 16.1: a committee that asks

Labels can be expensive: a quantum-chemical calculation, a follow-up observation, an hour of an expert. In **active learning** the network may choose for which events it buys them. *Query by committee* (Seung, Opper and Sompolinsky 1992): train several networks on the labels at hand, and ask about the event on which they disagree most.

How to measure disagreement? If all members say 50 %, the event is undecided, but nobody disagrees: more labels would not help. What counts is the part of the uncertainty that comes from not knowing which member is right: the entropy of the averaged answer, minus the average entropy of the answers,

$$d(x) = H\Big(\frac1K\sum_k p_k(x)\Big) - \frac1K\sum_k H\big(p_k(x)\big), \qquad H(p) = -p\ln p - (1-p)\ln(1-p).$$

It is the Jensen-Shannon divergence of the members, and the *epistemic* part of an uncertainty in chapter 13.

**Your task.** Compute it. A member may be completely sure, $p_k = 0$ or 1; $0 \ln 0 = 0$. (Networks answer in single precision, where 0.99999999 is 1.)
"""


# %% task="M16.1" points=2
def disagreement(probabilities):
    """Jensen-Shannon divergence of the members of a committee, in nats.

    probabilities: (members, n), each member's probability of class 1 for n events, 0 and 1 included. Returns (n,).
    """

    ### BEGIN SOLUTION
    def entropy(p):
        p = np.clip(np.asarray(p, float), 1e-12, 1 - 1e-12)  # in single precision 1 - 1e-12 is 1
        return -p * np.log(p) - (1 - p) * np.log(1 - p)

    return entropy(probabilities.mean(axis=0)) - entropy(probabilities).mean(axis=0)
    ### END SOLUTION


# %% check="M16.1"
check("M16.1", disagreement)

# %% [markdown]
r"""
The pool: lattices of 16 x 16 spins at the 26 temperatures of the course, each described by its energy and its squared magnetisation per spin. Is a lattice ferromagnetic ($T < T_c$) or not? Only the thermometer of the simulator knows, and each look at it costs one label. (In the literature who gives the labels is called an oracle. Here this word is kept for procedures that know more than a network can.)

The search begins with two labels, of a lattice from the coldest and one from the hottest temperature, and then asks for one after the other, chosen by a committee of ten small networks; beside it runs a search that asks at random. The members differ by their initial weights and by weights of the labelled lattices, drawn from an exponential distribution for each member (a *bootstrap*). Both searches are repeated, and all networks of all searches are trained in one tensor.

**Before you run it:** at which temperatures will the committee ask?
"""

# %%
disagreement = check.catch_up("M16.1", disagreement)


def small_networks(copies, width, draw):
    """Weights of many networks with two inputs, one hidden layer and one output."""
    kernels = [draw.normal(size=(copies, 2, width)), draw.normal(size=(copies, width, 1)) / width**0.5]  # fmt: skip
    biases = [draw.normal(size=(copies, 1, width)), np.zeros((copies, 1, 1))]
    return [keras.Variable(value.astype("float32")) for value in (kernels[0], biases[0], kernels[1], biases[1])]  # fmt: skip


def logits(weights, x):
    """Answers (copies, n) of all networks; x: (copies, n, 2), or (n, 2) for the same events in all."""
    hidden = ops.tanh(ops.matmul(x, weights[0]) + weights[1])
    return (ops.matmul(hidden, weights[2]) + weights[3])[..., 0]


def training_step(weights, objective, rate, decay=None):
    """A compiled step of Adam: called with events and with what the objective needs besides."""
    optimizer = keras.optimizers.Adam(rate, weight_decay=decay)
    optimizer.build(weights)

    @autodiff.compiled
    def step(x, *known):
        value, slopes = autodiff.value_and_gradients(lambda: objective(logits(weights, x), *known), weights)  # fmt: skip
        optimizer.apply(slopes, weights)
        return value

    return step


def lattices(n, seed):
    """Energy and squared magnetisation per spin (n, 2), and the temperatures."""
    sample = ising.simulate(n, size=16, seed=seed)
    return np.stack([sample.energy, sample.magnetization**2], axis=1), sample.temperature


TEMPERATURES = ising.COURSE_TEMPERATURES.astype("float32")


def crossing(answer, temperature):
    """Temperature at which the mean answer falls below one half, by linear interpolation."""
    share = np.array([answer[temperature == t].mean() for t in TEMPERATURES])
    last = np.flatnonzero(share > 0.5)[-1] if (share > 0.5).any() else 0
    pair = [min(last, len(share) - 2) + 1, min(last, len(share) - 2)]
    return np.interp(0.5, share[pair], TEMPERATURES[pair])


# %% [markdown]
r"""
Now the searches themselves. `asked` holds the numbers of the lattices in the order in which their labels were bought. Labels near $T_c$ are noisy (a lattice just below it may look hot), so a weight decay keeps the networks smooth. After each purchase the training goes on for 30 steps with all labels so far (150 steps with the first two).
"""

# %%
MEMBERS, FIRST = 10, 2
pool, pool_temperature = lattices(26 * 64, check.seed)
test, test_temperature = lattices(26 * 64, check.seed + 1)
centre, width = pool.mean(axis=0), pool.std(axis=0)
pool, test = (((x - centre) / width).astype("float32") for x in (pool, test))
ferromagnetic = pool_temperature < ising.CRITICAL_TEMPERATURE
test_label = test_temperature < ising.CRITICAL_TEMPERATURE
limit = ising.bayes_accuracy(size=16).mean()

searches = 2 * REPEATS  # the first half asks its committee, the second half asks at random
weights = small_networks(searches * MEMBERS, 8, np.random.default_rng(check.seed))
chance = random.exponential(size=(searches, MEMBERS, FIRST + QUERIES)).astype("float32")


def cross_entropy(answer, label, weight):
    """Sum over the labelled lattices with their weights; a weight of zero: not yet labelled."""
    loss = ops.relu(answer) - answer * label + ops.log1p(ops.exp(-ops.abs(answer)))
    return ops.sum(weight * loss)


step = training_step(weights, cross_entropy, rate=0.02, decay=0.1)
judge = autodiff.compiled(lambda x: ops.sigmoid(logits(weights, x)))
asked = np.zeros((searches, FIRST + QUERIES), int)
for search in range(REPEATS):  # both searches of a pair begin with the same two
    for number, t in enumerate((TEMPERATURES[0], TEMPERATURES[-1])):
        begin = random.choice(np.flatnonzero(pool_temperature == t))
        asked[[search, search + REPEATS], number] = begin
accuracy, critical = [], []
for count in range(FIRST, FIRST + QUERIES + 1):
    x = np.repeat(pool[asked], MEMBERS, axis=0)  # (networks, labels, 2)
    label = np.repeat(ferromagnetic[asked].astype("float32"), MEMBERS, axis=0)
    weight = chance * (np.arange(FIRST + QUERIES) < count)
    for _ in range(150 if count == FIRST else 30):
        step(x, label, weight.reshape(label.shape).astype("float32"))
    members = np.asarray(judge(test)).reshape(searches, MEMBERS, -1)
    says = members.mean(axis=1)
    accuracy.append(((says > 0.5) == test_label).mean(axis=1))
    critical.append([crossing(answer, test_temperature) for answer in says])
    if count == FIRST + QUERIES:
        break
    members = np.asarray(judge(pool)).reshape(searches, MEMBERS, -1)
    for search in range(searches):
        free = np.setdiff1d(np.arange(len(pool)), asked[search, :count])
        split = disagreement(members[search][:, free])
        asked[search, count] = free[split.argmax()] if search < REPEATS else random.choice(free)
accuracy, critical = (np.array(x).reshape(-1, 2, REPEATS) for x in (accuracy, critical))
off = np.sqrt(np.mean((critical - ising.CRITICAL_TEMPERATURE) ** 2, axis=-1))  # (labels, kind)
near = np.abs(pool_temperature - ising.CRITICAL_TEMPERATURE) < 0.25
near_share = {
    "the committee": near[asked[:REPEATS, FIRST:]].mean(),
    "at random": near[asked[REPEATS:, FIRST:]].mean(),
}
for kind, name in enumerate(near_share):
    mean, error = metrics.mean_with_error(accuracy[-1, kind])
    print(f"asked {name:14s} {FIRST + QUERIES} labels: accuracy {mean:.4f} +- {error:.4f}; T_c = {critical[-1, kind].mean():.3f}, root mean square error {off[-1, kind]:.3f} J/k ({REPEATS} searches); {near_share[name]:.0%} of the queries within 0.25 J/k of T_c")  # fmt: skip
print(f"limit, 16 x 16 spins:              {limit:.4f}; exact T_c = {ising.CRITICAL_TEMPERATURE:.3f} J/k")  # fmt: skip
labels_so_far = np.arange(FIRST, FIRST + QUERIES + 1)
worse = np.flatnonzero(off[:, 0] > off[-1, 1])  # than the random search at its end
needed = labels_so_far[min(worse[-1] + 1, QUERIES)] if len(worse) else FIRST
print(
    f"from {needed} chosen labels on, T_c is known better than with {FIRST + QUERIES} random ones"
)

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4))
for kind, (name, colour) in enumerate(zip(near_share, (plotting.COLOURS[0], plotting.GREY), strict=True)):  # fmt: skip
    error = off[:, kind] / np.sqrt(2 * REPEATS)
    axes[0].plot(labels_so_far, off[:, kind], color=colour, label=f"asked {name}")
    axes[0].fill_between(labels_so_far, off[:, kind] - error, off[:, kind] + error, color=colour, alpha=0.3)  # fmt: skip
axes[0].set(xlabel="labels", ylabel="root mean square error of $T_c$ (J/k)", ylim=(0, None), title=f"bands: one standard error of {REPEATS} searches")  # fmt: skip
axes[0].legend(fontsize=8)
edges = np.linspace(0.95, 3.55, 27)
for kind, (name, colour) in enumerate(zip(near_share, (plotting.COLOURS[0], plotting.GREY), strict=True)):  # fmt: skip
    queries = pool_temperature[asked[kind * REPEATS : (kind + 1) * REPEATS, FIRST:]].ravel()
    axes[1].hist(queries, edges, density=True, histtype="stepfilled", alpha=0.6, color=colour, label=f"asked {name}")  # fmt: skip
axes[1].axvline(ising.CRITICAL_TEMPERATURE, color=plotting.INK, ls="--", label="exact $T_c$")
axes[1].set(xlabel="temperature of the lattice asked about (J/k)", ylabel="queries per J/k")
axes[1].legend(fontsize=8)
figure.suptitle(f"The committee asks near the phase transition: {needed} chosen labels do what {FIRST + QUERIES} random ones do")  # fmt: skip
plotting.show("Left: error of the critical temperature against the number of labels for queries by committee and at random. Right: histogram of the temperatures asked about, peaked at the critical temperature for the committee.", figure)  # fmt: skip

# %% [markdown]
r"""
Nobody told the committee about temperatures: it saw energies and magnetisations, and asked where its members drew the border in different places. There the border is, and there the physics is. (The lattices have temperatures in steps of 0.1 J/k, so their labels say only that $T_c$ lies between 2.2 and 2.3. The small error with the first two labels, at 1 and 3.5 J/k, is luck: $T_c$ is near the middle.)

Two warnings. The labels bought are no random sample: their share of ferromagnets, or the accuracy on them, says nothing about the pool. And a committee whose members all err in the same way asks nothing about it.
"""

# %% covers="M16.1"
check.claim("M16.1", near_share["the committee"] / near_share["at random"], at_least=1.5, wrong=1.0)
second_half = off[len(off) // 2 :].mean(axis=0)
check.claim("M16.1", second_half[0] / second_half[1], at_most=0.95, wrong=second_half[1] / second_half[0])  # fmt: skip
check.claim("M16.1", accuracy[-1, 0].mean(), at_least=limit - 0.02, at_most=limit + 0.01, wrong=0.5)
mean_field = 4.0  # J/k, its critical temperature
check.claim("M16.1", critical[-1, 0].mean(), ising.CRITICAL_TEMPERATURE, tolerance=0.1, wrong=mean_field)  # fmt: skip

# %% [markdown]
r"""
## Method 16.2: labels for groups

A picture "contains a cat"; an air shower array "has seen something" in a minute of data. In **multiple-instance learning** a label belongs to a *bag* of instances, and a bag is positive if **any** of its instances is. Which one, nobody says. The task is to recognise the instances.

Let a network give every instance a probability $p_{ij}$. The bag's probability follows: the bag is negative only if all its instances are,

$$P_i = 1 - \prod_j (1 - p_{ij}) \qquad \text{("noisy or")}, \qquad \text{or, more crudely,} \qquad P_i = \max_j p_{ij}.$$

This goes into the cross-entropy with the bag's label. The product of 20 numbers near 1 is no problem, but its logarithm is, once some $p$ is exactly 1 in single precision. With $p = \mathrm{sigmoid}(l)$ there is a safe way: $\ln(1 - p) = -\mathrm{softplus}(l)$.

**Your task.** Return the logarithm of the probability that a bag is *negative*, from the logits of its instances.
"""


# %% task="M16.2" points=2
def log_all_negative(logits_of_instances):
    """ln of the product of (1 - p) over the instances of each bag, with p = sigmoid(logit).

    logits_of_instances: tensor or array (..., instances), of any size, such as 200. Returns a tensor (...), at most 0.
    """
    ### BEGIN SOLUTION
    return -ops.sum(ops.softplus(logits_of_instances), axis=-1)
    ### END SOLUTION


# %% check="M16.2"
check("M16.2", log_all_negative)

# %% [markdown]
r"""
The bags: 20 points in the plane. Points of class 0 scatter about the origin, points of class 1 about $(2, 0)$, each with spread 1. In half of the bags every point is of class 0; in the other half each has a chance of 1 in 10 to be of class 1. A bag with at least one such point is positive. With 200 bags, we compare three ways to train the same small network:

- the noisy or, and the maximum;
- a *baseline*: give every instance the label of its bag. Nine in ten of these labels are wrong in positive bags.

The densities are known, so there are *limits*: for the instances the area under the ROC curve of the exact density ratio, and for the bags that of $P(\text{positive} \,|\, \text{bag})$.
"""

# %%
log_all_negative = check.catch_up("M16.2", log_all_negative)
DISTANCE, BAGS, SHARE = 2.0, 200, 0.1


def stacked_bags(n, proportions, distance, seed, copies=COPIES):
    """Bags for many networks: points (copies, n, 20, 2), labels of points, positive bags, shares of class 1."""
    bags = toys.simulate_bags(copies * n, seed=seed, proportions=proportions, separation=distance)
    arrays = bags.x, bags.label, bags.positive, bags.proportion
    return [array.reshape(copies, n, *array.shape[1:]).astype("float32") for array in arrays]


def bag_loss(log_negative, positive):
    """Cross-entropy of bags, from ln(1 - P)."""
    log_positive = ops.log(-ops.expm1(ops.minimum(log_negative, -1e-6)))
    return -ops.mean(positive * log_positive + (1 - positive) * log_negative)


def noisy_or(answer, positive):
    return bag_loss(log_all_negative(ops.reshape(answer, (COPIES, BAGS, 20))), positive)


def largest(answer, positive):
    return bag_loss(-ops.softplus(ops.max(ops.reshape(answer, (COPIES, BAGS, 20)), axis=-1)), positive)  # fmt: skip


def every_instance(answer, positive):
    labels = ops.repeat(positive, 20, axis=1)
    return -ops.mean(labels * -ops.softplus(-answer) + (1 - labels) * -ops.softplus(answer))


def fit(objective, x, *known, copies=COPIES, rate=0.02, steps=STEPS):
    """Train one network of 8 nodes a copy on all its events; returns a function from events to logits."""
    weights = small_networks(copies, 8, np.random.default_rng(check.seed))
    step = training_step(weights, objective, rate)
    events = x.reshape(copies, -1, 2)
    for _ in range(steps):
        step(events, *known)
    return lambda new: np.asarray(logits(weights, new))


def log_ratio(x, distance):
    """Logarithm of the exact ratio of the densities of class 1 and class 0."""
    return distance * x[..., 0] - distance**2 / 2


def areas(scores, label):
    """Area under the ROC curve of each network."""
    return np.array([metrics.area_under_roc(score.ravel(), label.ravel())[0] for score in scores])


# %%
x, _, positive, _ = stacked_bags(BAGS, (0.0, SHARE), DISTANCE, check.seed + 2)
judged = toys.simulate_bags(2000, seed=check.seed + 3, proportions=(0.0, SHARE), separation=DISTANCE)  # fmt: skip
mixed = np.log1p(SHARE * np.expm1(log_ratio(judged.x.astype(float), DISTANCE))).sum(axis=1)
certainly_none = 20 * np.log(1 - SHARE)  # of the mixture without a point of class 1
positive_evidence = np.log(np.maximum(np.exp(mixed) - np.exp(certainly_none), 1e-300)) - np.log1p(np.exp(certainly_none))  # fmt: skip
bag_limit, bag_limit_error = metrics.area_under_roc(positive_evidence, judged.positive)
instance_limit = toys.separation_auc(DISTANCE)
of_instances, of_bags = {}, {}
flat = judged.x.reshape(-1, 2)
for name, objective in [("noisy or", noisy_or), ("maximum", largest), ("baseline: the bag's label for all", every_instance)]:  # fmt: skip
    answer = fit(objective, x, positive)(flat)
    of_instances[name] = areas(answer, judged.label)
    whole = [np.log1p(np.exp(one)).sum(axis=1) for one in answer.reshape(COPIES, 2000, 20)]
    of_bags[name] = areas(whole, judged.positive)
    print(f"{name:34s} instances {of_instances[name].mean():.4f} +- {of_instances[name].std(ddof=1):.4f}, bags {of_bags[name].mean():.4f} +- {of_bags[name].std(ddof=1):.4f} (spread over {COPIES} trainings)")  # fmt: skip
print(f"{'limit':34s} instances {instance_limit:.4f}          , bags {bag_limit:.4f} +- {bag_limit_error:.4f} (statistical)")  # fmt: skip

# %%
figure, axis = plt.subplots(figsize=(7, 3.4))
for row, name in enumerate(of_instances):
    axis.plot(of_instances[name], np.full(COPIES, row + 0.12), "o", ms=5, alpha=0.7, color=plotting.COLOURS[0], label="instances" if row == 0 else None)  # fmt: skip
    axis.plot(of_bags[name], np.full(COPIES, row - 0.12), "s", ms=5, alpha=0.7, color=plotting.COLOURS[1], label="bags" if row == 0 else None)  # fmt: skip
axis.axvline(instance_limit, color=plotting.COLOURS[0], ls="--", label="limit, instances")
axis.axvline(bag_limit, color=plotting.COLOURS[1], ls=":", label="limit, bags")
axis.set(yticks=range(3), yticklabels=of_instances, xlabel="area under the ROC curve", ylim=(-0.6, 2.6), title=f"{BAGS} labelled bags teach to recognise single points")  # fmt: skip
axis.legend(fontsize=8, loc="upper left", bbox_to_anchor=(1, 1))
plotting.show("Areas under the ROC curve for instances and bags, for noisy or, maximum and the bag's label for all instances, beside the limits.", figure)  # fmt: skip

# %% [markdown]
r"""
Not one instance was labelled, and the instances are told apart nearly as well as is possible. The maximum passes the gradient to one instance of each bag only, and which one depends on the start: its trainings scatter more. Even the baseline orders them well, with nine in ten labels of its positive bags wrong: its two samples differ in composition, and this is enough, as the next two methods will show. Its *probabilities* are wrong, though; the noisy or knows how bags are made, and can say how probable a point is.
"""

# %% covers="M16.2"
check.claim("M16.2", of_instances["noisy or"].mean(), at_least=instance_limit - 0.03, at_most=instance_limit + 0.01, wrong=0.5)  # fmt: skip
check.claim("M16.2", of_bags["noisy or"].mean(), at_least=bag_limit - 0.04, at_most=bag_limit + 0.01, wrong=0.5)  # fmt: skip

# %% [markdown]
r"""
## Method 16.3: only the proportions are known

Two samples of jets: one has 20 % quark jets, the other 80 %, as theory tells. No single jet has a label. **Learning from label proportions** compares the network's output $f$ with the known proportion $\bar z_j$ of each batch $j$, in one of two ways:

$$\mathcal{L}_\mathrm{MSE} = \frac{1}{bm} \sum_{j=1}^b \sum_{i=1}^m \big(f(x_{ij}) - \bar z_j\big)^2 \tag{16.1}$$

$$\mathcal{L}_\mathrm{WMSE} = \frac1b \sum_{j=1}^b \Big(\frac1m \sum_{i=1}^m f(x_{ij}) - \bar z_j\Big)^2 \tag{16.2}$$

The first pulls every output to the proportion of its batch, the second asks only for the right mean.

**Your task.** Write (16.2) with `keras.ops`.
"""


# %% task="M16.3" points=2
def proportion_loss(outputs, proportions):
    """Mean squared deviation of the mean output of each batch from its proportion, equation (16.2).

    outputs: (batches, m); proportions: (batches,). Returns a scalar tensor.
    """
    ### BEGIN SOLUTION
    deviation = ops.mean(outputs, axis=1) - proportions
    return ops.mean(ops.square(deviation))
    ### END SOLUTION


# %% check="M16.3"
check("M16.3", proportion_loss)

# %% [markdown]
r"""
How are they related? For one batch, the mean of squares is the square of the mean plus the variance:

$$\mathcal{L}_\mathrm{MSE} = \mathcal{L}_\mathrm{WMSE} + \big\langle \text{variance of } f \text{ within a batch} \big\rangle .$$

The first loss punishes every spread of the outputs, so the best it can do is the expected proportion of a point's sample, between 0.2 and 0.8. The second leaves the outputs free to reach 0 and 1.

We take 100 batches of 20 points, with class 1 at a distance of 1.5, and vary the difference of the two proportions about one half. For each, eight networks with data of their own.

**Before you run it:** what will the networks learn when both proportions are one half?
"""

# %%
proportion_loss = check.catch_up("M16.3", proportion_loss)
BATCHES = 100
DIFFERENCES = (0.0, 0.1, 0.2, 0.4, 0.6, 1.0)
parts = [stacked_bags(BATCHES, (0.5 - d / 2, 0.5 + d / 2), 1.5, check.seed + 4 + k) for k, d in enumerate(DIFFERENCES)]  # fmt: skip
x = np.concatenate([part[0] for part in parts])
proportion = np.concatenate([part[3] for part in parts])  # (networks, batches)


def by_batch(answer):
    """Outputs between 0 and 1, (networks times batches, 20)."""
    return ops.reshape(ops.sigmoid(answer), (-1, 20))


def with_16_2(answer, proportion):
    return proportion_loss(by_batch(answer), ops.reshape(proportion, (-1,)))


def with_16_1(answer, proportion):
    return ops.mean((by_batch(answer) - ops.reshape(proportion, (-1, 1))) ** 2)


judged = toys.simulate_bags(1000, seed=check.seed + 20, proportions=(0.5,), separation=1.5)
flat, label = judged.x.reshape(-1, 2), judged.label.ravel()
limit_15 = toys.separation_auc(1.5)
learned, outputs = {}, {}
for name, objective in [("(16.1)", with_16_1), ("(16.2)", with_16_2)]:
    answer = fit(objective, x, proportion, copies=len(x))(flat)
    learned[name] = areas(answer, label).reshape(len(DIFFERENCES), COPIES)
    outputs[name] = (1 / (1 + np.exp(-answer))).reshape(len(DIFFERENCES), COPIES, -1)
    for d, row in zip(DIFFERENCES, learned[name], strict=True):
        print(f"{name}, proportions {0.5 - d / 2:.2f} and {0.5 + d / 2:.2f}: area {row.mean():.3f}, spread over {COPIES} trainings {row.std(ddof=1):.3f}")  # fmt: skip
print(f"limit: {limit_15:.3f}")
usual = DIFFERENCES.index(0.6)
ranges = {name: np.quantile(answer[usual], [0.02, 0.98]) for name, answer in outputs.items()}
for name, (low, high) in ranges.items():
    print(f"{name}, proportions 0.2 and 0.8: outputs from {low:.2f} to {high:.2f} (96 % of them)")

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4))
for (name, rows), shift in zip(learned.items(), (-0.006, 0.006), strict=True):
    axes[0].errorbar(np.array(DIFFERENCES) + shift, rows.mean(axis=1), rows.std(axis=1, ddof=1), fmt="o-", capsize=3, label=name)  # fmt: skip
    axes[1].hist(outputs[name][usual].ravel(), np.linspace(0, 1, 41), density=True, histtype="step", lw=1.8, label=name)  # fmt: skip
axes[0].axhline(limit_15, color=plotting.INK, ls="--", label="limit")
axes[0].axhline(0.5, color=plotting.GREY, ls=":", label="guessing")
axes[0].set(xlabel="difference of the two proportions", ylabel="area under the ROC curve", title="bars: spread of single trainings")  # fmt: skip
axes[0].legend(fontsize=8, loc="lower right")
axes[1].set(xlabel="output of the network", ylabel="density", title="proportions 0.2 and 0.8")
axes[1].legend(fontsize=8)
figure.suptitle("Proportions are enough to learn the classes, unless they are equal")
plotting.show("Left: area under the ROC curve against the difference of the proportions for both losses, from one half at zero to the limit. Right: outputs of both losses for proportions 0.2 and 0.8.", figure)  # fmt: skip

# %% [markdown]
r"""
With equal proportions the best output is one half everywhere. Whatever order of the points is left comes from the start of the training and from chance, and is as often right as wrong: the data hold no information about which class is which. With a small difference the order can be learnt in principle, but takes more data than these.

The order of the points is the same for both losses, the scale of the output is not. An output of (16.1) is the share of sample 2 at this point; a cut on it at 0.5 means something only as long as the proportions are symmetric. The next method says how cuts move.
"""

# %% covers="M16.3"
equal = np.stack([rows[0] for rows in learned.values()])
taught = np.stack([rows[usual] for rows in learned.values()])  # losses, trainings
check.claim("M16.3", taught.mean(axis=1).min(), at_least=limit_15 - 0.02, wrong=equal.mean())
check.claim("M16.3", taught.mean(axis=1).max(), at_most=limit_15 + 0.01, wrong=1.0)
check.claim("M16.3", equal.mean(), 0.5, tolerance=0.1, wrong=taught.mean())
check.claim("M16.3", np.ptp(ranges["(16.2)"]), at_least=1.2 * np.ptp(ranges["(16.1)"]), wrong=np.ptp(ranges["(16.1)"]))  # fmt: skip

# %%
check.quiz("M16.3-q1")

# %% [markdown]
r"""
## Method 16.4: wrong labels

Neutrons and gamma rays both make light in a liquid scintillator; the neutron's recoil proton leaves more of it in the slow component. To learn the two pulse shapes one needs a neutron source, and every neutron source emits gamma rays too: the labels are polluted.

Let $p_0$ be the density of neutron pulses, $p_1$ that of gamma pulses. What we have are samples of

$$\tilde p_0 = (1 - \alpha_0)\, p_0 + \alpha_0\, p_1, \qquad \tilde p_1 = (1 - \alpha_1)\, p_1 + \alpha_1\, p_0 . \tag{16.3, 16.4}$$

A classifier that separates the polluted samples learns $\tilde p_0 / \tilde p_1$. With $r = p_0 / p_1$,

$$\frac{\tilde p_0}{\tilde p_1} = \frac{(1 - \alpha_0)\, r + \alpha_0}{(1 - \alpha_1) + \alpha_1 r},$$

which rises with $r$ as long as $\alpha_0 + \alpha_1 < 1$: its derivative has the sign of $1 - \alpha_0 - \alpha_1$. So both ratios put all pulses in the same order, and **the ROC curve of a perfect polluted classifier is the pure one**. Only the thresholds differ: $r > \mu$ (16.5) selects the same pulses as $\tilde p_0 / \tilde p_1 > \lambda$ (16.7).

**Your task.** Return $\lambda$ for a given $\mu$. **A misprint:** in the book's (16.6) the indices 0 and 1 are exchanged; that formula belongs to the inverse ratios. Derive yours from the line above.
"""


# %% task="M16.4" points=2
def polluted_threshold(mu, a0, a1):
    """Cut on the ratio of polluted densities that selects the same events as p0 / p1 > mu.

    mu: number or array, at least 0; a0: share of class 1 among those labelled 0; a1: share of class 0 among those
    labelled 1, a0 + a1 < 1. Returns lambda, of the shape of mu.
    """
    ### BEGIN SOLUTION
    above = (1 - a0) * mu + a0
    below = 1 - a1 + a1 * mu
    return above / below
    ### END SOLUTION


# %% check="M16.4"
check("M16.4", polluted_threshold)

# %% [markdown]
r"""
Our pulses have 64 samples of 2 ns, in each a number of photoelectrons. For these the logarithm of $p_0/p_1$ is known (`series.evidence`), and with it the *limit*. The *baseline* is what the field has used for decades: the share of the light in the tail.

A network with two hidden layers is trained with labels of several degrees of pollution, and judged by what the particles really were.
"""

# %%
taken = datasets.load_neutron_gamma(5000, seed=check.seed + 29, label_noise=(0.1, 0.3))
time = 2 * np.arange(64)  # ns
figure, axis = plt.subplots(figsize=(7, 3.4))
for kind, (name, colour) in enumerate(zip(("neutron", "gamma"), plotting.COLOURS, strict=False)):
    for which, style, text in [(taken.extra_train["particle"], "-", "true"), (taken.y_train, ":", "labelled")]:  # fmt: skip
        pulse = taken.x_train[which == kind, :, 0].sum(axis=0)
        axis.semilogy(time, pulse / pulse.sum(), style, color=colour, label=f"{text} {name}")
axis.set(xlabel="time (ns)", ylabel="share of the light in 2 ns", ylim=(1e-4, 1), title="Wrong labels mix the mean pulses")  # fmt: skip
axis.legend(fontsize=8)
plotting.show("Mean pulse shapes of neutrons and gamma rays against time, by the true particle and by label; the labelled ones lie between the true ones.", figure)  # fmt: skip

# %%
polluted_threshold = check.catch_up("M16.4", polluted_threshold)
judged = series.pulses(20_000, seed=check.seed + 30)
gamma = judged.particle == series.GAMMA
evidence = series.evidence(judged.signal)  # ln(p0 / p1)
limit_pulses, limit_error = metrics.area_under_roc(-evidence, gamma)
baseline, baseline_error = metrics.area_under_roc(-series.tail_fraction(judged.signal), gamma)


def train_on_pulses(noise, n, seed, epochs=8):
    """Train with polluted labels; returns ln of the learnt ratio of polluted densities for the judged pulses."""
    pulses = series.pulses(n, seed=seed, label_noise=noise)
    x, y = pulses.signal / 10, pulses.label.astype("float32")
    keras.utils.set_random_seed(seed)
    hidden = [layers.Dense(width, activation="tanh") for width in (32, 8)]
    model = keras.Sequential([keras.Input((64,)), *hidden, layers.Dense(1)])
    steps = epochs * -(-n // 100)
    rate = keras.optimizers.schedules.CosineDecay(1e-2, steps)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(rate), loss, steps_per_execution=20)
    model.fit(x, y, batch_size=100, epochs=epochs, verbose=0)
    return -np.asarray(model(judged.signal / 10), float)[:, 0]


NOISES = {(0.0, 0.0): 1, (0.1, 0.3): POLLUTED_TRAININGS, (0.3, 0.4): 1, (0.5, 0.5): 1, (0.7, 0.6): 1}  # fmt: skip
answers = {noise: [train_on_pulses(noise, N_PULSES, check.seed + 31 + k) for k in range(times)] for noise, times in NOISES.items()}  # fmt: skip
auc = {noise: np.array([metrics.area_under_roc(-one, gamma)[0] for one in tries]) for noise, tries in answers.items()}  # fmt: skip
for noise, values in auc.items():
    spread = f", spread over {len(values)} trainings {values.std(ddof=1):.4f}" if len(values) > 1 else ""  # fmt: skip
    print(f"alpha_0 = {noise[0]}, alpha_1 = {noise[1]}: area {values.mean():.4f}{spread}")
print(f"limit {limit_pulses:.4f} +- {limit_error:.4f}; baseline, tail fraction {baseline:.4f} +- {baseline_error:.4f} (statistical, same pulses)")  # fmt: skip

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4.2))
for noise in NOISES:
    order = np.argsort(-answers[noise][0])
    passed = [np.cumsum(which[order]) / which.sum() for which in (gamma, ~gamma)]
    axes[0].plot(*passed, label=rf"$\alpha_0 = {noise[0]}$, $\alpha_1 = {noise[1]}$: {auc[noise].mean():.3f}")  # fmt: skip
order = np.argsort(-evidence)
axes[0].plot(np.cumsum(gamma[order]) / gamma.sum(), np.cumsum(~gamma[order]) / (~gamma).sum(), "--", color=plotting.INK, lw=1, label=f"limit: {limit_pulses:.3f}")  # fmt: skip
axes[0].set(xlabel="share of gamma pulses that pass", ylabel="share of neutron pulses that pass", title="judged by what the particles were")  # fmt: skip
axes[0].legend(fontsize=8, loc="center right")
mu = np.geomspace(0.05, 20, 200)
for (a0, a1), colour in zip([(0.1, 0.3), (0.3, 0.4)], plotting.COLOURS[1:], strict=False):
    axes[1].loglog(mu, polluted_threshold(mu, a0, a1), color=colour, label=rf"$\alpha_0 = {a0}$, $\alpha_1 = {a1}$")  # fmt: skip
    axes[1].loglog(mu, polluted_threshold(mu, a1, a0), ":", color=colour, label="as printed in (16.6)")  # fmt: skip
axes[1].loglog(mu, mu, "--", color=plotting.INK, lw=1, label="no wrong labels")
axes[1].set(xlabel=r"threshold $\mu$ on $p_0 / p_1$", ylabel=r"threshold $\lambda$ on $\tilde p_0 / \tilde p_1$", title="the same pulses are selected", ylim=(0.05, 20))  # fmt: skip
axes[1].legend(fontsize=8)
figure.suptitle("Wrong labels leave the order of the pulses and move the threshold")
plotting.show("Left: ROC curves of networks trained with different shares of wrong labels, with the limit; at shares adding up to one the diagonal, beyond it the reversed curve. Right: the threshold on the polluted ratio against the pure one.", figure)  # fmt: skip

# %% [markdown]
r"""
Which pulses does a cut at $\mu = 2$ select? With the exact densities the corrected formula makes no error at all; the printed one moves the pulses between the two thresholds. For a *learnt* ratio one thing more must be right: its calibration. The polluted ratio lies between $\alpha_0 / (1 - \alpha_1)$ and $(1 - \alpha_0)/\alpha_1$, so a network has to learn two plateaus (layers of tanh do so readily).

**The rate that you think you have.** In a detector one fixes a rate, such as 10 % of the neutrons, by counting *labelled* pulses. The fractions $\tilde\epsilon$ of the labelled samples that pass are

$$\tilde\epsilon_0 = (1 - \alpha_0)\,\epsilon_0 + \alpha_0\,\epsilon_1, \qquad \tilde\epsilon_1 = (1 - \alpha_1)\,\epsilon_1 + \alpha_1\,\epsilon_0,$$

two equations for the true efficiencies $\epsilon$, if the $\alpha$ are known.
"""

# %%
a0, a1 = 0.1, 0.3
exact = np.exp(evidence)
polluted = ((1 - a0) * exact + a0) / (1 - a1 + a1 * exact)
wanted = exact > 2
corrected, printed = polluted_threshold(2.0, a0, a1), polluted_threshold(2.0, a1, a0)
moved = {
    "corrected": np.mean((polluted > corrected) != wanted),
    "as printed": np.mean((polluted > printed) != wanted),
}
learnt = np.exp(answers[a0, a1][0])
rates = {cut: np.mean(learnt > cut) for cut in (2.0, corrected)}
for name, share in moved.items():
    print(f"exact densities, lambda {name:10s}: {share:.2%} of the pulses are selected differently from p0/p1 > 2")  # fmt: skip
print(f"p0/p1 > 2 selects {wanted.mean():.1%}; the learnt polluted ratio above lambda = {corrected:.4f} selects {rates[corrected]:.1%}, above 2 only {rates[2.0]:.1%}")  # fmt: skip

taken = series.pulses(20_000, seed=check.seed + 40, label_noise=(a0, a1))
ratio = np.exp(series.evidence(taken.signal))
labelled_neutron = taken.label == series.NEUTRON
cut = np.quantile(ratio[labelled_neutron], 0.9)  # ten per cent of the labelled neutrons pass
seen = np.array([np.mean(ratio[labelled_neutron] > cut), np.mean(ratio[~labelled_neutron] > cut)])
solved = np.linalg.solve([[1 - a0, a0], [a1, 1 - a1]], seen)
true = np.array([np.mean(ratio[taken.particle == k] > cut) for k in (0, 1)])
print(f"labelled neutrons that pass {seen[0]:.2%}, true neutrons {true[0]:.2%}, from the two equations {solved[0]:.2%}")  # fmt: skip
print(f"labelled gammas that pass   {seen[1]:.2%}, true gammas   {true[1]:.2%}, from the two equations {solved[1]:.2%}")  # fmt: skip

# %% covers="M16.4"
check.claim("M16.4", polluted_threshold(2.0, 0.1, 0.3), 1.4615, tolerance=1e-4, wrong=1.5455)
check.claim("M16.4", moved["corrected"], 0, wrong=moved["as printed"])
check.claim("M16.4", auc[0.1, 0.3].mean(), at_least=limit_pulses - 0.01, at_most=limit_pulses + 0.003, wrong=auc[0.5, 0.5].mean())  # fmt: skip
check.claim("M16.4", auc[0.5, 0.5].mean(), 0.5, tolerance=0.4, wrong=auc[0.0, 0.0].mean())
check.claim("M16.4", auc[0.7, 0.6].mean(), at_most=0.2, wrong=auc[0.3, 0.4].mean())
check.claim("M16.4", solved[1], true[1], tolerance=0.01, wrong=seen[1])

# %% [markdown]
r"""
At $\alpha_0 + \alpha_1 = 1$ both samples are the same mixture: nothing can be learnt, and the network's answer depends on its start. Beyond, the labels are more often wrong than right, and the network learns the right order with the wrong sign.

Pollution costs statistics. Near the middle the difference of the samples shrinks by $1 - \alpha_0 - \alpha_1$, so about $(1 - \alpha_0 - \alpha_1)^{-2}$ times as many pulses are needed for the same precision.

Nothing in the argument asks where the mixtures come from. Two samples with different shares of signal are enough: this is *classification without labels*, with which chapter 20 searches for new particles. It is also why the baseline of method 16.2 worked.
"""

# %%
check.quiz("M16.4-q1")

# %% tags=["instructor"]
# M16.1: replace the disagreement by the entropy of the mean: the committee then asks about undecided lattices near T_c again and again; here this is nearly as good, with
# label noise it is a trap. Let the group ask for ten labels at a time: neighbours in the pool are asked together, and the gain shrinks.
# M16.2: bags with 200 instances: the maximum still works, the baseline needs far more bags.
# M16.3: with m = 1 both losses are equal. With m = 2000 and two batches, (16.2) asks for two numbers only: any function with the right means has loss zero.
# M16.4: if the alphas are unknown, the threshold cannot be corrected; the order still can be used.
check.quiz("M16.3-q1", 3)
check.quiz("M16.4-q1", 2)

# %% [markdown]
r"""
## Key points

- Few labels: ask where a committee disagrees. It asks at the border of the classes; in physics, at the transition. What it has asked is no random sample.
- Labels for bags: write down how the bag's label follows from the instances, and train through it.
- Proportions: samples of different composition teach the classes; equal ones teach nothing.
- Wrong labels: as long as $\alpha_0 + \alpha_1 < 1$ the order of events survives, the threshold moves, and more data are needed. The printed (16.6) has its indices exchanged.
"""

# %%
check.summary()
