"""Quantities in and out, names, files: nothing of the field."""
