"""
Filter exchange (FEXI)
======================

A first pair of pulses removes the signal of the fast water, a mixing time lets compartments
exchange, and a second pair measures how far the apparent diffusivity has recovered. The apparent
exchange rate AXR of that recovery should be the exchange rate of the cell.
"""

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import curve_fit

import torrey as tr

# %%
# The exact rate of exchange comes from ``dispersion``.
disc = tr.Discs((tr.Disc((0.5, 0.5), 0.4),))
D = {"outside": "2 um^2/ms", "inside": "1 um^2/ms"}
cell = tr.Cell(disc, D, period="5 um", permeability="1e-5 m/s")
rate = float(cell.dispersion((1, 0), times="10 ms", frequencies="10 Hz").rate[0])

# %%
# Signals without and with the filter, at two b-values of the detection block, against the mixing
# time. The sequence without filter is the one with ``b_filter`` zero.
mixing = [10, 25, 50, 100, 200, 400]
blocks = ("5 ms", "12 ms", "5 ms", "12 ms")
filtered = [tr.waveforms.FilterExchange(*blocks, "1500 s/mm^2", tm) for tm in mixing]
plain = tr.waveforms.FilterExchange(*blocks, 0, "10 ms")
b = ["0 s/mm^2", "800 s/mm^2"]
S = cell.signal([plain, *filtered], b=b, direction=(1, 0), tolerance=1e-4)
adc = -np.log(S[:, 1] / S[:, 0]).values / 0.8
print(f"ADC without filter {adc[0]:.4f} um2/ms")

# %%
# The recovery ADC'(tm) = ADC (1 - sigma exp(-AXR tm)) is fitted to the six values.
recovery = lambda tm, sigma, axr: adc[0] * (1 - sigma * np.exp(-axr * tm))  # noqa: E731
(sigma, axr), _ = curve_fit(recovery, mixing, adc[1:], p0=(0.3, 0.02))
print(f"filter efficiency sigma = {sigma:.3f}")
print(f"AXR = {1e3 * axr:.2f} per s, exact rate of exchange = {1e3 * rate:.2f} per s")
print(f"AXR is off by {100 * (axr / rate - 1):+.1f} %")

times = np.linspace(0, 420, 200)
plt.figure(figsize=(6, 3.5), layout="constrained")
plt.plot(mixing, adc[1:], "ko", label="after the filter")
plt.plot(times, recovery(times, sigma, axr), label=f"AXR = {1e3 * axr:.1f} s$^{{-1}}$")
plt.plot(times, recovery(times, sigma, rate), "--", label=f"exact rate {1e3 * rate:.1f} s$^{{-1}}$")
plt.axhline(adc[0], color="grey", linestyle=":", label="without filter")
plt.xlabel("mixing time (ms)")
plt.ylabel("ADC' (µm²/ms)")
plt.legend()
plt.show()
