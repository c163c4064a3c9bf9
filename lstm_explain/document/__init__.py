"""The vocabulary of pages: blocks, numbers as text, the words that pages share."""
