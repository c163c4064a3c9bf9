"""ONNX models whose LSTM is no node of its own: its cell written out, timestep by timestep or in a loop's body.

`unrolled` is built after what Keras 3.15 exports with torch 2.13 (both of torch's exporters) and, with `unroll=True`, through
tf2onnx 1.17; `in_a_loop` after jax2onnx 0.17; `after_tensorflow`, which has a node LSTM, after tf2onnx 1.17. Files that Keras
wrote itself, with torch, are read in tests/oracle/test_keras_onnx.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper

from tests.helpers.model_files.onnx import constant, floats, graph, model, tensors, whole

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array

KERAS_ORDER = "ifgo"


def kernels(features: int = 3, units: int = 2, seed: int = 0, bias: bool = True, dtype: Any = np.float32) -> dict[str, Array]:
    """K, R and b as Keras has them: [features, 4*units], [units, 4*units], [4*units]."""
    numbers = np.random.default_rng(seed)
    shapes: dict[str, tuple[int, ...]] = {"K": (features, 4 * units), "R": (units, 4 * units)}
    if bias:
        shapes["b"] = (4 * units,)
    return {name: (numbers.normal(size=sizes) * 0.5).astype(dtype) for name, sizes in shapes.items()}


@dataclass
class Way:
    """One way to write a cell out; what exporters do, and what they might."""

    order: str = KERAS_ORDER
    """The gates in the order in which they are packed."""
    flips: tuple[bool, ...] = ()
    """Which of the products and sums have their operands the other way round."""
    cut: str = "split"
    """`split`, `sizes`, `slices`, or `computed`: slices whose places are computed from the shape of the sums, as by torch."""
    hoisted: bool = False
    """Whether all timesteps are multiplied with K at once, and taken out afterwards."""
    gemm: bool = False
    """Whether the products are nodes Gemm, with weights the other way round and the bias inside."""
    casts: int = 0
    """How many nodes Cast stand between the others."""
    backwards: str = ""
    """`index`, where timesteps are taken from the last to the first; `slice` or `sequence`, where x is turned round before;
    `twice`, where both are done."""
    folded_start: bool = False
    """Whether the exporter computed h_0 @ R, as torch's newer one does."""
    gate: str = "Sigmoid"
    squash: str = "Tanh"
    made: list[NodeProto] = field(default_factory=list)
    turned: int = 0

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """A node, seen through as many nodes Cast as there are to be; its operands turned where they may be."""
        if kind in ("Add", "Mul") and self.flips:
            inputs = inputs[::-1] if self.flips[self.turned % len(self.flips)] else inputs
            self.turned += 1
        self.made.append(helper.make_node(kind, inputs, [output], name=f"n_{output}", **attributes))
        for number in range(self.casts):
            self.made.append(helper.make_node("Cast", [output], [f"{output}_{number}"], to=TensorProto.FLOAT))
            output = f"{output}_{number}"
        return output

    def pieces(self, z: str, units: int, at: str) -> dict[str, str]:
        """The four pieces of the sums, by gate."""
        names = {gate: f"{at}{gate}_z" for gate in self.order}
        if self.cut in ("split", "sizes"):
            sizes = ["quarters"] if self.cut == "sizes" else []
            self.made.append(helper.make_node("Split", [z, *sizes], list(names.values()), axis=1))
            return names
        for place, name in enumerate(names.values()):
            bounds = [f"{at}{place}_from", f"{at}{place}_to"]
            if self.cut == "slices":
                self.made += [whole(bounds[0], place * units), whole(bounds[1], (place + 1) * units)]
            else:
                quarter = f"{at}{place}_quarter"
                self.made += [whole(f"{at}{place}_axis", 1), whole(f"{at}{place}_three", 3), whole(f"{at}{place}_four", 4)]
                self.made += [
                    helper.make_node("Shape", [z], [f"{quarter}_shape"]),
                    helper.make_node("Gather", [f"{quarter}_shape", f"{at}{place}_axis"], [f"{quarter}_all"], axis=0),
                    helper.make_node("Add", [f"{quarter}_all", f"{at}{place}_three"], [f"{quarter}_more"]),
                    helper.make_node("Div", [f"{quarter}_more", f"{at}{place}_four"], [quarter]),
                ]
                for bound, times in zip(bounds, (place, place + 1), strict=True):
                    self.made += [whole(f"{bound}_n", times), helper.make_node("Mul", [quarter, f"{bound}_n"], [bound])]
            self.made.append(helper.make_node("Slice", [z, *bounds, "one"], [name]))
        return names

    def cell(self, z: str, c: str, units: int, at: str) -> tuple[str, str]:
        """The new h and c."""
        pieces = self.pieces(z, units, at)
        kinds = {"i": self.gate, "f": self.gate, "g": self.squash, "o": self.gate}
        gates = {gate: self.node(kinds[gate], [pieces[gate]], at + gate) for gate in "ofig"}
        kept, written = (
            self.node("Mul", [gates["f"], c], f"{at}kept"),
            self.node("Mul", [gates["i"], gates["g"]], f"{at}written"),
        )
        new = self.node("Add", [kept, written], f"{at}c")
        return self.node("Mul", [gates["o"], self.node(self.squash, [new], f"{at}squashed")], f"{at}h"), new

    def sums(self, x: str, h: str, arrays: dict[str, Array], at: str, multiplied: bool = False) -> str:
        """x @ K + h @ R + b; with `multiplied`, x @ K + b are there already."""
        if self.gemm:
            bias = ["b"] if "b" in arrays else []
            first = self.node("Gemm", [x, "K_turned", *bias], f"{at}x", transB=1)
            return self.node("Add", [first, self.node("Gemm", [h, "R_turned"], f"{at}r", transB=1)], f"{at}z")
        first = x if multiplied else self.node("MatMul", [x, "K"], f"{at}x")
        both = self.node("Add", [first, self.node("MatMul", [h, "R"], f"{at}r")], f"{at}s")
        return self.node("Add", [both, "b"], f"{at}z") if "b" in arrays and not multiplied else both


def unrolled(
    arrays: dict[str, Array], way: Way | None = None, timesteps: int = 3, h: str = "zeros", c: str = "zeros"
) -> ModelProto:
    """A cell written out for each timestep; h_0 and c_0 are zeros as exporters write them, or of other names.

    The output Y is [timesteps, samples, units].
    """
    way = way or Way()
    features, units = len(arrays["K"]), len(arrays["R"])
    way.made += [
        helper.make_node("Shape", ["X"], ["shape"]),
        helper.make_node("Slice", ["shape", "nought", "one"], ["samples"]),
        helper.make_node("Concat", ["samples", "units"], ["sizes"], axis=0),
        helper.make_node("ConstantOfShape", ["sizes"], ["filled"]),
        helper.make_node("Cast", ["filled"], ["zeros"], to=TensorProto.FLOAT),
    ]
    x = "X"
    if way.backwards in ("slice", "twice"):
        way.made.append(helper.make_node("Slice", ["X", "minus", "far", "one", "minus"], ["turned_X"]))
        x = "turned_X"
    way.made.append(helper.make_node("Transpose", [x], ["steps"], perm=[1, 0, 2]))
    x = "steps"
    if way.backwards == "sequence":
        way.made += [
            helper.make_node("Gather", ["shape", "nought"], ["many"], axis=0),
            constant("length", np.array([timesteps], np.int64)),
            helper.make_node("Expand", ["length", "many"], ["lengths"]),
            helper.make_node("ReverseSequence", ["steps", "lengths"], ["turned_X"], time_axis=0, batch_axis=1),
        ]
        x = "turned_X"
    if way.hoisted:
        x = way.node("MatMul", [x, "K"], "all_x")
        x = way.node("Add", [x, "b"], "all_z") if "b" in arrays else x
    emitted = []
    for number in range(timesteps):
        at, place = f"t{number}_", timesteps - 1 - number if way.backwards in ("index", "twice") else number
        way.made.append(constant(f"{at}n", np.array(place, np.int64)))
        read = way.node("Gather", [x, f"{at}n"], f"{at}read", axis=0)
        if way.folded_start and not number:
            z = way.node("Add", [read if way.hoisted else way.node("MatMul", [read, "K"], f"{at}x"), "no_h"], f"{at}s")
            z = way.node("Add", [z, "b"], f"{at}z") if "b" in arrays and not way.hoisted else z
        else:
            z = way.sums(read, h, arrays, at, way.hoisted)
        h, c = way.cell(z, c, units, at)
        emitted.append(f"{at}out")
        way.made.append(helper.make_node("Unsqueeze", [h, "nought"], [emitted[-1]]))
    way.made.append(helper.make_node("Concat", emitted, ["Y"], axis=0))
    held = {
        **arrays, "K_turned": arrays["K"].T, "R_turned": arrays["R"].T, "no_h": np.zeros((1, 4 * units), np.float32),
        "quarters": np.array([units] * 4, np.int64), "units": np.array([units], np.int64), "one": np.array([1], np.int64),
        "nought": np.array([0], np.int64), "minus": np.array([-1], np.int64), "far": np.array([-(2**63)], np.int64),
    }  # fmt: skip
    given = [floats("X", "N", timesteps, features), floats("H", "N", units), floats("C", "N", units)]
    return model(graph(way.made, tensors(held), given, [floats("Y", timesteps, "N", units)]))


def in_a_loop(arrays: dict[str, Array], way: Way | None = None, kind: str = "Loop", timesteps: int = 3) -> ModelProto:
    """A cell in the body of a Loop as jax2onnx writes it, its weights handed on unchanged; or of a Scan over the timesteps."""
    way = way or Way()
    features, units = len(arrays["K"]), len(arrays["R"])
    weights = list(arrays)
    before = [
        helper.make_node("Shape", ["X"], ["shape"]),
        helper.make_node("Slice", ["shape", "nought", "one"], ["samples"]),
        helper.make_node("Concat", ["samples", "units"], ["sizes"], axis=0),
        helper.make_node("Expand", ["zero", "sizes"], ["zeros"]),
        helper.make_node("Transpose", ["X"], ["steps"], perm=[1, 0, 2]),
    ]
    read = "x"
    if kind == "Loop":
        read = way.node("Gather", ["steps_in", "turn"], "read", axis=0)
    h, c = way.cell(way.sums(read, "h", arrays, "body_"), "c_old", units, "body_")
    way.made += [helper.make_node("Identity", [h], ["h_out"]), helper.make_node("Identity", [c], ["c_out"])]
    way.made.append(helper.make_node("Identity", [h], ["y"]))
    states = [floats("h", "N", units), floats("c_old", "N", units)]
    out = [floats("h_out", "N", units), floats("c_out", "N", units)]
    if kind == "Loop":
        kept = [*weights, "steps_in"]
        way.made += [helper.make_node("Identity", [name], [f"{name}_out"]) for name in [*kept, "go_on"]]
        first = [helper.make_tensor_value_info("turn", TensorProto.INT64, [])]
        first.append(helper.make_tensor_value_info("go_on", TensorProto.BOOL, []))
        held_on = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in kept]
        handed_on = [helper.make_tensor_value_info(f"{name}_out", TensorProto.FLOAT, None) for name in kept]
        go_on = helper.make_tensor_value_info("go_on_out", TensorProto.BOOL, [])
        body = helper.make_graph(
            way.made, "body", [*first, *held_on, *states], [go_on, *handed_on, *out, floats("y", "N", units)],
            tensors({"quarters": np.array([units] * 4, np.int64), "one": np.array([1], np.int64)}),
        )  # fmt: skip
        inputs = ["turns", "yes", *weights, "steps", "zeros", "zeros"]
        outputs = [*(f"last_{name}" for name in kept), "last_h", "last_c", "Y"]
        loop = helper.make_node("Loop", inputs, outputs, name="loop", body=body)
    else:
        body = helper.make_graph(
            way.made, "body", [*states, floats("x", "N", features)], [*out, floats("y", "N", units)],
            tensors({"quarters": np.array([units] * 4, np.int64), "one": np.array([1], np.int64)}),
        )  # fmt: skip
        ways = {"scan_input_directions": [1], "scan_output_directions": [1]} if way.backwards else {}
        inputs, outputs = ["zeros", "zeros", "steps"], ["last_h", "last_c", "Y"]
        loop = helper.make_node("Scan", inputs, outputs, name="loop", body=body, num_scan_inputs=1, **ways)
    held = {
        **arrays, "K_turned": arrays["K"].T, "R_turned": arrays["R"].T,
        "units": np.array([units], np.int64), "one": np.array([1], np.int64), "nought": np.array([0], np.int64),
        "zero": np.array(0, np.float32), "turns": np.array(timesteps, np.int64), "yes": np.array(True),
    }  # fmt: skip
    given = [floats("X", "N", timesteps, features)]
    return model(graph([*before, loop], tensors(held), given, [floats("Y", timesteps, "N", units)]))


def after_tensorflow(arrays: dict[str, Array], ways: int = 1, turned: bool = False) -> ModelProto:
    """A node LSTM as tf2onnx 1.17 writes it for Keras: zero states made for each sample, of one direction or two."""
    units = arrays["R"].shape[-1]
    nodes = [
        helper.make_node("Transpose", ["X"], ["steps"], perm=[1, 0, 2]),
        helper.make_node("Shape", ["X"], ["shape"]),
        helper.make_node("Cast", ["shape"], ["shape_32"], to=TensorProto.INT32),
        helper.make_node("Slice", ["shape_32", "nought", "one", "nought"], ["samples"]),
        helper.make_node("Concat", ["samples", "units"], ["packed"], axis=0),
        helper.make_node("Cast", ["packed"], ["sizes"], to=TensorProto.INT64),
        helper.make_node("Expand", ["zero", "sizes"], ["zeros"]),
        helper.make_node("Unsqueeze", ["zeros", "nought"], ["start"]),
    ]
    start = "start"
    if ways == 2:
        nodes.append(helper.make_node("Concat", ["start", "start"], ["both"], axis=0))
        start = "both"
    x = "steps"
    if turned:
        nodes += [
            helper.make_node("Shape", ["steps"], ["steps_shape"]),
            helper.make_node("Gather", ["steps_shape", "one"], ["many"], axis=0),
            helper.make_node("Gather", ["steps_shape", "nought"], ["length"], axis=0),
            helper.make_node("Expand", ["length", "many"], ["lengths"]),
            helper.make_node("ReverseSequence", ["steps", "lengths"], ["reversed"], time_axis=0, batch_axis=1),
        ]
        x = "reversed"
    nodes.append(
        helper.make_node(
            "LSTM",
            [x, "W", "R", "B", "", start, start],
            ["Y", "Y_h", "Y_c"],
            name="LSTM__33",
            hidden_size=units,
            activations=["Sigmoid", "Tanh", "Tanh"] * ways,
            direction="forward" if ways == 1 else "bidirectional",
        )
    )
    held = {
        **arrays, "units": np.array([units], np.int32), "one": np.array([1], np.int64), "nought": np.array([0], np.int64),
        "zero": np.array(0, np.float32),
    }  # fmt: skip
    given = [floats("X", "N", "T", arrays["W"].shape[-1])]
    return model(graph(nodes, tensors(held), given))


def valid() -> list[bytes]:
    """One small model of each kind."""
    made = [
        unrolled(kernels(), Way(casts=2, cut="computed", hoisted=True)),
        unrolled(kernels(2, 2), Way(cut="split", folded_start=True, backwards="slice")),
        unrolled(kernels(), Way(gemm=True, backwards="index"), timesteps=1),
        in_a_loop(kernels(), Way(cut="sizes")),
        in_a_loop(kernels(bias=False), kind="Scan"),
    ]
    return [one.SerializeToString() for one in made]


# --- what no exporter writes ------------------------------------------------------------------------------------------


def in_a_circle() -> ModelProto:
    """Every timestep's c comes from the one after it."""
    return unrolled(kernels(), h="t2_h", c="t2_c")


def casts_in_a_circle() -> ModelProto:
    made = unrolled(kernels(), h="round", c="round")
    made.graph.node.append(helper.make_node("Identity", ["round_2"], ["round"]))
    made.graph.node.append(helper.make_node("Identity", ["round"], ["round_2"]))
    return made


def sums_in_a_circle() -> ModelProto:
    made = unrolled(kernels())
    for node in made.graph.node:
        if list(node.output) == ["t1_s"]:
            node.input[0] = "t1_z"
    return made


def doubled_sums() -> ModelProto:
    """Each sum adds up the one before twice: two to the power of a hundred terms."""
    made = unrolled(kernels())
    for node in made.graph.node:
        if node.op_type == "Split":
            node.input[0] = "double_99"
    made.graph.node.append(helper.make_node("MatMul", ["H", "R"], ["double_0"]))
    made.graph.node.extend(helper.make_node("Add", [f"double_{n}"] * 2, [f"double_{n + 1}"]) for n in range(99))
    return made


def far_away() -> ModelProto:
    """A timestep that no sequence has: what would be fed to see it does not fit into any memory."""
    made = unrolled(kernels(), Way(hoisted=True))
    for node in made.graph.node:
        if list(node.output) == ["t1_n"]:
            node.attribute[0].t.raw_data = np.array(2**62, np.int64).tobytes()
    return made


def forged_split() -> ModelProto:
    made = unrolled(kernels())
    for node in made.graph.node:
        if node.op_type == "Split":
            node.attribute.append(helper.make_attribute("num_outputs", 2**40))
    return made


HOSTILE = {
    "timesteps in a circle": in_a_circle,
    "nodes in a circle": casts_in_a_circle,
    "sums in a circle": sums_in_a_circle,
    "sums that double": doubled_sums,
    "a timestep far away": far_away,
    "a forged Split": forged_split,
}
