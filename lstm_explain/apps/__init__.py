"""The explorer, the tour and the quiz: applications made of topics."""
