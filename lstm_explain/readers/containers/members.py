"""One array of an `.npz` archive as inputs: `run.npz#x`, or the only array that there is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, BinaryIO

from lstm_explain.errors import InputFileError, UsageError, printable

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.readers.containers.zip_archive import ZipArchive

MOST_NAMED, LONGEST_NAMED = 8, 30


def split_path_and_member(name: str) -> tuple[str, str | None]:
    """A file's name and the member behind its `#`; None where there is none, or where the `#` belongs to the file's name."""
    if "#" not in name or "\0" in name or os.path.exists(name):  # noqa: PTH110
        return name, None
    marks = [place for place, character in enumerate(name) if character == "#" and place]
    files = [place for place in marks if os.path.isfile(name[:place])]  # noqa: PTH113
    place = files[0] if files else name.index("#")
    return (name[:place], name[place + 1 :]) if place else (name, None)


def read_npz_member(file: BinaryIO, name: str, member: str | None, budget: int) -> tuple[Array, str]:
    """An array of an archive, and its name there.

    Args:
        file: the archive's bytes.
        name: the archive's name.
        member: the array's name; may be None where there is only one.
        budget: the most bytes of memory that the array may take.

    Raises:
        UsageError: there are several arrays and none is chosen, or there is none of that name.
        InputFileError: the archive or the array is malformed, or there is no array.
        RefusedError: the array is larger than the budget.
    """
    from lstm_explain.readers.containers.numpy_files import array_names, read_member
    from lstm_explain.readers.containers.zip_archive import ZipArchive

    archive = ZipArchive(file, name)
    names = array_names(archive)
    if not names:
        fix = "Give a .npy, .npz or .csv file; save one sheet of a workbook as CSV"
        raise InputFileError(archive.name, "there is no array in this zip archive", fix)
    chosen = _chosen(archive, names, member)
    return read_member(archive, chosen, budget), chosen


def _chosen(archive: ZipArchive, names: tuple[str, ...], member: str | None) -> str:
    if member is None and len(names) == 1:
        return names[0]
    if member is None:
        found = f"there are {len(names)} arrays in it: {_listed(names)}"
        raise UsageError(f"--data {archive.name}", found, f"Choose one: --data {archive.name}#{printable(names[0])}")
    exact = [name for name in (member, member.removesuffix(".npy")) if name in names]
    if not exact:
        asked = f"--data {archive.name}#{printable(member)}"
        raise UsageError(asked, f"there is no such array in it. There are {_listed(names)}")
    return exact[0]


def _listed(names: tuple[str, ...]) -> str:
    short = [
        name if len(name) <= LONGEST_NAMED else name[: LONGEST_NAMED - 3] + "..."
        for name in map(printable, names[:MOST_NAMED])
    ]
    return ", ".join(name or "(no name)" for name in short) + (
        f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    )
