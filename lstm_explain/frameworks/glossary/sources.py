"""The sources of the glossary, each named once. Quotations from docstrings and operators are compared with them by tests."""

from __future__ import annotations

from lstm_explain.frameworks.glossary.entry import Source

_TENSORFLOW = "tensorflow/tensorflow@01788c9e: tensorflow/python/ops/rnn_cell_impl.py"
_D2L = "d2l-ai/d2l-en@23d7a5ae: chapter_recurrent"
_TRANSCRIPT = "second-hand: a transcript in a public repository"

KERAS_LSTM = Source("Keras", "docstring", "keras.layers.LSTM")
KERAS_CELL = Source("Keras", "docstring", "keras.layers.LSTMCell")
KERAS_FIT = Source("Keras", "docstring", "keras.src.trainers.trainer.Trainer.fit")
KERAS_GUIDE = Source("Keras", "file", "keras-team/keras-io@4849412c: guides/working_with_rnns.py, Working with RNNs")
KERAS_FAQ = Source("Keras", "file", "keras-team/keras@00d1e46c: docs/templates/getting-started/faq.md")
KERAS_3840 = Source("keras#3840", "thread", "keras-team/keras#3840, an answer")
KERAS_7600 = Source("keras#7600", "thread", "keras-team/keras#7600, an answer")
KERAS_8461 = Source("keras#8461", "thread", "keras-team/keras#8461, a question")

PYTORCH_LSTM = Source("PyTorch", "docstring", "torch.nn.LSTM")
PYTORCH_CELL = Source("PyTorch", "docstring", "torch.nn.LSTMCell")

ONNX_LSTM = Source("ONNX", "operator", "onnx/onnx: docs/Operators.md, LSTM")
ONNX_NODE = Source("ONNX", "operator", "onnx/onnx: onnx/onnx.proto, Nodes")

TENSORFLOW_RNN = Source("TensorFlow", "file", f"{_TENSORFLOW}, class RNNCell")
TENSORFLOW_BASIC = Source("TensorFlow", "file", f"{_TENSORFLOW}, class BasicLSTMCell")
TENSORFLOW_LSTM = Source("TensorFlow", "file", f"{_TENSORFLOW}, class LSTMCell")
TENSORFLOW_GRU = Source("TensorFlow", "file", f"{_TENSORFLOW}, class GRUCell, method call")
TENSORFLOW_TUPLE = Source("TensorFlow", "file", f"{_TENSORFLOW}, class LSTMStateTuple")
TENSORFLOW_BLOCK = Source("TensorFlow", "page", "https://www.tensorflow.org/api_docs/java/org/tensorflow/op/core/BlockLSTM")
LITERATURE = Source("literature (TensorFlow)", "file", f"{_TENSORFLOW}, class RNNCell")
TENSORFLOW_44409 = Source("tensorflow#44409", "thread", "tensorflow/tensorflow#44409, an answer")
TUTORIALS_63 = Source("TensorFlow-Tutorials#63", "thread", "nlintz/TensorFlow-Tutorials#63, a pull request")

FLAX_LSTM = Source("Flax", "file", "google/flax@18f8f311: flax/linen/recurrent.py, class LSTMCell")
HAIKU_LSTM = Source("Haiku", "file", "google-deepmind/dm-haiku@f4d858a5: haiku/_src/recurrent.py, class LSTM")
HAIKU_STATE = Source("Haiku", "file", "google-deepmind/dm-haiku@f4d858a5: haiku/_src/recurrent.py, class LSTMState")
MLX_LSTM = Source("MLX", "file", "ml-explore/mlx@06f93d13: python/mlx/nn/layers/recurrent.py, class LSTM")
MATLAB = Source("MATLAB", "page", "https://www.mathworks.com/help/deeplearning/ref/nnet.cnn.layer.lstmlayer.html")
CNTK = Source("CNTK", "page", "https://microsoft.github.io/CNTK-R/reference/LSTM.html")
NUMPY = Source("NumPy", "docstring", "numpy.fft.fftfreq")

FOUNDERS = Source(
    "Hochreiter & Schmidhuber", "paper", "Long Short-Term Memory, 1997, doi:10.1162/neco.1997.9.8.1735, section 4", _TRANSCRIPT
)
GREFF = Source(
    "Greff et al.",
    "paper",
    "LSTM: A Search Space Odyssey, 2017, arXiv:1503.04069",
    "second-hand: quoted in cjblackout/LSTM_MNIST, README.md, and notes",
)
GOODFELLOW = Source(
    "Goodfellow et al.",
    "paper",
    "Deep Learning, 2016, https://www.deeplearningbook.org/contents/rnn.html, section 10.10.1",
    _TRANSCRIPT,
)
D2L_LSTM = Source("d2l.ai", "file", f"{_D2L}-modern/lstm.md, Gated Memory Cell")
D2L_RNN = Source("d2l.ai", "file", f"{_D2L}-neural-networks/rnn.md, Recurrent Neural Networks with Hidden States")
D2L_SEQUENCE = Source("d2l.ai", "file", f"{_D2L}-neural-networks/sequence.md, Training")
COLAH = Source("Olah", "file", "colah/colah.github.io@0e834941: posts/2015-08-Understanding-LSTMs/index.html")
CS231N = Source("CS231n", "file", "cs231n/cs231n.github.io@05cbaae2: rnn.md, Intro to RNN")
WIKIPEDIA = Source(
    "Wikipedia",
    "page",
    "https://en.wikipedia.org/wiki/Long_short-term_memory",
    "second-hand: quoted in several public repositories",
)
