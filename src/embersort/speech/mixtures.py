"""Mixtures of voices at known levels, with their references."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from embersort.config import Config
from embersort.errors import BadInput
from embersort.speech.audio import read_audio, resample
from embersort.speech.voices import Voice
from embersort.types import frozen_array

SPEED_GRID = 20
"""Speeds are multiples of one part in this many, so that polyphase resampling stays short."""

_SILENT_RMS = 1e-5
"""A reference below this (−100 dB of full scale) is silent: it has no level to set."""


class MixtureConfig(Config):
    """How voices are drawn and mixed."""

    n_speakers: int = Field(2, ge=1, le=5)
    """Number of different speakers."""
    duration_s: float = Field(4.0, gt=0)
    """Length of a mixture."""
    level_db: float = Field(5.0, ge=0)
    """Levels of the speakers after the first are drawn below its level, by 0 to this many dB."""
    speed_change: float = Field(0.0, ge=0, lt=0.5)
    """Voices are played faster or slower by up to this share, which shifts their pitch."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Mixture:
    """Voices that sound together.

    Attributes
    ----------
    references : ndarray, shape (n_speakers, n_samples), float32
        Each voice alone, at its level in the mixture.
    speakers : tuple of str
        Their names.
    """

    references: NDArray[np.float32]
    speakers: tuple[str, ...]

    def __post_init__(self) -> None:
        references = frozen_array(self.references, np.float32, 2, "references")
        if len(references) != len(self.speakers):
            raise BadInput(f"{len(references)} references for {len(self.speakers)} speakers")
        object.__setattr__(self, "references", references)

    @property
    def signal(self) -> NDArray[np.float32]:
        """The mixture: the sum of the references, shape (n_samples,)."""
        return self.references.sum(axis=0)


VoiceBank = dict[str, list[NDArray[np.float32]]]
"""The signals of each speaker, by name."""


def read_bank(voices: list[Voice], sampling_rate_hz: int) -> VoiceBank:
    """Read all voices into memory, by speaker."""
    bank: VoiceBank = {}
    for voice in voices:
        bank.setdefault(voice.speaker, []).append(read_audio(voice.path, sampling_rate_hz))
    return bank


def draw_mixture(
    bank: VoiceBank, config: MixtureConfig, sampling_rate_hz: int, rng: np.random.Generator
) -> Mixture:
    """Return a mixture of different speakers, each drawn with the same probability.

    A voice that is shorter than the mixture is repeated; a longer one is cut at a random place.

    Raises
    ------
    BadInput
        If there are fewer speakers than the mixture needs.
    """
    if len(bank) < config.n_speakers:
        raise BadInput(f"{config.n_speakers} speakers asked for, but there are {len(bank)}")
    names = rng.choice(sorted(bank), config.n_speakers, replace=False)
    n_samples = round(config.duration_s * sampling_rate_hz)
    references = []
    for place, name in enumerate(names):
        signals = bank[str(name)]
        excerpt = _draw_excerpt(signals[rng.integers(len(signals))], n_samples, config, rng)
        level_db = -rng.uniform(0, config.level_db) if place else 0.0
        references.append(set_level(excerpt, level_db))
    order = rng.permutation(config.n_speakers)
    return Mixture(
        references=np.stack(references)[order], speakers=tuple(str(names[i]) for i in order)
    )


def mix_signals(
    signals: Sequence[NDArray[np.float32]], levels_db: Sequence[float], names: Sequence[str]
) -> Mixture:
    """Return voices mixed at levels, cut to the shortest of them.

    Parameters
    ----------
    signals : sequence of ndarray, shape (n_samples,), float32
    levels_db : sequence of float
        Level of each, relative to a root mean square of a tenth of full scale.
    names : sequence of str

    Raises
    ------
    BadInput
        If there are fewer than two voices, or as many levels as voices are not given.
    """
    if len(signals) < 2:
        raise BadInput("a mixture needs two voices or more")
    if len(levels_db) != len(signals):
        raise BadInput(
            f"{len(levels_db)} levels given for {len(signals)} voices; give one for each"
        )
    n_samples = min(len(signal) for signal in signals)
    references = [
        set_level(signal[:n_samples], level)
        for signal, level in zip(signals, levels_db, strict=True)
    ]
    return Mixture(references=np.stack(references), speakers=tuple(names))


def set_level(signal: NDArray[np.float32], level_db: float) -> NDArray[np.float32]:
    """Return a signal at a root mean square of ``level_db`` below a tenth of full scale."""
    rms = float(np.sqrt(np.mean(np.square(signal, dtype=np.float64))))
    if rms < _SILENT_RMS:
        return np.zeros_like(signal)
    return signal * np.float32(0.1 * 10 ** (level_db / 20) / rms)


def _draw_excerpt(
    signal: NDArray[np.float32], n_samples: int, config: MixtureConfig, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return a random stretch of a voice, played at a random speed."""
    most = round(config.speed_change * SPEED_GRID)
    speed = SPEED_GRID + int(rng.integers(-most, most + 1))
    n_needed = -(-n_samples * speed // SPEED_GRID)
    repeated = np.tile(signal, -(-n_needed // len(signal)))
    start = int(rng.integers(len(repeated) - n_needed + 1))
    return resample(repeated[start : start + n_needed], speed, SPEED_GRID)[:n_samples]
