from snakemake.utils import min_version

min_version("9.0")


# The text of the opening page of a report.
report: "workflow/report/overview.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/geometry.smk"
include: "workflow/rules/tensors.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/projected.smk"
include: "workflow/rules/signals.smk"
include: "workflow/rules/dictionaries.smk"
include: "workflow/rules/convergence.smk"
include: "workflow/rules/cumulants.smk"
include: "workflow/rules/derivatives.smk"
include: "workflow/rules/inversion.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/designs.smk"
include: "workflow/rules/bloch.smk"
include: "workflow/rules/voxel.smk"
include: "workflow/rules/magnetisation.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/verification.smk"


# Too short for a queue.
localrules:
    figures,
    studies,
    dictionaries,
    designs,
    kl23,
    chl14,
    khm19,
    mmg20,
    torrey,
    place_discs,
    draw_cell,
    draw_overview,
    check_projected,
    gather_signals,
    gather_dictionary,
    bound_parameters,
    fit_orders,
    fit_kurtosis,
    gather_voxel,
    gather_fit,
    verify,


rule figures:
    default_target: True
    input:
        [figure_files(figure) for figure in DRAWN],
        [table_files(table) for table in CONFIG.tables],
        [reported(LAYOUT.checks(study)) for study in LAYOUT.usual_studies()],


rule studies:
    input:
        [reported(LAYOUT.study_files(study)) for study in LAYOUT.usual_studies()],
        reported(LAYOUT.own_files()),
        [] if REPORT is None else REPORT.files,


rule kl23:
    input:
        files_of_paper("kl23"),


rule chl14:
    input:
        files_of_paper("chl14"),


rule khm19:
    input:
        files_of_paper("khm19"),


rule mmg20:
    input:
        files_of_paper("mmg20"),


rule torrey:
    input:
        files_of_paper("torrey"),


for figure in ON_REQUEST:
    if figure in {rule.name for rule in workflow.rules}:
        raise WorkflowError(
            f"figures.{figure}: found on_request with the name of a target, accepted: another name"
        )

    rule:
        name:
            figure
        input:
            figure_files(figure),


if workflow.is_main_process and "snakemake" in sys.argv[0]:
    check_words(get_argument_parser().parse_args(sys.argv[1:]))
