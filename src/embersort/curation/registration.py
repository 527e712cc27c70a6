"""Where spikes lie once the motion of the tissue is taken off, and what their units look like."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from embersort.clustering.neighbourhoods import FeatureView
from embersort.config import MotionConfig
from embersort.curation.candidate_pairs import Places
from embersort.curation.spikes import MatchedSpikes
from embersort.motion.displacement import Motion, estimate_motion
from embersort.motion.epochs import find_epochs
from embersort.motion.positions import spike_positions_um
from embersort.signal.front import Front
from embersort.signal.pca import TemporalPca
from embersort.templates.estimate import peak_waveforms_uv
from embersort.types import Events, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Registration:
    """What is known of the whole recording when spikes of different times are compared.

    Attributes
    ----------
    pca : TemporalPca
    whitening : ndarray, shape (n_channels, n_channels), float32
    positions_um : ndarray, shape (n_channels, 2)
    motion : Motion, or None
        None where probe and activity do not allow to know it.
    sampling_rate_hz : float
    n_samples : int
        Of the recording.
    epoch_starts : ndarray, shape (n_epochs,), int64
        First sample of each stretch in which the tissue does not jump; the first is 0.
    """

    pca: TemporalPca
    whitening: NDArray[np.float32]
    positions_um: FloatArray
    motion: Motion | None
    sampling_rate_hz: float
    n_samples: int
    epoch_starts: NDArray[np.int64]

    def component_view(self, spikes: MatchedSpikes) -> FeatureView:
        """Return what gives the components of any set of nearby spikes in comparable columns."""
        return lambda rows: self.pca.on_shared_channels(
            spikes.pca_features[rows], spikes.channel_index[rows]
        )

    def places(self, spikes: MatchedSpikes, rows: IntArray, templates: FloatArray) -> Places:
        """Return where some spikes lie, and how parts look that have these white templates."""
        waves = peak_waveforms_uv(templates, self.whitening)
        if self.motion is None:
            return Places(um=None, peak_waveforms=waves)
        place = spike_positions_um(
            spikes.pca_features, spikes.channel_index, self.pca, self.positions_um, rows
        )
        um = place.astype(np.float64)
        um[:, 1] -= self.motion.at(spikes.matches.sample_index[rows], um[:, 1])
        return Places(um=um, peak_waveforms=waves, displacement_um=self.motion.at)


def register(
    front: Front,
    pca: TemporalPca,
    events: Events,
    pca_features: NDArray[np.float32],
    config: MotionConfig,
) -> Registration:
    """Estimate the motion of the tissue from all events and their codes."""
    source = front.recording
    positions_um = source.geometry.positions_um
    place = spike_positions_um(pca_features, events.channel_index, pca, positions_um)
    motion = estimate_motion(
        events.sample_index,
        place[:, 1],
        np.abs(events.amplitude),
        source.n_samples,
        source.sampling_rate_hz,
        config,
    )
    starts = find_epochs(
        motion,
        events.sample_index,
        place[:, 1],
        np.abs(events.amplitude),
        source.sampling_rate_hz,
    )
    return Registration(
        pca=pca,
        whitening=front.preprocessor.whitening,
        positions_um=positions_um,
        motion=motion,
        sampling_rate_hz=source.sampling_rate_hz,
        n_samples=source.n_samples,
        epoch_starts=starts,
    )
