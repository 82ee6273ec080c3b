"""
A voxel of different axons
==========================

Axons differ in size and lie at random. Models often put one disc in a square cell in their place,
with the same share of water inside and the same surface of membranes. How far is its signal from
that of the packing?
"""

import matplotlib.pyplot as plt
import numpy as np

import torrey as tr

# %%
# Discs are placed at random in a periodic box of 12 um, the largest first, at least 0.2 um apart.
random, box = np.random.default_rng(2), 12.0
discs: list[tr.Disc] = []
for radius in np.sort(random.gamma(5.0, 0.24, 14))[::-1] / box:
    for place in random.random((3000, 2)):
        gaps = [
            np.linalg.norm((place - d.center + 0.5) % 1 - 0.5) - d.radius - radius for d in discs
        ]
        if min(gaps, default=1.0) > 0.2 / box:
            discs.append(tr.Disc(tuple(place), radius))
            break
radii = np.array([d.radius for d in discs]) * box
share, surface = np.pi * (radii**2).sum() / box**2, 2 * np.pi * radii.sum() / box**2
print(f"{len(discs)} discs of {radii.min():.2f} to {radii.max():.2f} um, share inside {share:.3f}")

# %%
# One disc of radius R = 2 share / surface has the same ratio of membrane to water inside, and
# stands in a square cell of side L with pi R^2 / L^2 = share.
one = 2 * share / surface
side = one * np.sqrt(np.pi / share)
print(f"the one disc has a radius of {one:.2f} um in a cell of {side:.2f} um")
D, kappa = {"outside": "2 um^2/ms", "inside": "1 um^2/ms"}, "1e-5 m/s"
packing = tr.Cell(tr.Discs(tuple(discs)), D, f"{box} um", kappa)
lattice = tr.Cell(tr.Discs((tr.Disc((0.5, 0.5), one / side),)), D, f"{side} um", kappa)

# %%
b = np.linspace(0, 4, 9)
ask = {"b": b, "direction": (1, 0), "tolerance": 1e-3}
table, of_one = (cell.signal(tr.Pgse("5 ms", "30 ms"), **ask) for cell in (packing, lattice))
for i in (2, 4, 8):
    error = of_one[i].item() / table[i].item() - 1
    print(f"b = {1000 * b[i]:.0f} s/mm^2: packing {table[i].item():.4f}, one disc {error:+.1%}")

figure, (picture, signals) = plt.subplots(1, 2, figsize=(8, 3.8), layout="constrained")
packing.plot(ax=picture)
if picture.get_legend():
    picture.get_legend().remove()
signals.semilogy(b, table, "ko-", label=f"packing of {len(discs)} discs")
signals.semilogy(b, of_one, "C1s--", label="one disc in a square cell")
signals.set(xlabel="b (ms/µm²)", ylabel="S")
signals.legend()
plt.show()
