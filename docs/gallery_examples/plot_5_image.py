"""
From an image to a signal
=========================

A segmented image, with 0 in the water between cells and a label in each cell, becomes a periodic
cell whose outlines are smooth. How far is its signal from that of round cells with the same areas?
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import torrey as tr

# %%
# Here the image is drawn; yours is a PNG, a TIFF or an array. One pixel is 0.1 um, and the cell
# looks as the image does: its first row is at the top.
y, x = np.mgrid[0:80, 0:80]
labels = np.zeros((80, 80), np.uint8)
labels[((x - 24) / 20) ** 2 + ((y - 20) / 10) ** 2 < 1] = 1
labels[((x - 60) / 14) ** 2 + ((y - 45) / 8) ** 2 < 1] = 2
labels[(abs(x - 62) < 14) & (abs(y - 15) < 8)] = 3
labels[((x - 24) / 19) ** 2 + ((y - 60) / 11) ** 2 < 1] = 4
file = Path(tempfile.mkdtemp()) / "labels.npy"
np.save(file, labels)

# %%
# ``measures`` has the area of each compartment, the outside first. The discs stand where the labels
# have their centres.
D = {"outside": "2 um^2/ms", "inside": "1.2 um^2/ms"}
image = tr.shapes.LabelImage(file=file, pixel=0.1)
cell = tr.Cell(image, D, period="8 um", permeability="1e-5 m/s")
radii = np.sqrt(np.array(image.measures()[1:]) / np.pi)
places = [
    ((x[labels == n].mean() + 0.5) / 80, (79.5 - y[labels == n].mean()) / 80) for n in (1, 2, 3, 4)
]
discs = tuple(tr.Disc(place, radius) for place, radius in zip(places, radii, strict=True))
round_cells = tr.Cell(tr.Discs(discs), D, period="8 um", permeability="1e-5 m/s")

# %%
# The signal of the image depends on the direction, because its cells are long; that of the discs
# hardly does.
b = np.linspace(0, 4, 9)  # ms/um^2
ask = {"b": b, "direction": [(1, 0), (0, 1)], "tolerance": 1e-3}
table, of_discs = (one.signal(tr.Pgse("5 ms", "25 ms"), **ask) for one in (cell, round_cells))
for i, name in enumerate("xy"):
    S, other = table[-1, i].item(), of_discs[-1, i].item()
    print(f"along {name}, b = 4000 s/mm^2: image {S:.4f}, discs {other:.4f}, {other / S - 1:+.1%}")

figure, (picture, signals) = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
cell.plot(ax=picture)
for i, name in enumerate("xy"):
    signals.semilogy(b, table[:, i], f"C{i}o-", label=f"image, along {name}")
    signals.semilogy(b, of_discs[:, i], f"C{i}--", label=f"discs, along {name}")
signals.set(xlabel="b (ms/µm²)", ylabel="S")
signals.legend()
plt.show()
