"""What tests of several folders use: random LSTMs, stacks of layers that differ, a terminal, model files."""
