import numpy as np
import pytest

torch = pytest.importorskip("torch")

from embedding_samples import SEGMENT, random_segment_network  # noqa: E402
from embersort.embedding.segment_architecture import SEGMENT_SAMPLES, segment_shapes  # noqa: E402
from embersort.training.segment_network import SegmentNetwork  # noqa: E402

POSITIONS = np.array([[0.0, 0], [20, 15], [0, 30], [20, 45], [0, 60]], np.float32)


def twins():
    """The same network in PyTorch and in NumPy."""
    trained = random_segment_network(3)
    network = SegmentNetwork(SEGMENT)
    network.load_state_dict({n: torch.from_numpy(v) for n, v in trained.weights.items()})
    return network, trained


@pytest.mark.parametrize("n_neighbours", [0, 4])
@pytest.mark.parametrize("n_channels", [1, 5])
def test_the_networks_for_training_and_for_unmixing_are_equal(n_channels, n_neighbours):
    network, trained = twins()
    rng = np.random.default_rng(n_channels + 10 * n_neighbours)
    own = (rng.standard_normal((3, n_channels, SEGMENT_SAMPLES)) * 5).astype(np.float32)
    near = rng.standard_normal((3, n_neighbours, n_channels, SEGMENT_SAMPLES)) * 5
    near = near.astype(np.float32)
    mean = near.mean(1) if n_neighbours else np.zeros_like(own)
    spread = near.std(1) if n_neighbours else np.zeros_like(own)
    extra = 2  # Channels that a batch is padded with.
    pad = torch.nn.functional.pad
    positions = torch.from_numpy(POSITIONS[:n_channels]).expand(3, -1, -1)
    with torch.no_grad():
        bins, whole = network(
            *(pad(torch.from_numpy(x), (0, 0, 0, extra)) for x in (own, mean, spread)),
            torch.full((3,), n_neighbours),
            pad(positions, (0, 0, 0, extra)),
            torch.tensor([True] * n_channels + [False] * extra).expand(3, -1),
        )
    for i in range(3):
        found = trained.embed(own[i], near[i], POSITIONS[:n_channels])
        np.testing.assert_allclose(found.bins, bins[i, :n_channels], atol=1e-4)
        np.testing.assert_allclose(found.whole, whole[i], atol=1e-4)


def test_parameters_go_to_unmixing_as_they_are():
    network, trained = twins()
    back = network.trained()
    assert back.config == SEGMENT
    assert {name: value.shape for name, value in back.weights.items()} == segment_shapes(SEGMENT)
    np.testing.assert_array_equal(back.weights["block_1_time"], trained.weights["block_1_time"])


def test_a_seed_gives_one_network():
    first, second = SegmentNetwork(SEGMENT, 1), SegmentNetwork(SEGMENT, 1)
    other = SegmentNetwork(SEGMENT, 2)
    assert torch.equal(first.first_weight, second.first_weight)
    assert not torch.equal(first.first_weight, other.first_weight)
    np.testing.assert_allclose(first.log_length.detach().exp(), [15, 30, 60, 120], rtol=1e-5)
