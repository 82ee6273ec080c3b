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
