rule draw_figure:
    input:
        figure_inputs,
    output:
        pdf=f"{paths.FIGURE}.pdf",
        png=report(
            f"{paths.FIGURE}.png",
            category=figure_category,
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
