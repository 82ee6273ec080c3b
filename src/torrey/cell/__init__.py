"""The operators of a periodic cell: nothing above them knows the mesh."""
