"""Voices in folders, parts by speaker, sound files of any kind, mixtures at known levels."""

from __future__ import annotations

import numpy as np
import pytest

from embersort.errors import BadInput
from embersort.speech.mixtures import Mixture, MixtureConfig, draw_mixture, mix_signals, set_level
from embersort.speech.voices import find_voices, part_of, voices_of

soundfile = pytest.importorskip("soundfile")
from embersort.speech.audio import read_audio, write_audio  # noqa: E402
from embersort.speech.folders import write_mixture  # noqa: E402

TONE = np.sin(np.arange(4000) * 0.3).astype(np.float32) * 0.5


def level_db(signal):
    return 20 * np.log10(np.sqrt(np.mean(np.square(signal, dtype=np.float64))) / 0.1)


def test_any_rate_and_channel_count_becomes_mono_at_the_rate(tmp_path):
    time_s = np.arange(44100) / 44100
    tone = np.sin(2 * np.pi * 440 * time_s)
    soundfile.write(tmp_path / "a.flac", np.stack([tone, tone * 0.5, tone * 0], 1), 44100)
    signal = read_audio(tmp_path / "a.flac", 8000)
    assert signal.dtype == np.float32
    assert len(signal) == 8000
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(8000) / 8000)
    np.testing.assert_allclose(signal[200:-200], expected[200:-200], atol=5e-3)


def test_what_is_written_is_read_and_nothing_clips(tmp_path):
    write_audio(tmp_path / "a.wav", TONE, 8000)
    np.testing.assert_allclose(read_audio(tmp_path / "a.wav", 8000), TONE, atol=1e-4)
    write_audio(tmp_path / "b.wav", TONE * 8, 8000)
    np.testing.assert_allclose(
        read_audio(tmp_path / "b.wav", 8000), TONE / np.abs(TONE).max(), atol=1e-4
    )


def test_what_is_not_sound_is_one_clear_error(tmp_path):
    (tmp_path / "text.wav").write_text("no sound here")
    soundfile.write(tmp_path / "empty.wav", np.zeros(0), 8000)
    soundfile.write(tmp_path / "nan.wav", np.array([0, np.nan]), 8000, subtype="FLOAT")
    for name, message in {
        "text.wav": "cannot be read as sound",
        "empty.wav": "holds no samples",
        "nan.wav": "not finite",
        "none.wav": "is not a file",
    }.items():
        with pytest.raises(BadInput, match=message):
            read_audio(tmp_path / name, 8000)


def test_voices_are_found_by_folder_and_by_index(tmp_path):
    for name in ("ann/1.wav", "ann/deep/2.WAV", "bob/3.flac", "bob/notes.txt"):
        path = tmp_path / "by_folder" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    voices = find_voices(tmp_path / "by_folder")
    assert [(v.path.name, v.speaker) for v in voices] == [
        ("1.wav", "ann"),
        ("2.WAV", "ann"),
        ("3.flac", "bob"),
    ]
    indexed = tmp_path / "indexed"
    indexed.mkdir()
    (indexed / "index.csv").write_text("file,speaker\nx/1.flac,7\nx/1.flac,7\ny.flac,8\n")
    assert [(v.path, v.speaker) for v in find_voices(indexed)] == [
        (indexed / "x/1.flac", "7"),
        (indexed / "y.flac", "8"),
    ]


def test_folders_without_speakers_are_clear_errors(tmp_path):
    with pytest.raises(BadInput, match="is not a folder"):
        find_voices(tmp_path / "none")
    with pytest.raises(BadInput, match="fewer than two speakers"):
        find_voices(tmp_path)
    (tmp_path / "index.csv").write_text("path,who\na,b\n")
    with pytest.raises(BadInput, match="no columns file and speaker"):
        find_voices(tmp_path)


def test_a_speaker_is_in_one_part_and_parts_have_their_shares():
    parts = [part_of(str(number)) for number in range(2000)]
    assert parts == [part_of(str(number)) for number in range(2000)]
    assert parts.count("test") / 2000 == pytest.approx(0.15, abs=0.03)
    assert parts.count("validate") / 2000 == pytest.approx(0.08, abs=0.03)
    with pytest.raises(BadInput, match="part 'test'"):
        voices_of([], "test")


def test_levels_are_as_asked_for_and_silence_stays_silent():
    mixture = mix_signals([TONE, TONE[:3000] * 0.01], [0.0, -6.0], ["a", "b"])
    assert mixture.references.shape == (2, 3000)
    assert level_db(mixture.references[0]) == pytest.approx(0.0, abs=1e-3)
    assert level_db(mixture.references[1]) == pytest.approx(-6.0, abs=1e-3)
    np.testing.assert_array_equal(mixture.signal, mixture.references[0] + mixture.references[1])
    assert not set_level(np.zeros(10, np.float32), 0.0).any()
    with pytest.raises(BadInput, match="3 levels given for 2 voices"):
        mix_signals([TONE, TONE], [0, 0, 0], ["a", "b"])
    with pytest.raises(BadInput, match="two voices or more"):
        mix_signals([TONE], [0], ["a"])


def test_drawn_mixtures_are_of_different_speakers_within_the_level_range():
    rng = np.random.default_rng(0)
    bank = {name: [rng.normal(size=3000).astype(np.float32)] for name in "abcd"}
    config = MixtureConfig(n_speakers=3, duration_s=1.0, level_db=5.0, speed_change=0.2)
    for _ in range(20):
        mixture = draw_mixture(bank, config, 8000, rng)
        assert mixture.references.shape == (3, 8000)  # longer than any voice: repeated
        assert len(set(mixture.speakers)) == 3
        levels = sorted(level_db(reference) for reference in mixture.references)
        assert levels[-1] == pytest.approx(0.0, abs=1e-3)
        assert levels[0] >= -5.001
    again = draw_mixture(bank, config, 8000, np.random.default_rng(5))
    same = draw_mixture(bank, config, 8000, np.random.default_rng(5))
    np.testing.assert_array_equal(again.references, same.references)
    with pytest.raises(BadInput, match="5 speakers asked for, but there are 4"):
        draw_mixture(bank, config.model_copy(update={"n_speakers": 5}), 8000, rng)


def test_references_and_names_must_agree():
    with pytest.raises(BadInput, match="2 references for 1 speakers"):
        Mixture(references=np.zeros((2, 5), np.float32), speakers=("a",))


def test_a_voice_louder_than_its_mixture_is_not_clipped(tmp_path):
    """The second voice takes from the first where that is loudest."""
    references = np.array([[0.0, 1.6, 0.2], [0.0, -0.8, 0.0]], np.float32)
    mixture = Mixture(references=references, speakers=("a", "b"))
    write_mixture(mixture, 8000, tmp_path / "mixed")
    found = [read_audio(tmp_path / "mixed" / f"reference_{n}.wav", 8000) for n in (1, 2)]
    np.testing.assert_allclose(found, references / 1.6, atol=1e-4)
