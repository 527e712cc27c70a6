"""Embersort as a SpikeInterface sorter.

Importing this module makes it known to SpikeInterface in this process:

>>> import embersort.spikeinterface  # doctest: +SKIP
>>> from spikeinterface.sorters import run_sorter  # doctest: +SKIP
>>> sorting = run_sorter("embersort", recording, detect={"threshold": 5.5})  # doctest: +SKIP

SpikeInterface has no way for a package to announce a sorter, so other processes have to import this
module too. Jobs that name the sorter by `EMBERSORT` do so by themselves:

>>> jobs = [{"sorter_name": embersort.spikeinterface.EMBERSORT, ...}]  # doctest: +SKIP
>>> run_sorter_jobs(jobs, engine="joblib")  # doctest: +SKIP
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
from spikeinterface.core import load
from spikeinterface.sorters import sorterlist
from spikeinterface.sorters.basesorter import BaseSorter

import embersort
from embersort.config import SortConfig
from embersort.output import write_result
from embersort.recording import from_spikeinterface
from embersort.sorting import sort

_RESULT = "embersort"


class SorterName(str):
    """The name of a sorter that makes it known in each process to which it is sent."""

    def __reduce__(self) -> tuple[Any, ...]:
        return SorterName, (str(self),)


EMBERSORT = SorterName("embersort")


class EmbersortSorter(BaseSorter):  # type: ignore[misc]
    """Spike sorting by deep clustering. Parameters are the sections of ``SortConfig``."""

    sorter_name = str(EMBERSORT)
    sorter_description = "Spike sorting by deep clustering, on the CPU, in bounded memory."
    installation_mesg = "pip install embersort"
    requires_locations = True
    gpu_capability = "not-supported"
    requires_binary_data = False
    handle_multi_segment = False
    # Sorts of one process share its threads and its limit of memory.
    compatible_with_parallel = {"loky": True, "multiprocessing": True, "threading": False}  # noqa: RUF012 - as the base class has it

    @classmethod
    def _dynamic_params(cls) -> tuple[dict[str, Any], dict[str, str]]:
        described = {}
        for section, field in SortConfig.model_fields.items():
            settings = field.annotation.model_fields  # type: ignore[union-attr]
            described[section] = " ".join(
                f"{name}: {setting.description}"
                for name, setting in settings.items()
                if setting.description
            )
        return SortConfig().model_dump(), described

    @classmethod
    def is_installed(cls) -> bool:
        """Embersort needs nothing beside itself."""
        return True

    @classmethod
    def get_sorter_version(cls) -> str:
        """Return the version of Embersort."""
        return embersort.__version__

    @classmethod
    def _check_params(cls, recording: Any, output_folder: Any, params: dict[str, Any]) -> Any:
        # Refuses unknown names with a hint, and fills in what a section leaves out.
        return SortConfig.parse(params, where="run_sorter").model_dump()

    @classmethod
    def _setup_recording(
        cls, recording: Any, sorter_output_folder: Any, params: dict[str, Any], verbose: bool
    ) -> None:
        """Do nothing: the recording is read where it lies."""

    @classmethod
    def _run_from_folder(
        cls, sorter_output_folder: Path, params: dict[str, Any], verbose: bool
    ) -> None:
        si_recording = cls.load_recording_from_folder(sorter_output_folder.parent)
        recording = from_spikeinterface(si_recording)
        result = sort(recording, SortConfig.parse(params))
        ids = np.asarray(si_recording.channel_ids)[recording.wiring.channel_index]
        main = {"main_channel_id": ids[result.unit_table["peak_channel"]]}
        result = dataclasses.replace(result, unit_table={**result.unit_table, **main})
        write_result(result, sorter_output_folder / _RESULT)

    @classmethod
    def _get_result_from_folder(cls, sorter_output_folder: Path) -> Any:
        return load(Path(sorter_output_folder) / _RESULT / "sorting")


def register() -> None:
    """Make ``embersort`` a name that ``run_sorter`` knows in this process."""
    if EmbersortSorter.sorter_name not in sorterlist.sorter_dict:
        sorterlist.sorter_dict[EmbersortSorter.sorter_name] = EmbersortSorter
        sorterlist.sorter_full_list.append(EmbersortSorter)


register()
