"""What people say: the words of neural networks, what they mean here, and what others mean by them, each with its source."""
