"""The command line: one file for each command, each a thin shell around one library call."""
