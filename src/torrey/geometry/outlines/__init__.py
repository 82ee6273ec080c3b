"""Cells in the plane that are bounded by closed curves: ellipses, polygons, label images."""
