"""The report: one offline file in which an LSTM runs, with its own sizes, weights and inputs."""
