from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/common.smk"
include: "workflow/rules/geometry.smk"
include: "workflow/rules/tensors.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/signals.smk"
include: "workflow/rules/convergence.smk"
include: "workflow/rules/figures.smk"
