rule solve_bloch:
    input:
        unpack(inputs_of(paths.BLOCH)),
    output:
        paths.BLOCH,
    log:
        "results/logs/solve_bloch/{bloch}_{kind}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.BLOCH),
    script:
        "../scripts/solve_bloch.py"
