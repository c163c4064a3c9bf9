"""Words for the data that a layer reads, and the names that frameworks give to sizes."""

from __future__ import annotations

from lstm_explain.frameworks.glossary import sources as by
from lstm_explain.frameworks.glossary.entry import Concept, Entry, Usage

SAMPLE = Entry(
    "sample",
    Concept.SAMPLE,
    "one sequence of the batch; counts from 0",
    ("sequence", "example"),
    ("batch", "timestep", "element"),
    (
        Usage(by.KERAS_FAQ, Concept.SAMPLE, "an audio file is one sample", "one element of a dataset"),
        Usage(
            by.NUMPY,
            Concept.TIMESTEP,
            "a reading of a signal: an audio file has thousands in a second",
            "Sample spacing (inverse of the sampling rate).",
        ),
        Usage(
            by.D2L_SEQUENCE,
            Concept.TIMESTEP,
            "one value of a sine over 1000 timesteps",
            "we corrupt each sample with additive noise",
        ),
    ),
)

BATCH = Entry(
    "batch",
    Concept.BATCH,
    "all samples together, the first axis of the input",
    ("batch_size", "minibatch", "n"),
    ("sample",),
    (
        Usage(
            by.PYTORCH_LSTM,
            Concept.BATCH,
            "an axis of the input: the second, unless batch_first=True",
            "as `(batch, seq, feature)` instead of `(seq, batch, feature)`",
        ),
        Usage(
            by.KERAS_FAQ,
            Concept.UPDATE,
            "a part of the samples, after which the weights are updated once",
            "If training, a batch results in only one update to the model.",
        ),
        Usage(
            by.KERAS_FIT, Concept.UPDATE, "batch_size of fit, 32 where none is given", "Number of samples per gradient update."
        ),
    ),
    size="samples",
    size_names=("num_samples", "n_samples"),
)

TIMESTEP = Entry(
    "timestep",
    Concept.TIMESTEP,
    "one position in a sequence; counts from 1",
    ("step", "t"),
    ("sequence length", "sample", "element"),
    (
        Usage(by.KERAS_LSTM, Concept.TIMESTEP, "the second axis", "A 3D tensor, with shape `(batch, timesteps, feature)`."),
        Usage(by.ONNX_LSTM, Concept.TIMESTEP, "t in the equations", "`t` - time step (t-1 means previous time step)"),
        Usage(
            by.CS231N, Concept.TIMESTEP, "t in the equations", "at every timestep it receives some previous state as a vector"
        ),
    ),
)

ELEMENT = Entry(
    "element",
    None,
    "not used in this package, which says timestep or sample",
    ("element in the sequence",),
    ("timestep", "sample"),
    (
        Usage(
            by.PYTORCH_LSTM,
            Concept.TIMESTEP,
            "a position in the sequence",
            "For each element in the input sequence, each layer computes the following function",
        ),
        Usage(
            by.PYTORCH_LSTM,
            Concept.SAMPLE,
            "said of h_n, which has one h for each sample of the batch",
            "final hidden state for each element in the sequence.",
        ),
    ),
)

SEQUENCE_LENGTH = Entry(
    "sequence length",
    Concept.TIMESTEP,
    "how many timesteps a sequence has, here --timesteps",
    ("seq_len", "seq_length", "num_steps", "sequence_lens", "length", "timesteps"),
    ("timestep",),
    (
        Usage(
            by.PYTORCH_LSTM, Concept.TIMESTEP, "L, the first axis unless batch_first=True", r"L ={} & \text{sequence length}"
        ),
        Usage(by.MLX_LSTM, Concept.TIMESTEP, "L", "``L`` is the sequence length"),
        Usage(
            by.ONNX_LSTM,
            Concept.TIMESTEP,
            "the axis; sequence_lens has the length of each sample",
            "assumed all sequences in the batch to have length `seq_length`",
        ),
    ),
    ours=False,
    size="timesteps",
    size_names=("n_steps", "n_timesteps", "num_timesteps", "lookback"),
)

FEATURE = Entry(
    "feature",
    Concept.FEATURE,
    "one number of a timestep; counts from 0",
    ("features", "input feature", "column"),
    ("input_size",),
    (
        Usage(by.KERAS_LSTM, Concept.FEATURE, "the last axis", "A 3D tensor, with shape `(batch, timesteps, feature)`."),
        Usage(by.PYTORCH_LSTM, Concept.FEATURE, "a number of x", "The number of expected features in the input `x`"),
        Usage(by.PYTORCH_LSTM, Concept.UNIT, "a number of h too", "The number of features in the hidden state `h`"),
        Usage(by.FLAX_LSTM, Concept.UNIT, "LSTMCell(features=4) has four units", "features: number of output features."),
    ),
)

SEQUENCES = (SAMPLE, BATCH, TIMESTEP, ELEMENT, SEQUENCE_LENGTH, FEATURE)

UNITS = Entry(
    "units",
    Concept.UNIT,
    "how many units a layer has in each direction: --units, and so in Keras",
    (),
    ("unit", "hidden_size", "num_units"),
    (
        Usage(
            by.KERAS_LSTM,
            Concept.UNIT,
            "the size of h and of c; Bidirectional outputs twice as many numbers",
            "units: Positive integer, dimensionality of the output space.",
        ),
    ),
)

HIDDEN_SIZE = Entry(
    "hidden_size",
    Concept.UNIT,
    "how many units a layer has in each direction, here --units",
    ("hidden dim", "hidden_features", "n_hidden", "num_hiddens"),
    ("units", "num_units", "hidden state", "proj_size"),
    (
        Usage(by.PYTORCH_LSTM, Concept.HIDDEN, "the size of h", "hidden_size: The number of features in the hidden state `h`"),
        Usage(
            by.PYTORCH_LSTM,
            Concept.UNIT,
            "the size of c, and of h unless there is a projection",
            "the dimension of :math:`h_t` will be changed from ``hidden_size`` to ``proj_size``",
        ),
        Usage(by.ONNX_LSTM, Concept.UNIT, "called neurons", "Number of neurons in the hidden layer"),
        Usage(by.MLX_LSTM, Concept.UNIT, "the size of h and of c", "Dimension of the hidden state, ``H``."),
        Usage(by.HAIKU_LSTM, Concept.UNIT, "the size of h and of c", "hidden_size: Hidden layer size."),
        Usage(by.MATLAB, Concept.UNIT, "called numHiddenUnits", "Number of hidden units (also known as the hidden size)"),
    ),
    ours=False,
    size="units",
    size_names=("hidden", "hidden_units", "lstm_units", "lstm_size"),
)

NUM_UNITS = Entry(
    "num_units",
    Concept.UNIT,
    "how many units a layer has in each direction, here --units",
    ("numhiddenunits", "nunits"),
    ("units", "hidden_size", "unit"),
    (
        Usage(
            by.TENSORFLOW_BASIC,
            Concept.UNIT,
            "the size of h and of c",
            "num_units: int, The number of units in the LSTM cell.",
        ),
        Usage(by.TENSORFLOW_44409, Concept.UNIT, "units in a layer", "refers to number of `LSTM Units` in that `Layer`"),
        Usage(
            by.TUTORIALS_63,
            Concept.TIMESTEP,
            "a mix-up: the number of timesteps is not a size of the layer",
            "I think the fisrt parameter: lstm_size should be time_step_size.",
        ),
    ),
    ours=False,
    size="units",
)

INPUT_SIZE = Entry(
    "input_size",
    Concept.FEATURE,
    "how many features a timestep of the input has, here --features",
    ("input_dim", "input dims"),
    ("feature",),
    (
        Usage(by.PYTORCH_LSTM, Concept.FEATURE, "of layer 0", "input_size: The number of expected features in the input `x`"),
        Usage(by.MLX_LSTM, Concept.FEATURE, "D", "Dimension of the input, ``D``."),
        Usage(
            by.ONNX_LSTM,
            Concept.FEATURE,
            "the last axis of X",
            "3-D tensor with the shape of `[seq_length, batch_size, input_size]`.",
        ),
    ),
    ours=False,
    size="features",
    size_names=("in_features", "num_features", "n_features"),
)

NUM_LAYERS = Entry(
    "num_layers",
    Concept.LAYER,
    "how many layers are stacked, here --layers",
    ("layers",),
    ("layer",),
    (
        Usage(
            by.PYTORCH_LSTM,
            Concept.LAYER,
            "both directions of a layer count as one",
            "num_layers: Number of recurrent layers.",
        ),
    ),
    ours=False,
    size="layers",
    size_names=("n_layers",),
)

PROJ_SIZE = Entry(
    "proj_size",
    Concept.PROJECTED,
    "the size of h where it is a linear map of the units' outputs, here --projection",
    ("projection", "num_proj", "projection_size"),
    ("hidden state", "hidden_size"),
    (
        Usage(
            by.PYTORCH_LSTM,
            Concept.PROJECTED,
            "the size of h; 0 for none",
            "will use LSTM with projections of corresponding size",
        ),
        Usage(
            by.TENSORFLOW_LSTM,
            Concept.PROJECTED,
            "num_proj, the size of h; None for none",
            "The output dimensionality for the projection matrices.",
        ),
    ),
    ours=False,
    size="projection",
)

ARGUMENTS = (UNITS, HIDDEN_SIZE, NUM_UNITS, INPUT_SIZE, NUM_LAYERS, PROJ_SIZE)
