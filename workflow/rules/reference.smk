rule solve_reference:
    input:
        operators=paths.OPERATORS,
    output:
        paths.REFERENCE_SIGNAL,
    log:
        "results/logs/solve_reference/{geometry}/{material}/{point}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=reference_recipe,
    script:
        "../scripts/solve_reference.py"
