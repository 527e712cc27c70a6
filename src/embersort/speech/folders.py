"""Mixtures and separations as folders: one wav per voice, a picture, the facts as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort import __version__
from embersort.errors import BadInput
from embersort.output.folder import new_folder
from embersort.speech.audio import read_audio, write_audio
from embersort.speech.masks import binary_masks, dominant_source
from embersort.speech.mixtures import Mixture
from embersort.speech.picture import SECONDS_SHOWN, separation_page
from embersort.speech.scores import SeparationScores
from embersort.speech.separate import SeparateConfig, Separation, block_embedder
from embersort.speech.spectrogram import ComplexArray, SpectrogramConfig, stft
from embersort.speech.weights import TrainedNetwork

Float32Array = NDArray[np.float32]

MIXTURE_FILE = "mixture.wav"
SEPARATION_FILE = "separation.json"
PICTURE_FILE = "picture.html"


def write_mixture(
    mixture: Mixture, sampling_rate_hz: int, folder: Path, *, overwrite: bool = False
) -> None:
    """Write ``mixture.wav`` and one ``reference_N.wav`` per voice, all at one gain.

    Raises
    ------
    BadInput
        If the folder exists and is not to be overwritten.
    """
    signals = [mixture.signal, *mixture.references]
    peak = max(1.0, *(float(np.abs(signal).max(initial=0.0)) for signal in signals))
    with new_folder(folder, overwrite=overwrite, marker=MIXTURE_FILE) as staging:
        write_audio(staging / MIXTURE_FILE, mixture.signal / peak, sampling_rate_hz)
        for number, reference in enumerate(mixture.references, start=1):
            path = staging / f"reference_{number}.wav"
            write_audio(path, reference / peak, sampling_rate_hz)


def read_references(folder: Path, sampling_rate_hz: int) -> Float32Array:
    """Read the references that `write_mixture` wrote, shape (n_speakers, n_samples).

    Raises
    ------
    BadInput
        If there are none, or they differ in length.
    """
    signals = [
        read_audio(path, sampling_rate_hz) for path in sorted(Path(folder).glob("reference_*.wav"))
    ]
    if not signals:
        raise BadInput(f"{folder} holds no reference_1.wav, reference_2.wav …")
    if len({len(signal) for signal in signals}) > 1:
        lengths = ", ".join(str(len(signal)) for signal in signals)
        raise BadInput(f"the references in {folder} differ in length: {lengths} samples")
    return np.stack(signals)


def write_separation(
    separation: Separation,
    picture: str,
    facts: dict[str, Any],
    sampling_rate_hz: int,
    folder: Path,
    *,
    overwrite: bool = False,
) -> None:
    """Write ``speaker_1.wav`` …, ``picture.html`` and ``separation.json``.

    Raises
    ------
    BadInput
        If the folder exists and is not to be overwritten.
    """
    peak = max(1.0, float(np.abs(separation.estimates).max(initial=0.0)))
    with new_folder(folder, overwrite=overwrite, marker=SEPARATION_FILE) as staging:
        for number, estimate in enumerate(separation.estimates, start=1):
            write_audio(staging / f"speaker_{number}.wav", estimate / peak, sampling_rate_hz)
        (staging / PICTURE_FILE).write_text(picture, encoding="utf-8")
        text = json.dumps({"embersort": __version__, **facts}, indent=2) + "\n"
        (staging / SEPARATION_FILE).write_text(text, encoding="utf-8")


def draw_separation(
    title: str,
    signal: Float32Array,
    separation: Separation,
    trained: TrainedNetwork,
    config: SeparateConfig,
    references: Float32Array | None = None,
    scores: SeparationScores | None = None,
) -> str:
    """Return the picture of a separation as a self-contained HTML page.

    Parameters
    ----------
    references : ndarray, shape (n_speakers, n_samples), float32, optional
        The true voices, where known, in the order of ``scores``.
    scores : SeparationScores, optional
        Says which estimate is which reference, so that both have one colour.
    """
    grid = trained.spectrogram
    mixture = stft(signal, grid)
    embedding = _first_seconds(mixture, trained, config)
    ideal = None
    if references is not None and scores is not None:
        by_reference = _ideal_masks(references, grid)
        ideal = by_reference[np.argsort(scores.estimate_index)]
    return separation_page(title, mixture, separation.masks, embedding, grid, ideal)


def facts_of(
    separation: Separation, config: SeparateConfig, scores: SeparationScores | None
) -> dict[str, Any]:
    """Return what ``separation.json`` says."""
    facts: dict[str, Any] = {
        "n_speakers": len(separation.estimates),
        "config": config.model_dump(),
    }
    if scores is not None:
        facts["scores"] = {
            "estimate_of_reference": [f"speaker_{i + 1}.wav" for i in scores.estimate_index],
            "si_sdr_db": scores.si_sdr_db.tolist(),
            "sdr_db": scores.sdr_db.tolist(),
            "si_sdr_improvement_db": scores.si_sdr_improvement_db,
            "sdr_improvement_db": scores.sdr_improvement_db,
        }
    return facts


def _first_seconds(
    mixture: ComplexArray, trained: TrainedNetwork, config: SeparateConfig
) -> Float32Array:
    """Return the embedding of the blocks that the picture shows."""
    embed_block, n_blocks = block_embedder(mixture, trained.network, config, trained.spectrogram)
    n_frames = SECONDS_SHOWN * trained.spectrogram.frame_rate_hz
    n_needed = min(n_blocks, int(-(-n_frames // config.block_frames)))
    return np.concatenate([embed_block(block) for block in range(n_needed)])


def _ideal_masks(references: Float32Array, grid: SpectrogramConfig) -> Float32Array:
    """Return the ideal binary mask of each reference."""
    spectrograms = np.stack([stft(reference, grid) for reference in references])
    return binary_masks(dominant_source(spectrograms), len(references))
