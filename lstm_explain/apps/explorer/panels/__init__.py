"""What is seen: each panel is a function of the scene and the room it has, and returns lines of text."""
