"""What kind of layer kernels are of: four neurons for each unit make an LSTM, three a GRU, one a simple recurrent layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES

if TYPE_CHECKING:
    from lstm_explain.core.axes import Array
    from lstm_explain.frameworks.convention import Convention


def not_lstm_reason(arrays: dict[str, Array], convention: Convention) -> str | None:
    """Why these tensors are no LSTM's, or None."""
    both = (convention.kernel, convention.recurrent_kernel)
    kernels = [one for name in both for one in convention.gate_arrays(name, convention.gate_order)]
    missing = [name for name in kernels if name not in arrays]
    if missing:
        return f"has no {missing[0]}"
    kernel, recurrent = arrays[kernels[0]], arrays[kernels[-1]]
    if kernel.ndim != 2 or recurrent.ndim != 2:
        return (
            f"has a {convention.kernel} of {kernel.ndim} axes and a {convention.recurrent_kernel} of {recurrent.ndim}, not 2"
        )
    if convention.fused_kernel or len(kernels) > 2:
        return None
    neurons, hidden = recurrent.shape if convention.output_major else recurrent.shape[::-1]
    projection = arrays.get(convention.projection or "")
    units = hidden if projection is None or projection.ndim != 2 else max(projection.shape)
    if (kind := other_layer_kind(neurons, units)) is not None:
        return kind
    if neurons != len(GATES) * units or not units:
        return f"is not an LSTM: {neurons} neurons for {units} units are not four for each"
    return None


def other_layer_kind(neurons: int, units: int) -> str | None:
    """Return which other recurrent layer has so many neurons, or None."""
    if units and neurons == 3 * units:
        return f"is a GRU: it has {neurons} neurons for {units} units, three for each; only LSTMs are explained"
    if neurons == units:
        return f"is a simple recurrent layer: it has one neuron for each of {units} units; only LSTMs are explained"
    return None
