"""Damaged Flax files: read as they are, or refused in our own words.

python -m tests.fuzz.fuzz_flax_msgpack --seconds 30 --seed 1
"""

from __future__ import annotations

import io

from lstm_explain.readers.containers.bounded_file import MemoryBudget
from lstm_explain.readers.containers.flax_msgpack import read_msgpack
from lstm_explain.readers.identify.find_lstms import find_lstms
from tests.fuzz.mutations import main
from tests.helpers.model_files.flax import valid


def read_flax_msgpack(data: bytes) -> None:
    find_lstms(read_msgpack(io.BytesIO(data), MemoryBudget("fuzz.msgpack", 2**26)).arrays, "fuzz.msgpack")


if __name__ == "__main__":
    main((valid(), read_flax_msgpack))
