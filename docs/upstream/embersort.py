"""Wrapper of Embersort, to stand beside the other external sorters of SpikeInterface."""

from pathlib import Path

import numpy as np

from ...core import load
from ..basesorter import BaseSorter


class EmbersortSorter(BaseSorter):
    """Embersort: spike sorting by deep clustering, on the CPU."""

    sorter_name = "embersort"
    requires_locations = True
    gpu_capability = "not-supported"
    requires_binary_data = False
    compatible_with_parallel = {"loky": True, "multiprocessing": True, "threading": False}
    sorter_description = "Embersort sorts by deep clustering, on the CPU and in bounded memory, and gives each unit a calibrated confidence."
    installation_mesg = """\nTo use Embersort run:\n
       >>> pip install embersort
    """

    @classmethod
    def _dynamic_params(cls):
        from embersort.config import SortConfig

        described = {}
        for section, field in SortConfig.model_fields.items():
            settings = field.annotation.model_fields
            described[section] = " ".join(
                f"{name}: {setting.description}"
                for name, setting in settings.items()
                if setting.description
            )
        return SortConfig().model_dump(), described

    @classmethod
    def is_installed(cls):
        try:
            import embersort
        except ImportError:
            return False
        return True

    @staticmethod
    def get_sorter_version():
        import embersort

        return embersort.__version__

    @classmethod
    def _check_params(cls, recording, output_folder, params):
        from embersort.config import SortConfig

        return SortConfig.parse(params, where="run_sorter").model_dump()

    @classmethod
    def _setup_recording(cls, recording, sorter_output_folder, params, verbose):
        pass

    @classmethod
    def _run_from_folder(cls, sorter_output_folder, params, verbose):
        import dataclasses

        from embersort import sort
        from embersort.config import SortConfig
        from embersort.output import write_result
        from embersort.recording import from_spikeinterface

        si_recording = cls.load_recording_from_folder(
            sorter_output_folder.parent, with_warnings=False
        )
        recording = from_spikeinterface(si_recording)
        result = sort(recording, SortConfig.parse(params))
        ids = np.asarray(si_recording.channel_ids)[recording.wiring.channel_index]
        table = {**result.unit_table, "main_channel_id": ids[result.unit_table["peak_channel"]]}
        write_result(
            dataclasses.replace(result, unit_table=table), sorter_output_folder / "embersort"
        )

    @classmethod
    def _get_result_from_folder(cls, sorter_output_folder):
        return load(Path(sorter_output_folder) / "embersort" / "sorting")
