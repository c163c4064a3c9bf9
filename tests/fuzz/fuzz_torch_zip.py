"""Damaged PyTorch files, and archives that are whole but hold damaged pickles."""

from __future__ import annotations

import io
import zipfile

from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.pytorch import read_pytorch
from lstm_explain.readers.identify.find_lstms import find_lstms
from tests.fuzz.mutations import main
from tests.helpers.model_files.pytorch import (
    EMPTY_DICT,
    NONE,
    ORDERED_DICT,
    PARAMETER,
    TRUE,
    archive,
    call,
    group,
    listed,
    lstm,
    number,
    table,
    text,
    whole,
)

BUDGET = 10**7
TENSORS, MEMBERS = lstm()
HALVES, HALF_MEMBERS = lstm(kind="Half", size=2)
BESIDE = {"epoch": whole(2**40), "loss": listed(number(0.5), NONE, TRUE), "betas": group(number(0.9), number(0.999))}
PARAMETERS = {name: call(PARAMETER, one, TRUE, call(ORDERED_DICT)) for name, one in TENSORS.items()}
STATE = call(ORDERED_DICT) + table(TENSORS)[1:] + EMPTY_DICT + text("_metadata") + EMPTY_DICT + b"sb"
PROGRAMS = [STATE, table({"state_dict": table(TENSORS), **BESIDE}), table(PARAMETERS), listed(table(TENSORS), table(BESIDE))]
ARCHIVES = [archive(program, MEMBERS) for program in PROGRAMS]
ARCHIVES += [archive(table(HALVES), HALF_MEMBERS), archive(STATE, MEMBERS, zipfile.ZIP_DEFLATED)]


def damaged_archives(data: bytes) -> None:
    find_lstms(read_pytorch(io.BytesIO(data), MemoryBudget("fuzz.pt", BUDGET)).arrays, "fuzz.pt")


def damaged_pickles(data: bytes) -> None:
    damaged_archives(archive(data, MEMBERS))


if __name__ == "__main__":
    main((ARCHIVES, damaged_archives), (PROGRAMS, damaged_pickles))
