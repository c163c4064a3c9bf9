"""The sentences about each of the five networks and what was measured on it."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING

from lstm_explain.document.numbers import format_difference, plural, thousands
from lstm_explain.topics.tasks import ENCODER_DECODER, MANY_TO_MANY, MANY_TO_ONE, ONE_TO_MANY, ONE_TO_ONE

if TYPE_CHECKING:
    from lstm_explain.core.spec import Spec
    from lstm_explain.topics.tasks import TaskNetwork
    from lstm_explain.topics.tasks.checks import BroadcastTargets, IdleWeights, LastOutput, LookAhead

TITLES = {
    ONE_TO_ONE: "one step in, one answer out",
    ONE_TO_MANY: "one step in, an answer at every step out",
    MANY_TO_ONE: "a sequence in, one answer out",
    MANY_TO_MANY: "a sequence in, an answer at each timestep out (aligned)",
    ENCODER_DECODER: "a sequence in, another sequence out (many-to-many)",
}
MEANINGS = {
    ONE_TO_ONE: (
        "A single timestep: there is no past to remember. A table of rows without an order in time is such a task, and a "
        "dense network would do."
    ),
    ONE_TO_MANY: "One input, and a course that unfolds from it: a caption from an image, a melody from a genre.",
    MANY_TO_ONE: "Read it all, then answer once: the mood of a text, the class of a signal, the next value of a series.",
    MANY_TO_MANY: "An answer for every timestep, when it is read: the part of speech of each word, an alarm at each minute.",
    ENCODER_DECODER: (
        "Read it all, then write: a translation, the next days of a series. The lengths of the two sequences are free of each "
        "other."
    ),
}
"""One line of meaning each."""
ALTERNATIVES = {
    ONE_TO_MANY: (
        "Another way: feed each output back as the next input, one step at a time. Then the dense layer must make as many "
        "outputs as there are features. A third: make the input the initial state, and read nothing."
    ),
    ENCODER_DECODER: (
        "Other ways: hand on the repeated h alone and start the decoder from zero; or hand on the states alone and let the "
        "decoder read the sequence that it writes, one step late: the true one in training (teacher forcing), its own outputs "
        "afterwards."
    ),
}


MIN_DECIMAL = 0.0095
"""From here on a difference is written with two decimals."""


BIDIRECTIONAL_WARNING = (
    "Of a bidirectional layer and a longer sequence it is not, and no error is raised: backwards, reading begins at the last "
    "timestep, so there the backward half has read that one alone."
)


def dense_input_text(network: TaskNetwork, spec: Spec) -> str:
    """Which h the dense layer reads."""
    both = " of both directions, side by side" if spec.for_layer(len(spec.layers) - 1).bidirectional else ""
    whose = "the decoder's h at every step" if network.task == ENCODER_DECODER else f"h at every step{both}"
    return f"the last h{both}" if network.steps_out is None else whose


def reach_text(network: TaskNetwork, spec: Spec) -> str:
    """Where the layer's h goes."""
    reach = network.checks.reach
    neurons = "one neuron" if reach.outputs == 1 else plural(reach.outputs, "neuron")
    numbers = plural(reach.numbers, "number")
    read = "reads" if reach.outputs == 1 else "each read"
    top = spec.layers[-1]
    whose = " of the decoder" if network.task == ENCODER_DECODER else " of both directions" if top.bidirectional else ""
    all_units = f"one from every unit{whose}" if top.projection is None else f"mixed from all units{whose} by the projection"
    which = f"Each of the {numbers}" if reach.poked == reach.numbers else f"Each of the first {reach.poked} of the {numbers}"
    every = "" if network.steps_out is None else " The same neurons serve every step."
    return (
        f"The dense layer's {neurons} {read} all {numbers} of h, {all_units}, and nothing else of the LSTM: not c, not the "
        f"gates.{every} {which} was changed by {reach.by}, one after the other: in all, {thousands(reach.moved)} of "
        f"{thousands(reach.poked * reach.outputs)} outputs moved."
    )


def pitfall_texts(network: TaskNetwork, spec: Spec) -> list[str]:
    """What was measured, and the mistakes that raise no error."""
    checks, texts = network.checks, list[str]()
    if checks.idle is not None:
        texts.append(_idle_text(network, checks.idle))
    if checks.last is not None:
        texts += _last_output_texts(network, checks.last, spec)
    if checks.step_by_step is not None:
        taken = checks.step_by_step
        steps = "all steps" if taken.steps == network.steps_out else f"the first {thousands(taken.steps)} steps"
        texts.append(
            "TimeDistributed(Dense) and Dense are the same on (samples, timesteps, features): a dense layer reads the last "
            "axis. Applied to one step after the other and to all at once, the outputs differ by "
            f"{format_difference(taken.difference)} ({steps})."
        )
    if checks.ahead is not None and checks.ahead.earlier:
        texts.append(_lookahead_text(checks.ahead, spec))
    if network.padded:
        texts.append(
            f"This sample ends at timestep {thousands(network.length)}. Past it the LSTM's output is zero and an "
            "output is the dense layer's bias, which means nothing: leave these steps out of the loss."
        )
    if checks.broadcast is not None:
        texts.append(_broadcast_text(checks.broadcast))
    return texts


def _idle_text(network: TaskNetwork, idle: IdleWeights) -> str:
    return (
        f"Of the {thousands(network.parts[0].total)} parameters of the LSTM, {thousands(idle.weights)} do nothing "
        "here: h_0 and c_0 "
        "are zero, so the recurrent kernel and the forget gate have nothing to act on. Set to zero, they change the outputs "
        f"by {format_difference(idle.difference)} ({plural(network.checked_samples, 'sample')})."
    )


def _broadcast_text(broadcast: BroadcastTargets) -> str:
    return (
        "A mistake without an error: targets of shape (samples, 1). Keras drops the outputs' last axis, and broadcasting "
        f"compares each target with the outputs of all {thousands(broadcast.compared // broadcast.samples)} steps. Of "
        f"{plural(broadcast.samples, 'sample')} that makes {thousands(broadcast.compared)} differences instead of "
        f"{thousands(broadcast.samples)}, and the loss looks fine. If one answer is meant, use many-to-one, without "
        "return_sequences."
    )


def _lookahead_text(ahead: LookAhead, spec: Spec) -> str:
    of = f"{thousands(ahead.moved)} of the {plural(ahead.earlier, 'earlier timestep')}"
    changed = f"With the last input changed, outputs moved at {of}"
    if spec.has_backward:
        tail = "" if ahead.moved == ahead.earlier else "; further back the change is too small for the type"
        return f"Both directions together know the future. {changed}{tail}."
    return f"At timestep t only x_1 to x_t have been read. {changed}."


def _last_output_texts(network: TaskNetwork, last: LastOutput, spec: Spec) -> list[str]:
    """What the output at the last timestep has to do with the last h."""
    samples = plural(last.samples, "sample")
    right = "torch.cat((h_n[-2], h_n[-1]), dim=1)" if spec.for_layer(len(spec.layers) - 1).bidirectional else "h_n[-1]"
    wrong = f"A mistake without an error: output[:, -1] as the last h, which is {right}."
    texts = []
    if last.difference == 0:
        texts.append(f"{_same_text(right, spec)} (over {samples}). {BIDIRECTIONAL_WARNING} Prefer h_n.")
    elif isnan(last.difference):
        texts.append(f"Whether output[:, -1] is the last h, {right}, cannot be told here: they hold nan.")
    elif last.backward is not None:
        whose = "the backward half" + (" of the last layer" if len(spec.layers) > 1 else "")
        alone = (
            f" It equals a backward run over that step alone, to {_format_gap(last.alone)}." if last.alone is not None else ""
        )
        texts += [
            f"{wrong} Backwards, reading begins at the last timestep: there {whose} has taken one step of "
            f"{thousands(network.timesteps)}.{alone} The two differ by {_format_gap(last.forward)} in the forward "
            "half, and by "
            f"{_format_gap(last.backward)} in the backward half (over {samples}).",
            "Keras's Bidirectional(LSTM) without return_sequences gives each direction's own last h: the right one.",
        ]
    else:
        texts.append(f"{wrong} The two differ by {_format_gap(last.difference)} (over {samples}).")
    if last.padded:
        texts.append(
            f"Of {samples}, {thousands(last.padded)} end before the last timestep; output[:, -1] is zero there. h_n holds the "
            "state at each sample's own end."
        )
    if last.outputs is not None and last.outputs > 0:
        texts.append(f"Read by the dense layer, the mistake moves the outputs by up to {_format_gap(last.outputs)}.")
    return texts


def _same_text(right: str, spec: Spec) -> str:
    alone = ", as there is one timestep only" if spec.for_layer(len(spec.layers) - 1).bidirectional else ""
    return f"output[:, -1] is the same as {right} here{alone}: the difference is 0 exactly"


def _format_gap(difference: float) -> str:
    """A difference: in decimals where they say enough."""
    return f"{difference:.2f}" if difference >= MIN_DECIMAL else format_difference(difference)
