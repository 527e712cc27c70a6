"""The sort recipe, to be read from top to bottom."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from embersort.confidence.evidence import Evidence
from embersort.confidence.model import load_shipped
from embersort.confidence.predict import predict
from embersort.config import SortConfig
from embersort.curation.collisions import collisions
from embersort.curation.refine import finish, merge_subclusters, split_into_subclusters
from embersort.curation.registration import Registration, register
from embersort.curation.spikes import SHAPING_SCALINGS, MatchedSpikes, matched_spikes
from embersort.errors import BadConfig, BadInput
from embersort.matching.match_recording import MatchSetup, match_recording
from embersort.matching.upsample import score_stride
from embersort.motion.displacement import CERTAIN_UM
from embersort.output.stages import StageStore
from embersort.recording import open_recording
from embersort.signal.estimates import estimate_noise_autocorrelation, fit_event_pca
from embersort.signal.front import make_front
from embersort.signal.tile_cache import bytes_to_keep
from embersort.signal.tiles import TileMapper, map_tiles
from embersort.sorting.clock import Progress, StageClock
from embersort.sorting.features import encode_and_frame, make_extractor
from embersort.sorting.first_clusters import first_clusters
from embersort.sorting.result import SortProducts, measure_units, result_of, summarise
from embersort.templates.estimate import median_templates
from embersort.templates.residual import template_residuals
from embersort.templates.sparse import sparse
from embersort.templates.spikes import UnitSpikes
from embersort.templates.tracking import TrackedTemplates, track_templates
from embersort.types import Events, FloatArray, Recording, SortResult

log = logging.getLogger(__name__)


def sort(
    recording: Recording | Any,
    config: SortConfig | None = None,
    *,
    sampling_rate_hz: float | None = None,
    positions_um: FloatArray | Sequence[Sequence[float]] | None = None,
    probe: Any = None,
    progress: Progress | None = None,
    mapper: TileMapper = map_tiles,
    stages: StageStore | None = None,
) -> SortResult:
    """Sort a recording into units.

    Parameters
    ----------
    recording : Recording, SpikeInterface recording, or ndarray
        An array is M × N (channels × samples) or N × M; the longer axis is time. Also all else
        that `embersort.open_recording` takes.
    config : SortConfig, optional
        The defaults suit every recording.
    sampling_rate_hz : float, optional
        Of an array.
    positions_um : array_like, shape (n_channels, 2), optional
        Of the channels of an array.
    probe : optional
        As for `embersort.open_recording`, such as ``"neuropixels1"``; replaces the recording's.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.
    mapper : TileMapper, optional
        Where the tiles are computed: on threads, or as `embersort.sorting.dask_tiles` says. The
        result is the same.
    stages : StageStore, optional
        Where finished stages of a long sort are kept, so that one that is cut off goes on.

    Returns
    -------
    SortResult

    Raises
    ------
    BadInput
        If the recording cannot be sorted as it is.
    BadConfig
        If ``config`` is something else, or asks for what the recording does not allow.

    Notes
    -----
    Memory is bounded by the number of spikes, the length of a tile, ``run.keep_mb``,
    not by the recording's length.
    """
    if config is not None and not isinstance(config, SortConfig):
        raise BadConfig(
            f"config is a {type(config).__name__}, expected a SortConfig; "
            "SortConfig.parse(values) makes one of nested values"
        )
    source = open_recording(
        recording, sampling_rate_hz=sampling_rate_hz, positions_um=positions_um, probe=probe
    )
    clock = StageClock(progress)
    products = _run_stages(source, config or SortConfig(), clock, mapper, stages or StageStore())

    clock.start("confidence", 1)
    table = measure_units(products)
    confidence = predict(summarise(products, table), load_shipped())
    clock.stop()
    return result_of(products, table, confidence, clock.timings_s)


def sort_evidence(recording: Recording, config: SortConfig | None = None) -> Evidence:
    """Sort a recording and return what its confidence is to be judged by, in place of a result.

    Confidence is learned from it: see `embersort.training.confidence`.
    """
    products = _run_stages(
        recording, config or SortConfig(), StageClock(None), map_tiles, StageStore()
    )
    return summarise(products, measure_units(products))


def _run_stages(
    source: Recording, config: SortConfig, clock: StageClock, mapper: TileMapper, stages: StageStore
) -> SortProducts:
    """Go through the stages; threads are ours, so linear algebra libraries get one."""
    if source.n_samples == 0:
        raise BadInput("the recording has no samples; nothing can be sorted")
    with threadpool_limits(limits=1):
        return _stages(source, config, clock, mapper, stages)


def _stages(
    source: Recording, config: SortConfig, clock: StageClock, mapper: TileMapper, stages: StageStore
) -> SortProducts:
    clock.start("preprocessing", 1)
    bytes_kept = bytes_to_keep(config.run, source.geometry.n_channels)
    front = make_front(source, config, mapper, bytes_kept)
    pca = fit_event_pca(front)
    extractor = make_extractor(front, pca, config.feature)
    setup = MatchSetup(
        front=front,
        extractor=extractor,
        noise=estimate_noise_autocorrelation(front),
        config=config.match,
        stride=score_stride(source.sampling_rate_hz, config.filter.high_hz),
    )
    first = stages.find("first", FirstTemplates)
    if first is None:
        first = stages.keep("first", _first_templates(setup, config, clock))

    clock.start("matching", len(front.tiles()) * (1 + config.match.n_refinements))
    matched = _matched(first, setup, config, clock, stages)

    clock.start("finishing", 1)
    front.kept.drop()
    spikes = finish(matched, first.registration, config)
    log.info("%d units", len(spikes.means))
    return SortProducts(front=front, pca=pca, spikes=spikes, events=first.events)


@dataclass(frozen=True, kw_only=True, slots=True)
class FirstTemplates:
    """What is known before the first matching; features of events are no longer needed then."""

    events: Events
    registration: Registration
    templates: TrackedTemplates


def _first_templates(setup: MatchSetup, config: SortConfig, clock: StageClock) -> FirstTemplates:
    """Detect and cluster the events of the whole recording; return templates of the clusters."""
    front, pca = setup.front, setup.extractor.pca
    source = front.recording
    clock.start("detecting", len(front.tiles()))
    framed = encode_and_frame(front, setup.extractor, config.feature, clock.advance)
    events, pca_features = framed.encoded.events, framed.encoded.pca_features
    log.info("%d events", events.n_events)

    registration = register(front, pca, events, pca_features, config.motion)
    if registration.motion is not None:
        log.info("the tissue moves by %.1f µm", np.ptp(registration.motion.displacement_um))

    clock.start("clustering", source.geometry.n_channels)
    clusters = UnitSpikes(
        sample_index=events.sample_index,
        unit_index=first_clusters(framed, registration, source, config.cluster, clock.advance),
        channel_index=events.channel_index,
        pca_features=pca_features,
    )
    waveforms = median_templates(clusters, pca, source.geometry.n_channels)
    overlaps = collisions(waveforms, clusters, setup)
    log.info(
        "%d clusters; %d are overlaps of two neurons and were dropped",
        len(overlaps),
        overlaps.sum(),
    )
    units, first = clusters.without_units(overlaps), waveforms[~overlaps]
    tracked = track_templates(
        first,
        units,
        pca,
        source.n_samples,
        source.sampling_rate_hz,
        config.tracking,
        registration.epoch_starts,
    )
    # Of moving tissue the median over the whole recording is no template of any time.
    residual = None if _moves(registration) else template_residuals(first, units, front)
    return FirstTemplates(
        events=events,
        registration=registration,
        templates=replace(tracked, residual=residual),
    )


def _moves(registration: Registration) -> bool:
    """Say whether the tissue is known to move by more than its motion is uncertain."""
    motion = registration.motion
    return motion is not None and bool(np.ptp(motion.displacement_um) > CERTAIN_UM)


def _matched(
    first: FirstTemplates,
    setup: MatchSetup,
    config: SortConfig,
    clock: StageClock,
    stages: StageStore,
) -> MatchedSpikes:
    """Match, refine what was matched, match again; begin after the last matching that is kept."""
    last = config.match.n_refinements
    kept = ((n, stages.find(f"matching-{n}", MatchedSpikes)) for n in reversed(range(last + 1)))
    begin, matched = next(((n + 1, found) for n, found in kept if found is not None), (0, None))
    for number in range(begin, last + 1):
        templates = first.templates
        if matched is not None:
            templates = _refined(matched, first.registration, setup, config)
        # What was matched before is no longer needed while what it became is matched.
        matched = None
        # Attenuated spikes are looked for once all units are known, whose own they might be.
        matched = stages.keep(
            f"matching-{number}",
            _match(templates, setup, clock, allow_attenuated=number == last),
            instead_of=f"matching-{number - 1}",
        )
    if matched is None:
        raise BadConfig(f"match.n_refinements is {last}, expected at least 0")
    return matched


def _match(
    templates: TrackedTemplates,
    setup: MatchSetup,
    clock: StageClock,
    *,
    allow_attenuated: bool = False,
) -> MatchedSpikes:
    """Match templates to the recording, and say which spikes shape them."""
    return matched_spikes(
        match_recording(
            templates, setup, SHAPING_SCALINGS, clock.advance, allow_attenuated=allow_attenuated
        )
    )


def _refined(
    spikes: MatchedSpikes, registration: Registration, setup: MatchSetup, config: SortConfig
) -> TrackedTemplates:
    """Return the templates of what the matched spikes fall apart into and are joined to."""
    subclusters = split_into_subclusters(spikes, registration, config)
    overlaps = collisions(sparse(subclusters.templates), subclusters.spikes, setup)
    return merge_subclusters(subclusters.without(overlaps), spikes, registration, config)
