rule solve_bloch:
    input:
        operators=bloch_operators,
        mesh=bloch_mesh,
    output:
        paths.BLOCH,
    log:
        "results/logs/solve_bloch/{bloch}_{kind}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=bloch_recipe,
    script:
        "../scripts/solve_bloch.py"
