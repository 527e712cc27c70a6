"""Python is answered in the words of Python, the shell in those of the shell."""

import numpy as np
import pytest

import embersort
from embersort.errors import BadInput
from embersort.python_words import in_python_words
from embersort.types import Geometry, Sorting

NOISE = np.random.default_rng(0).normal(scale=10, size=(3000, 4)).astype(np.float32)


def test_dir_lists_what_there_is_to_use():
    assert dir(embersort) == sorted(embersort.__all__)


def test_an_unknown_argument_is_answered_with_the_nearest():
    with pytest.raises(TypeError, match=r"sort\(\) has no argument 'sampling_rate'; did you mean"):
        embersort.sort(NOISE, sampling_rate=30_000)
    with pytest.raises(TypeError, match=r"embersort\.open_recording\(…, gain_uv=…\)"):
        embersort.sort(NOISE, gain_uv=0.195)
    with pytest.raises(TypeError, match="did you mean 'n_channels'"):
        embersort.open_recording("x.dat", n_channel=4)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"probe": "tetrode"}, r"give sampling_rate_hz= in Hz"),
        ({"sampling_rate_hz": 30_000}, "give probe='FILE.json'.* probe='tetrode'"),
        ({"sampling_rate_hz": 3e4, "probe": "tetrode", "start_s": -1}, "^start_s is -1 s"),
    ],
)
def test_python_is_told_of_arguments(options, said):
    with pytest.raises(BadInput, match=said) as error:
        embersort.open_recording(NOISE, **options)
    assert "--" not in str(error.value)


def test_the_shell_is_told_of_options(command, tmp_path):
    np.save(tmp_path / "x.npy", NOISE)
    from embersort.recording import open_recording

    with pytest.raises(BadInput, match="give --sampling-rate"):
        open_recording(tmp_path / "x.npy", probe="tetrode")


def test_words_that_are_no_options_stay():
    text = "a -- b, --unheard-of, x-y; give a file"
    assert in_python_words(text) == text


def test_what_one_looks_at_is_one_line():
    recording = embersort.open_recording(NOISE, sampling_rate_hz=30_000, probe="tetrode")
    assert repr(recording) == "<ArrayRecording: 4 channels, 0.1 s at 30000 Hz, µV>"
    sorting = Sorting(
        sample_index=[1, 2], unit_index=[0, 0], unit_ids=[3], sampling_rate_hz=3e4, n_samples=30_000
    )
    assert repr(sorting) == "<Sorting: 1 units, 2 spikes, 1.0 s at 30000 Hz>"
    assert "\n" not in repr(Geometry(positions_um=np.zeros((99, 2))))
