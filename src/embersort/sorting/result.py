"""What a sort gives, once its stages are through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

import embersort
from embersort.confidence.evidence import Evidence
from embersort.confidence.predict import Confidence
from embersort.curation.spikes import MatchedSpikes
from embersort.motion.positions import spike_positions_um
from embersort.quality.metrics import unit_table
from embersort.signal import TemporalPca
from embersort.signal.front import Front
from embersort.templates.estimate import unwhiten
from embersort.types import Events, Sorting, SortResult, Templates


@dataclass(frozen=True, kw_only=True, slots=True)
class SortProducts:
    """What the stages leave.

    Attributes
    ----------
    front : Front
    pca : TemporalPca
    spikes : MatchedSpikes
    events : Events
        Of the first pass.
    """

    front: Front
    pca: TemporalPca
    spikes: MatchedSpikes
    events: Events

    @property
    def sorting(self) -> Sorting:
        """The spikes with their units."""
        matches = self.spikes.matches
        return Sorting(
            sample_index=matches.sample_index,
            unit_index=matches.unit_index,
            unit_ids=np.arange(len(self.spikes.means)),
            sampling_rate_hz=self.front.recording.sampling_rate_hz,
            n_samples=self.front.recording.n_samples,
        )

    @property
    def templates_uv(self) -> NDArray[np.float32]:
        """The units' templates, filtered."""
        return unwhiten(self.spikes.means, self.front.preprocessor.whitening)


def measure_units(products: SortProducts) -> dict[str, NDArray[Any]]:
    """Return what can be measured of the units."""
    return unit_table(
        products.sorting,
        products.templates_uv,
        products.front.preprocessor.noise_uv,
        products.front.recording.geometry,
    )


def summarise(products: SortProducts, table: dict[str, NDArray[Any]]) -> Evidence:
    """Return what confidence is judged by."""
    matches = products.spikes.matches
    return Evidence(
        sorting=products.sorting,
        events=products.events,
        geometry=products.front.recording.geometry,
        gain=matches.decrease,
        scale=matches.scaling,
        codes=products.spikes.pca_features,
        channel_index=products.spikes.channel_index,
        basis=products.pca.basis,
        neighbours=products.pca.neighbours,
        means=products.spikes.means.astype(np.float32),
        snr=table["snr"],
    )


def result_of(
    products: SortProducts,
    table: dict[str, NDArray[Any]],
    confidence: Confidence,
    timings_s: dict[str, float],
) -> SortResult:
    """Return what the user gets."""
    front, spikes, sorting = products.front, products.spikes, products.sorting
    geometry, templates = front.recording.geometry, products.templates_uv
    depth = (templates * front.preprocessor.scale).min(axis=(1, 2), initial=0.0)
    return SortResult(
        sorting=sorting,
        templates=Templates(waveforms_uv=templates, n_before=front.window.n_before),
        geometry=geometry,
        spike_amplitude=depth[sorting.unit_index] * spikes.matches.scaling,
        spike_probability=confidence.spike_probability,
        spike_position_um=spike_positions_um(
            spikes.pca_features, spikes.channel_index, products.pca, geometry.positions_um
        ),
        embedding=spikes.embedding,
        unit_table={**table, **confidence.unit_columns},
        timings_s=timings_s,
        provenance={
            "version": embersort.__version__,
            "n_events": products.events.n_events,
            "bad_channels": np.flatnonzero(~front.preprocessor.channel_ok).tolist(),
            "detected_on": front.basis,
        },
    )
