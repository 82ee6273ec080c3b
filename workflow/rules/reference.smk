rule solve_reference:
    input:
        unpack(inputs_of(paths.REFERENCE_SIGNAL)),
    output:
        paths.REFERENCE_SIGNAL,
    log:
        "results/logs/solve_reference/{geometry}/{material}/{point}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.REFERENCE_SIGNAL),
    script:
        "../scripts/solve_reference.py"
