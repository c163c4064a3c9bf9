"""The questions that can be asked of an LSTM: one package per topic, with its result, its computation and its page."""
