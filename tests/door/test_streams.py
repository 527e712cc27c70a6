"""Recordings as acquisition systems write them: the stream with the spikes is found."""

import json
import struct

import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.recording import open_recording
from embersort.recording.streams import Stream, stream_with_spikes

RATE_HZ = 30_000.0
rng = np.random.default_rng(0)


def counts(n_samples, n_channels):
    return (20 * rng.normal(size=(n_samples, n_channels))).astype("<i2")


def spikeglx_file(folder, name, kind, values, rate_hz):
    """Write a ``.bin`` and its ``.meta`` as SpikeGLX does: contacts, and a word to synchronise."""
    n_channels = values.shape[1] - (kind != "nidq")
    ap, lf = (n_channels if kind == one else 0 for one in ("ap", "lf"))
    lines = {
        "fileName": str(folder / f"{name}.bin"),
        "fileSizeBytes": values.nbytes,
        "nSavedChans": values.shape[1],
        "fileTimeSecs": len(values) / rate_hz,
        "fileCreateTime": "2024-01-01T00:00:00",
        "firstSample": 0,
        "snsSaveChanSubset": "all",
    }
    if kind == "nidq":
        names = [f"XA{i};{i}:{i}" for i in range(values.shape[1])]
        lines |= {
            "typeThis": "nidq",
            "niSampRate": rate_hz,
            "niAiRangeMax": 5,
            "niMNGain": 1,
            "niMAGain": 1,
            "niMaxInt": 32768,
            "snsMnMaXaDw": f"0,0,{values.shape[1]},0",
            "acqMnMaXaDw": f"0,0,{values.shape[1]},0",
        }
    else:
        letter = kind.upper()
        names = [f"{letter}{i};{i}:{i}" for i in range(n_channels)] + [f"SY0;{n_channels}:0"]
        entry = "({0} 0 0 500 250 1)"
        shank = "".join(f"(0:{i % 2}:{i // 2}:1)" for i in range(n_channels))
        geometry = "".join(f"(0:{27 + 32 * (i % 2)}:{20 * (i // 2)}:1)" for i in range(n_channels))
        lines |= {
            "typeThis": "imec",
            "imSampRate": rate_hz,
            "imAiRangeMax": 0.6,
            "imAiRangeMin": -0.6,
            "imMaxInt": 512,
            "imDatPrb_type": 0,
            "imDatPrb_pn": "NP1000",
            "imDatPrb_sn": "123",
            "imDatPrb_slot": 2,
            "imDatPrb_port": 1,
            "imDatPrb_dock": 1,
            "snsApLfSy": f"{ap},{lf},1",
            "acqApLfSy": "384,384,1",
            "~imroTbl": f"(0,{384})" + "".join(entry.format(i) for i in range(384)),
            "~snsShankMap": f"(1,2,480){shank}",
            "~snsGeomMap": f"(NP1000,1,0,70){geometry}",
        }
        lines["snsSaveChanSubset"] = f"0:{n_channels - 1},768"
    lines["~snsChanMap"] = f"({ap},{lf},1)" + "".join(f"({one})" for one in names)
    values.tofile(folder / f"{name}.bin")
    text = "\n".join(f"{key}={value}" for key, value in lines.items())
    (folder / f"{name}.meta").write_text(text + "\n")


@pytest.fixture
def spikeglx(tmp_path):
    """An ordinary run: action-potential band, field potentials, and an auxiliary box."""
    folder = tmp_path / "run_g0"
    probe = folder / "run_g0_imec0"
    probe.mkdir(parents=True)
    values = counts(6000, 385)
    spikeglx_file(probe, "run_g0_t0.imec0.ap", "ap", values, RATE_HZ)
    spikeglx_file(probe, "run_g0_t0.imec0.lf", "lf", counts(500, 385), 2500)
    spikeglx_file(folder, "run_g0_t0.nidq", "nidq", counts(5000, 4), 25_000)
    return folder, values


def test_spikeglx_folder(spikeglx, caplog):
    folder, values = spikeglx
    recording = open_recording(folder)
    assert recording.n_channels == 384
    gain = 0.6 / 512 / 500 * 1e6
    np.testing.assert_allclose(recording.read(5, 9), values[5:9, :384] * gain, rtol=1e-5)
    assert "'imec0.ap' (384 channels, 30 kHz) is taken; left are" in caplog.text
    for left in ("imec0.lf", "nidq", "imec0.ap-SYNC"):
        assert left in caplog.text


def test_spikeglx_file(spikeglx):
    folder, _ = spikeglx
    file = next(folder.rglob("*.ap.bin"))
    assert open_recording(file).n_channels == 384


def test_intan_amplifier_beside_auxiliary_channels(tmp_path, caplog):
    values = intan_file(tmp_path / "x.rhd", n_amplifier=4, n_blocks=40)
    recording = open_recording(tmp_path / "x.rhd", probe="tetrode")
    assert "amplifier channel' (4 channels, 30 kHz) is taken" in caplog.text
    expected = (values[:50].astype(float) - 32768) * 0.195
    np.testing.assert_allclose(recording.read(0, 50), expected, atol=1e-2)


def intan_file(path, *, n_amplifier, n_blocks):
    """Write a small ``.rhd`` of version 3.0: amplifier, auxiliary and supply channels."""

    def text(words):
        data = words.encode("utf-16-le")
        return struct.pack("<I", len(data)) + data

    def channel(name, signal_type, order):
        numbers = (order, order, signal_type, 1, order, 0, 0, 0, 0, 0)
        return text(name) * 2 + struct.pack("<10h", *numbers) + struct.pack("<2f", 0, 0)

    header = struct.pack("<I2h", 0xC6912702, 3, 0) + struct.pack("<f", RATE_HZ)
    header += struct.pack("<h6f", 1, *[1.0] * 6) + struct.pack("<h2f", 0, 1000, 1000)
    header += text("") * 3 + struct.pack("<2h", 0, 0) + text("")
    n_auxiliary = 3
    channels = [(f"A-{i:03}", 0) for i in range(n_amplifier)]
    channels += [(f"A-AUX{i}", 1) for i in range(n_auxiliary)] + [("A-VDD", 2)]
    header += struct.pack("<h", 1) + text("Port A") + text("A")
    header += struct.pack("<3h", 1, len(channels), n_amplifier)
    header += b"".join(channel(name, kind, i) for i, (name, kind) in enumerate(channels))
    block = 128
    values = (32768 + 50 * rng.normal(size=(n_blocks * block, n_amplifier))).astype("<u2")
    with path.open("wb") as file:
        file.write(header)
        for b in range(n_blocks):
            file.write(np.arange(b * block, (b + 1) * block, dtype="<i4").tobytes())
            file.write(values[b * block : (b + 1) * block].T.tobytes())
            file.write(np.full((n_auxiliary, block // 4), 100, "<u2").tobytes())
            file.write(np.full(1, 100, "<u2").tobytes())
    return values


def test_open_ephys_leaves_field_potentials_and_auxiliary_channels(tmp_path, caplog):
    streams = (("ProbeA-AP", 4, RATE_HZ), ("ProbeA-LFP", 4, 2500.0), ("NI-DAQmx", 8, RATE_HZ))
    folder = tmp_path / "Record Node 104" / "experiment1" / "recording1"
    described = []
    for node, (name, n_channels, rate_hz) in enumerate(streams, start=100):
        place = f"Neuropix-PXI-{node}.{name}"
        (folder / "continuous" / place).mkdir(parents=True)
        values = counts(3000, n_channels)
        values.tofile(folder / "continuous" / place / "continuous.dat")
        np.save(folder / "continuous" / place / "sample_numbers.npy", np.arange(3000))
        np.save(folder / "continuous" / place / "timestamps.npy", np.arange(3000) / rate_hz)
        channels = [
            {"channel_name": f"CH{i}", "bit_volts": 0.195, "units": "uV"} for i in range(n_channels)
        ]
        described.append(
            {
                "folder_name": place + "/",
                "sample_rate": rate_hz,
                "source_processor_name": "Neuropix-PXI",
                "source_processor_id": node,
                "stream_name": name,
                "recorded_processor": "Record Node",
                "recorded_processor_id": 104,
                "num_channels": n_channels,
                "channels": channels,
            }
        )
    text = {"GUI version": "0.6.4", "continuous": described, "events": [], "spikes": []}
    (folder / "structure.oebin").write_text(json.dumps(text))
    recording = open_recording(tmp_path, probe="tetrode")
    assert recording.n_channels == 4
    assert recording.sampling_rate_hz == RATE_HZ
    assert "ProbeA-AP' (4 channels, 30 kHz) is taken" in caplog.text


def stream(name, n_channels=32, rate_hz=RATE_HZ):
    return Stream(name=name, id=name, n_channels=n_channels, sampling_rate_hz=rate_hz)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        ([("nsx2", 1000.0), ("nsx6", RATE_HZ)], "nsx6"),
        ([("Stream (rate,#packets)", 32_000.0), ("Stream slow", 1000.0)], "Stream (rate,#packets)"),
        (
            [("WB-Wideband", 40_000.0), ("FP-FieldPotential", 1000.0), ("AI", 40_000.0)],
            "WB-Wideband",
        ),
        (
            [
                ("RHS2000 amplifier channel", RATE_HZ),
                ("DC Amplifier channel", RATE_HZ),
                ("Stim channel", RATE_HZ),
            ],
            "RHS2000 amplifier channel",
        ),
        (
            [
                ("Acquisition_Board-100.acquisition_board", RATE_HZ),
                ("Acquisition_Board-100.acquisition_board_ADC", RATE_HZ),
            ],
            "Acquisition_Board-100.acquisition_board",
        ),
    ],
)
def test_the_stream_that_can_hold_spikes(names, chosen, tmp_path):
    streams = [stream(name, rate_hz=rate_hz) for name, rate_hz in names]
    assert stream_with_spikes(streams, tmp_path).name == chosen


def test_two_probes_are_a_question(tmp_path):
    streams = [stream("imec0.ap"), stream("imec1.ap"), stream("imec0.lf", rate_hz=2500.0)]
    with pytest.raises(
        BadInput, match=r"'imec0\.ap' .*, 'imec1\.ap' .*; choose with --stream"
    ) as error:
        stream_with_spikes(streams, tmp_path)
    assert "imec0.lf" not in str(error.value)


def test_a_file_of_spikes_alone_is_said_to_be_that(tmp_path):
    plexon_file(tmp_path / "x.plx", n_units=2)
    with pytest.raises(BadInput, match=r"holds spikes of .* but no continuous traces"):
        open_recording(tmp_path / "x.plx", probe="tetrode")


def plexon_file(path, *, n_units):
    """Write a ``.plx`` of one spike channel, its units' waveforms, and no slow channel."""
    from neo.rawio.plexonrawio import DataBlockHeader, DspChannelHeader, GlobalHeader

    n_points = 32
    head = np.zeros(1, GlobalHeader)
    head["MagicNumber"], head["Version"] = 1480936528, 106
    head["ADFrequency"] = head["WaveformFreq"] = 40_000
    head["NumDSPChannels"], head["NumPointsWave"], head["NumPointsPreThr"] = 1, n_points, 8
    head["Year"], head["Month"], head["Day"] = 2024, 1, 1
    head["BitsPerSpikeSample"] = head["BitsPerSlowSample"] = 12
    head["SpikeMaxMagnitudeMV"], head["SpikePreAmpGain"] = 3000, 1000
    channel = np.zeros(1, DspChannelHeader)
    channel["Name"], channel["Channel"], channel["Gain"] = b"sig001", 1, 32
    channel["NUnits"] = n_units
    with path.open("wb") as file:
        file.write(head.tobytes() + channel.tobytes())
        for i in range(20):
            block = np.zeros(1, DataBlockHeader)
            block["Type"], block["Channel"], block["Unit"] = 1, 1, 1 + i % n_units
            block["TimeStamp"] = 1000 * (i + 1)
            block["NumberOfWaveforms"], block["NumberOfWordsInWaveform"] = 1, n_points
            file.write(block.tobytes() + counts(n_points, 1).tobytes())


def nwb_file(path, rates_hz):
    """Write an NWB file with a series of each name and rate."""
    from datetime import UTC, datetime

    pynwb = pytest.importorskip("pynwb")
    file = pynwb.NWBFile("x", "x", datetime(2024, 1, 1, tzinfo=UTC))
    group = file.create_electrode_group("g", "x", "x", file.create_device("d"))
    for _ in range(4):
        file.add_electrode(location="x", group=group)
    region = file.create_electrode_table_region([0, 1, 2, 3], "all")
    for name, rate_hz in rates_hz.items():
        series = pynwb.ecephys.ElectricalSeries(
            name, counts(3000, 4), region, rate=rate_hz, conversion=1e-6
        )
        file.add_acquisition(series)
    file.add_unit(spike_times=[0.1])
    with pynwb.NWBHDF5IO(str(path), "w") as opened:
        opened.write(file)
    return path


def test_series_of_nwb(tmp_path):
    two = nwb_file(tmp_path / "two.nwb", {"AP": RATE_HZ, "Slow": 1250.0})
    assert open_recording(two, probe="tetrode").sampling_rate_hz == RATE_HZ
    same = nwb_file(tmp_path / "same.nwb", {"a": RATE_HZ, "b": RATE_HZ})
    with pytest.raises(BadInput, match=r"'acquisition/a' .*choose with --stream"):
        open_recording(same, probe="tetrode")
    assert open_recording(same, probe="tetrode", stream="acquisition/b").n_channels == 4
    with pytest.raises(BadInput, match="holds no continuous traces"):
        open_recording(nwb_file(tmp_path / "spikes.nwb", {}), probe="tetrode")
