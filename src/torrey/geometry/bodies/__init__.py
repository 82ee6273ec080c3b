"""Cylinders and ellipsoids in space."""
