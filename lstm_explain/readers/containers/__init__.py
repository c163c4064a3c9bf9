"""File formats: bytes to named arrays, each format read within a memory budget and without running anything in the file."""
