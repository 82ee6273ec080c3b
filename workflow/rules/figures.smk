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
            labels=figure_labels,
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


rule draw_film:
    input:
        unpack(inputs_of(f"{paths.FILM}.nc")),
    output:
        pdf=f"{paths.FILM}.pdf",
        png=report(
            f"{paths.FILM}.png",
            caption="../report/caption.rst",
            category=figure_category,
            subcategory=figure_group,
            labels=figure_labels,
        ),
        gif=f"{paths.FILM}.gif",
        data=f"{paths.FILM}.nc",
    log:
        "results/logs/draw_film/{film}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(f"{paths.FILM}.nc"),
    script:
        "../scripts/draw_film.py"


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
