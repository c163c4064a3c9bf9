"""Words for the data that a layer reads."""

from __future__ import annotations

from lstm_explain.frameworks.glossary import sources as by
from lstm_explain.frameworks.glossary.entry import Entry, Thing, Usage

SAMPLE = Entry(
    "sample",
    Thing.SAMPLE,
    "one sequence of the batch; counts from 0",
    ("sequence", "example"),
    ("batch", "timestep", "element"),
    (
        Usage(by.KERAS_FAQ, Thing.SAMPLE, "an audio file is one sample", "one element of a dataset"),
        Usage(
            by.NUMPY,
            Thing.TIMESTEP,
            "a reading of a signal: an audio file has thousands in a second",
            "Sample spacing (inverse of the sampling rate).",
        ),
        Usage(
            by.D2L_SEQUENCE,
            Thing.TIMESTEP,
            "one value of a sine over 1000 timesteps",
            "we corrupt each sample with additive noise",
        ),
    ),
)

BATCH = Entry(
    "batch",
    Thing.BATCH,
    "all samples together, the first axis of the input",
    ("batch_size", "minibatch", "n"),
    ("sample",),
    (
        Usage(
            by.PYTORCH_LSTM,
            Thing.BATCH,
            "an axis of the input: the second, unless batch_first=True",
            "as `(batch, seq, feature)` instead of `(seq, batch, feature)`",
        ),
        Usage(
            by.KERAS_FAQ,
            Thing.UPDATE,
            "a part of the samples, after which the weights are updated once",
            "If training, a batch results in only one update to the model.",
        ),
        Usage(
            by.KERAS_FIT, Thing.UPDATE, "batch_size of fit, 32 where none is given", "Number of samples per gradient update."
        ),
    ),
)

TIMESTEP = Entry(
    "timestep",
    Thing.TIMESTEP,
    "one position in a sequence; counts from 1",
    ("step", "t"),
    ("sequence length", "sample", "element"),
    (
        Usage(by.KERAS_LSTM, Thing.TIMESTEP, "the second axis", "A 3D tensor, with shape `(batch, timesteps, feature)`."),
        Usage(by.ONNX_LSTM, Thing.TIMESTEP, "t in the equations", "`t` - time step (t-1 means previous time step)"),
        Usage(
            by.CS231N, Thing.TIMESTEP, "t in the equations", "at every timestep it receives some previous state as a vector"
        ),
    ),
)

ELEMENT = Entry(
    "element",
    None,
    "no word of this package, which says timestep or sample",
    ("element in the sequence",),
    ("timestep", "sample"),
    (
        Usage(
            by.PYTORCH_LSTM,
            Thing.TIMESTEP,
            "a position in the sequence",
            "For each element in the input sequence, each layer computes the following function",
        ),
        Usage(
            by.PYTORCH_LSTM,
            Thing.SAMPLE,
            "said of h_n, which has one h for each sample of the batch",
            "final hidden state for each element in the sequence.",
        ),
    ),
)

SEQUENCE_LENGTH = Entry(
    "sequence length",
    Thing.TIMESTEP,
    "how many timesteps a sequence has, here --timesteps",
    ("seq_len", "seq_length", "num_steps", "sequence_lens", "length", "timesteps"),
    ("timestep",),
    (
        Usage(by.PYTORCH_LSTM, Thing.TIMESTEP, "L, the first axis unless batch_first=True", r"L ={} & \text{sequence length}"),
        Usage(by.MLX_LSTM, Thing.TIMESTEP, "L", "``L`` is the sequence length"),
        Usage(
            by.ONNX_LSTM,
            Thing.TIMESTEP,
            "the axis; sequence_lens has the length of each sample",
            "assumed all sequences in the batch to have length `seq_length`",
        ),
    ),
    ours=False,
)

FEATURE = Entry(
    "feature",
    Thing.FEATURE,
    "one number of a timestep; counts from 0",
    ("features", "input feature", "column", "input_dim"),
    ("input_size",),
    (
        Usage(by.KERAS_LSTM, Thing.FEATURE, "the last axis", "A 3D tensor, with shape `(batch, timesteps, feature)`."),
        Usage(by.PYTORCH_LSTM, Thing.FEATURE, "a number of x", "The number of expected features in the input `x`"),
        Usage(by.PYTORCH_LSTM, Thing.UNIT, "a number of h too", "The number of features in the hidden state `h`"),
        Usage(by.FLAX_LSTM, Thing.UNIT, "LSTMCell(features=4) has four units", "features: number of output features."),
    ),
)

SEQUENCES = (SAMPLE, BATCH, TIMESTEP, ELEMENT, SEQUENCE_LENGTH, FEATURE)
