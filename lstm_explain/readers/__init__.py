"""Files to arrays. The only package that opens files for reading; every failure names the file, the place and a way out."""
