"""The benchmark's website: a folder of static files, made from a folder of results."""

from embersort.benchmark.site.build import build_site
from embersort.benchmark.site.model import Benchmark, load_benchmark

__all__ = ["Benchmark", "build_site", "load_benchmark"]
