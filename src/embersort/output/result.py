"""What the result folder of a sort holds, written and read back.

===================  ==================================================================
``sorting/``         a SpikeInterface sorting folder, units with their properties
``units.csv``        one row per unit
``spikes.npz``       one entry per spike: sample, unit, amplitude, probability, position
``templates.npz``    the typical waveform of each unit, and where the channels sit
``run.json``         version, parameters, hashes, timings, machine
===================  ==================================================================

The command line adds ``run.log`` and ``report.html``.
"""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embersort.errors import BadInput
from embersort.output.folder import write_folder
from embersort.recording import load_sorting, save_sorting, sorting_to_spikeinterface
from embersort.recording.folders import read_json
from embersort.recording.npy import load_npz, reason
from embersort.types import Geometry, Sorting, SortResult, Templates

RUN_FILE = "run.json"
_SPIKES = ("amplitude", "probability", "position_um", "embedding")
_TEMPLATES = ("waveforms_uv", "n_before", "positions_um", "shank_index")


def write_result(result: SortResult, folder: str | Path, *, overwrite: bool = False) -> Path:
    """Write a result to a new folder, whole or not at all.

    Parameters
    ----------
    result : SortResult
    folder : str or Path
    overwrite : bool
        Whether an earlier result at ``folder`` is replaced; it stays until the new one is whole.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    BadInput
        If the folder exists, is not a result, or cannot be written (a full disk).
    """
    return write_folder(
        folder, lambda staging: write_files(result, staging), overwrite=overwrite, marker=RUN_FILE
    )


def write_files(result: SortResult, folder: Path) -> None:
    """Write the files of a result into an existing, empty folder."""
    sorting = result.sorting
    np.savez(
        folder / "spikes.npz",
        sample_index=sorting.sample_index,
        unit_index=sorting.unit_index,
        unit_ids=sorting.unit_ids,
        sampling_rate_hz=np.float64(sorting.sampling_rate_hz),
        n_samples=np.int64(sorting.n_samples),
        amplitude=result.spike_amplitude,
        probability=result.spike_probability,
        position_um=result.spike_position_um,
        embedding=result.embedding,
    )
    np.savez_compressed(
        folder / "templates.npz",
        waveforms_uv=result.templates.waveforms_uv,
        n_before=np.int64(result.templates.n_before),
        positions_um=result.geometry.positions_um,
        shank_index=result.geometry.shank_index,
    )
    _write_unit_table(result, folder / "units.csv")
    _write_spikeinterface_folder(result, folder / "sorting")
    run = {
        **result.provenance,
        "timings_s": result.timings_s,
        "sorting_sha256": sorting_hash(sorting),
        "n_units": sorting.n_units,
        "n_spikes": sorting.n_spikes,
    }
    (folder / RUN_FILE).write_text(json.dumps(run, indent=2, default=_plain) + "\n", "utf-8")


def read_result(folder: str | Path) -> SortResult:
    """Read a result back.

    Columns of ``units.csv`` come back as int64, float64, bool or text, whichever fits.

    Raises
    ------
    BadInput
        If the folder is not a whole result.
    """
    folder = Path(folder)
    if not (folder / RUN_FILE).is_file():
        raise BadInput(f"{folder} is not a result of embersort sort: it has no {RUN_FILE}")
    spikes = _numbers(folder / "spikes.npz", _SPIKES)
    templates = _numbers(folder / "templates.npz", _TEMPLATES)
    run = _read_run(folder / RUN_FILE)
    sorting = load_sorting(folder / "spikes.npz")
    try:
        return SortResult(
            sorting=sorting,
            templates=Templates(
                waveforms_uv=templates["waveforms_uv"], n_before=int(templates["n_before"])
            ),
            geometry=Geometry(
                positions_um=templates["positions_um"], shank_index=templates["shank_index"]
            ),
            spike_amplitude=spikes["amplitude"],
            spike_probability=spikes["probability"],
            spike_position_um=spikes["position_um"],
            embedding=spikes["embedding"],
            unit_table=_read_unit_table(folder / "units.csv"),
            timings_s=run.pop("timings_s", {}),
            provenance=run,
        )
    except BadInput as error:
        raise BadInput(f"{folder} is not a whole result: {error}") from None
    except (LookupError, TypeError, ValueError, OverflowError, OSError, csv.Error) as error:
        raise BadInput(f"{folder} is not a whole result ({reason(error)}); sort again") from None


def _read_run(path: Path) -> dict[str, Any]:
    """Read ``run.json`` and check the parts that others rely on."""
    run = read_json(path)
    if not isinstance(run, dict):
        raise BadInput(f"{path} holds no object, so the result is not whole; sort again")
    for name in ("recording", "parameters", "machine", "timings_s"):
        if not isinstance(run.get(name, {}), dict):
            raise BadInput(f"{path}: '{name}' is no object; sort again")
    timings = run.get("timings_s", {}).values()
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in timings):
        raise BadInput(f"{path}: 'timings_s' holds something else than seconds; sort again")
    return run


def sorting_hash(sorting: Sorting) -> str:
    """Return the SHA-256 of spike times and units: equal for equal sortings, on any machine."""
    digest = hashlib.sha256()
    for array in (sorting.sample_index, sorting.unit_index, sorting.unit_ids):
        digest.update(np.asarray(array, "<i8").tobytes())
    return digest.hexdigest()


def _write_unit_table(result: SortResult, path: Path) -> None:
    columns = {"unit_id": result.sorting.unit_ids, **result.unit_table}
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(zip(*(np.asarray(c).tolist() for c in columns.values()), strict=True))


def _read_unit_table(path: Path) -> dict[str, NDArray[Any]]:
    with path.open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    table = {name: _column(list(texts)) for name, texts in zip(names, columns, strict=True)}
    table.pop("unit_id")
    return table


def _column(texts: list[str]) -> NDArray[Any]:
    """Return texts as the narrowest of int64, float64, bool and text that holds them all."""
    readers: tuple[tuple[Callable[[str], Any], Any], ...] = ((int, np.int64), (float, np.float64))
    for read, dtype in readers:
        try:
            return np.array([read(text) for text in texts], dtype)
        except ValueError:
            continue
    if set(texts) <= {"True", "False"}:
        return np.array([text == "True" for text in texts])
    return np.array(texts)


def _write_spikeinterface_folder(result: SortResult, folder: Path) -> None:
    si_sorting = sorting_to_spikeinterface(result.sorting)
    if result.sorting.n_units:
        for name, column in result.unit_table.items():
            si_sorting.set_property(name, np.asarray(column))
    save_sorting(si_sorting, folder)


def _numbers(path: Path, names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    """Read arrays that must all be there and hold real numbers."""
    arrays = load_npz(path, names)
    for name in names:
        if name not in arrays:
            raise BadInput(f"{path} lacks '{name}', so the result is not whole; sort again")
        if arrays[name].dtype.kind not in "iuf":
            raise BadInput(f"{path}: '{name}' holds {arrays[name].dtype}, expected numbers")
    return arrays


def _plain(value: Any) -> Any:
    """Turn NumPy values and paths into what JSON knows."""
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return str(value)
