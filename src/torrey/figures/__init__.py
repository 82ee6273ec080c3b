"""Figures, drawn from files and never from a solver."""
