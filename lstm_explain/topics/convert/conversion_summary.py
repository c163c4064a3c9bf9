"""What changes when weights go from one convention to another: gates, axes, kernels, biases, directions, peepholes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import gate_letters

if TYPE_CHECKING:
    from lstm_explain.core.gates import Gate
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.convention import Convention


def conversion_steps(source: Convention, target: Convention, spec: Spec, biases: int) -> dict[str, str]:
    """What is done to each part of the weights, in words; gates and axes always, the others only if they change.

    `biases` is the number of bias vectors of each neuron in the source.
    """
    kept = source.output_major == target.output_major
    axes = f"{'as they were' if kept else 'turned'}: a {'row' if target.output_major else 'column'} for each neuron"
    steps = {
        "gates": _gate_step((source.kernel, source.gate_order), (target.kernel, target.gate_order)),
        "axes": axes,
        "kernels": _kernel_step(source, target),
        "biases": _bias_step(target, spec, biases),
        "forget bias": _forget_bias_step(source, target),
        "directions": _direction_step(source, target, spec),
        "peepholes": _peephole_step(source, target, spec),
    }
    return {part: step for part, step in steps.items() if step}


def _gate_step(source: tuple[str, tuple[Gate, ...]], target: tuple[str, tuple[Gate, ...]]) -> str:
    """The step from one name of arrays and order of gates to another; a star in a name is an array for each gate."""
    (source_name, before), (target_name, after) = source, target
    if "*" in target_name:
        return "as they were: an array for each" if "*" in source_name else "cut: an array for each"
    if "*" in source_name:
        return f"put side by side: {_format_gates(after)}"
    if before == after:
        return f"as they were: {_format_gates(after)}"
    return f"reordered from {_format_gates(before)} to {_format_gates(after)}"


def _format_gates(gates: tuple[Gate, ...]) -> str:
    return " ".join(gate_letters(gates))


def _kernel_step(source: Convention, target: Convention) -> str:
    if target.fused_kernel and not source.fused_kernel:
        return "joined: the rows of x_t, then those of h_{t-1}"
    if source.fused_kernel and not target.fused_kernel:
        return "cut in two: what x_t is multiplied with, and what h_{t-1} is"
    return ""


def _bias_step(target: Convention, spec: Spec, source_count: int) -> str:
    target_count = target.bias_count(spec)
    if not target_count:
        return ""
    if not source_count:
        return "none, written as zeros"
    steps = []
    if target_count > 1:
        first = "one into two: all of it" if source_count == 1 else "two into two: their sum"
        steps.append(f"{first} in the first, zero in the second")
    elif source_count > 1:
        steps.append("two into one: added up")
    if target.bias_required and not all(layer.bias for layer in spec.layers):
        steps.append("zeros in layers that have none")
    return "; ".join(steps)


def _forget_bias_step(source: Convention, target: Convention) -> str:
    added, subtracted = source.forget_bias_added, target.forget_bias_added
    if added == subtracted:
        return ""
    steps = [f"{added:g} added: {source.title} adds it when it runs"] if added else []
    steps += [f"{subtracted:g} taken away: {target.title} adds it when it runs"] if subtracted else []
    return "; ".join(steps)


def _direction_step(source: Convention, target: Convention, spec: Spec) -> str:
    if not spec.has_backward or source.directions_stacked == target.directions_stacked:
        return ""
    return "stacked: both in one array" if target.directions_stacked else "taken apart: an array for each"


def _peephole_step(source: Convention, target: Convention, spec: Spec) -> str:
    if not any(layer.peepholes for layer in spec.layers):
        return ""
    if "*" in str(target.peephole):
        return "" if "*" in str(source.peephole) else "cut: an array for each gate"
    if "*" in str(source.peephole):
        return f"put end to end: {_format_gates(target.peephole_order)}"
    return _gate_step(("", source.peephole_order), ("", target.peephole_order))
