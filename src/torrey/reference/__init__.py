"""Everything that promises an error: the full solution, projected and folded ones."""
