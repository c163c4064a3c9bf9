"""Damaged Flax files: read as they are, or refused in our own words.

python tests/fuzz/fuzz_flax_msgpack.py --seconds 30 --seed 1
"""

from __future__ import annotations

import io

from flax_files import valid
from mutations import main

from lstm_explain.readers.containers.flax_msgpack import read_msgpack
from lstm_explain.readers.identify.find_lstms import find_lstms


def read_flax_msgpack(data: bytes) -> None:
    find_lstms(read_msgpack(io.BytesIO(data), "fuzz.msgpack", 2**26), "fuzz.msgpack")


if __name__ == "__main__":
    main((valid(), read_flax_msgpack))
