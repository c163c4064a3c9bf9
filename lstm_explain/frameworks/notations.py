"""The notations that there are: three frameworks', a course's, a web page's and a book's, each with its source beside it."""

from __future__ import annotations

from lstm_explain.core.gates import Gate
from lstm_explain.frameworks.keras import KERAS
from lstm_explain.frameworks.notation import Notation, Reference, Sign
from lstm_explain.frameworks.onnx import ONNX
from lstm_explain.frameworks.pytorch import PYTORCH

I, F, G, O = Gate.INPUT, Gate.FORGET, Gate.CANDIDATE, Gate.OUTPUT  # noqa: E741 - the letters of the field

GREFF = "Greff et al., LSTM: A Search Space Odyssey, 2017"
SAK = "Sak, Senior & Beaufays, 2014"
BORROWED_PEEPHOLES = f"p with the gate's letter, as in {GREFF}"
BORROWED_PROJECTION = f"W_hr, as in PyTorch's documentation, and m, as in {SAK}"
TWO_BIASES = (
    "The two biases are always added, so only their sum counts. This LSTM keeps one: it stands for the first, and the second "
    "is zero"
)


def by_gate(text: str, latex: str, letters: dict[Gate, str]) -> dict[Gate, Sign]:
    """A sign for each gate: `%g` is its letter."""
    return {gate: Sign(text.replace("%g", letter), latex.replace("%g", letter)) for gate, letter in letters.items()}


def in_time(letters: str) -> dict[str, Sign]:
    """The signs of the states where the timestep is a subscript: x_t, h_{t-1}; the letters of x, h, c and o tanh(c)."""
    x, h, c, m = (Sign(f"{letter}_%t", f"{letter}_{{%t}}") for letter in letters)
    return {"input": x, "hidden": h, "hidden_before": h, "cell": c, "cell_before": c, "emitted": m}


def in_brackets(letters: str, text: str, latex: str) -> dict[str, Sign]:
    """The same where the timestep is a superscript in brackets."""
    x, h, c, m = (Sign(f"{letter}{text}", f"{letter}{latex}") for letter in letters)
    return {"input": x, "hidden": h, "hidden_before": h, "cell": c, "cell_before": c, "emitted": m}


IFGO = {I: "i", F: "f", G: "g", O: "o"}
PYTORCH_NOTATION = Notation(
    name="pytorch",
    title="PyTorch",
    source=Reference(
        "PyTorch's documentation of torch.nn.LSTM",
        "torch/nn/modules/rnn.py, class LSTM, version 2.13",
        "https://docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html",
        "read in its source",
    ),
    convention=PYTORCH,
    order=(I, F, G, O, "cell", "hidden"),
    terms=("kernel", "bias", "recurrent_kernel", "recurrent_bias", "peephole"),
    states=in_time("xhcm"),
    gates=by_gate("%g_%t", "%g_{%t}", IFGO),
    kernels=by_gate("W_i%g", "W_{i%g}", IFGO),
    recurrent_kernels=by_gate("W_h%g", "W_{h%g}", IFGO),
    biases=(by_gate("b_i%g", "b_{i%g}", IFGO), by_gate("b_h%g", "b_{h%g}", IFGO)),
    peepholes=by_gate("p_%g", "p_{%g}", IFGO),
    projection=Sign("W_hr", "W_{hr}"),
    hadamard=Sign("⊙", r"\odot"),
    terminology={
        I: "input gate",
        F: "forget gate",
        G: "cell gate",
        O: "output gate",
        "cell": "cell state",
        "hidden": "hidden state",
        "input": "input",
    },
    borrowed=("peepholes",),
    option_notes={
        "peepholes": BORROWED_PEEPHOLES,
        "projection": "PyTorch writes h_t on both sides, h_t = W_hr h_t. What is not yet projected is called m_t here, as in "
        f"{SAK}",
        "bias": TWO_BIASES,
    },
    remarks=(
        "Two letters stand below a weight: what it multiplies, i for input and h for hidden, and the gate that it is for.",
    ),
)

IFCO = {I: "i", F: "f", G: "c", O: "o"}
KERAS_NOTATION = Notation(
    name="keras",
    title="Keras",
    source=Reference(
        "Keras, the source of keras.layers.LSTM",
        "keras/src/layers/rnn/lstm.py, class LSTMCell, version 3.15",
        "https://github.com/keras-team/keras/blob/master/keras/src/layers/rnn/lstm.py",
        "read in its source",
    ),
    convention=KERAS,
    order=(I, F, "cell", O, "hidden"),
    terms=("kernel", "recurrent_kernel", "peephole", "bias"),
    states={
        "input": Sign("inputs", r"\mathrm{inputs}"),
        "hidden": Sign("h", "h"),
        "hidden_before": Sign("h_tm1", r"\mathrm{h\_tm1}"),
        "cell": Sign("c", "c"),
        "cell_before": Sign("c_tm1", r"\mathrm{c\_tm1}"),
        "emitted": Sign("m", "m"),
    },
    gates=by_gate("%g", "%g", IFCO),
    kernels=by_gate("kernel[:, %a:%z]", r"\mathrm{kernel}[:,\,%a{:}%z]", IFCO),
    recurrent_kernels=by_gate("recurrent_kernel[:, %a:%z]", r"\mathrm{recurrent\_kernel}[:,\,%a{:}%z]", IFCO),
    biases=(by_gate("bias[%a:%z]", r"\mathrm{bias}[%a{:}%z]", IFCO),),
    peepholes=by_gate("p_%g", "p_{%g}", IFCO),
    projection=Sign("W_hr", "W_{hr}"),
    row_vectors=True,
    times=Sign("@", r"\mathbin{@}"),
    sigmoid=Sign("sigmoid", r"\mathrm{sigmoid}"),
    terminology={F: "forget gate", "cell": "carry state", "hidden": "memory state", "input": "inputs"},
    borrowed=("projection", "peepholes"),
    option_notes={
        "peepholes": BORROWED_PEEPHOLES,
        "projection": BORROWED_PROJECTION,
        "backward": "Keras turns the sequence round, so h_tm1 and c_tm1 are the states of timestep t+1 here",
    },
    remarks=(
        "tm1 stands for t-1. The candidate has no name of its own: it is computed inside the line that makes c, from the "
        "third slice of the weights.",
        "The source calls the two functions recurrent_activation and activation, which are sigmoid and tanh unless chosen "
        "otherwise. By default it multiplies all four gates' columns at once, z = inputs @ kernel + h_tm1 @ recurrent_kernel "
        "+ bias, and then cuts z in four.",
    ),
)

IOFC = {I: "i", O: "o", F: "f", G: "c"}
ONNX_NOTATION = Notation(
    name="onnx",
    title="ONNX",
    source=Reference(
        "ONNX, the operator LSTM",
        "docs/Operators.md, LSTM, version 22 of the operator",
        "https://github.com/onnx/onnx/blob/main/docs/Operators.md#LSTM",
        "read in its source",
    ),
    convention=ONNX,
    order=(I, F, G, "cell", O, "hidden"),
    terms=("kernel", "recurrent_kernel", "peephole", "bias", "recurrent_bias"),
    states={
        "input": Sign("X%b", "X_{%t}"),
        "hidden": Sign("H%b", "H_{%t}"),
        "hidden_before": Sign("H%b", "H_{%t}"),
        "cell": Sign("C%b", "C_{%t}"),
        "cell_before": Sign("C%b", "C_{%t}"),
        "emitted": Sign("M%b", "M_{%t}"),
    },
    gates=by_gate("%g%b", "%g_{%t}", IOFC),
    kernels=by_gate("(W%g^T)", r"(W_{%g}^{T})", IOFC),
    recurrent_kernels=by_gate("(R%g^T)", r"(R_{%g}^{T})", IOFC),
    biases=(by_gate("Wb%g", r"\mathit{Wb}_{%g}", IOFC), by_gate("Rb%g", r"\mathit{Rb}_{%g}", IOFC)),
    peepholes=by_gate("P%g", "P_{%g}", {I: "i", O: "o", F: "f"}),
    projection=Sign("W_hr", "W_{hr}"),
    row_vectors=True,
    transposed=True,
    times=Sign("*", "*"),
    hadamard=Sign("(.)", r"\odot"),
    sigmoid=Sign("f", "f"),
    tanh=Sign("g", "g"),
    tanh_cell=Sign("h", "h"),
    terminology={
        I: "input gate",
        F: "forget gate",
        G: "cell gate",
        O: "output gate",
        "cell": "cell",
        "hidden": "hidden state",
        "input": "input tensor",
    },
    borrowed=("projection",),
    option_notes={
        "projection": BORROWED_PROJECTION,
        "bias": TWO_BIASES,
        "backward": "For the reverse direction the operator's documentation names the weights WB, RB, WBb, RBb and PB",
    },
    remarks=(
        "Before a bracket, f, g and h are functions: f is Sigmoid, g and h are Tanh, unless the node says otherwise. ft is "
        "the forget gate. A small ct is the candidate, a capital Ct the cell state.",
    ),
)

UFCO = {I: "u", F: "f", G: "c", O: "o"}
GAMMAS = by_gate("Γ_%g", r"\Gamma_{%g}", {I: "u", F: "f", O: "o"})
NG_NOTATION = Notation(
    name="ng",
    title="Andrew Ng's course",
    source=Reference(
        "Andrew Ng, Sequence Models, course 5 of the Deep Learning Specialization (DeepLearning.AI on Coursera)",
        "week 1: the lecture Long Short Term Memory (LSTM), and the assignment Building your Recurrent Neural Network",
        "https://www.coursera.org/learn/nlp-sequence-models",
        "compared with participants' published notes of both; the course itself stands behind a registration",
    ),
    order=(G, I, F, O, "cell", "hidden"),
    terms=("joined", "peephole", "bias"),
    states=in_brackets("xacm", "<%b>", r"^{\langle %t \rangle}"),
    gates={**GAMMAS, G: Sign("c\u0303<%b>", r"\tilde{c}^{\langle %t \rangle}")},
    kernels=by_gate("W_%g", "W_{%g}", UFCO),
    recurrent_kernels={},
    biases=(by_gate("b_%g", "b_{%g}", UFCO),),
    peepholes=by_gate("p_%g", "p_{%g}", UFCO),
    projection=Sign("W_hr", "W_{hr}"),
    concatenated=("hidden_before", "input"),
    forget_first=False,
    terminology={
        I: "update gate",
        F: "forget gate",
        G: "candidate value",
        O: "output gate",
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
)

IFCAPITAL = {I: "i", F: "f", G: "C", O: "o"}
COLAH_NOTATION = Notation(
    name="colah",
    title="Christopher Olah's page",
    source=Reference(
        "Christopher Olah, Understanding LSTM Networks, 2015",
        "Step-by-Step LSTM Walk Through; peepholes: Variants on Long Short Term Memory",
        "https://colah.github.io/posts/2015-08-Understanding-LSTMs/",
        "read in its source, text and pictures",
    ),
    order=(F, I, G, "cell", O, "hidden"),
    terms=("joined", "bias"),
    states=in_time("xhCm"),
    gates={**by_gate("%g_%t", "%g_{%t}", {F: "f", I: "i", O: "o"}), G: Sign("C\u0303_%t", r"\tilde{C}_{%t}")},
    kernels=by_gate("W_%g", "W_{%g}", IFCAPITAL),
    recurrent_kernels={},
    biases=(by_gate("b_%g", "b_{%g}", IFCAPITAL),),
    peepholes={},
    projection=Sign("W_hr", "W_{hr}"),
    concatenated=("hidden_before", "input"),
    times=Sign("·", r"\cdot"),
    terminology={
        I: "input gate layer",
        F: "forget gate layer",
        G: "new candidate values",
        O: "sigmoid layer that decides the output",
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
)

BOOK = {I: "^g", F: "^f", G: "", O: "^o"}
BOOK_LATEX = {I: "^{g}", F: "^{f}", G: "", O: "^{o}"}


def book(text: str, latex: str) -> dict[Gate, Sign]:
    """The signs of the book's weights: the superscript names the gate, and the candidate has none."""
    return {gate: Sign(text + BOOK[gate], latex + BOOK_LATEX[gate]) for gate in BOOK}


GOODFELLOW_NOTATION = Notation(
    name="goodfellow",
    title="the Deep Learning book",
    source=Reference(
        "Goodfellow, Bengio & Courville, Deep Learning, MIT Press, 2016",
        "section 10.10.1, equations 10.40 to 10.44",
        "https://www.deeplearningbook.org/contents/rnn.html",
        "read in the TeX source of its Chinese edition, where the equations count to the same numbers",
    ),
    order=(F, "cell", I, "hidden", O),
    terms=("bias", "kernel", "recurrent_kernel", "peephole"),
    states={
        "input": Sign("x_j^(%b)", "x_j^{(%t)}"),
        "hidden": Sign("h_%u^(%b)", "h_{%u}^{(%t)}"),
        "hidden_before": Sign("h_j^(%b)", "h_j^{(%t)}"),
        "cell": Sign("s_%u^(%b)", "s_{%u}^{(%t)}"),
        "cell_before": Sign("s_%u^(%b)", "s_{%u}^{(%t)}"),
        "emitted": Sign("m_%u^(%b)", "m_{%u}^{(%t)}"),
    },
    gates=by_gate("%g_%u^(%b)", "%g_{%u}^{(%t)}", {I: "g", F: "f", O: "q"}),
    kernels=book("U_%u,j", "U_{%u,j}"),
    recurrent_kernels=book("W_%u,j", "W_{%u,j}"),
    biases=(book("b_%u", "b_{%u}"),),
    peepholes={gate: sign for gate, sign in book("p_%u", "p_{%u}").items() if gate is not G},
    projection=Sign("(W_hr)_i,j", r"(W_{hr})_{i,j}"),
    opening=Sign("Σ_j", r"\sum_j"),
    hadamard=Sign("", ""),
    output_first=False,
    terminology={
        I: "external input gate",
        F: "forget gate",
        O: "output gate",
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
        "i numbers the cells, which are the units here, and j is what is summed over. g is the input gate, which others write "
        "i; elsewhere g is the candidate. Here the candidate has no sign of its own.",
    ),
    printed_candidate="sigmoid",
)

NOTATIONS = {
    notation.name: notation
    for notation in (
        PYTORCH_NOTATION,
        KERAS_NOTATION,
        ONNX_NOTATION,
        NG_NOTATION,
        COLAH_NOTATION,
        GOODFELLOW_NOTATION,
    )
}
DEFAULT_NOTATION = "pytorch"
"""Its letters are the ones used everywhere else in this package."""
