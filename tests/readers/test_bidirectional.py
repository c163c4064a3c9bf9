"""Two layers that are called forward and backward are one that reads both ways, where their framework names its halves so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lstm_explain.core.gates import Direction
from lstm_explain.core.spec import Spec
from lstm_explain.core.weights import seeded_weights
from lstm_explain.errors import InputFileError
from lstm_explain.frameworks.registry import CONVENTIONS
from lstm_explain.readers.identify.find_lstms import find_lstms

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.core.weights import LayerWeights


def weights_of(seed: int, features: int = 3, units: int = 2) -> LayerWeights:
    return seeded_weights(Spec.from_options(1, 1, features, units, dtype="float64"), "pytorch", seed).of(0, Direction.FORWARD)


def arrays(convention: str, module: str, weights: LayerWeights) -> dict[str, Array]:
    return {f"{module}/{name}": array for name, array in CONVENTIONS[convention].pack(weights).items()}


def halves(convention: str, forward: str, backward: str, **sizes: int) -> dict[str, Array]:
    return {**arrays(convention, forward, weights_of(1)), **arrays(convention, backward, weights_of(2, **sizes))}


def names(tensors: dict[str, Array], convention: str | None = None) -> list[str]:
    return [one.name for one in find_lstms(tensors, "file", convention)]


ONE = [
    ("keras", "bidirectional/forward_lstm/lstm_cell", "bidirectional", None),
    ("keras", "sequential/bidirectional_1/forward_lstm_1/lstm_cell", "sequential/bidirectional_1", None),
    ("keras", "forward", "lstm", None),
    ("flax-linen", "params/enc/forward_rnn/cell", "params/enc", None),
    ("flax-nnx", "forward_rnn/cell", "lstm", None),
    ("flax-nnx-optimized", "enc.forward_rnn.cell", "enc", None),
    ("pytorch-cell", "enc/forward", "enc", None),
    ("tensorflow1", "bidirectional_rnn/fw/lstm_cell", "bidirectional_rnn", "tensorflow1"),
    ("haiku", "enc/forward/lstm", "enc", "haiku"),
    ("mlx", "forward", "lstm", "mlx"),
]


@pytest.mark.parametrize(("convention", "forward", "name", "named"), ONE)
@pytest.mark.parametrize("backward_first", [False, True])
def test_two_halves_are_one_layer(convention: str, forward: str, name: str, named: str | None, backward_first: bool) -> None:
    backward = forward.replace("forward", "backward").replace("fw", "bw")
    both = halves(convention, forward, backward)
    if backward_first:
        both = dict(reversed(both.items()))
    (lstm,) = find_lstms(both, "file", named)
    assert (lstm.name, lstm.spec.bidirectional, set(lstm.tensors)) == (name, True, set(both))
    for seed, way in enumerate(Direction, start=1):
        for key, array in lstm.weights.of(0, way).tensors().items():
            np.testing.assert_allclose(array, weights_of(seed).tensors()[key], rtol=0, atol=1e-15)


@pytest.mark.parametrize(
    ("convention", "forward", "backward", "named"),
    [
        ("keras", "a/forward_lstm/lstm_cell", "b/backward_lstm/lstm_cell", None),
        ("keras", "a/forward_one/lstm_cell", "a/backward_two/lstm_cell", None),
        ("keras", "forward_lstm/lstm_cell", "backward_lstm/lstm_cell", None),
        ("flax-linen", "forward_cell", "backward_cell", None),
        ("pytorch-cell", "forward_lstm", "backward_lstm", None),
        ("haiku", "fw", "bw", "haiku"),
        ("mlx", "forwards", "backwards", "mlx"),
    ],
)
def test_names_that_do_not_tell_leave_them_apart(convention: str, forward: str, backward: str, named: str | None) -> None:
    """Under another parent, under two names, or under names that the framework does not give to halves."""
    assert len(names(halves(convention, forward, backward), named)) == 2


def test_two_modules_of_pytorch_stay_two() -> None:
    """What its modules are called is up to whoever writes them."""
    lstm = {
        f"{way}.{name}_l0": array for way in Direction for name, array in CONVENTIONS["pytorch"].pack(weights_of(1)).items()
    }
    assert names(lstm) == ["forward", "backward"]


def test_two_stacks_stay_two() -> None:
    """TensorFlow 1's bidirectional_dynamic_rnn over MultiRNNCell: above the first, a cell reads its own direction alone."""
    cells = [(way, cell) for way in ("fw", "bw") for cell in ("cell_0", "cell_1")]
    stacks: dict[str, Any] = {}
    for seed, (way, cell) in enumerate(cells):
        stacks |= arrays("tensorflow1", f"rnn/{way}/{cell}/lstm_cell", weights_of(seed, 3 if cell == "cell_0" else 2))
    assert names(stacks, "tensorflow1") == [f"rnn/{way}/{cell}/lstm_cell" for way, cell in cells]


def test_several_in_one_module_are_told_apart() -> None:
    one = halves("keras", "enc/forward_a/lstm_cell", "enc/backward_a/lstm_cell")
    assert names({**one, **halves("keras", "enc/forward_b/lstm_cell", "enc/backward_b/lstm_cell")}) == ["enc/a", "enc/b"]


def test_halves_that_do_not_fit_are_no_layer() -> None:
    with pytest.raises(InputFileError, match=r"^file#enc: its tensors do not fit together"):
        find_lstms(halves("keras", "enc/forward_lstm/lstm_cell", "enc/backward_lstm/lstm_cell", units=5), "file")


def test_what_is_not_finite_is_said_once() -> None:
    both = halves("keras", "forward", "backward")
    for name in ("forward/kernel", "backward/kernel"):
        both[name] = np.full_like(both[name], np.nan)
    (lstm,) = find_lstms(both, "file")
    assert lstm.notes == ("some of its weights are nan or infinite",)


@pytest.mark.parametrize("module", ["", "deep/rnn/"])
def test_core_ml_names_the_arrays_themselves(module: str) -> None:
    own = CONVENTIONS["coreml"].pack(weights_of(1))
    back = {f"{name}_back": array for name, array in CONVENTIONS["coreml"].pack(weights_of(2)).items()}
    (lstm,) = find_lstms({f"{module}{name}": array for name, array in (own | back).items()}, "file", "coreml")
    assert (lstm.name, lstm.spec.bidirectional) == (module.strip("/") or "lstm", True)
    np.testing.assert_array_equal(lstm.weights.of(0, Direction.BACKWARD).kernel, weights_of(2).kernel)
    with pytest.raises(InputFileError, match="file#lstm: it has no weights of layer 0 forward"):
        find_lstms(back, "file", "coreml")
