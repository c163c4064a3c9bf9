"""The LSTM itself: sizes, weights, the step, the run and its record. No input or output, no text layout."""
