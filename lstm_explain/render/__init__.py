"""One file for each format. Terminal, Markdown and SVG read blocks; the machine formats read explanations."""
