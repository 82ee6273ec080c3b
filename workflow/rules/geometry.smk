rule place_discs:
    input:
        unpack(inputs_of(paths.PACKING)),
    output:
        paths.PACKING,
    log:
        "results/logs/place_discs/{geometry}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.PACKING),
    script:
        "../scripts/place_discs.py"


rule build_mesh:
    input:
        unpack(inputs_of(paths.MESH)),
    output:
        paths.MESH,
    log:
        "results/logs/build_mesh/{geometry}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.MESH),
    script:
        "../scripts/build_mesh.py"


rule draw_cell:
    input:
        unpack(inputs_of(f"{paths.PICTURE}.nc")),
    output:
        pdf=f"{paths.PICTURE}.pdf",
        png=report(
            f"{paths.PICTURE}.png",
            caption="../report/caption.rst",
            category=captions.STUDIES,
            subcategory=lambda wildcards: captions.studies_of(CONFIG, wildcards.geometry),
            labels={"geometry": "{geometry}", "shows": "{picture}"},
        ),
        data=f"{paths.PICTURE}.nc",
    log:
        "results/logs/draw_cell/{geometry}_{picture}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(f"{paths.PICTURE}.nc"),
    script:
        "../scripts/draw_cell.py"


rule assemble_operators:
    input:
        unpack(inputs_of(paths.OPERATORS)),
    output:
        paths.OPERATORS,
    log:
        "results/logs/assemble_operators/{geometry}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.OPERATORS),
    script:
        "../scripts/assemble_operators.py"
