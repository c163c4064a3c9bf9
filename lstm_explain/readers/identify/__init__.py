"""Named arrays to LSTMs: which framework wrote them, which layers and directions they belong to, and what is not supported."""
