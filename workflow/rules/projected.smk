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


for BATCH in BATCHES.of_rule("solve_projected"):

    rule:
        name:
            BATCH.name
        input:
            unpack(batch_inputs(BATCH)),
        output:
            BATCH.outputs,
        log:
            f"results/logs/solve_projected/{BATCH.number}.log",
        conda:
            "../../environment.yml"
        threads: 1
        params:
            batch=batch_recipes(BATCH),
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
