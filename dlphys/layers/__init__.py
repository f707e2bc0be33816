"""Keras layers that Keras lacks, for grids with a symmetry of their own, and batches from many files.

Layers are written with ``keras.ops``, so that they run on every backend. A saved model finds them again once this
package is imported.
"""

import dlphys._keras  # noqa: F401 - imports Keras quietly, before the layers do
from dlphys.layers.locally_connected import LocallyConnected2D
from dlphys.layers.periodic import PeriodicPadding2D
from dlphys.layers.shards import ShardSequence

__all__ = ["LocallyConnected2D", "PeriodicPadding2D", "ShardSequence"]
