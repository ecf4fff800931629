"""CoLaNET learning one class on a line: closed forms, and the simulation that they describe.

An image is a point x in [0, 1], uniform; those of the class lie in [a, b]. Receptors stand evenly on the line, with
Gaussian receptive fields, and give Poisson spikes. The column of the class has a few microcolumns that specialise, each
for the points near its centre. Time t counts the points of the class that were shown.

Source: Goryunov, Klinshov, Kiselev (DCNA 2025, pp. 39-41), re-derived; docs/colanet.md, Theory, says where the slides
differ.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import curve_fit

from stdpnet.arrays import Float64s
from stdpnet.baselines.colanet.columns import Columns, Constants, columns_of, learn
from stdpnet.baselines.colanet.resource import resource_of
from stdpnet.errors import ConfigError

BLOCK = 10_000
"""Points whose spikes are drawn together."""
RECORDS = 120
"""Points in time at which a simulation is recorded."""
MOST_POINTS = 10**6
"""Largest number of points that are shown, those outside the class included."""
LARGEST = 10_000.0
"""Upper bound of the numbers of a setting; so many spikes can be counted."""
TESTED = 400
"""Evenly spread points of the class, and as many outside it, by which a simulation is scored."""


class Setting(NamedTuple):
    """A class on a line, receptors and columns."""

    sigma: float = 0.02
    """Width of a receptive field: its standard deviation."""
    spikes: float = 3.0
    """Mean spikes of a receptor whose centre is shown, f_max*T_p; more than 1."""
    receptors: int = 200
    """On the line of length 1, n."""
    a: float = 0.25
    b: float = 0.75
    reward: float = 0.006
    """Change of a resource, d."""
    threshold: float = 0.5
    """Input above which a winner fires."""
    w_min: float = -0.253
    w_max: float = 0.0924
    microcolumns: int = 8

    @property
    def share(self) -> float:
        """Share of the points that are of the class, b - a."""
        return self.b - self.a

    @property
    def span(self) -> float:
        """D = w_max - w_min."""
        return self.w_max - self.w_min


class Theory(NamedTuple):
    """The closed forms of a setting; weights and resources are those of the centre of a microcolumn."""

    setting: Setting
    chi: float
    """Width of the profile of learned weights, w*exp(-(m - x)^2/(2 chi^2))."""
    l: float  # noqa: E741 (the paper's name)
    """Width of the receptors that are active for a point, 2 sigma sqrt(2 ln(f_max T_p))."""
    N: float
    """Microcolumns that specialise, (b - a)/(2 l)."""
    w_t0: float
    """Weight at which a microcolumn begins to fire for its centre."""
    t_0: float
    """Time at which it begins to fire."""
    w_1: float
    """Weight at which a microcolumn fires for all of its points, which ends its learning."""
    t_1: float
    """Time constant of the approach to w_1."""

    def resource(self, t: Float64s) -> Float64s:
        """Return W(t): it grows evenly until t_0, then W_1 + (W_t0 - W_1) exp(-(t - t_0)/t_1)."""
        setting = self.setting
        start, begin, end = (resource_of(w, setting.w_min, setting.w_max) for w in (0.0, self.w_t0, self.w_1))
        silent = start + (begin - start) * t / self.t_0
        return np.where(t < self.t_0, silent, end + (begin - end) * np.exp(-(t - self.t_0) / self.t_1))

    def weight(self, t: Float64s) -> Float64s:
        """Return w(t), the weight of W(t)."""
        setting, resource = self.setting, self.resource(t)
        weight: Float64s = setting.w_min + setting.span * resource / (setting.span + resource)
        return weight

    def response_width(self, weight: Float64s) -> Float64s:
        """Return l_f(w) = 2 sqrt(2 (sigma^2 + chi^2) ln(w/w_t0)), how wide a microcolumn's points are; at most 2 l."""
        spread = self.setting.sigma**2 + self.chi**2
        above = np.log(np.maximum(weight / self.w_t0, 1))
        width: Float64s = np.minimum(2 * np.sqrt(2 * spread * above), 2 * self.l)
        return width

    def accuracy(self, t: Float64s) -> Float64s:
        """Return the share of right answers, 1 - (b - a) (1 - l_f/(2 l)); points outside the class count as right."""
        missed: Float64s = 1 - self.response_width(self.weight(t)) / (2 * self.l)
        return 1 - self.setting.share * missed


def check(setting: Setting) -> None:
    """Raise ConfigError unless there is something to learn, and receptors are active."""
    for name, least in (("threshold", 0.0), ("reward", 0.0), ("sigma", 0.0), ("spikes", 1.0)):
        value = getattr(setting, name)
        if not least < value <= LARGEST:
            raise ConfigError(f"{name}: {value} is not possible; choose a number above {least:g}, at most {LARGEST:g}")
    if not 0 <= setting.a < setting.b <= 1:
        raise ConfigError(f"a: {setting.a}, b: {setting.b}; choose 0 <= a < b <= 1")


def theory(setting: Setting, chi: float) -> Theory:
    """Return the closed forms for a setting.

    With S = sigma^2 + chi^2, D = w_max - w_min and the reward d:
    w_t0 = threshold/(f_max T_p n) sqrt(S/(2 pi sigma^2 chi^2)), t_0 = w_t0 (b - a)/(d l) D^2/(w_max (w_max - w_t0)),
    w_1 = w_t0 exp(l^2/(2 S)), t_1 = w_1 (b - a)/(d l) l^2/S D^2/(w_max - w_1)^2.

    Parameters
    ----------
    setting : the class, the receptors and the columns
    chi : width of the profile of weights, which the theory does not give; see `profile_width`

    Raises
    ------
    ConfigError
        If a number is out of range, or no weight below w_max makes a microcolumn fire for all of its points.
    """
    check(setting)
    sigma, d, w_max = setting.sigma, setting.reward, setting.w_max
    spread, width = sigma**2 + chi**2, 2 * sigma * math.sqrt(2 * math.log(setting.spikes))
    density = setting.spikes * setting.receptors
    w_t0 = setting.threshold / density * math.sqrt(spread / (2 * math.pi * sigma**2 * chi**2))
    w_1 = w_t0 * math.exp(width**2 / (2 * spread))
    if w_1 >= w_max:
        raise ConfigError(f"threshold: {setting.threshold} needs weights of {w_1:.3g}, above w_max = {w_max}; lower it")
    pace = setting.share / (d * width)
    return Theory(
        setting=setting,
        chi=chi,
        l=width,
        N=setting.share / (2 * width),
        w_t0=w_t0,
        t_0=w_t0 * pace * setting.span**2 / (w_max * (w_max - w_t0)),
        w_1=w_1,
        t_1=w_1 * pace * width**2 / spread * (setting.span / (w_max - w_1)) ** 2,
    )


class Simulation(NamedTuple):
    """Records of a simulation at T points in time."""

    t: Float64s
    """(T,) points of the class shown."""
    resource: Float64s
    """(T,) mean resource in the centres of the microcolumns that specialise."""
    accuracy: Float64s
    """(T,) share of right answers."""
    positions: Float64s
    """(n,) of the receptors."""
    profiles: Float64s
    """(active, n) final weights of the microcolumns that fire for points of the class, and so have specialised."""
    fits: Float64s
    """(active, 3) height, centre and width of the Gaussian that fits each of these profiles best."""

    @property
    def chi(self) -> float:
        """Median width of the profiles."""
        return float(np.median(self.fits[:, 2]))


def simulate(setting: Setting, examples: int, seed: int = 0) -> Simulation:
    """Let the column of the class learn from points by the digital algorithm (stdpnet.baselines.colanet.columns).

    Parameters
    ----------
    setting : the class, the receptors and the columns
    examples : points of the class to show, on average; those outside it come with them
    seed : of points, spikes and initial weights

    Raises
    ------
    ConfigError
        If a number is out of range, or no microcolumn fires in the end.
    """
    check(setting)
    if examples > MOST_POINTS * setting.share:
        raise ConfigError(f"examples: {examples} make more than {MOST_POINTS} points in all; choose fewer")
    random, positions = np.random.default_rng(seed), (np.arange(setting.receptors) + 0.5) / setting.receptors
    columns, constants = _columns(setting, random)
    points = random.random(round(examples / setting.share))
    inside = (points >= setting.a) & (points <= setting.b)
    spikes = _spikes(setting, positions, points, random)
    tested = _spikes(setting, positions, np.linspace(setting.a, setting.b, TESTED), random)
    outside = np.r_[np.linspace(0, setting.a, TESTED // 2), np.linspace(setting.b, 1, TESTED // 2)]
    others = _spikes(setting, positions, outside, random)
    resources, accuracy, seen = [columns.resources.copy()], [1 - setting.share], [0]
    for places in np.array_split(np.arange(len(points)), RECORDS):
        learn(columns, constants, spikes[places], np.where(inside[places], 0, 1))  # 1: not of the only column
        right, wrong = (np.mean((each @ columns.weights).max(axis=1) > setting.threshold) for each in (tested, others))
        accuracy.append(float(setting.share * right + (1 - setting.share) * (1 - wrong)))
        resources.append(columns.resources.copy())
        seen.append(seen[-1] + int(inside[places].sum()))
    potentials = tested @ columns.weights
    active = np.unique(potentials.argmax(axis=1)[potentials.max(axis=1) > setting.threshold])
    if not len(active):
        raise ConfigError(f"examples: after {examples} no microcolumn fires; show more, or lower the threshold")
    profiles = columns.weights[:, active].T
    fits = np.array([_fitted(positions, each) for each in profiles])
    centres = np.abs(positions - fits[:, 1:2]).argmin(axis=1)
    return Simulation(
        t=np.array(seen, float),
        resource=np.array([each[centres, active].mean() for each in resources]),
        accuracy=np.array(accuracy),
        positions=positions,
        profiles=profiles,
        fits=fits,
    )


def _columns(setting: Setting, random: np.random.Generator) -> tuple[Columns, Constants]:
    constants = Constants(
        microcolumns=setting.microcolumns,
        threshold=setting.threshold,
        w_min=setting.w_min,
        w_max=setting.w_max,
        reward=setting.reward,
        excess=0.0,
        silent=0,
        conserve=True,
    )
    start = resource_of(0.0, setting.w_min, setting.w_max)
    return columns_of(random.normal(start, 1e-3, (setting.receptors, setting.microcolumns)), constants), constants


def compared(theory: Theory, simulation: Simulation) -> dict[str, float]:
    """Return the numbers of a theory, and its differences from the simulation.

    `microcolumns` are those that specialised in the simulation, beside N; `largest_difference` and `mean_difference`
    are those of the accuracy over time.
    """
    apart = np.abs(simulation.accuracy - theory.accuracy(simulation.t))
    numbers = {name: float(value) for name, value in theory._asdict().items() if name != "setting"}
    ends = {"accuracy": float(simulation.accuracy[-1]), "accuracy_in_theory": float(theory.accuracy(simulation.t)[-1])}
    differences = {"largest_difference": float(apart.max()), "mean_difference": float(apart.mean())}
    return {**numbers, "microcolumns": len(simulation.fits), **ends, **differences}


def _spikes(setting: Setting, positions: Float64s, points: Float64s, random: np.random.Generator) -> NDArray[np.uint16]:
    """Return Poisson spikes (N, n) of the receptors for points (N,)."""

    def drawn(block: Float64s) -> NDArray[np.uint16]:
        rates = setting.spikes * np.exp(-((block[:, None] - positions) ** 2) / (2 * setting.sigma**2))
        return random.poisson(rates).astype(np.uint16)

    return np.concatenate([drawn(block) for block in np.array_split(points, 1 + len(points) // BLOCK)])


def gaussian(positions: Float64s, height: float, centre: float, width: float) -> Float64s:
    """Return height*exp(-(m - centre)^2/(2 width^2)) at positions m (n,)."""
    values: Float64s = height * np.exp(-((positions - centre) ** 2) / (2 * width**2))
    return values


def _fitted(positions: Float64s, profile: Float64s) -> tuple[float, float, float]:
    """Return height, centre and width of the Gaussian that fits the positive weights of a profile (n,) best."""
    positive = np.maximum(profile, 0)
    guess = (float(positive.max()), float(positions @ positive / positive.sum()), 0.03)
    height, centre, width = curve_fit(gaussian, positions, positive, guess)[0]
    return float(height), float(centre), abs(float(width))
