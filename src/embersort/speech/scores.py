"""How well voices were separated: SI-SDR and SDR, with the best permutation."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput, MissingDependency
from embersort.types import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class SeparationScores:
    """Scores of the estimates of one mixture, in the order of its references.

    Attributes
    ----------
    estimate_index : tuple of int
        The estimate that belongs to each reference.
    si_sdr_db, sdr_db : ndarray, shape (n_speakers,), float64
        Of the estimates.
    mixture_si_sdr_db, mixture_sdr_db : ndarray, shape (n_speakers,), float64
        Of the mixture itself, where nothing has been separated.
    """

    estimate_index: tuple[int, ...]
    si_sdr_db: FloatArray
    sdr_db: FloatArray
    mixture_si_sdr_db: FloatArray
    mixture_sdr_db: FloatArray

    @property
    def si_sdr_improvement_db(self) -> float:
        """Mean gain in SI-SDR over the mixture."""
        return float((self.si_sdr_db - self.mixture_si_sdr_db).mean())

    @property
    def sdr_improvement_db(self) -> float:
        """Mean gain in SDR over the mixture."""
        return float((self.sdr_db - self.mixture_sdr_db).mean())


def si_sdr_db(reference: FloatArray, estimate: FloatArray) -> float:
    """Return the scale-invariant signal-to-distortion ratio of one estimate.

    Parameters
    ----------
    reference, estimate : ndarray, shape (n_samples,)

    Notes
    -----
    Le Roux et al. 2019, "SDR – half-baked or well done?", equation 3, with both means removed.
    """
    reference = reference.astype(np.float64) - reference.mean()
    estimate = estimate.astype(np.float64) - estimate.mean()
    target = (estimate @ reference) / (reference @ reference) * reference
    residual = estimate - target
    return float(10 * np.log10((target @ target) / (residual @ residual)))


def score_separation(
    references: NDArray[np.float32], estimates: NDArray[np.float32], mixture: NDArray[np.float32]
) -> SeparationScores:
    """Score the estimates of a mixture against its references.

    Parameters
    ----------
    references, estimates : ndarray, shape (n_speakers, n_samples)
        The permutation of the estimates with the highest mean SI-SDR is scored.
    mixture : ndarray, shape (n_samples,)

    Raises
    ------
    BadInput
        If the shapes differ, or a reference or an estimate is silent.
    MissingDependency
        If mir_eval is not installed.

    Notes
    -----
    SDR is that of BSS Eval (Vincent et al. 2006), which forgives a filter of 512 taps.
    O(n_speakers!) in the permutations, so for a handful of speakers.
    """
    _validate(references, estimates, mixture)
    order, scale_invariant = _best_order(references, estimates)
    return SeparationScores(
        estimate_index=order,
        si_sdr_db=scale_invariant,
        sdr_db=_sdr_db(references, estimates[list(order)]),
        mixture_si_sdr_db=np.array([si_sdr_db(r, mixture) for r in references]),
        mixture_sdr_db=_sdr_db(references, np.broadcast_to(mixture, references.shape)),
    )


def si_sdr_gain_db(
    references: NDArray[np.float32], estimates: NDArray[np.float32], mixture: NDArray[np.float32]
) -> float:
    """Return the mean gain in SI-SDR over the mixture: the quick part of `score_separation`."""
    _validate(references, estimates, mixture)
    _, scale_invariant = _best_order(references, estimates)
    before = [si_sdr_db(reference, mixture) for reference in references]
    return float(np.mean(scale_invariant - before))


def _best_order(
    references: NDArray[np.float32], estimates: NDArray[np.float32]
) -> tuple[tuple[int, ...], FloatArray]:
    """Return the permutation of the estimates with the highest mean SI-SDR, and its SI-SDRs."""
    n_speakers = len(references)
    pairs = np.array([[si_sdr_db(r, e) for e in estimates] for r in references])
    orders = permutations(range(n_speakers))
    order = max(orders, key=lambda o: pairs[range(n_speakers), o].sum())
    return order, pairs[range(n_speakers), order]


def _sdr_db(references: FloatArray, estimates: FloatArray) -> FloatArray:
    """Return the SDR of each estimate against the reference in its place, by mir_eval."""
    try:
        from mir_eval.separation import bss_eval_sources
    except ImportError:
        raise MissingDependency(
            "scores need mir_eval; install it with: pip install 'embersort[speech]'"
        ) from None
    with warnings.catch_warnings():
        # It announces that the function leaves in 0.9; the dependency is kept below that.
        warnings.simplefilter("ignore", FutureWarning)
        return bss_eval_sources(references, estimates, compute_permutation=False)[0]


def _validate(
    references: NDArray[np.float32], estimates: NDArray[np.float32], mixture: NDArray[np.float32]
) -> None:
    """Say which of the inputs cannot be scored, and why."""
    if references.ndim != 2 or references.shape != estimates.shape:
        raise BadInput(
            f"references have shape {references.shape}, estimates {estimates.shape}; "
            "both must be (n_speakers, n_samples)"
        )
    if mixture.shape != references.shape[1:]:
        raise BadInput(f"the mixture has shape {mixture.shape}, expected {references.shape[1:]}")
    for name, signals in (("reference", references), ("estimate", estimates)):
        for place, signal in enumerate(signals):
            if np.ptp(signal) == 0:
                raise BadInput(f"{name} {place} is silent; it has no score")
