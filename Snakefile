from snakemake.utils import min_version

min_version("9.0")


include: "workflow/rules/common.smk"
include: "workflow/rules/geometry.smk"
include: "workflow/rules/tensors.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/projected.smk"
include: "workflow/rules/signals.smk"
include: "workflow/rules/convergence.smk"
include: "workflow/rules/figures.smk"


# Too short for a queue.
localrules:
    figures,
    studies,
    kl23,
    torrey,
    check_projected,
    gather_signals,
    fit_orders,
    fit_kurtosis,


rule figures:
    default_target: True
    input:
        [figure_files(figure) for figure in CONFIG.figures],
        [LAYOUT.tensors(study) for study in CONFIG.studies.values()],
        [LAYOUT.checks(study) for study in CONFIG.studies.values()],


rule studies:
    input:
        [LAYOUT.study_files(study) for study in CONFIG.studies.values()],


rule kl23:
    input:
        [figure_files(figure) for figure in CONFIG.figures if paper_of(figure) == "kl23"],


rule torrey:
    input:
        [figure_files(figure) for figure in CONFIG.figures if paper_of(figure) == "torrey"],
