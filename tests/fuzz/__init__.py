"""Fuzzing of the readers: python -m tests.fuzz.fuzz_NAME --seconds 30 --seed 1."""
