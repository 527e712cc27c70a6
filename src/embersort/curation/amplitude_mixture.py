"""Low-amplitude contamination: spikes of smaller neurons that fit a weak unit's template.

A weak neuron's own spikes lie round the size of its template. Where its background neurons are not
much smaller than it, those of like shape fit as well, the more of them the smaller: they pile up
just above the least scaling that is allowed, and thin out upwards within about half a noise
deviation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtr

from embersort.curation.attenuation import BURST_MS, UnitMatches
from embersort.curation.links import share_after
from embersort.spread import spread_places
from embersort.types import FloatArray
from embersort.units import ms_to_samples

MIN_EVIDENCE = 4.0
"""Least logarithm of how much likelier contamination makes a unit's smallest spikes. Chosen on the
development recordings, 2026-11-23."""

MAX_SEEN = 5000
"""Of more matches so many, evenly spread in time, say where contamination ends."""
MIN_SEEN = 50
"""Fewer say nothing."""
MAX_FOREIGN_MATCH = 11.0
"""Contamination is no larger than this, as a match in units of the noise."""
MAX_LENGTH = 0.55
"""It thins out over no more than this, in the same units."""
MAX_CUT = 0.8
"""Above this scale a match is a unit's own."""
MAX_CONTAMINATION = 0.35
"""Where more of the matches than this share seem to be contamination, it is something else."""
N_ROUNDS = 60
"""Rounds of expectation and maximisation."""
START_SHARE = 0.15
"""Share of contamination that the fit starts from,"""
START_SD = 0.12
"""and standard deviation of a unit's own scales."""
LEAST_SD = 0.05
"""Own scales vary at least so much: noise alone sees to it."""
LEAST_LENGTH = 0.01
"""Contamination thins out over at least so much of scaling."""
LEAST_VISIBLE = 1e-3
"""Of a normal part at least so much is taken to be seen, lest nearly all were filled in."""
MIN_OWN = 1e-6
"""Every match is the unit's own to such an extent, lest none were left to say what those are."""
GRID = 0.005
"""Scales this far apart are tried for the cut."""
CHANCE_SD = 3.0
"""So many standard deviations more than chance gives, and one, are more than chance."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixture:
    """Scalings of one unit's matches: contamination from the least on, own ones round their mean.

    Attributes
    ----------
    least : float
        Least scale there is.
    share : float
        Of contamination.
    length : float
        Over which contamination thins out by e.
    mean, sd : float
        Of own scales, were none cut off at the least.
    """

    least: float
    share: float
    length: float
    mean: float
    sd: float

    def log_densities(self, scaling: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return the logarithms of the densities, of contamination and of own ones.

        Parameters
        ----------
        scaling : ndarray, shape (n,)
            None below the least.
        """
        with np.errstate(divide="ignore"):
            share, rest = np.log(self.share), np.log1p(-self.share)
        foreign_density = share - np.log(self.length) - (scaling - self.least) / self.length
        z = (scaling - self.mean) / self.sd
        above = log_ndtr((self.mean - self.least) / self.sd)
        own = rest - np.log(self.sd) - 0.5 * (np.square(z) + np.log(2 * np.pi)) - above
        return foreign_density, own

    def log_likelihood(self, scaling: FloatArray) -> float:
        """Return the logarithm of how likely all scales are together."""
        return float(np.logaddexp(*self.log_densities(scaling)).sum())


def low_amplitude_contamination(train: UnitMatches) -> NDArray[np.bool_]:
    """Say which of a unit's matches of usual size are more likely contamination than its own.

    Parameters
    ----------
    train : UnitMatches
        The unit's matches of usual size.

    Returns
    -------
    ndarray, shape (n_spikes,), bool
        None, unless a mixture tells them apart, and not if they come soon after others of the unit
        as contamination does not: a burst's later spikes are small as well.
    """
    below = train.scaling < contamination_cut(train.scaling, train.decrease)
    return below & (not _soon(train, below, BURST_MS))


def contamination_cut(scaling: FloatArray, decrease: FloatArray) -> float:
    """Return the scaling below which a match is more likely contamination; 0 where there is none.

    Parameters
    ----------
    scaling, decrease : ndarray, shape (n_spikes,)

    Notes
    -----
    O(n_spikes), of at most `MAX_SEEN`.
    """
    if len(scaling) < MIN_SEEN:
        return 0.0
    seen = spread_places(len(scaling), MAX_SEEN)
    scaling, decrease = scaling[seen].astype(np.float64), decrease[seen].astype(np.float64)
    norm = float(np.median(np.sqrt(np.maximum(decrease, 0)) / scaling))
    if not 0 < norm * scaling.min() <= MAX_FOREIGN_MATCH:
        return 0.0
    contaminated = fit(scaling, START_SHARE, max(MAX_LENGTH / norm, LEAST_LENGTH))
    alone = fit(scaling, 0.0, LEAST_LENGTH)
    if contaminated.log_likelihood(scaling) - alone.log_likelihood(scaling) < MIN_EVIDENCE:
        return 0.0
    tried = np.arange(contaminated.least, contaminated.mean, GRID)
    foreign_density, own = contaminated.log_densities(tried)
    n_foreign_steps = int(np.argmin(np.append(foreign_density > own, False)))
    cut = contaminated.least + n_foreign_steps * GRID
    sure = (
        cut <= min(MAX_CUT, contaminated.mean - contaminated.sd)
        and contaminated.share <= MAX_CONTAMINATION
    )
    return cut if n_foreign_steps and sure else 0.0


def fit(scaling: FloatArray, share: float, longest: float) -> Mixture:
    """Fit the mixture by expectation and maximisation.

    Parameters
    ----------
    scaling : ndarray, shape (n,), float64
    share : float
        Of contamination, to start from; of none it stays 0.
    longest : float
        They thin out over no more than this.

    Notes
    -----
    What the least scale cuts off of the normal part is filled in by what is expected of it
    (Dempster, Laird and Rubin 1977, section 4.2), so that it pulls neither mean nor spread.
    """
    least = float(scaling.min())
    middle = float(np.median(scaling))
    mean = float(np.median(scaling[scaling >= middle]))
    made = Mixture(least=least, share=share, length=longest / 2, mean=mean, sd=START_SD)
    for _ in range(N_ROUNDS):
        foreign_density, own = made.log_densities(scaling)
        foreign = np.exp(foreign_density - np.logaddexp(foreign_density, own))
        made = _maximised(scaling, foreign, made, longest)
    return made


def _maximised(scaling: FloatArray, foreign: FloatArray, last: Mixture, longest: float) -> Mixture:
    """Return the mixture likeliest to give scalings that are contamination to some extent."""
    foreign = np.minimum(foreign, 1 - MIN_OWN)
    own = 1 - foreign
    n_foreign, n_own = float(foreign.sum()), float(own.sum())
    edge = (last.least - last.mean) / last.sd
    # Of a normal deviate below the edge: how many there are, their mean and mean square.
    density = np.exp(-0.5 * edge**2 - log_ndtr(edge)) / np.sqrt(2 * np.pi)
    n_hidden = n_own * float(ndtr(edge) / max(ndtr(-edge), LEAST_VISIBLE))
    hidden_mean = last.mean - last.sd * density
    hidden_square = last.sd**2 * (1 - edge * density)
    n_all = n_own + n_hidden
    mean = (own @ scaling + n_hidden * hidden_mean) / n_all
    spread = hidden_square + (hidden_mean - mean) ** 2 - (hidden_mean - last.mean) ** 2
    variance = (own @ np.square(scaling - mean) + n_hidden * spread) / n_all
    length = (foreign @ (scaling - last.least)) / max(n_foreign, np.finfo(float).tiny)
    return Mixture(
        least=last.least,
        share=n_foreign / len(scaling),
        length=float(np.clip(length, LEAST_LENGTH, longest)),
        mean=float(mean),
        sd=max(float(np.sqrt(variance)), LEAST_SD),
    )


def _soon(train: UnitMatches, below: NDArray[np.bool_], burst_ms: float) -> bool:
    """Say whether small matches follow the unit's others soon, more often than by chance."""
    reach = ms_to_samples(burst_ms, train.sampling_rate_hz)
    others, small = train.sample_index[~below], train.sample_index[below]
    if not len(others) or not len(small):
        return False
    exposed = np.minimum(np.diff(others), reach).sum() / train.duration_samples
    expected = len(small) * exposed
    by_luck = expected + CHANCE_SD * np.sqrt(expected) + 1
    return bool(share_after(others, small, reach) > by_luck / len(small))
