"""
Exchange time against truth
===========================

Kärger's model says that water leaves a disc at a rate that only the membrane sets: the exchange
time is 1/(eta_e + eta_c). How far is that from the exact exchange time of the cell, which also has
to let water diffuse to the membrane?
"""

import matplotlib.pyplot as plt
import numpy as np

import torrey as tr

# %%
# ``dispersion`` has the exact rates of exchange of the medium and those of the homogenised model
# beside each other. The ratio kappa R / D compares how fast water passes the membrane with how fast
# it diffuses through the disc.
disc = tr.Discs((tr.Disc((0.5, 0.5), 0.4),))
cell = tr.Cell(disc, {"outside": 2.0, "inside": 1.0}, period="5 um", permeability="1e-5 m/s")
kappas = np.geomspace(0.002, 1.0, 6)  # um/ms
exact, karger = [], []
for kappa in kappas:
    found = cell.with_(permeability=kappa).dispersion((1, 0), times="10 ms", frequencies="10 Hz")
    exact.append(1 / float(found.rate[0]))
    karger.append(1 / float(found.karger_rate[0]))

# %%
# As long as the membrane is the bottleneck both agree. When it opens, the exact time cannot become
# shorter than diffusion through disc and outside allows, while Kärger's goes to zero.
radius, D_inside = 0.4 * 5.0, 1.0
for kappa, t, t_karger in list(zip(kappas, exact, karger, strict=True)):
    print(
        f"kappa R / D = {kappa * radius / D_inside:6.3f}:  exact {t:8.2f} ms,"
        f"  Karger {t_karger:8.2f} ms, {100 * (t_karger / t - 1):+6.1f} %"
    )

figure, (times, error) = plt.subplots(1, 2, figsize=(8, 3.2), layout="constrained")
ratio = kappas * radius / D_inside
times.loglog(ratio, exact, "ko", label="exact, 1 / slowest rate")
times.loglog(ratio, karger, "-", label="Kärger, 1/($\\eta_e$ + $\\eta_c$)")
times.set(xlabel="$\\kappa R / D$", ylabel="exchange time (ms)")
times.legend()
error.semilogx(ratio, 100 * (np.array(karger) / exact - 1), "o-")
error.axhline(-10, color="grey", linestyle=":")
error.set(xlabel="$\\kappa R / D$", ylabel="Kärger's time, off by (%)")
plt.show()
