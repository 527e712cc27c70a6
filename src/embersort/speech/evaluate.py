"""Separation measured on mixtures of voices that the network has never heard."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from embersort.config import Config
from embersort.speech.masks import apply_masks, binary_masks, dominant_source
from embersort.speech.mixtures import Mixture, MixtureConfig, VoiceBank, draw_mixture
from embersort.speech.scores import score_separation
from embersort.speech.separate import SeparateConfig, separate
from embersort.speech.spectrogram import stft
from embersort.speech.weights import TrainedNetwork


class EvaluateConfig(Config):
    """Which mixtures are made for the test."""

    n_mixtures: int = Field(50, ge=1)
    """Number of mixtures."""
    mixture: MixtureConfig = MixtureConfig(duration_s=6.0)
    """How each is drawn."""
    seed: int = Field(2026, ge=0)
    """Seed of the draw."""


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationRow:
    """The scores of one method on one mixture.

    Attributes
    ----------
    method : str
        ``oracle`` (ideal binary masks), ``binary`` or ``soft`` (estimated masks).
    mixture_index : int
        Number of the mixture.
    n_found : int
        Speakers that the method found.
    si_sdr_improvement_db, sdr_improvement_db : float
        Mean over the speakers; NaN where another number of speakers was found.
    mixture_si_sdr_db : float
        Mean over the speakers, before any separation.
    times_real_time : float
        Seconds of mixture separated a second; NaN for the oracle.
    """

    method: str
    mixture_index: int
    n_found: int
    si_sdr_improvement_db: float
    sdr_improvement_db: float
    mixture_si_sdr_db: float
    times_real_time: float


def evaluate(
    bank: VoiceBank,
    trained: TrainedNetwork,
    config: EvaluateConfig,
    separate_configs: dict[str, SeparateConfig],
    progress: Callable[[str, float, float], None] | None = None,
) -> list[EvaluationRow]:
    """Return the scores of the oracle and of each way to separate, mixture by mixture.

    Parameters
    ----------
    bank : dict of str to list of ndarray
        Voices of speakers that were held out of the training.
    trained : TrainedNetwork
    config : EvaluateConfig
    separate_configs : dict of str to SeparateConfig
        Name of each method, and how it separates.
    progress : callable, optional
        Called with stage, done, total.
    """
    rng = np.random.default_rng(config.seed)
    rows = []
    for index in range(config.n_mixtures):
        mixture = draw_mixture(bank, config.mixture, trained.spectrogram.sampling_rate_hz, rng)
        rows.append(_score(mixture, _oracle(mixture, trained), "oracle", index, np.nan))
        for method, separate_config in separate_configs.items():
            started_s = time.perf_counter()
            separation = separate(
                mixture.signal, trained.network, separate_config, trained.spectrogram
            )
            elapsed_s = time.perf_counter() - started_s
            speed = config.mixture.duration_s / elapsed_s
            rows.append(_score(mixture, separation.estimates, method, index, speed))
        if progress is not None:
            progress("mixtures", index + 1, config.n_mixtures)
    return rows


def summary_table(rows: list[EvaluationRow]) -> list[tuple[str, ...]]:
    """Return the means of each method as rows of text, a header first."""
    header = ("method", "SI-SDR gain dB", "SDR gain dB", "right count %", "times real time")
    table: list[tuple[str, ...]] = [header]
    for method in dict.fromkeys(row.method for row in rows):
        own = [row for row in rows if row.method == method]
        scored = [row for row in own if np.isfinite(row.si_sdr_improvement_db)]
        mean = {
            name: float(np.mean([getattr(row, name) for row in scored])) if scored else np.nan
            for name in ("si_sdr_improvement_db", "sdr_improvement_db", "times_real_time")
        }
        speed = mean["times_real_time"]
        table.append(
            (
                method,
                f"{mean['si_sdr_improvement_db']:.2f}",
                f"{mean['sdr_improvement_db']:.2f}",
                f"{100 * len(scored) / len(own):.0f}",
                f"{speed:.0f}" if np.isfinite(speed) else "–",
            )
        )
    return table


def _oracle(mixture: Mixture, trained: TrainedNetwork) -> np.ndarray:
    """Return the estimates that the ideal binary masks give."""
    references = np.stack([stft(r, trained.spectrogram) for r in mixture.references])
    masks = binary_masks(dominant_source(references), len(references))
    whole = stft(mixture.signal, trained.spectrogram)
    return apply_masks(whole, masks, mixture.signal.size, trained.spectrogram)


def _score(
    mixture: Mixture, estimates: np.ndarray, method: str, index: int, speed: float
) -> EvaluationRow:
    """Return the scores of some estimates; NaN where their number is wrong."""
    si_sdr, sdr, before = np.nan, np.nan, np.nan
    if len(estimates) == len(mixture.references):
        scores = score_separation(mixture.references, estimates, mixture.signal)
        si_sdr, sdr = scores.si_sdr_improvement_db, scores.sdr_improvement_db
        before = float(scores.mixture_si_sdr_db.mean())
    return EvaluationRow(
        method=method,
        mixture_index=index,
        n_found=len(estimates),
        si_sdr_improvement_db=si_sdr,
        sdr_improvement_db=sdr,
        mixture_si_sdr_db=before,
        times_real_time=speed,
    )
