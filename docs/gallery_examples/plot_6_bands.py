"""
Bands, and magnetisation that localises
=======================================

In a periodic medium the Laplacian has bands, as electrons have in a crystal. In a gradient, its
eigenvalues first stay real; at branching points two of them meet and become complex: magnetisation
then localises near obstacles.
"""

import matplotlib.pyplot as plt
import numpy as np

import torrey as tr

# %%
# Discs that nothing enters, 8 um apart, in water.
obstacle = tr.Discs((tr.Disc((0.5, 0.5), 0.4),), interior="obstacle")
cell = tr.Cell(obstacle, "2 um^2/ms", period="8 um")
bands = cell.bands((1, 0), pulses=40)

# %%
# The gradient length l_g = (D/G)^(1/3) is the distance over which diffusion dephases spins. The
# first two branches meet where it is about as long as the gap between the discs.
gradients = np.geomspace(0.005, 0.3, 12)  # gamma G in rad/(um ms)
spectrum = cell.spectrum((1, 0), gradient=gradients, count=3)
for gamma_g, pair in zip(spectrum.branching_gradient, spectrum.branching_pair, strict=True):
    length = (2.0 / gamma_g.item()) ** (1 / 3)
    print(f"branches {pair.values} meet at gamma G = {gamma_g.item():.4f} rad/um/ms")
    print(f"there l_g is {length:.2f} um, and the discs are 1.60 um apart")
share = (spectrum.eigenvalue[0].imag / spectrum.imaginary_step).values[-1]
print(f"the imaginary part of branch 0 is {share:.3f} of gamma G L: its mode is half a period away")
weakest = spectrum.eigenvalue[0, 0].real.item()
print(f"branch 0 at the weakest gradient: {weakest:.4f} per ms,", end=" ")
print(f"mean of the lowest band: {spectrum.band_mean[0].item():.4f} per ms")

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
left.plot(bands.p, bands.value[:, :5])
left.set(xlabel="p (rad/µm)", ylabel="band (1/ms)", title="bands along x")
for number, branch in enumerate(spectrum.eigenvalue):
    right.plot(spectrum.gradient, branch.real, f"C{number}-", label=f"branch {number}")
    right.plot(spectrum.gradient, branch.imag, f"C{number}:")
right.axvline(spectrum.branching_gradient[0], color="grey", linewidth=0.8)
right.set(
    xlabel="γG (rad/µm/ms)", ylabel="eigenvalue (1/ms)", title="real (line), imaginary (dots)"
)
right.legend(fontsize="small")
plt.show()
