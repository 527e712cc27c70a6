import json

import numpy as np
import pytest

from embersort.report.pack import json_for_script, pack, quantise, smallest_unsigned, unpack


def test_pack_gives_back_types_shapes_and_facts():
    arrays = {
        "a": np.array([[1, 2, 3]], np.uint8),
        "b": np.array([-1.5, 2.25], np.float32),
        "empty": np.zeros((0, 4), np.uint16),
    }
    back, facts = unpack(pack(arrays, {"names": ["µ", "</script>"]}))
    assert facts == {"names": ["µ", "</script>"]}
    for name, array in arrays.items():
        assert back[name].dtype == array.dtype
        np.testing.assert_array_equal(back[name], array)


def test_pack_refuses_a_type_that_the_page_cannot_read():
    with pytest.raises(TypeError, match="array a is int64"):
        pack({"a": np.zeros(3, np.int64)})


def test_quantise_keeps_ends_exactly_and_the_rest_within_half_a_level():
    values = np.array([-3.0, 0.1, 1.0, 7.0])
    back = unpack(pack({"v": quantise(values, "uint8")}))[0]["v"]
    assert back[0] == -3.0
    assert back[-1] == pytest.approx(7.0)
    assert np.abs(back - values).max() <= 10.0 / 255 / 2 + 1e-12


def test_quantise_of_constant_and_of_missing_values():
    back = unpack(pack({"v": quantise(np.array([2.0, np.nan, 2.0]), "uint8")}))[0]["v"]
    assert back.tolist() == [2.0, 2.0, 2.0]
    assert quantise(np.zeros(0), "uint16").stored.shape == (0,)


@pytest.mark.parametrize(("highest", "dtype"), [(255, "uint8"), (256, "uint16"), (65536, "uint32")])
def test_counts_take_the_smallest_type(highest, dtype):
    assert smallest_unsigned(np.array([0, highest])).dtype == dtype


def test_json_in_a_script_cannot_close_it():
    text = json_for_script({"name": "</script><script>alert(1)</script>", "line": "\u2028"})
    assert "<" not in text
    assert "\u2028" not in text
    assert json.loads(text)["name"] == "</script><script>alert(1)</script>"
