"""Tables of the papers: one module per paper, one function per table."""
