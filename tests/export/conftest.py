"""One small result whose recording lies in a flat binary file, as all exports read it."""

import dataclasses

import numpy as np
import pytest

from embersort.output import write_result
from report_scenes import make_recording, make_result


def with_accuracy(result):
    """The result with unit columns that an earlier sort would hold."""
    place = result.geometry.positions_um[
        np.ptp(result.templates.waveforms_uv, axis=1).argmax(axis=1)
    ]
    return dataclasses.replace(
        result, unit_table={**result.unit_table, "x_um": place[:, 0], "y_um": place[:, 1]}
    )


@pytest.fixture(scope="session")
def sorted_folder(tmp_path_factory):
    """A result beside its recording: `out` and `raw/traces.bin`."""
    home = tmp_path_factory.mktemp("lab")
    result = with_accuracy(make_result(4, duration_s=6, n_channels=8, rate_hz=20))
    traces = make_recording(result).read(0, result.sorting.n_samples)
    (home / "raw").mkdir()
    np.round(traces * 4).astype(np.int16).tofile(home / "raw" / "traces.bin")
    probe = home / "raw" / "probe.json"
    write_probe(result.geometry, probe)
    how = {
        "sampling_rate_hz": 30_000.0,
        "dtype": "int16",
        "n_channels": 8,
        "gain_uv": 0.25,
        "probe": str(probe),
    }
    source = {
        "path": str(home / "raw" / "traces.bin"),
        "relative_path": "../raw/traces.bin",
        "opened_with": how,
    }
    result = dataclasses.replace(result, provenance={**result.provenance, "recording": source})
    write_result(result, home / "out")
    return home / "out"


def write_probe(geometry, path):
    import probeinterface

    probe = probeinterface.Probe(ndim=2, si_units="um")
    probe.set_contacts(positions=geometry.positions_um, shape_params={"radius": 5})
    probe.set_device_channel_indices(np.arange(geometry.n_channels))
    probeinterface.write_probeinterface(path, probe)
