"""What becomes of weights that go from one convention into another: gates, axes, kernels, biases, directions, peepholes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.gates import LETTERS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lstm_explain.core.gates import Gate
    from lstm_explain.core.spec import Spec
    from lstm_explain.frameworks.convention import Convention


class Conversion(NamedTuple):
    """Two conventions, and the layer that is written in them."""

    source: Convention
    target: Convention
    spec: Spec
    biases: int
    """How many bias vectors each neuron has in the source."""

    @property
    def done(self) -> dict[str, str]:
        """What is done, by what it is done to; what stays as it is only where one would ask."""
        words = {
            "gates": self._gates(),
            "axes": self._axes(),
            "kernels": self._kernels(),
            "biases": self._biases(),
            "forget bias": self._forget_bias(),
            "directions": self._directions(),
            "peepholes": self._peepholes(),
        }
        return {what: text for what, text in words.items() if text}

    def _gates(self) -> str:
        source, target = self.source, self.target
        apart, each = ("*" in source.kernel, "*" in target.kernel)
        if each:
            return "as they were: an array for each" if apart else "cut: an array for each"
        if apart:
            return f"put side by side: {_format_letters(target.gate_order)}"
        return _format_reordering(source.gate_order, target.gate_order)

    def _axes(self) -> str:
        kept = self.source.output_major == self.target.output_major
        return f"{'as they were' if kept else 'turned'}: a {'row' if self.target.output_major else 'column'} for each neuron"

    def _kernels(self) -> str:
        if self.target.fused_kernel and not self.source.fused_kernel:
            return "joined: the rows of x_t, then those of h_{t-1}"
        if self.source.fused_kernel and not self.target.fused_kernel:
            return "cut in two: what x_t is multiplied with, and what h_{t-1} is"
        return ""

    def _biases(self) -> str:
        has, wants = self.biases, self.target.bias_count(self.spec)
        if not wants:
            return ""
        if not has:
            return "none, written as zeros"
        lacking = any(not layer.bias for layer in self.spec.layers) and self.target.bias_required
        done = self._of_biases(has, wants)
        return "; ".join(filter(None, [done, "zeros in layers that have none" if lacking else ""]))

    def _of_biases(self, has: int, wants: int) -> str:
        """What is done to those that there are."""
        first = "all of it" if has == 1 else "their sum"
        if wants > 1:
            return f"{'one' if has == 1 else 'two'} into two: {first} in the first, zero in the second"
        return "two into one: added up" if has > 1 else ""

    def _forget_bias(self) -> str:
        more, less = self.source.forget_bias_added, self.target.forget_bias_added
        if more == less:
            return ""
        notes = [f"{more:g} added: {self.source.title} adds it when it runs"] if more else []
        notes += [f"{less:g} taken away: {self.target.title} adds it when it runs"] if less else []
        return "; ".join(notes)

    def _directions(self) -> str:
        if not self.spec.has_backward or self.source.directions_stacked == self.target.directions_stacked:
            return ""
        return "stacked: both in one array" if self.target.directions_stacked else "taken apart: an array for each"

    def _peepholes(self) -> str:
        if not any(self.spec.for_layer(layer).peepholes for layer, _ in self.spec.layer_groups):
            return ""
        source, target = self.source, self.target
        apart, each = ("*" in str(source.peephole), "*" in str(target.peephole))
        if each:
            return "" if apart else "cut: an array for each gate"
        if apart:
            return f"put end to end: {_format_letters(target.peephole_order)}"
        return _format_reordering(source.peephole_order, target.peephole_order)


def _format_reordering(before: tuple[Gate, ...], after: tuple[Gate, ...]) -> str:
    if before == after:
        return f"as they were: {_format_letters(after)}"
    return f"reordered from {_format_letters(before)} to {_format_letters(after)}"


def _format_letters(gates: Iterable[Gate]) -> str:
    return " ".join(LETTERS[gate] for gate in gates)
