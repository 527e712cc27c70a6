"""Figures once: the report of one sort, and the parts that the website shares with it."""

from embersort.report.write import write_report

__all__ = ["write_report"]
