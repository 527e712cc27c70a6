"""Specs, command lines, environments, containers: with stand-ins where the real thing is absent."""

import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from test_run import requests

from embersort.benchmark.exchange import StoredRecording
from embersort.benchmark.process import Limits, ProcessResult
from embersort.benchmark.run import carry_out
from embersort.benchmark.sorters import environments
from embersort.benchmark.sorters.catalogue import SORTERS, SPIKEINTERFACE, find_sorter
from embersort.benchmark.sorters.commands import worker_command
from embersort.benchmark.sorters.engines import (
    COST,
    RECIPES,
    WORKERS,
    build_image,
    container_result,
    image_file,
)
from embersort.benchmark.sorters.environments import MARKER, find_installation, worker_hash
from embersort.errors import BadInput, MissingDependency


def stored(tmp_path, n_channels=4, pitch_um=20.0, rate_hz=30_000.0):
    return StoredRecording(
        folder=tmp_path,
        content="0" * 64,
        n_samples=1000,
        n_channels=n_channels,
        sampling_rate_hz=rate_hz,
        uv_per_count=0.1,
        positions_um=[[0.0, pitch_um * i] for i in range(n_channels)],
        shank_index=[0] * n_channels,
        drift_um=0.0,
        has_truth=True,
    )


def test_every_sorter_is_described_and_has_its_files():
    for name, spec in SORTERS.items():
        assert spec.name == name
        assert spec.licence
        assert spec.settings_source
        assert (WORKERS / spec.worker).is_file()
        if spec.image:
            assert (RECIPES / f"{name}.Dockerfile").is_file()
        elif name != "embersort":
            assert spec.environment
            assert spec.requirements


def test_kilosort_settings_follow_its_documentation(tmp_path):
    spec = SORTERS["kilosort4"]
    tetrode = spec.parameters_for(stored(tmp_path, 4), {})
    assert tetrode == {"nblocks": 0, "do_CAR": False, "nearest_chans": 4, "nt": 61}
    dense = spec.parameters_for(stored(tmp_path, 128), {})
    assert dense == {"nearest_chans": 10, "nt": 61}
    sparse = spec.parameters_for(stored(tmp_path, 128, pitch_um=60.0), {"nearest_chans": 5})
    assert sparse == {"nblocks": 0, "nearest_chans": 5, "nt": 61}
    few = spec.parameters_for(stored(tmp_path, 16, pitch_um=60.0), {})
    assert few["nearest_templates"] == 16
    assert spec.parameters_for(stored(tmp_path, rate_hz=20_000.0), {})["nt"] == 41
    assert spec.parameters_for(stored(tmp_path, 1), {})["nblocks"] == 0
    columns = replace(
        stored(tmp_path, 5), positions_um=[[0, 0], [25, 10], [0, 20], [25.0001, 30], [60, 0]]
    )
    # The median lateral distance between contacts: 25 and 35 here.
    assert spec.parameters_for(columns, {})["dminx"] == 30.0


def test_mountainsort_schemes_share_an_environment():
    schemes = ["mountainsort5", "mountainsort5-scheme1", "mountainsort5-scheme3"]
    assert [SORTERS[name].parameters["scheme"] for name in schemes] == ["2", "1", "3"]
    assert len({SORTERS[name].environment for name in schemes}) == 1


def test_what_is_not_installed_says_how_to_get_it(home):
    for name in ("lupin", "kilosort4", "spikesift"):
        with pytest.raises(MissingDependency, match="embersort bench install"):
            find_installation(SORTERS[name], home)


def fake_python(home, name, answer, code=0):
    path = home.environments / name / "bin" / "python"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho '{json.dumps(answer)}'\nexit {code}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_the_version_and_all_that_is_installed_decide_the_key(home):
    spec = SORTERS["spikesift"]
    fake_python(home, "spikesift", {"python": "3.11", "packages": {"spikesift": "1", "numpy": "2"}})
    first = find_installation(spec, home)
    assert first.version == "1"
    marker = home.environments / "spikesift" / MARKER
    marker.write_text(marker.read_text().replace('"numpy": "2"', '"numpy": "3"'))
    assert find_installation(spec, home).digest != first.digest


def test_an_incomplete_or_broken_environment_is_named(home):
    fake_python(home, "spikesift", {"python": "3.11", "packages": {}})
    with pytest.raises(MissingDependency, match="lacks the package spikesift"):
        find_installation(SORTERS["spikesift"], home)
    fake_python(home, "lupin-broken", {}, code=1)
    (home.environments / "lupin-broken").rename(home.environments / "spikeinterface")
    with pytest.raises(MissingDependency, match="does not start"):
        find_installation(SORTERS["lupin"], home)


def test_what_a_worker_takes_from_another_counts_too(tmp_path, monkeypatch):
    monkeypatch.setattr(environments, "WORKERS", tmp_path)
    (tmp_path / "exchange_io.py").write_text("")
    (tmp_path / "run_alone.py").write_text("from exchange_io import read_job\n")
    (tmp_path / "run_both.py").write_text(
        "from exchange_io import read_job\nfrom run_alone import x\n"
    )
    alone, both = (replace(SORTERS["simple"], worker=f"run_{n}.py") for n in ("alone", "both"))
    before = worker_hash(alone), worker_hash(both)
    with (tmp_path / "run_alone.py").open("a") as file:
        file.write("x = 1\n")
    assert worker_hash(both) != before[1]
    before = worker_hash(alone), worker_hash(both)
    with (tmp_path / "run_both.py").open("a") as file:
        file.write("y = 1\n")
    assert worker_hash(alone) == before[0]
    assert worker_hash(both) != before[1]


def fake_engine(tmp_path, monkeypatch, name="docker", script="echo sha256:abc"):
    folder = tmp_path / "bin"
    folder.mkdir(exist_ok=True)
    engine = folder / name
    engine.write_text(f"#!/bin/sh\n{script}\n")
    engine.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return engine


JOB = {"recording_folder": "/data/rec", "output_folder": "x", "work_folder": "y"}


def test_a_container_gets_the_recording_read_only_and_no_network(home, tmp_path, monkeypatch):
    engine = fake_engine(tmp_path, monkeypatch)
    spec = SORTERS["ironclust"]
    installation = find_installation(spec, home)
    assert installation.digest == "sha256:abc"
    limits = Limits(time_s=600, memory_gib=12.5, n_threads=3)
    command = worker_command(spec, installation, JOB, tmp_path, limits, home)
    assert command[:6] == [str(engine), "run", "--rm", "--init", "--network", "none"]
    assert "/data/rec:/job/recording:ro" in command
    at = command.index("timeout")
    # The engine's client is our child, what it starts is not: it must keep to the limits itself.
    assert command[at - 1 :] == [
        *("embersort-bench/ironclust:1", "timeout", "630", "python3", "/job/workers/measured.py"),
        *("/job/files/cost.json", "/job/workers/run_spikeinterface.py", "/job/files/job.json"),
    ]
    assert "--gpus" not in command
    assert command[command.index("--memory") + 1] == "12.5g"
    assert command[command.index("--cpus") + 1] == "3"
    assert "OMP_NUM_THREADS=3" in command
    # Else its files would be root's, and stay.
    assert command[command.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
    assert "HOME=/job/files/work" in command
    written = json.loads((tmp_path / "job.json").read_text())
    assert written["recording_folder"] == "/job/recording"
    gpu = worker_command(SORTERS["kilosort3"], installation, JOB, tmp_path, limits, home)
    assert gpu[gpu.index("--gpus") + 1] == "all"


def test_podman_keeps_the_user(home, tmp_path, monkeypatch):
    fake_engine(tmp_path, monkeypatch, name="podman")
    installation = find_installation(SORTERS["yass"], home)
    command = worker_command(SORTERS["yass"], installation, JOB, tmp_path, Limits(), home)
    assert command[command.index("--userns") + 1] == "keep-id"
    assert "--user" not in command


@pytest.mark.parametrize("name", ["apptainer", "singularity"])
def test_apptainer_gets_the_same(home, tmp_path, monkeypatch, name):
    engine = fake_engine(tmp_path, monkeypatch, name=name)
    image = home.images / "embersort-bench_yass_1.sif"
    with pytest.raises(MissingDependency, match=str(image)):
        find_installation(SORTERS["yass"], home)
    home.images.mkdir()
    image.write_bytes(b"image")
    assert image_file(SORTERS["yass"], home) == image
    installation = find_installation(SORTERS["yass"], home)
    command = worker_command(SORTERS["yass"], installation, JOB, tmp_path, Limits(), home)
    assert command[:6] == [str(engine), "exec", "--containall", "--net", "--network", "none"]
    assert "/data/rec:/job/recording:ro" in command
    assert command[-5:-3] == ["--nv", str(image)]
    with pytest.raises(BadInput, match=r"does not read Dockerfiles.*docker-archive:image.tar"):
        build_image(SORTERS["yass"], home)


def test_an_image_is_built_or_the_engine_is_quoted(home, tmp_path, monkeypatch):
    fake_engine(tmp_path, monkeypatch, script=f"echo $@ >> {tmp_path}/asked")
    build_image(SORTERS["yass"], home)
    asked = (tmp_path / "asked").read_text().splitlines()[-1]
    assert asked.startswith("build --tag embersort-bench/yass:1 --file ")
    fake_engine(tmp_path, monkeypatch, script='[ "$1" = info ] || { echo no base >&2; exit 1; }')
    with pytest.raises(BadInput, match="failed: no base"):
        build_image(SORTERS["yass"], home)
    fake_engine(tmp_path, monkeypatch, script="echo no daemon >&2; exit 1")
    with pytest.raises(MissingDependency, match="docker does not answer"):
        build_image(SORTERS["yass"], home)


def test_what_a_run_in_a_container_cost_is_not_that_of_the_client(tmp_path):
    client = ProcessResult(
        outcome="failed", exit_code=137, wall_s=9.0, cpu_s=0.1, peak_memory_mib=20.0
    )
    assert container_result(client, tmp_path).outcome == "out_of_memory"
    (tmp_path / COST).write_text('{"cpu_s": 7.5, "peak_memory_mib": 900}')
    result = container_result(client, tmp_path)
    assert (result.wall_s, result.cpu_s, result.peak_memory_mib) == (9.0, 7.5, 900.0)
    (tmp_path / COST).write_text("half of a")
    assert container_result(client, tmp_path).cpu_s == 0.1


def test_a_script_is_measured_and_its_death_is_told(tmp_path):
    script = tmp_path / "script.py"
    script.write_text("import os, sys\nsum(range(10**7))\nos.kill(os.getpid(), int(sys.argv[1]))")
    call = [sys.executable, str(WORKERS / "measured.py"), str(tmp_path / COST), str(script)]
    assert subprocess.run([*call, "0"], check=False).returncode == 0
    cost = json.loads((tmp_path / COST).read_text())
    assert cost["cpu_s"] > 0.05
    assert cost["peak_memory_mib"] > 5
    assert subprocess.run([*call, "9"], check=False).returncode == 137


def test_images_are_pinned_and_bring_a_python_that_is_new_enough():
    version = SPIKEINTERFACE.partition("==")[2]
    for spec in SORTERS.values():
        if spec.image:
            recipe = (RECIPES / f"{spec.name}.Dockerfile").read_text()
            base = recipe.partition("FROM ")[2].split()[0]
            assert base.startswith("spikeinterface/")
            assert not base.endswith(":latest")
            assert ":" in base
            assert "--python 3.11" in recipe
            # The worker imports SpikeInterface, of the version that the others get.
            assert f"spikeinterface=={version}" in recipe
            assert recipe.rstrip().splitlines()[-1].startswith('ENV PATH="/opt/spikeinterface/bin:')
            # A fixed program, not whatever it is today.
            assert re.fullmatch(r"\S+:[0-9.]+", base)
            assert not re.search(r"COPY --from=\S+:latest", recipe)


def test_without_an_engine_or_image_it_says_so(home, tmp_path, monkeypatch):
    fake_engine(tmp_path, monkeypatch, script='[ "$1" = info ]')
    with pytest.raises(MissingDependency, match="needs the container image"):
        find_installation(SORTERS["ironclust"], home)
    fake_engine(tmp_path, monkeypatch, script="exit 1")
    with pytest.raises(MissingDependency, match="docker does not answer"):
        find_installation(SORTERS["ironclust"], home)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(MissingDependency, match="no container engine"):
        find_installation(SORTERS["ironclust"], home)


def test_an_unknown_sorter_gets_a_hint(home):
    with pytest.raises(BadInput, match="did you mean 'kilosort4'"):
        find_sorter("kilosort-4", home)


def test_dartsort_gets_round_positions_and_never_waits_for_a_dead_thread():
    """Its worker runs in another environment: here with stand-ins for SpikeInterface."""
    script = f"""
import sys, threading, time, types
sys.path.insert(0, {str(WORKERS)!r})
import numpy as np
import run_dartsort

class Recording:
    def get_channel_locations(self):
        return np.array([[10.0, 0.0], [6e-16, 10.0]])
    def get_probe(self):
        return types.SimpleNamespace(shank_ids=np.array(["0", "0"]))
    def set_probe(self, probe):
        self.positions = probe.contact_positions

recording = run_dartsort.with_round_positions(Recording())
print(recording.positions.tolist(), flush=True)
threading.excepthook = run_dartsort.end_at_error
threading.Thread(target=lambda: 1 / 0, daemon=True).start()
time.sleep(30)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=25, check=False
    )
    assert done.stdout.strip() == "[[10.0, 0.0], [0.0, 10.0]]"
    assert done.returncode == 1
    assert "ZeroDivisionError" in done.stderr


def test_dartsort_without_network_gets_settings_that_the_wrapper_does_not_take(tmp_path):
    """Its worker runs in another environment: here with stand-ins for DARTsort and the probe."""
    parameters = SORTERS["dartsort-threshold"].parameters
    job = {"parameters": parameters, "n_threads": 3, "work_folder": str(tmp_path)}
    (tmp_path / "job.json").write_text(json.dumps(job))
    script = f"""
import json, sys, types
sys.path.insert(0, {str(WORKERS)!r})
import run_dartsort_alone as worker

def dartsort(recording, folder, cfg):
    print(json.dumps([recording, folder.name, cfg]))
    return {{"sorting": types.SimpleNamespace(to_numpy_sorting=lambda: "units")}}

sys.modules["dartsort"] = types.SimpleNamespace(dartsort=dartsort)
sys.modules["dartsort.config"] = types.SimpleNamespace(DeveloperConfig=dict)
worker.open_with_spikeinterface = lambda job: "traces"
worker.with_round_positions = lambda recording: recording
worker.write_spikeinterface_sorting = lambda job, sorting: print(sorting)
worker.main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "job.json")],
        capture_output=True,
        text=True,
        check=True,
    )
    call, written = done.stdout.splitlines()
    assert json.loads(call) == ["traces", "sorter", {"n_jobs_small": 3, **parameters}]
    assert written == "units"


def test_a_container_job_runs_from_files_to_scores(home, tmp_path, monkeypatch):
    stand_in = Path(__file__).parent / "stand_in_engine.py"
    fake_engine(tmp_path, monkeypatch, script=f'exec {sys.executable} {stand_in} "$@"')
    limits = Limits(time_s=60, memory_gib=2, disk_gib=1, n_threads=1)
    row = carry_out(requests(home, "ironclust", names=["TINY/pair/a"], limits=limits)[0], home)
    assert (row.outcome, row.error) == ("ok", "")
    assert row.scores["one_to_one"]["summary"]["accuracy"] == 1.0
    assert row.result["sorter_digest"] == "sha256:abc"
    # Its cost is that of the container, as measured.py left it; the client's own would be less.
    assert row.result["cpu_s"] > 0.01
    assert row.result["peak_memory_mib"] > 10
