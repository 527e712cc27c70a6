"""The result folder of a sort: written whole or not at all, and read back."""

from embersort.output.folder import check_new_folder, new_folder, write_folder
from embersort.output.result import (
    RUN_FILE,
    read_result,
    sorting_hash,
    write_files,
    write_result,
)
from embersort.output.source import open_source, relative_source, source_path

__all__ = [
    "RUN_FILE",
    "check_new_folder",
    "new_folder",
    "open_source",
    "read_result",
    "relative_source",
    "sorting_hash",
    "source_path",
    "write_files",
    "write_folder",
    "write_result",
]
