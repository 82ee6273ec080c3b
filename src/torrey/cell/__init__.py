"""The operators of a periodic cell: the only thing above the mesh that knows the mesh."""
