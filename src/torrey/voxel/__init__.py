"""Signals of voxels of thousands of cells, without a factorisation and without a basis."""
