"""Reading a file opens that file alone, and neither imports nor runs anything in it."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.helpers.audit_events import READ_INPUTS, reading_events

File = Callable[[str, bytes], str]

FORBIDDEN = ("import", "exec", "subprocess", "os.", "socket", "pickle", "shutil", "ctypes", "urllib", "tempfile", "glob")


class Call:
    def __reduce__(self) -> Any:
        return print, ("run",)


def saved(array: np.ndarray[Any, Any]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


def packed(members: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def corpus(file: File) -> list[str]:
    archive, good = io.BytesIO(), io.BytesIO()
    np.savez_compressed(good, x=np.ones((2, 3, 4)))
    with zipfile.ZipFile(archive, "w") as member:
        member.writestr("../../escaped.npy", saved(np.ones(2)))
    header = b"{'descr': __import__('antigravity'), 'fortran_order': False, 'shape': (1,)}"
    forged = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    return [
        file("good.npy", saved(np.ones((2, 3, 4)))),
        file("good.csv", b"a,b\n1,2\n"),
        file("good.npz", good.getvalue()),
        file("object.npy", saved(np.array([[Call()]], dtype=object))),
        file("forged.npy", forged),
        file("pickle.csv", pickle.dumps(Call())),
        file("x.npz", archive.getvalue()),
        file("object.npz", packed({"a.npy": saved(np.array([[Call()]], dtype=object))})),
        file("bomb.npz", packed({"a.npy": bytes(10**7)})),
        file("forged.npz", packed({"a.npy": forged, "../../b.npy": b"", "/etc/passwd.npy": b""})),
        file("program.npz", packed({"__main__.py": b"print(1)", "a.npy": pickle.dumps(Call())})),
        file("formula.csv", b"=cmd|' /C calc'!A0,b\n1,2\n"),
        file("url.csv", b"https://example.org/x.csv\n"),
        file("path.csv", b"/etc/passwd,b\n../x,2\n"),
        file("x.csv.gz", b"\x1f\x8b\x08\0"),
    ]


@pytest.mark.slow
def test_reading_touches_nothing_but_the_file(corpus: list[str]) -> None:
    heard = reading_events(corpus, READ_INPUTS, warm_up=3)
    opened = {given for event, given in heard if event == "open"}
    assert {name for name in opened if Path(name).is_absolute()} <= set(corpus)
    assert {Path(name).name for name in corpus} == {Path(name).name for name in opened}
    assert [event for event in heard if event[0].startswith(FORBIDDEN)] == []
    assert not {event for event, _ in heard} - {"open", "mmap.__new__", "array.__new__", "compile"}, (
        "an event that nobody has judged"
    )
