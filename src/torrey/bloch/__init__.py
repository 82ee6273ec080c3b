"""Bloch waves of a periodic cell: bands, folding, narrow pulses, spectrum (MMG20)."""
