"""The reference: template matching that is given the true spikes' own templates.

Where the tissue moves, templates are taken anew for each block of time, from
the true spikes nearest to it, so that they follow the motion.
"""

from pathlib import Path
from typing import Any

import numpy as np
from exchange_io import open_with_spikeinterface, read_facts, read_job, write_sorting

BLOCK_S = 5.0
N_NEAREST = 100
MS_BEFORE = 1.0
MS_AFTER = 2.0
# Wobble's objective is the squared output of a matched filter in units of white noise: this is
# five standard deviations, where sorters detect. Its default, 50, leaves out small units.
WOBBLE_THRESHOLD = 25.0


def prepared(recording: Any, seed: int) -> Any:
    """Filter and whiten, since the matching's thresholds are in units of white noise."""
    from spikeinterface.preprocessing import bandpass_filter, whiten, zscore

    filtered = zscore(bandpass_filter(recording, 300.0, 6000.0, dtype="float32"), seed=seed)
    if recording.get_num_channels() > 1:
        filtered = whiten(filtered, mode="local", radius_um=100.0, dtype="float32", seed=seed)
    return filtered.save(format="memory", n_jobs=1, progress_bar=False)


def templates_near(
    recording: Any, truth: dict[str, Any], n_units: int, block: Any, rate_hz: float
) -> tuple[Any, Any]:
    """Return the mean snippet of each unit's spikes nearest to a block, or of all of them."""
    from spikeinterface.core import Templates
    from spikeinterface.core.waveform_tools import estimate_templates

    sample, unit = truth["sample_index"], truth["unit_index"]
    before, after = round(MS_BEFORE * 1e-3 * rate_hz), round(MS_AFTER * 1e-3 * rate_hz)
    fits = (sample >= before) & (sample < recording.get_num_samples() - after)
    kept = []
    for index in range(n_units):
        own = np.flatnonzero(fits & (unit == index))
        if block is not None:
            distance = np.abs(sample[own] - (block[0] + block[1]) / 2)
            inside = (sample[own] >= block[0]) & (sample[own] < block[1])
            nearest = own[np.argsort(distance, kind="stable")[:N_NEAREST]]
            own = np.union1d(nearest, own[inside])
        kept.append(own)
    chosen = np.sort(np.concatenate(kept))
    spikes = np.zeros(
        len(chosen), [("sample_index", "i8"), ("unit_index", "i8"), ("segment_index", "i8")]
    )
    spikes["sample_index"], spikes["unit_index"] = sample[chosen], unit[chosen]
    present = np.array([len(own) > 0 for own in kept])
    waveforms = estimate_templates(
        recording, spikes, np.arange(n_units), before, after, n_jobs=1, progress_bar=False
    )[present]
    templates = Templates(
        templates_array=waveforms.astype("float32"),
        sampling_frequency=rate_hz,
        nbefore=before,
        channel_ids=recording.channel_ids,
        unit_ids=np.flatnonzero(present),
        probe=recording.get_probe(),
        is_in_uV=False,
    )
    return templates, np.flatnonzero(present)


def sparse(templates: Any, noise_levels: Any) -> Any:
    """Leave out the channels on which a template stays within the noise."""
    from spikeinterface.core import ChannelSparsity

    peak = np.abs(templates.templates_array).max(axis=1) / noise_levels
    mask = peak >= 1.0
    mask[np.arange(len(mask)), peak.argmax(axis=1)] = True
    sparsity = ChannelSparsity(mask, templates.unit_ids, templates.channel_ids)
    return templates.to_sparse(sparsity)


def main() -> None:
    """Sort the job's recording with the true templates."""
    from spikeinterface.core import get_noise_levels
    from spikeinterface.sortingcomponents.matching import find_spikes_from_templates

    job = read_job()
    facts, parameters = read_facts(job), dict(job["parameters"])
    engine = parameters.pop("engine", "wobble")
    with np.load(Path(job["recording_folder"]) / "truth.npz", allow_pickle=False) as arrays:
        truth = {name: arrays[name] for name in ("sample_index", "unit_index", "unit_ids")}
    n_units, rate_hz = len(truth["unit_ids"]), facts["sampling_rate_hz"]
    recording = prepared(open_with_spikeinterface(job), job["seed"])
    noise_levels = get_noise_levels(recording, return_in_uV=False, seed=job["seed"])
    n_samples, step = facts["n_samples"], round(BLOCK_S * rate_hz)
    if facts["drift_um"] > 0:
        blocks: list[Any] = [
            (start, min(start + step, n_samples)) for start in range(0, n_samples, step)
        ]
    else:
        blocks = [None]
    options: dict[str, Any] = {"parameters": {"threshold": WOBBLE_THRESHOLD}}
    if engine != "wobble":
        options = {"noise_levels": noise_levels} if "peeler" in engine else {}
    margin = round(0.01 * rate_hz)
    samples, units = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)]
    for block in blocks if n_units and len(truth["sample_index"]) else ():
        templates, names = templates_near(recording, truth, n_units, block, rate_hz)
        first, last = block or (0, n_samples)
        start = max(0, first - margin)
        spikes = find_spikes_from_templates(
            recording.frame_slice(start, min(n_samples, last + margin)),
            sparse(templates, noise_levels),
            method=engine,
            method_kwargs=options,
            job_kwargs={"n_jobs": job["n_threads"], "progress_bar": False},
        )
        at = spikes["sample_index"].astype(np.int64) + start
        kept = (at >= first) & (at < last)
        samples.append(at[kept])
        units.append(names[spikes["cluster_index"][kept]])
    write_sorting(job, np.concatenate(samples), np.concatenate(units), n_units)


if __name__ == "__main__":
    main()
