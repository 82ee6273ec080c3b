def figure_inputs(wildcards):
    """Files that a figure reads: one per geometry or study it shows, and kind of file."""
    figure = CONFIG.figures[wildcards.figure]
    return [
        pattern.format(geometry=name, study=name)
        for pattern in CATALOGUE[figure.name].reads
        for name in figure.geometries or figure.studies
    ]


def figure_recipe(wildcards):
    recipe = CATALOGUE[wildcards.figure]
    return {
        "names": ",".join(
            CONFIG.figures[wildcards.figure].geometries or CONFIG.figures[wildcards.figure].studies
        ),
        "code": code_digest(recipe.module, "torrey.figures.drawing"),
    }


rule draw_figure:
    input:
        figure_inputs,
    output:
        pdf=f"{paths.FIGURE}.pdf",
        png=report(
            f"{paths.FIGURE}.png",
            category=lambda wildcards: paper_of(wildcards.figure).upper(),
            labels=lambda wildcards: {"figure": wildcards.figure},
        ),
        data=f"{paths.FIGURE}.nc",
    log:
        "results/logs/draw_figure/{figure}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=figure_recipe,
    script:
        "../scripts/draw_figure.py"
