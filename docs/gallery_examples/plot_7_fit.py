"""
A fit of measured data
======================

A table of signals with noise is fitted with Kärger's model, with intervals from profile
likelihoods. The signals are those of a cell whose exchange time is known, so that the fit can be
held against it.
"""

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import torrey as tr

# %%
# In a small cell water crosses a disc much faster than it leaves it: here Kärger's model holds.
disc = tr.Discs((tr.Disc((0.5, 0.5), 0.4),))
D = {"outside": "2 um^2/ms", "inside": "1 um^2/ms"}
cell = tr.Cell(disc, D, period="2 um", permeability="1e-5 m/s")
truth = 1 / float(cell.dispersion((1, 0), times="10 ms", frequencies="10 Hz").rate[0])
Deltas, b = (10, 20, 40, 80), np.linspace(0, 4, 9)
S = cell.signal([tr.Pgse(5, Delta) for Delta in Deltas], b=b, direction=(1, 0), tolerance=1e-4)

# %%
# A file as a scanner's table would be: names with units, then a row per signal.
folder, sigma = Path(tempfile.mkdtemp()), 0.01


def fit(signals, sigma):
    """Write signals to a file and fit them."""
    lines = ["b (s/mm^2),delta (ms),Delta (ms),S"]
    for Delta, row in zip(Deltas, signals, strict=True):
        lines += [f"{1000 * x:g},5,{Delta},{S:.6f}" for x, S in zip(b, row, strict=True)]
    (folder / "signals.csv").write_text("\n".join(lines))
    return tr.fit(folder / "signals.csv", "karger", sigma=sigma).isel(voxel=0)


# %%
# One fit is of signals with noise of 1 % of that at b = 0, the other has hardly any noise and shows
# what the model makes of this cell. ``D_c`` is not told by these signals, and its lower limit is
# infinite: the disc of 0.8 um is too small.
noisy = S.values + np.random.default_rng(0).normal(0, sigma, S.shape)
result, best = fit(noisy, sigma), fit(S.values, 1e-4)
for name in ("t_ex", "f", "D_e", "D_c"):
    value, low, high = (float(result[name + end]) for end in ("", "_lower", "_upper"))
    print(f"{name}: {value:.3f} ({low:.3f} to {high:.3f}), without noise {float(best[name]):.3f}")
print(f"exact exchange time {truth:.2f} ms, share of water inside {np.pi * 0.4**2:.3f}")

plt.figure(figsize=(6, 3.6), layout="constrained")
for i, Delta in enumerate(Deltas):
    plt.semilogy(b, np.abs(noisy[i]), f"C{i}o", label=f"Δ = {Delta} ms, with noise")
    plt.semilogy(b, S[i], f"C{i}-")
plt.title(f"exchange time {float(result.t_ex):.1f} ms, exact {truth:.1f} ms")
plt.gca().set(xlabel="b (ms/µm²)", ylabel="S")
plt.legend()
plt.show()
