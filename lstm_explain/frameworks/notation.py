"""Notation: how one writer writes the equations of an LSTM, as data: the signs, their order, the words and the source.

The text and the LaTeX of a sign have markers for what changes: `%t` for the timestep (in braces where it is a sum, as in
h_{t-1}), `%b` for the timestep alone, `%u` for the unit where the writer names it, and `%a` and `%z` for the first neuron of a
gate and the first one after it where the writer cuts them out of a packed array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lstm_explain.core.equations import ResultRole, Sign
from lstm_explain.core.gates import GATES, PEEPHOLE_GATES, Gate

if TYPE_CHECKING:
    from lstm_explain.frameworks.convention import Convention


class Reference(NamedTuple):
    """Where a notation is written down, and how it was compared with that."""

    work: str
    """The paper, book, course or documentation."""
    place: str
    """The chapter, page, class or equation numbers in it."""
    url: str
    """Where to read it."""
    checked: str
    """How this notation was compared with its source."""


class Notation(NamedTuple):
    """One writer's equations."""

    name: str
    """The name on the command line and in JSON."""
    title: str
    source: Reference
    """Where the notation is written down."""
    order: tuple[ResultRole, ...]
    """The results in the writer's order. A writer who has no sign for the candidate has it inside c."""
    terms: tuple[str, ...]
    """What a neuron adds up, in the writer's order; what the LSTM does not have is left out."""
    states: dict[str, Sign]
    """`input`, `hidden`, `hidden_before`, `cell`, `cell_before`, and `emitted`, which is o tanh(c) before a projection."""
    gates: dict[Gate, Sign]
    kernels: dict[Gate, Sign]
    """What multiplies x; where x and h are joined, what multiplies both."""
    recurrent_kernels: dict[Gate, Sign]
    """What multiplies h; empty where x and h are joined."""
    biases: tuple[dict[Gate, Sign], ...]
    peepholes: dict[Gate, Sign]
    projection: Sign
    terminology: dict[str, str]
    """What the writer calls things; empty where the writer has no word."""
    convention: Convention | None = None
    """How the framework packs the gates; None for papers, where each gate has its own arrays."""
    aliases: tuple[str, ...] = ()
    """What people call it, if it is not a framework's."""
    concatenated: tuple[str, ...] = ()
    """What the writer puts side by side into one vector, in order; empty where x and h are multiplied apart."""
    row_vectors: bool = False
    """Whether vectors are rows, multiplied from the left: x W rather than W x."""
    transposed: bool = False
    """Whether the weights are stored the other way round than they are multiplied."""
    opening: Sign = Sign("", "")
    """What is written before a product of weights and a vector."""
    times: Sign = Sign("", "")
    """What is written between weights and a vector."""
    hadamard: Sign = Sign("*", "*")
    """The product element by element."""
    sigmoid: Sign = Sign("σ", r"\sigma")
    tanh: Sign = Sign("tanh", r"\tanh")
    """What squashes the candidate."""
    tanh_cell: Sign = Sign("tanh", r"\tanh")
    """What squashes the cell state."""
    forget_first: bool = True
    """Whether the sum that makes c begins with what is kept."""
    output_first: bool = True
    """Whether the product that makes h begins with the output gate."""
    borrowed: tuple[str, ...] = ()
    """The options of an LSTM for which this notation has no signs; those used instead are borrowed."""
    option_notes: dict[str, str] = {}  # noqa: RUF012 - data, never changed
    """What to know where an LSTM has an option: `projection`, `peepholes`, `backward`, `bias`."""
    remarks: tuple[str, ...] = ()
    """What to know in any case, such as letters that mean something else elsewhere."""
    printed_candidate: str = ""
    """The function that the source prints around the candidate, where it is not the tanh of this LSTM."""

    @property
    def names_unit(self) -> bool:
        """Whether the writer's signs say which unit is meant."""
        return "%u" in self.states["cell"].text


GREFF = "Greff et al., LSTM: A Search Space Odyssey, 2017"
SAK = "Sak, Senior & Beaufays, 2014"
BORROWED_PEEPHOLES = f"p with the gate's letter, as in {GREFF}"
BORROWED_PROJECTION = f"W_hr, as in PyTorch's documentation, and m, as in {SAK}"
TWO_BIASES = (
    "The two biases are always added, so only their sum counts. This LSTM keeps one, which is written as the first; the "
    "second is zero"
)


def gate_signs(text: str, latex: str, letters: str, gates: tuple[Gate, ...] = GATES) -> dict[Gate, Sign]:
    """A sign for each gate: `%g` is its letter, in the order of `gates`."""
    pairs = zip(gates, letters, strict=True)
    return {gate: Sign(text.replace("%g", letter), latex.replace("%g", letter)) for gate, letter in pairs}


def state_signs(letters: str, text: str = "_%t", latex: str = "_{%t}") -> dict[str, Sign]:
    """The signs of the states; `letters` are those of x, h, c and o tanh(c), followed by the timestep: x_t, h_{t-1}."""
    x, h, c, m = (Sign(f"{letter}{text}", f"{letter}{latex}") for letter in letters)
    return {"input": x, "hidden": h, "hidden_before": h, "cell": c, "cell_before": c, "emitted": m}


# --- the literature: a course, a web page and a book ------------------------------------------------------------------

SUPERSCRIPTS = {Gate.INPUT: "g", Gate.FORGET: "f", Gate.OUTPUT: "o"}
"""In the Deep Learning book a weight's superscript names its gate; those of the candidate have none."""


def _superscript_signs(text: str, latex: str, gates: tuple[Gate, ...] = GATES) -> dict[Gate, Sign]:
    def add_superscript(gate: Gate) -> Sign:
        letter = SUPERSCRIPTS.get(gate)
        return Sign(text, latex) if letter is None else Sign(f"{text}^{letter}", f"{latex}^{{{letter}}}")

    return {gate: add_superscript(gate) for gate in gates}


LITERATURE = (
    Notation(
        name="ng",
        aliases=("andrew-ng", "andrew", "coursera", "deeplearning.ai"),
        title="Andrew Ng's course",
        source=Reference(
            "Andrew Ng, Sequence Models, course 5 of the Deep Learning Specialization (DeepLearning.AI on Coursera)",
            "week 1: the lecture Long Short Term Memory (LSTM), and the assignment Building your Recurrent Neural Network",
            "https://www.coursera.org/learn/nlp-sequence-models",
            "compared with participants' published notes of both; the course itself requires registration",
        ),
        order=(Gate.CANDIDATE, Gate.INPUT, Gate.FORGET, Gate.OUTPUT, "cell", "hidden"),
        terms=("joined", "peephole", "bias"),
        states=state_signs("xacm", "<%b>", r"^{\langle %t \rangle}"),
        gates={
            **gate_signs("Γ_%g", r"\Gamma_{%g}", "ufo", PEEPHOLE_GATES),
            Gate.CANDIDATE: Sign("c\u0303<%b>", r"\tilde{c}^{\langle %t \rangle}"),
        },
        kernels=gate_signs("W_%g", "W_{%g}", "ufco"),
        recurrent_kernels={},
        biases=(gate_signs("b_%g", "b_{%g}", "ufco"),),
        peepholes=gate_signs("p_%g", "p_{%g}", "ufco"),
        projection=Sign("W_hr", "W_{hr}"),
        concatenated=("hidden_before", "input"),
        forget_first=False,
        terminology={
            Gate.INPUT: "update gate",
            Gate.FORGET: "forget gate",
            Gate.CANDIDATE: "candidate value",
            Gate.OUTPUT: "output gate",
            "cell": "memory cell",
            "hidden": "activation (hidden state)",
            "input": "input",
        },
        borrowed=("projection", "peepholes"),
        option_notes={"peepholes": BORROWED_PEEPHOLES, "projection": BORROWED_PROJECTION},
        remarks=(
            "h is written a, for activation. a and x are joined, a first, and each gate has one matrix for both. In the "
            "assignment's code the update gate's weights are Wi and bi.",
        ),
    ),
    Notation(
        name="colah",
        aliases=("olah", "chris-olah", "christopher-olah", "understanding-lstm-networks"),
        title="Christopher Olah's page",
        source=Reference(
            "Christopher Olah, Understanding LSTM Networks, 2015",
            "Step-by-Step LSTM Walk Through; peepholes: Variants on Long Short Term Memory",
            "https://colah.github.io/posts/2015-08-Understanding-LSTMs/",
            "read in its source, text and pictures",
        ),
        order=(Gate.FORGET, Gate.INPUT, Gate.CANDIDATE, "cell", Gate.OUTPUT, "hidden"),
        terms=("joined", "bias"),
        states=state_signs("xhCm"),
        gates={**gate_signs("%g_%t", "%g_{%t}", "ifo", PEEPHOLE_GATES), Gate.CANDIDATE: Sign("C\u0303_%t", r"\tilde{C}_{%t}")},
        kernels=gate_signs("W_%g", "W_{%g}", "ifCo"),
        recurrent_kernels={},
        biases=(gate_signs("b_%g", "b_{%g}", "ifCo"),),
        peepholes={},
        projection=Sign("W_hr", "W_{hr}"),
        concatenated=("hidden_before", "input"),
        times=Sign("·", r"\cdot"),
        terminology={
            Gate.INPUT: "input gate layer",
            Gate.FORGET: "forget gate layer",
            Gate.CANDIDATE: "new candidate values",
            Gate.OUTPUT: "sigmoid layer that decides the output",
            "cell": "cell state",
            "hidden": "output",
            "input": "input",
        },
        borrowed=("projection",),
        option_notes={
            "projection": BORROWED_PROJECTION,
            "peepholes": "The cell state joins h and x in the brackets. What multiplies it is a square block of the weights. "
            "Here, as in Gers & Schmidhuber, 2000, a unit sees its own number only, so this block is zero off its diagonal",
        },
        remarks=("h and x are joined, h first, and each gate has one matrix for both.",),
    ),
    Notation(
        name="goodfellow",
        aliases=("deep-learning-book", "dlbook", "goodfellow-et-al", "bengio"),
        title="the Deep Learning book",
        source=Reference(
            "Goodfellow, Bengio & Courville, Deep Learning, MIT Press, 2016",
            "section 10.10.1, equations 10.40 to 10.44",
            "https://www.deeplearningbook.org/contents/rnn.html",
            "read in the TeX source of its Chinese edition, where the equations count to the same numbers",
        ),
        order=(Gate.FORGET, "cell", Gate.INPUT, "hidden", Gate.OUTPUT),
        terms=("bias", "kernel", "recurrent_kernel", "peephole"),
        states={
            "input": Sign("x_j^(%b)", "x_j^{(%t)}"),
            "hidden": Sign("h_%u^(%b)", "h_{%u}^{(%t)}"),
            "hidden_before": Sign("h_j^(%b)", "h_j^{(%t)}"),
            "cell": Sign("s_%u^(%b)", "s_{%u}^{(%t)}"),
            "cell_before": Sign("s_%u^(%b)", "s_{%u}^{(%t)}"),
            "emitted": Sign("m_%u^(%b)", "m_{%u}^{(%t)}"),
        },
        gates=gate_signs("%g_%u^(%b)", "%g_{%u}^{(%t)}", "gfq", PEEPHOLE_GATES),
        kernels=_superscript_signs("U_%u,j", "U_{%u,j}"),
        recurrent_kernels=_superscript_signs("W_%u,j", "W_{%u,j}"),
        biases=(_superscript_signs("b_%u", "b_{%u}"),),
        peepholes=_superscript_signs("p_%u", "p_{%u}", PEEPHOLE_GATES),
        projection=Sign("(W_hr)_i,j", r"(W_{hr})_{i,j}"),
        opening=Sign("Σ_j", r"\sum_j"),
        hadamard=Sign("", ""),
        output_first=False,
        terminology={
            Gate.INPUT: "external input gate",
            Gate.FORGET: "forget gate",
            Gate.OUTPUT: "output gate",
            "cell": "state unit",
            "hidden": "output of the LSTM cell",
            "input": "current input vector",
        },
        borrowed=("projection", "peepholes"),
        option_notes={
            "peepholes": f"{BORROWED_PEEPHOLES}; the book describes them in words only",
            "projection": BORROWED_PROJECTION,
        },
        remarks=(
            "i numbers the cells, which are the units here, and j is what is summed over. g is the input gate, which others "
            "write i; elsewhere g is the candidate. Here the candidate has no sign.",
        ),
        printed_candidate="sigmoid",
    ),
)
