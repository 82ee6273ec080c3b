"""What a notebook uses: cells, waveforms and quantities with units in, labelled arrays out.

`torrey/__init__.py` offers the names of this room, each loaded when it is first used. Nothing else
of the library imports it: texts with units, pint and xarray end here.
"""
