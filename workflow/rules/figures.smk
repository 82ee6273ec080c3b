rule draw_figure:
    input:
        unpack(inputs_of(f"{paths.FIGURE}.nc")),
    output:
        pdf=f"{paths.FIGURE}.pdf",
        png=report(
            f"{paths.FIGURE}.png",
            caption="../report/caption.rst",
            category=figure_category,
            subcategory=figure_group,
            labels=lambda wildcards: {
                "figure": wildcards.figure,
                "shows": entry_of(wildcards.figure, CONFIG.figures[wildcards.figure].kind).caption,
            },
        ),
        data=f"{paths.FIGURE}.nc",
    log:
        "results/logs/draw_figure/{figure}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(f"{paths.FIGURE}.nc"),
    script:
        "../scripts/draw_figure.py"


rule draw_overview:
    input:
        unpack(inputs_of(f"{paths.OVERVIEW}.nc")),
    output:
        pdf=f"{paths.OVERVIEW}.pdf",
        png=report(
            f"{paths.OVERVIEW}.png",
            caption="../report/caption.rst",
            category="Studies",
            labels={"study": "{study}", "shows": "its cell, signals and errors"},
        ),
        data=f"{paths.OVERVIEW}.nc",
    log:
        "results/logs/draw_overview/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(f"{paths.OVERVIEW}.nc"),
    script:
        "../scripts/draw_overview.py"
