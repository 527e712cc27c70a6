import numpy as np

from embersort.clustering.epochs import cluster_epochs


def test_clusters_of_each_epoch_are_its_own_and_what_has_none_stays_so():
    epoch = np.array([0, 0, 0, 1, 1, 2])
    found = {0: [1, 0, -1], 1: [0, -1], 2: [-1]}
    labels, of_cluster = cluster_epochs(epoch, lambda rows: np.array(found[epoch[rows[0]]]))
    assert labels.tolist() == [1, 0, -1, 2, -1, -1]
    assert of_cluster.tolist() == [0, 0, 1]


def test_each_epoch_is_clustered_alone():
    seen = []

    def cluster(rows):
        seen.append(rows.tolist())
        return np.zeros(len(rows), np.int64)

    cluster_epochs(np.array([0, 1, 0, 1]), cluster)
    assert seen == [[0, 2], [1, 3]]
