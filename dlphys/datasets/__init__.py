"""Ready-to-train data sets: one loader a set, all returning the same frozen `Dataset`.

The bytes of a downloaded set come from the first of these that has them, said in one printed line and in
``about.source``: the mirror ``DLPHYS_DATA_DIR``, the cache (``DLPHYS_CACHE_DIR``), the network, an offline stand-in.
Simulated sets are computed here and kept in the cache.
"""

from dlphys.datasets import manage
from dlphys.datasets._dataset import About, Dataset
from dlphys.datasets._errors import DataUnavailable, StandInWarning
from dlphys.datasets._images import load_cifar10, load_fashion_mnist, load_mnist
from dlphys.datasets._simulated import load_earthquakes, load_ising
from dlphys.datasets._wine import load_wine

__all__ = [
    "About",
    "DataUnavailable",
    "Dataset",
    "StandInWarning",
    "load_cifar10",
    "load_earthquakes",
    "load_fashion_mnist",
    "load_ising",
    "load_mnist",
    "load_wine",
    "manage",
]
