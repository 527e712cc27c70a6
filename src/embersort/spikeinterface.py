"""Embersort as a SpikeInterface sorter.

Importing this module makes it known to SpikeInterface in this process:

>>> import embersort.spikeinterface  # doctest: +SKIP
>>> from spikeinterface.sorters import run_sorter  # doctest: +SKIP
>>> sorting = run_sorter("embersort", recording, detect={"threshold": 5.5})  # doctest: +SKIP

SpikeInterface has no way for a package to announce a sorter, so a process that was spawned
(rather than forked) has to import this module itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spikeinterface.core import load
from spikeinterface.sorters import sorterlist
from spikeinterface.sorters.basesorter import BaseSorter

import embersort
from embersort.config import SortConfig
from embersort.output import write_result
from embersort.recording import from_spikeinterface
from embersort.sorting import sort

_RESULT = "embersort"


class EmbersortSorter(BaseSorter):  # type: ignore[misc]
    """Spike sorting by deep clustering. Parameters are the sections of ``SortConfig``."""

    sorter_name = "embersort"
    sorter_description = "Spike sorting by deep clustering, on the CPU, in bounded memory."
    requires_locations = True
    gpu_capability = "not-supported"
    requires_binary_data = False
    handle_multi_segment = False

    @classmethod
    def _dynamic_params(cls) -> tuple[dict[str, Any], dict[str, str]]:
        descriptions = {
            name: (field.annotation.__doc__ or "").strip() if field.annotation else ""
            for name, field in SortConfig.model_fields.items()
        }
        return SortConfig().model_dump(), descriptions

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
        result = sort(from_spikeinterface(si_recording), SortConfig.parse(params))
        write_result(result, sorter_output_folder / _RESULT)

    @classmethod
    def _get_result_from_folder(cls, sorter_output_folder: Path) -> Any:
        return load(sorter_output_folder / _RESULT / "sorting")


def register() -> None:
    """Make ``embersort`` a name that ``run_sorter`` knows in this process."""
    if EmbersortSorter.sorter_name not in sorterlist.sorter_dict:
        sorterlist.sorter_dict[EmbersortSorter.sorter_name] = EmbersortSorter
        sorterlist.sorter_full_list.append(EmbersortSorter)


register()
