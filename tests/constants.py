"""Constants of a module, changed for a while."""

from contextlib import ExitStack, contextmanager
from unittest import mock


@contextmanager
def changed(module, **constants):
    """Give some constants of a module other values within the block."""
    with ExitStack() as stack:
        for name, value in constants.items():
            stack.enter_context(mock.patch.object(module, name, value))
        yield
