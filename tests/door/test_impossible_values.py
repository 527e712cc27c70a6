"""What cannot be voltages is missing, or not what it was said to be."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
from spikeinterface.core import NumpyRecording

from embersort.errors import BadInput
from embersort.recording import Excerpt, account_of, open_recording
from embersort.recording.misread import header_bytes, likely_n_channels, likely_type
from embersort.report import write_report

RATE_HZ = 30_000.0
N_CHANNELS = 6


def traces_uv(n_samples=12_000, n_channels=N_CHANNELS, seed=0, shared=0.6):
    """Noise as an amplifier gives it: smooth in time, partly shared, with an offset."""
    rng = np.random.default_rng(seed)
    white = rng.normal(size=(n_samples + 2, n_channels))
    white = np.sqrt(1 - shared) * white + np.sqrt(shared) * rng.normal(size=(n_samples + 2, 1))
    smooth = white[2:] + 0.8 * white[1:-1] + 0.3 * white[:-2]
    return 10 * smooth + rng.normal(scale=60, size=n_channels)


def opened(values, **options):
    how = {"sampling_rate_hz": RATE_HZ, "probe": "linear:20", "channels_first": False}
    return open_recording(values, **{**how, **options})


@pytest.mark.parametrize("value", [1e30, -9.97e36, 1e9, np.nan, -np.inf])
def test_an_impossible_sample_is_missing_and_listed(value, caplog):
    values = traces_uv().astype(np.float32)
    values[700:703, 4] = value
    recording = opened(values)
    np.testing.assert_array_equal(recording.read(690, 710)[10:13, 4], 0)
    np.testing.assert_array_equal(recording.read(0, 690), values[:690])
    recording.read(701, 800)
    assert account_of(recording)["missing"] == {
        "n_values": 3,
        "ranges": [{"channel": 4, "start_sample": 700, "stop_sample": 703}],
        "all_listed": True,
    }
    assert "3 of the values in samples 690 to 710" in caplog.text
    assert "the first in channel 4 at sample 700" in caplog.text
    assert len(caplog.records) == 1


def test_places_count_from_the_start_of_what_is_sorted():
    values = traces_uv().astype(np.float32)
    values[[100, 700]] = np.nan
    part = Excerpt(recording=opened(values), start_sample=600, n_samples=5000)
    part.recording.read(0, 6000)
    missing = account_of(part)["missing"]
    assert missing["n_values"] == N_CHANNELS
    assert {one["start_sample"] for one in missing["ranges"]} == {100}


def test_gaps_filled_with_one_value_are_missing_not_another_type():
    values = traces_uv().astype(np.float32)
    values[2000:9000] = 9.97e36
    recording = opened(values)
    assert np.abs(recording.read(0, 12_000)).max() < 1000
    assert account_of(recording)["missing"]["n_values"] == 7000 * N_CHANNELS


def test_a_saturated_recording_has_nothing_missing():
    values = (traces_uv() * 20).astype(np.int16)
    values[500:600] = 32767
    recording = opened(values, gain_uv=0.195)
    recording.read(0, 12_000)
    assert account_of(recording)["missing"]["n_values"] == 0


@pytest.mark.parametrize("said", ["float32", "float64"])
def test_short_integers_read_as_real_numbers_are_refused(tmp_path, said):
    (traces_uv() / 0.195).astype("<i2").tofile(tmp_path / "x.dat")
    with pytest.raises(BadInput, match="looks like int16"):
        opened(tmp_path / "x.dat", dtype=said, n_channels=2)


@pytest.mark.parametrize(
    ("true", "said", "likely"),
    [
        ("<i2", "<i4", "int16"),
        (">i2", "<i2", "int16, big-endian"),
        ("<u2", "<i2", "uint16"),
        ("<i2", "<u2", "int16"),
        ("<f4", "<i2", "float32"),
        ("<f8", "<f4", "float64"),
        ("<i4", "<i2", "int32"),
        ("<i2", "<i2", None),
        ("<u2", "<u2", None),
        ("<f4", "<f4", None),
        ("<i4", "<i4", None),
    ],
)
def test_the_likely_type(true, said, likely):
    offset = 32768 if "u" in true else 0
    data = (traces_uv() / 0.195 + offset).astype(true).tobytes()
    found = likely_type(data, N_CHANNELS, np.dtype(said))
    assert found == likely or (likely and found.startswith(likely))


@pytest.mark.parametrize("said", [1, 3, 4, 5, 7, 8, 12, 16])
@pytest.mark.parametrize("shared", [0.0, 0.6])
def test_a_wrong_number_of_channels_shows(said, shared):
    flat = traces_uv(40_000, 6, shared=shared).reshape(-1)
    assert likely_n_channels(flat, said) == 6


@pytest.mark.parametrize("n_channels", [1, 2, 4, 6, 32])
@pytest.mark.parametrize("shared", [0.0, 0.6, 0.95])
def test_the_right_number_of_channels_is_never_doubted(n_channels, shared):
    rng = np.random.default_rng(1)
    smooth = traces_uv(20_000, n_channels, shared=shared)
    white = rng.normal(size=smooth.shape) + 3 * rng.normal(size=(len(smooth), 1)) * shared
    slow = 200 * np.sin(np.arange(len(smooth)) / 500)[:, None]
    common = traces_uv(20_000, 1) + white * np.linspace(1, 20, n_channels)
    for values in (smooth, white, smooth + slow, white + slow, np.round(white), common):
        assert likely_n_channels(values.reshape(-1), n_channels) is None


def test_a_wrong_number_of_channels_is_refused(tmp_path):
    (traces_uv(40_000) / 0.195).astype("<i2").tofile(tmp_path / "x.dat")
    with pytest.raises(BadInput, match="looks like 6; give that by --channels"):
        opened(tmp_path / "x.dat", dtype="int16", n_channels=8)


@pytest.mark.parametrize("header", [b"\x01" * 1024, b"NAME=probe 1\r\nRATE=30000\r\n" * 40])
def test_a_header_is_seen_and_skipped(tmp_path, header):
    values = (traces_uv() / 0.195).astype("<i2")
    header = header[: len(header) // 12 * 12]
    (tmp_path / "x.dat").write_bytes(header + values.tobytes())
    how = {"dtype": "int16", "n_channels": N_CHANNELS}
    with pytest.raises(BadInput, match="give its exact length by --skip-bytes"):
        opened(tmp_path / "x.dat", **how)
    recording = opened(tmp_path / "x.dat", skip_bytes=len(header), **how)
    np.testing.assert_array_equal(recording.read(0, 12_000), values)


def test_samples_are_no_header():
    for values in (traces_uv(), np.zeros((5000, 4)), np.full((5000, 4), 300)):
        assert header_bytes(values.astype("<i2").tobytes()) == 0


def test_volts_are_recognised(caplog):
    volts = (traces_uv() * 1e-6).astype(np.float32)
    recording = opened(volts)
    np.testing.assert_allclose(recording.read(0, 50), volts[:50] * 1e6, rtol=1e-5)
    assert "taken as volts" in caplog.text
    with pytest.raises(BadInput, match="µV per count: a million times as much"):
        opened((traces_uv() / 0.195).astype(np.int16), gain_uv=0.195e-6)


def test_gains_in_volt_are_recognised():
    counts = (traces_uv() / 0.195).astype(np.int16)
    recording = NumpyRecording([counts], RATE_HZ)
    recording.set_channel_gains(0.195e-6)
    recording.set_channel_offsets(0.0)
    opened_recording = opened(recording)
    np.testing.assert_allclose(opened_recording.read(0, 50), counts[:50] * 0.195, rtol=1e-5)


def test_values_that_are_no_voltages_are_refused():
    with pytest.raises(BadInput, match="check the sample type, and the gain"):
        opened((traces_uv() * 1e-40).astype(np.float32))
    with pytest.raises(BadInput, match="which no voltages are"):
        opened((traces_uv() * 1e30).astype(np.float32))
    counts = (traces_uv() / 0.195).astype(np.int16)
    recording = NumpyRecording([counts], RATE_HZ)
    recording.set_channel_gains(1e-40)
    recording.set_channel_offsets(0.0)
    with pytest.raises(BadInput, match="which no electrode's do; check the gain"):
        opened(recording)


def test_counts_are_called_counts(caplog):
    counts = (traces_uv() / 0.195).astype(np.int16)
    caplog.set_level(logging.WARNING)
    assert account_of(opened(counts))["unit"] == "counts"
    assert [record.getMessage() for record in caplog.records if "in counts" in record.getMessage()]
    caplog.clear()
    assert account_of(opened(counts, gain_uv=0.195))["unit"] == "µV"
    assert account_of(opened(traces_uv()))["unit"] == "µV"
    assert not caplog.records


def test_the_account_is_json():
    json.dumps(account_of(opened(traces_uv())))


def test_the_report_calls_counts_counts(result, tmp_path):
    for unit, said in (("counts", False), ("µV", True)):
        one = replace(result, provenance={"recording": {"unit": unit}})
        text = write_report(one, tmp_path / f"{said}.html").read_text("utf-8")
        assert ("µV" in text or "\\u00b5V" in text) == said
