"""The tests that SpikeInterface asks of every sorter, for Embersort."""

import unittest

import pytest
from spikeinterface.sorters import EmbersortSorter
from spikeinterface.sorters.tests.common_tests import SorterCommonTestSuite


@pytest.mark.skipif(not EmbersortSorter.is_installed(), reason="embersort is not installed")
class EmbersortCommonTestSuite(SorterCommonTestSuite, unittest.TestCase):
    SorterClass = EmbersortSorter
