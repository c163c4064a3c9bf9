"""The five networks, said in PyTorch: `nn.LSTM`, `nn.Linear`, and packed sequences of `nn.utils.rnn`.

The oracle tests execute these programs as they are printed, with our weights, and compare.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.network import FROM_ONE, Task
from lstm_explain.frameworks.python_code import Statement, format_statements, shape_literal

if TYPE_CHECKING:
    from lstm_explain.core.network import NetworkPlan
    from lstm_explain.core.spec import Spec


def pytorch_in_short(plan: NetworkPlan) -> str:
    """What distinguishes the network, in one line."""
    last = "torch.cat((h_n[-2], h_n[-1]), dim=1)" if plan.spec.bidirectional else "h_n[-1]"
    repeated = f"x[:, :1].expand(-1, {plan.steps_out}, -1)"
    return {
        Task.ONE_TO_ONE: f"lstm(x[:, :1]), then dense({last})",
        Task.ONE_TO_MANY: f"lstm({repeated}), then dense(output)",
        Task.MANY_TO_ONE: f"dense({last})",
        Task.MANY_TO_MANY: "dense(output)",
        Task.ENCODER_DECODER: "decoder(last_h_repeated, (h_n, c_n)), then dense(output)",
    }[plan.task]


def pytorch_lines(plan: NetworkPlan, lengths: bool = False) -> tuple[str, ...]:
    """A program that builds the network and runs it over `x`, which is given.

    Args:
        plan: the network; without peepholes.
        lengths: whether the samples have lengths of their own, which are given as `lengths`.
    """
    batch, several = plan.batch, "; lengths too" if _packed(plan, lengths) else ""
    statements = [
        Statement("import torch"),
        Statement("from torch import nn"),
        Statement(""),
        Statement(f"# x is given: {shape_literal(batch.samples, batch.timesteps, batch.features)}{several}"),
    ]
    makers = {Task.ONE_TO_ONE: _once, Task.MANY_TO_ONE: _once, Task.ENCODER_DECODER: _encoder_decoder}
    return format_statements([*statements, *makers.get(plan.task, _at_every_step)(plan, lengths)])


def _packed(plan: NetworkPlan, lengths: bool) -> bool:
    """Whether the batch is packed: not where the first timestep alone is read, which every sample has."""
    return lengths and plan.task not in FROM_ONE


def _lstm(name: str, spec: Spec) -> Statement:
    options = [
        f"num_layers={spec.layers}" if spec.layers > 1 else "",
        "bidirectional=True" if spec.bidirectional else "",
        f"proj_size={spec.projection}" if spec.projection else "",
        "" if spec.bias else "bias=False",
        "batch_first=True",
        _dtype(spec),
    ]
    extra = "".join(f", {option}" for option in options if option)
    return Statement(f"{name} = nn.LSTM({spec.features}, {spec.units}{extra})")


def _dense(plan: NetworkPlan) -> Statement:
    dtype = _dtype(plan.batch)
    return Statement(f"dense = nn.Linear({plan.dense_source.output}, {plan.outputs}{f', {dtype}' if dtype else ''})")


def _dtype(spec: Spec) -> str:
    return "" if spec.dtype == "float32" else f"dtype=torch.{spec.dtype}"


def _run(plan: NetworkPlan, lstm: str, reads: str, lengths: bool) -> list[Statement]:
    """Run the LSTM that reads the input: over a packed batch where samples have lengths, which end it where they end."""
    spec = plan.spec
    states = spec.layers * len(spec.directions)
    output = shape_literal(spec.samples, spec.timesteps, spec.output)
    h_n, c_n = shape_literal(states, spec.samples, spec.hidden), shape_literal(states, spec.samples, spec.units)
    run = f"output, (h_n, c_n) = {lstm}"
    if not lengths:
        return [Statement(f"{run}({reads})", f"{output}, {h_n}, {c_n}")]
    pack, options = "nn.utils.rnn.pack_padded_sequence", "batch_first=True, enforce_sorted=False"
    pad, total = "nn.utils.rnn.pad_packed_sequence", f"total_length={spec.timesteps}"
    return [
        Statement(f"packed = {pack}({reads}, lengths, {options})"),
        Statement(f"{run}(packed)", f"packed, {h_n}, {c_n}"),
        Statement(f"output, _ = {pad}(output, batch_first=True, {total})", output),
    ]


def _once(plan: NetworkPlan, lengths: bool) -> list[Statement]:
    spec, one = plan.spec, plan.task is Task.ONE_TO_ONE
    last = "torch.cat((h_n[-2], h_n[-1]), dim=1)" if spec.bidirectional else "h_n[-1]"
    return [
        _lstm("lstm", spec),
        _dense(plan),
        *_run(plan, "lstm", "x[:, :1]" if one else "x", _packed(plan, lengths)),
        Statement(f"last = {last}", shape_literal(spec.samples, spec.output)),
        Statement("y = dense(last)", shape_literal(spec.samples, plan.outputs)),
    ]


def _at_every_step(plan: NetworkPlan, lengths: bool) -> list[Statement]:
    spec, one = plan.spec, plan.task is Task.ONE_TO_MANY
    steps = shape_literal(spec.samples, spec.timesteps, spec.features)
    repeated = [Statement(f"repeated = x[:, :1].expand(-1, {spec.timesteps}, -1)", steps)] if one else []
    return [
        _lstm("lstm", spec),
        _dense(plan),
        *repeated,
        *_run(plan, "lstm", "repeated" if one else "x", _packed(plan, lengths)),
        Statement("y = dense(output)", shape_literal(spec.samples, spec.timesteps, plan.outputs)),
    ]


def _encoder_decoder(plan: NetworkPlan, lengths: bool) -> list[Statement]:
    spec, decoder = plan.spec, plan.dense_source
    steps = (spec.samples, decoder.timesteps)
    states = [Statement("h_0, c_0 = h_n, c_n")]
    if spec.bidirectional:
        h_0, c_0 = (shape_literal(spec.layers, spec.samples, size) for size in (decoder.hidden, decoder.units))
        states = [
            Statement("h_0 = torch.cat((h_n[0::2], h_n[1::2]), dim=2)", h_0),
            Statement("c_0 = torch.cat((c_n[0::2], c_n[1::2]), dim=2)", c_0),
        ]
    return [
        _lstm("encoder", spec),
        _lstm("decoder", decoder),
        _dense(plan),
        *_run(plan, "encoder", "x", lengths),
        *states,
        Statement(f"repeated = h_0[-1][:, None].expand(-1, {decoder.timesteps}, -1)", shape_literal(*steps, decoder.features)),
        Statement("output, _ = decoder(repeated, (h_0, c_0))", shape_literal(*steps, decoder.output)),
        Statement("y = dense(output)", shape_literal(*steps, plan.outputs)),
    ]
