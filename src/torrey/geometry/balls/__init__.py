"""Discs and spheres, drawn one by one or packed at random."""
