"""
Permeable axons with a clinical table
=====================================

Axons of 4 um in a square lattice exchange water through their membranes. A clinical scanner
measures shells of b-values along several directions. How much does the signal across the fibre tell
of the permeability?
"""

import matplotlib.pyplot as plt

import torrey as tr

# %%
# The cell is the cross-section of the bundle. Gradients have three components, and the third one,
# along the axons, sees water that nothing hinders. The clinical sequence has pulses of 20 ms that
# begin 40 ms apart.
axon = tr.Discs((tr.Disc((0.5, 0.5), 0.4),))
D = {"outside": "2 um^2/ms", "inside": "1.5 um^2/ms"}
cell = tr.Cell(axon, D, period="5 um", permeability="1e-5 m/s")
clinical = tr.Pgse("20 ms", "40 ms")
shells = [f"{b} s/mm^2" for b in (0, 500, 1000, 2000, 3000)]
angles = {"across": (1, 0, 0), "at 45 degrees": (1, 0, 1), "along": (0, 0, 1)}

# %%
# One call makes the table. ``numerical_error`` is the estimated error of each signal.
signals = {}
for kappa in ("0 m/s", "1e-5 m/s", "1e-4 m/s"):
    same_axon = cell.with_(permeability=kappa)
    signals[kappa] = same_axon.signal(clinical, b=shells, direction=list(angles.values()))
    print(f"kappa = {kappa}: at b = 3000 s/mm^2")
    for angle, S in zip(angles, signals[kappa][-1], strict=True):
        print(f"    {angle:13s} S = {S.item():.4f} +- {S.numerical_error.item():.0e}")

# %%
# Along the axons the permeability hardly matters: both compartments diffuse freely. Across them it
# decides what is left at high b. Impermeable axons keep their water, so that the signal levels off
# at the share of water inside them.
share = 3.14159 * 0.4**2
print(f"share of water inside: {share:.3f}")
figure, panels = plt.subplots(1, 3, figsize=(9, 3), sharey=True, layout="constrained")
for i, (angle, panel) in enumerate(zip(angles, panels, strict=True)):
    for kappa, table in signals.items():
        panel.semilogy(table.b, table[:, i], "o-", label=f"$\\kappa$ = {kappa}")
    panel.set(title=angle, xlabel="b (ms/µm²)")
panels[0].axhline(share, color="grey", linestyle=":", label="share inside")
panels[0].set_ylabel("S")
panels[0].legend(fontsize="small")
plt.show()
