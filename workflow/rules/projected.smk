rule build_basis:
    input:
        unpack(inputs_of(paths.BASIS)),
    output:
        paths.BASIS,
    log:
        "results/logs/build_basis/{geometry}/{material}/{span}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.BASIS),
    script:
        "../scripts/build_basis.py"


rule solve_projected:
    input:
        unpack(inputs_of(paths.PROJECTED)),
    output:
        paths.PROJECTED,
    log:
        "results/logs/solve_projected/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.PROJECTED),
    script:
        "../scripts/solve_projected.py"


rule check_projected:
    input:
        unpack(inputs_of(paths.CHECK)),
    output:
        paths.CHECK,
    log:
        "results/logs/check_projected/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.CHECK),
    script:
        "../scripts/check_projected.py"
