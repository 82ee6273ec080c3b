"""Meshes and closed surfaces that somebody else has made."""
