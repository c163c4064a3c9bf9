"""The tests of lstm-explain."""
