"""Questions whose right answers are measured: made from a seed, asked one by one or as a sheet, and graded."""
