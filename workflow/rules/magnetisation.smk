rule solve_magnetisation:
    input:
        unpack(inputs_of(paths.MAGNETISATION)),
    output:
        paths.MAGNETISATION,
    log:
        "results/logs/solve_magnetisation/{geometry}/{material}/{state}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.MAGNETISATION),
    script:
        "../scripts/solve_magnetisation.py"
