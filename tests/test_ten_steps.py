"""A newcomer's ten steps, from an own recording to curated units in other tools.

Read it as a walk through the product: every step is a command that a person would type, and what
they would look for afterwards. Step 1, installing, is what lets this file run.
"""

import csv
import json
import subprocess
import sys

import numpy as np
import pytest

from embersort.simulate import demo_scene, simulate

N_CHANNELS, RATE_HZ, DURATION_S = 16, 30_000.0, 12.0
COUNTS_PER_UV = 512 * 500 / 600_000
"""Neuropixels 1.0: 10 bits over ±0.6 V, at a gain of 500."""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """The lab's folder."""
    return tmp_path_factory.mktemp("lab")


def embersort(*words, cwd):
    """Type a command, and read what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "embersort.cli", *map(str, words)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_spikeglx(folder, traces_uv):
    """Write a run as SpikeGLX leaves it: one .bin of int16 with a .meta beside it."""
    folder.mkdir()
    n_channels = traces_uv.shape[1]
    counts = np.zeros((len(traces_uv), n_channels + 1), np.int16)
    counts[:, :n_channels] = np.clip(np.round(traces_uv * COUNTS_PER_UV), -512, 511)
    counts.tofile(folder / "lab_g0_t0.imec0.ap.bin")
    gains = "".join(f"({channel} 0 0 500 250 1)" for channel in range(n_channels))
    sites = "".join(f"({channel}:0:0:1)" for channel in range(n_channels))
    names = "".join(f"(AP{channel};{channel}:{channel})" for channel in range(n_channels))
    names += f"(SY0;{n_channels}:{n_channels})"
    places = "".join(
        f"(0:{27 + 32 * (channel % 2)}:{20 * (channel // 2)}:1)" for channel in range(n_channels)
    )
    meta = {
        "typeThis": "imec",
        "imSampRate": f"{RATE_HZ:g}",
        "nSavedChans": n_channels + 1,
        "snsApLfSy": f"{n_channels},0,1",
        "snsSaveChanSubset": f"0:{n_channels - 1},768",
        "fileSizeBytes": counts.nbytes,
        "fileTimeSecs": f"{len(traces_uv) / RATE_HZ:g}",
        "firstSample": 0,
        "imAiRangeMax": 0.6,
        "imAiRangeMin": -0.6,
        "imMaxInt": 512,
        "imDatPrb_type": 0,
        "imDatPrb_pn": "NP1000",
        "imDatPrb_sn": "18005116102",
        "imDatPrb_port": 1,
        "imDatPrb_slot": 2,
        "appVersion": "20230101",
        "fileName": "lab_g0_t0.imec0.ap.bin",
        "~imroTbl": f"(0,{n_channels}){gains}",
        "~snsShankMap": f"(1,2,480){sites}",
        "~snsGeomMap": f"(NP1000,1,0,70){places}",
        "~snsChanMap": f"({n_channels},0,1){names}",
    }
    text = "".join(f"{name}={value}\n" for name, value in meta.items())
    (folder / "lab_g0_t0.imec0.ap.meta").write_text(text)


def unit_table(folder):
    with (folder / "units.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_step_02_an_own_recording(lab):
    """The newcomer has a SpikeGLX folder. Here its traces are simulated."""
    scene = demo_scene(3)
    said = scene.model_dump()
    said |= {"duration_s": DURATION_S}
    simulation = simulate(type(scene).parse(said, "scene"))
    traces = simulation.recording.read(0, int(DURATION_S * RATE_HZ))
    write_spikeglx(lab / "run_g0", traces[:, :N_CHANNELS])


def test_step_03_sort(lab):
    said = embersort("sort", "run_g0", "--stream", "imec0.ap", "-o", "sorted", cwd=lab)
    assert " units" in said
    assert len(unit_table(lab / "sorted")) >= 4


def test_step_04_open_the_report(lab):
    page = (lab / "sorted" / "report.html").read_text("utf-8")
    assert 'id="pack-traces"' in page  # it shows the recording itself
    assert "Merges" in page


def test_steps_05_and_06_label_two_units_and_accept_one_merge(lab):
    """In the report: two labels, A for one pair, *Save curation.json*.

    That the page saves this very file is shown in tests/report/test_report_pairs.py.
    """
    ids = [int(row["unit_id"]) for row in unit_table(lab / "sorted")]
    good, multi, *pair = ids[:4]
    curation = {
        "format_version": "2",
        "unit_ids": ids,
        "label_definitions": {
            "quality": {"label_options": ["good", "mua", "noise"], "exclusive": True}
        },
        "manual_labels": [
            {"unit_id": good, "labels": {"quality": ["good"]}},
            {"unit_id": multi, "labels": {"quality": ["mua"]}},
        ],
        "merges": [{"unit_ids": pair}],
        "splits": [],
        "removed": [],
    }
    (lab / "curation.json").write_text(json.dumps(curation))


def test_step_07_apply(lab):
    before = unit_table(lab / "sorted")
    embersort("curate", "sorted", "--apply", "curation.json", cwd=lab)
    after = unit_table(lab / "sorted")
    assert len(after) == len(before) - 1
    assert [row["label"] for row in after if row["label"]] == ["good", "mua"]
    # No spike is lost, and the sort as it was is still there.
    assert sum(int(r["n_spikes"]) for r in after) == sum(int(r["n_spikes"]) for r in before)
    assert unit_table(lab / "sorted" / "original") == before


def test_step_08_export_to_phy(lab):
    pytest.importorskip("pandas")
    embersort("export", "sorted", "--to", "phy", "-o", "phy", cwd=lab)
    groups = (lab / "phy" / "cluster_group.tsv").read_text().split()
    assert "good" in groups
    assert "mua" in groups


def test_step_09_export_to_nwb(lab):
    pynwb = pytest.importorskip("pynwb")
    embersort("export", "sorted", "--to", "nwb", "-o", "lab.nwb", cwd=lab)
    with pynwb.NWBHDF5IO(lab / "lab.nwb", "r", load_namespaces=True) as file:
        assert len(file.read().units) == len(unit_table(lab / "sorted"))


def test_step_10_go_on_in_spikeinterface(lab):
    from spikeinterface.core import load

    sorting = load(lab / "sorted" / "sorting")
    assert len(sorting.unit_ids) == len(unit_table(lab / "sorted"))
    assert set(sorting.get_property("label")) == {"", "good", "mua"}
    assert "predicted_accuracy" in sorting.get_property_keys()
