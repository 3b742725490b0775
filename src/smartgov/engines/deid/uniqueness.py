"""How many people of the population are probably alone in their class, estimated from a sample of it.

A row that is alone in a sample need not be alone in the population. Three models estimate it from the class sizes:

- Pitman: N. Hoshino, Applying Pitman's sampling formula to microdata disclosure risk assessment (J. Official Stat.
  17, 2001): maximum likelihood for (theta, alpha); E[population uniques] = G(theta+1)/G(theta+alpha) N^alpha.
- Zayatz: L. Zayatz, Estimation of the percent of unique population elements on a microdata file using the sample
  (US Census Bureau, 1991): hypergeometric sampling of classes, class sizes of the sample standing for the population's.
- SNB: G. Chen, S. Keller-McNulty, Estimation of identification disclosure risk in microdata (J. Official Statistics
  14, 1998): population class sizes are 1 + negative binomial(alpha, beta), fitted to the classes of size 1 and 2;
  the number of population classes by P. Haas et al., Sampling-based estimation of the number of distinct values
  (VLDB 1995), estimator D_Sh3.

F. Dankar et al., Estimating the re-identification risk of clinical data sets (BMC Med. Inform. Decis. Mak. 12, 2012)
compared them: Pitman up to a tenth of the population sampled; above that the smaller of SNB and Zayatz. A model that
finds no solution gives None, and Zayatz stands in.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from smartgov.engines.deid.installed import analysis
from smartgov.engines.deid.risk import Sizes

with analysis():
    import numpy as np
    from numpy.typing import NDArray
    from scipy import optimize, special, stats

_FEW = 0.1  # Dankar's rule: Pitman at or below this sampling fraction


@dataclass(frozen=True, slots=True)
class Uniqueness:
    """Estimated share of the population that is unique; `model` is the one that Dankar's rule chose."""

    share: float
    model: str
    pitman: float | None
    zayatz: float | None
    snb: float | None


def estimate(sizes: Sizes, population: int) -> Uniqueness:
    """Apply Dankar's rule to the class sizes of a sample from `population` people."""
    if not sizes.of_size(1):
        return Uniqueness(0.0, "none", 0.0, 0.0, 0.0)
    few = sizes.rows / population <= _FEW
    found_pitman = _share(pitman(sizes, population), population)
    found_zayatz = _share(zayatz(sizes, population), population)
    found_snb = _share(snb(sizes, population), population)
    first = [("pitman", found_pitman)] if few else [("snb", found_snb), ("zayatz", found_zayatz)]
    usable = [(share, name) for name, share in first if share] or [(found_zayatz or 0.0, "zayatz")]
    share, model = min(usable)
    return Uniqueness(share, model, found_pitman, found_zayatz, found_snb)


def zayatz(sizes: Sizes, population: int) -> float:
    """Expected number of population uniques."""
    share = sizes.counts / sizes.classes
    once = stats.hypergeom.pmf(1, population, sizes.sizes, sizes.rows)
    alone = share[sizes.sizes == 1].sum() * (sizes.rows / population) / float(share @ once)
    return float(sizes.of_size(1) * alone / (sizes.rows / population))


def pitman(sizes: Sizes, population: int) -> float | None:
    """Expected number of population uniques; None when the likelihood has no maximum inside its bounds."""
    classes, rows = sizes.classes, sizes.rows

    def gradient(point: NDArray[np.float64]) -> NDArray[np.float64]:
        """The likelihood's derivatives by theta and alpha: sums over i < u, j < size and i < n in closed form."""
        theta, alpha = point
        start = theta / alpha
        spread = special.digamma(classes + start) - special.digamma(1 + start)
        by_theta = spread / alpha - (special.digamma(rows + theta) - special.digamma(1 + theta))
        within = special.digamma(sizes.sizes - alpha) - special.digamma(1 - alpha)
        by_alpha = (classes - 1 - start * spread) / alpha - float(sizes.counts @ within)
        return np.array([by_theta, by_alpha])

    for guess in (_start(sizes), (1.0, 0.5), (float(classes), 0.5), (10.0, 0.9)):
        with np.errstate(all="ignore"):
            found = optimize.root(gradient, guess, method="hybr", tol=1e-12)
            theta, alpha = (float(value) for value in found.x)
            good = found.success and theta > -alpha and 0 < alpha < 1 and bool(np.all(abs(found.fun) < 1e-3))
        if good:
            log = math.lgamma(theta + 1) - math.lgamma(theta + alpha) + alpha * math.log(population)
            uniques = math.exp(log)
            return uniques if uniques <= population else None
    return None


def snb(sizes: Sizes, population: int) -> float | None:
    """Expected number of population uniques; None when no negative binomial fits.

    With sampling fraction f, q = 1 - f, d = q(1 - beta) and G = E[q^X] = (beta / (1 - d))^alpha, a class of size 1 + X
    shows once with probability f (G + qG') and twice with f^2/2 (2G' + qG''), which gives the two equations.
    """
    fraction = sizes.rows / population
    if fraction >= 1:
        return float(sizes.of_size(1))
    total = _population_classes(sizes, fraction)
    once, twice = sizes.of_size(1) / total, sizes.of_size(2) / total

    def misfit(point: NDArray[np.float64]) -> NDArray[np.float64]:
        alpha, beta = np.exp(point[0]), special.expit(point[1])
        away = (1 - fraction) * (1 - beta)
        power = np.exp(alpha * (np.log(beta) - np.log1p(-away)))
        first = fraction * power * (1 + alpha * away / (1 - away))
        second = fraction**2 / 2 * alpha * (1 - beta) * power / (1 - away) ** 2 * (2 - (1 - alpha) * away)
        return np.array([first - once, second - twice])

    for guess in ((0.0, 0.0), (-2.0, -2.0), (1.0, -3.0), (-1.0, 2.0)):
        with np.errstate(all="ignore"):
            found = optimize.root(misfit, guess, method="hybr", tol=1e-12)
        if found.success and bool(np.all(abs(found.fun) < 1e-9)):
            alpha, beta = math.exp(float(found.x[0])), float(special.expit(found.x[1]))
            return float(total * beta**alpha)
    return None


def _population_classes(sizes: Sizes, fraction: float) -> float:
    """D_Sh3 of Haas et al.: how many classes the population has, from a sample of the fraction."""
    size, count, q = sizes.sizes.astype(float), sizes.counts.astype(float), fraction
    rare = float(count @ (size * q**2 * (1 - q**2) ** (size - 1)))
    spread = float(count @ ((1 - q**2) ** size - (1 - q) ** size))
    unseen = float(count @ (1 - q) ** size)
    single = float(count @ (size * q * (1 - q) ** (size - 1)))
    return sizes.classes + sizes.of_size(1) * (rare / spread) * (unseen / single) ** 2


def _start(sizes: Sizes) -> tuple[float, float]:
    """Hoshino's moment estimate of (theta, alpha), where the search begins."""
    n, u, c1, c2 = sizes.rows, sizes.classes, sizes.of_size(1), max(sizes.of_size(2), 1)
    c = c1 * (c1 - 1) / c2
    below = 2 * c1 * u + c1 * c - n * c
    theta = (n * u * c - c1 * (n - 1) * (2 * u + c)) / below if below else 1.0
    alpha = (theta * (c1 - n) + (n - 1) * c1) / (n * u)
    return (theta, alpha) if theta > 0 and 0 < alpha < 1 else (1.0, 0.5)


def _share(uniques: float | None, population: int) -> float | None:
    return None if uniques is None or not math.isfinite(uniques) else min(uniques / population, 1.0)
