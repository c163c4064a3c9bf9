"""The tour: six questions about LSTM units, answered with the numbers of the LSTM at hand. Made of the topics."""
