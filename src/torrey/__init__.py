"""Diffusion MRI signals of permeable tissue."""

__version__ = "0.1.0"
