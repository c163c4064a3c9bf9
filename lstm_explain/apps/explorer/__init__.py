"""The explorer: an application for the terminal over any LSTM. State, pure actions, panels of text; Textual shows them."""
