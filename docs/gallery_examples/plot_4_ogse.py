"""
OGSE and the dispersion of diffusivity
======================================

The faster a gradient oscillates, the shorter is the way that water diffuses within a period, and
the less it sees of membranes. The apparent diffusivity of oscillating gradients (OGSE) therefore
rises with frequency, along the curve D(ω) of the medium.
"""

import matplotlib.pyplot as plt
import numpy as np

import torrey as tr

# %%
# ``dispersion`` computes D(ω) itself, ``cumulants`` the apparent diffusivity of a waveform at b =
# 0, without a fit.
disc = tr.Discs((tr.Disc((0.5, 0.5), 0.45),))
D = {"outside": "2 um^2/ms", "inside": "1.5 um^2/ms"}
cell = tr.Cell(disc, D, period="8 um", permeability="1e-5 m/s")
frequencies = np.geomspace(0.005, 2.0, 40)  # kHz, that is 5 Hz to 2 kHz
medium = cell.dispersion((1, 0), times="10 ms", frequencies=frequencies)

# %%
# Trains of 40 ms with 1 to 8 periods: 25 to 200 Hz.
cycles = [1, 2, 4, 8]
trains = {"cosine": tr.CosineOgse, "sine": tr.SineOgse}
adc = {
    name: [float(cell.cumulants(make("40 ms", "45 ms", n), direction=(1, 0)).adc) for n in cycles]
    for name, make in trains.items()
}
pgse = float(cell.cumulants(tr.Pgse("20 ms", "40 ms"), direction=(1, 0)).adc)

# %%
# Cosine trains follow D(ω) closely. Sine trains have a second peak of their spectrum at frequency
# zero and stay below.
hertz = np.array(cycles) / 0.040
curve = np.interp(hertz, 1e3 * medium.frequency, medium.D_frequency)
for i, f in enumerate(hertz):
    values = ", ".join(f"{name} {values[i]:.3f}" for name, values in adc.items())
    print(f"{f:4.0f} Hz: D(omega) {curve[i]:.3f}, {values} um2/ms")
print(f"limits: D(0) {float(medium.D_slow):.3f}, D(infinity) {float(medium.D_fast):.3f} um2/ms")

plt.figure(figsize=(6, 3.8), layout="constrained")
plt.semilogx(1e3 * medium.frequency, medium.D_frequency, "k-", label="D(ω) of the medium")
for name, marker in (("cosine", "o"), ("sine", "s")):
    plt.plot(hertz, adc[name], marker, label=f"ADC of {name} OGSE")
plt.axhline(pgse, color="grey", linestyle=":", label="ADC of PGSE, 20 and 40 ms")
plt.axhline(float(medium.D_fast), color="grey", linestyle="--", label="D at infinite frequency")
plt.xlabel("frequency (Hz)")
plt.ylabel("diffusivity (µm²/ms)")
plt.legend(fontsize="small")
plt.show()
