"""The result folder of a sort: written whole or not at all, and read back."""

from embersort.output.folder import check_new_folder, new_folder, write_folder
from embersort.output.result import (
    RUN_FILE,
    read_result,
    sorting_hash,
    write_files,
    write_result,
)

__all__ = [
    "RUN_FILE",
    "check_new_folder",
    "new_folder",
    "read_result",
    "sorting_hash",
    "write_files",
    "write_folder",
    "write_result",
]
