"""A result as other tools read it: Phy, NWB, and SpikeInterface's SortingAnalyzer."""

from embersort.export.analyzer import export_analyzer, make_analyzer
from embersort.export.nwb import export_nwb
from embersort.export.phy import export_phy

__all__ = ["export_analyzer", "export_nwb", "export_phy", "make_analyzer"]
