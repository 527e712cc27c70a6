"""Each unit's own noise-free traces: what unmixing a simulated recording should give back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from embersort.simulate.render import N_TAPS, SpikeTable, TemplateSet, add_spikes
from embersort.simulate.simulation import Simulation
from embersort.simulate.templates import LocalTemplates, build_template_set
from embersort.types import UNASSIGNED, IntArray


@dataclass(frozen=True, kw_only=True, slots=True)
class UnitSource:
    """One unit's spikes alone, rendered as they are read.

    Attributes
    ----------
    spikes : SpikeTable
        Of this unit; templates are counted within ``templates``.
    templates : TemplateSet
        Of this unit; channels are counted within ``channels``.
    channels : ndarray, shape (n_local,), int64
        The channels that the unit reaches; it is zero on all others.
    """

    spikes: SpikeTable
    templates: TemplateSet
    channels: IntArray

    def read(self, start_sample: int, stop_sample: int) -> NDArray[np.float32]:
        """Return the unit's traces on its own channels, shape (n, n_local), in µV.

        Notes
        -----
        The same interpolation between samples and displacements as in the recording, so the
        recording is the sum of its sources and its surroundings, up to the order of sums.
        """
        traces = np.zeros((stop_sample - start_sample, len(self.channels)), np.float32)
        add_spikes(traces, start_sample, self.spikes, self.templates)
        return traces

    def reaches(self, start_sample: int, stop_sample: int) -> bool:
        """Say whether any spike reaches into a range of samples."""
        reach = self.templates.n_window + N_TAPS
        low, high = np.searchsorted(
            self.spikes.sample_index, (start_sample - reach, stop_sample + reach)
        )
        return bool(high > low)

    def filtered(
        self, filter_columns: Callable[[NDArray[np.float32]], NDArray[np.float32]], margin: int
    ) -> UnitSource:
        """Return the source as it is behind a linear filter.

        Parameters
        ----------
        filter_columns : callable
            Filters each column of an array of (n_samples, n_columns); linear, zero phase.
        margin : int
            Samples by which the filter smears a template to either side.

        Notes
        -----
        Filtering the templates is filtering the traces: rendering only shifts, scales and adds.
        """
        templates = self.templates
        n_variants = len(templates.value_offset) - 1
        values = np.stack([templates.block(variant) for variant in range(n_variants)])
        padded = np.pad(values, ((0, 0), (0, 0), (margin, margin), (0, 0)))
        n_window = padded.shape[2]
        columns = padded.transpose(2, 0, 1, 3).reshape(n_window, -1)
        filtered = filter_columns(np.ascontiguousarray(columns))
        behind = filtered.reshape(n_window, *values.shape[:2], -1).transpose(1, 2, 0, 3)
        return replace(
            self,
            templates=_own_templates(
                np.ascontiguousarray(behind, np.float32), templates, templates.n_before + margin
            ),
        )


def unit_sources(simulation: Simulation) -> tuple[UnitSource, ...]:
    """Return the sources of a simulated recording, one per unit of its truth."""
    recording, truth = simulation.recording, simulation.truth
    templates, table = recording.templates, recording.spikes
    sources = []
    for unit in range(templates.n_units):
        first, last = templates.first_template[unit : unit + 2]
        values = np.stack([templates.block(index) for index in range(first, last)])
        rows = np.flatnonzero(truth.sorting.unit_index == unit)
        sources.append(
            UnitSource(
                spikes=SpikeTable(
                    sample_index=table.sample_index[rows],
                    template_index=table.template_index[rows] - first,
                    shift=table.shift[rows],
                    amplitude=table.amplitude[rows],
                    grid_index=table.grid_index[rows],
                    grid_share=table.grid_share[rows],
                ),
                templates=_own_templates(values, templates, templates.n_before),
                channels=templates.template_channels(int(first)),
            )
        )
    return tuple(sources)


def dominant_unit(
    sources: Sequence[UnitSource],
    scale: NDArray[np.float32],
    start_sample: int,
    stop_sample: int,
    least: float,
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Return the unit whose own trace is largest in each bin: the ideal binary mask.

    Parameters
    ----------
    sources : sequence of UnitSource
        Behind the filter in whose traces the bins are.
    scale : ndarray, shape (n_channels,), float32
        From microvolt to units of each channel's noise.
    start_sample, stop_sample : int
    least : float
        Bins in which no unit is larger than this, in units of noise, are `UNASSIGNED`.

    Returns
    -------
    tuple of ndarray, shape (n_samples, n_channels)
        Label, int16, and height of that unit's trace in units of noise, float32; ``least`` in the
        background.

    Notes
    -----
    Of equally large units the first. After Hershey et al. 2016, "Deep clustering", section 3.
    """
    shape = (stop_sample - start_sample, len(scale))
    label = np.full(shape, UNASSIGNED, np.int16)
    height = np.full(shape, least, np.float32)
    for unit, source in enumerate(sources):
        if not source.reaches(start_sample, stop_sample):
            continue
        traces = source.read(start_sample, stop_sample)
        # Between its spikes, most of the time, a unit is silent.
        active = np.flatnonzero(traces.any(axis=1))
        own = np.abs(traces[active]) * scale[source.channels]
        row, column = np.nonzero(own > height[np.ix_(active, source.channels)])
        label[active[row], source.channels[column]] = unit
        height[active[row], source.channels[column]] = own[row, column]
    return label, height


def _own_templates(values: NDArray[np.float32], like: TemplateSet, n_before: int) -> TemplateSet:
    """Return one unit's templates, shape (n_variants, n_grid, n_window, n_local), as a set."""
    local = LocalTemplates(values_uv=values, channels=np.arange(values.shape[3]))
    return build_template_set([local], like.grid_um, n_before, values.shape[2])
