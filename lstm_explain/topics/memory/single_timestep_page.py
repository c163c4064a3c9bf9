"""The part of `memory` on samples of a single timestep: which parameters have nothing to act on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lstm_explain.core.gates import GATES, LETTERS
from lstm_explain.document.blocks import Block, Cell, Column, Heading, Note, Paragraph, Table
from lstm_explain.document.numbers import thousands

if TYPE_CHECKING:
    from lstm_explain.topics.memory import Memory
    from lstm_explain.topics.memory.single_timestep import OneStep


def one_step_blocks(memory: Memory, step: OneStep) -> list[Block]:
    """Lay out how many parameters get no gradient."""
    where = "the sample" if step.samples == 1 else f"all {thousands(step.samples)} samples of one timestep that were run"
    return [
        Heading(f"One timestep: {thousands(step.idle)} of {thousands(step.total)} parameters get no gradient"),
        Paragraph(_nothing_to_act_on(memory, step)),
        _idle(step),
        Note(
            "Counted, not assumed: the gradient of the sum of all numbers that the last layer emits, by every parameter of "
            f"the stack, worked in float64. A parameter is counted where its gradient is exactly 0 in {where}."
        ),
    ]


def _nothing_to_act_on(memory: Memory, step: OneStep) -> str:
    if not step.from_zero:
        return (
            "The state is carried over from the sample before, so there is an h for the recurrent weights to multiply and a c "
            "for the forget gate to keep."
        )
    acts = ["the recurrent weights multiply zeros", "the forget gate decides how much of zero to keep"]
    if any(one.tensor == "peephole" for one in step.tensors):
        acts.insert(1, "the peepholes of i and f multiply zeros")
    found = (
        f"h and c are zero before the only timestep. So {', '.join(acts[:-1])}, and {acts[-1]}: they have nothing to act on, "
        "and training cannot change them."
    )
    if memory.carried is not None:
        return f"{found} That is so for sample 0 alone: every other one starts from a carried state."
    if memory.spec.timesteps > 1:
        return f"{found} Longer samples can."
    otherwise = "" if memory.spec.has_backward else ", or carry the state from sample to sample (--carry-state)"
    return f"{found} Such a layer remembers nothing. Put the sequence on the axis of timesteps{otherwise}."


def _idle(step: OneStep) -> Table:
    """A row for each tensor, a column for each gate: how many get no gradient, of how many."""
    counts = {(one.tensor, one.gate): (one.idle, one.total) for one in step.tensors}
    tensors = list(dict.fromkeys(one.tensor for one in step.tensors))
    rows = []
    for tensor in tensors:
        by_gate = [counts.get((tensor, gate)) for gate in GATES]
        whole = [one for (name, _), one in counts.items() if name == tensor]
        rows.append((tensor.replace("_", " "), [*by_gate, _together(whole)]))
    gates = [[one for (_, of), one in counts.items() if of is gate] for gate in GATES]
    rows.append(("together", [*map(_together, gates), (step.idle, step.total)]))
    columns = (Column("no gradient"), *(Column(LETTERS[gate], "right") for gate in GATES), Column("together", "right"))
    return Table(columns, tuple((Cell(name, strong=True), *map(_of, values)) for name, values in rows))


def _together(counts: list[tuple[int, int]]) -> tuple[int, int]:
    return sum(idle for idle, _ in counts), sum(total for _, total in counts)


def _of(counted: tuple[int, int] | None) -> Cell:
    if counted is None:
        return Cell("")
    idle, total = counted
    return Cell(f"{thousands(idle)} of {thousands(total)}", strong=idle == total)
