"""Evidence made by hand: units on a line of channels, spikes with codes near their templates."""

from __future__ import annotations

import numpy as np

from embersort.confidence.evidence import Evidence
from embersort.types import Events, Geometry, Sorting

RATE_HZ = 20_000.0
N_WINDOW, N_COMPONENTS = 20, 3
PITCH_UM = 25.0


def make_evidence(
    n_spikes=(40, 30, 20), channels=(0, 2, 3), n_channels=5, seed=0, n_samples=400_000, height=8.0
) -> Evidence:
    """Return the evidence of units whose templates are bumps on and beside their channels."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(N_WINDOW, N_COMPONENTS)))[0].astype(np.float32)
    geometry = Geometry(
        positions_um=np.column_stack([np.zeros(n_channels), PITCH_UM * np.arange(n_channels)])
    )
    neighbours = geometry.neighbours(1.5 * PITCH_UM)
    n_units = len(n_spikes)
    weights = rng.normal(size=(n_units, N_COMPONENTS))
    away = np.abs(np.arange(n_channels)[None] - np.array(channels, int).reshape(-1, 1))
    codes = (height * np.exp(-away)[:, :, None] * weights[:, None, :]) * (away <= 1)[:, :, None]
    means = np.einsum("uck,tk->utc", codes, basis).astype(np.float32)
    unit = np.repeat(np.arange(n_units), n_spikes)
    sample = rng.choice(np.arange(100, n_samples - 100, 7), len(unit), replace=False)
    order = np.argsort(sample, kind="stable")
    sample, unit = sample[order], unit[order]
    channel = np.array(channels, int)[unit]
    scale = rng.normal(1, 0.1, len(unit)).astype(np.float32)
    local = neighbours[channel]
    clean = codes[unit[:, None], local] * scale[:, None, None]
    noisy = np.where((local >= 0)[:, :, None], clean + rng.normal(size=clean.shape), 0)
    return Evidence(
        sorting=Sorting(
            sample_index=sample,
            unit_index=unit,
            unit_ids=np.arange(n_units),
            sampling_rate_hz=RATE_HZ,
            n_samples=n_samples,
        ),
        events=Events(
            sample_index=sample, channel_index=channel, amplitude=np.full(len(unit), -height)
        ),
        geometry=geometry,
        gain=(50 + 100 * scale).astype(np.float32),
        scale=scale,
        codes=noisy.reshape(len(unit), neighbours.shape[1] * N_COMPONENTS).astype(np.float32),
        channel_index=channel,
        basis=basis,
        neighbours=neighbours,
        means=means,
        snr=np.full(n_units, height),
    )


def with_units(evidence: Evidence, order) -> Evidence:
    """Return the same evidence with the units named in another order."""
    order = np.asarray(order)
    place = np.argsort(order)
    sorting = evidence.sorting
    return replaced(
        evidence,
        sorting=Sorting(
            sample_index=sorting.sample_index,
            unit_index=place[sorting.unit_index],
            unit_ids=np.arange(len(order)),
            sampling_rate_hz=sorting.sampling_rate_hz,
            n_samples=sorting.n_samples,
        ),
        means=evidence.means[order],
        snr=evidence.snr[order],
    )


def replaced(evidence: Evidence, **changes) -> Evidence:
    """Return evidence with some of its parts changed."""
    values = {name: getattr(evidence, name) for name in Evidence.__dataclass_fields__}
    return Evidence(**{**values, **changes})
