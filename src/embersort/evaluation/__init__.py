"""Matching spikes and units to the truth, and the scores that follow. See ARCHITECTURE.md.

Import from the modules: ``comparison.compare``, ``detection.detection_curve``,
``clustering.score_clustering``, ``overlap.overlapping_spikes``.
"""
