"""`python -m lstm_explain` is `lstm-explain`."""

from lstm_explain.cli.main import program

if __name__ == "__main__":
    program()
