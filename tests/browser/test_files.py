"""Pages of model files, and of files with hostile names: the file's own weights run, and its names run nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import lstm_explain
from tests.browser.test_numbers import check_page
from tests.helpers.model_files import keras, onnx, pytorch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.conftest import OpenPage

HOSTILE = '</script><script>alert(1)</script><img src=x onerror="alert(2)">\x00\x1b\u202e\u2028"\'&amp;'


def pytorch_file(name: str = "lstm") -> bytes:
    tensors, members = pytorch.lstm(units=3, features=2)
    numbers = np.random.default_rng(1)
    members = {key: numbers.normal(size=len(data) // 4).astype(np.float32).tobytes() for key, data in members.items()}
    return pytorch.archive(pytorch.table({f"{name}.{key}": tensor for key, tensor in tensors.items()}), members)


def keras_file() -> bytes:
    config = keras.sequential(keras.layer("LSTM", "lstm", units=keras.UNITS))
    return keras.archive(config, keras.stored({"layers/lstm/cell": keras.arrays(3)}))


def onnx_file() -> bytes:
    model = onnx.simple(onnx.weights(ways=2, peepholes=True, seed=4), direction="bidirectional")
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(("name", "content"), [("m.pt", pytorch_file), ("m.keras", keras_file), ("m.onnx", onnx_file)])
def test_the_weights_of_a_file_run_in_the_page(
    name: str, content: Callable[[], bytes], tmp_path: Path, open_page: OpenPage
) -> None:
    (tmp_path / name).write_bytes(content())
    lstm = lstm_explain.from_model(str(tmp_path / name), samples=3, timesteps=4)
    check_page(open_page, lstm, [["h_2[1]=0.5"], ["W_f[1,0]=2", "x_1[0]=-1"]])


def test_hostile_names_run_nothing(tmp_path: Path, open_page: OpenPage) -> None:
    """The fixture fails on every dialog, request and message of the console."""
    (tmp_path / "m.pt").write_bytes(pytorch_file(HOSTILE.replace("\x00", "").replace("\u202e", "")))
    array = np.zeros((2, 3, 2), np.float32)
    lstm = lstm_explain.from_model(str(tmp_path / "m.pt"), array=array, name=HOSTILE, columns=[HOSTILE, "<b>bold</b>"])
    page = open_page(lstm)
    assert page.locator("script").count() == 2
    assert page.locator("img, b, iframe").count() == 0
    assert "<b>bold</b>" in page.locator("#sum").inner_text()
    for copied in page.locator("#copy-what option").all():
        page.locator("#copy-what").select_option(copied.get_attribute("value"))
    assert page.locator("img").count() == 0


def test_a_hostile_address_runs_nothing(open_page: OpenPage) -> None:
    page = open_page(
        lstm_explain.seeded(samples=1), "#edit=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&gate=__proto__&unit=%3Cb%3E"
    )
    assert page.locator("#sentence").inner_text().startswith("<img src=x onerror=alert(1)> is not a change.")
    assert page.locator("img").count() == 0
