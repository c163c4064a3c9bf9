"""How other frameworks write the same LSTM: names, gate orders, axis orders and biases, as data."""
