"""One frozen result and one builder for each topic. Arrays stay arrays; nothing here is laid out for display."""
