for BATCH in BATCHES.of_rule("evaluate_models"):

    rule:
        name:
            BATCH.name
        input:
            unpack(batch_inputs(BATCH)),
        output:
            BATCH.outputs,
        log:
            f"results/logs/evaluate_models/{BATCH.number}.log",
        conda:
            "../../environment.yml"
        threads: 1
        params:
            batch=batch_recipes(BATCH),
        script:
            "../scripts/evaluate_models.py"


rule trace_eigenvalues:
    input:
        unpack(inputs_of(paths.EIGENVALUES)),
    output:
        paths.EIGENVALUES,
    log:
        "results/logs/trace_eigenvalues/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.EIGENVALUES),
    script:
        "../scripts/trace_eigenvalues.py"


rule gather_signals:
    input:
        unpack(inputs_of(paths.SIGNALS)),
    output:
        paths.SIGNALS,
    log:
        "results/logs/gather_signals/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.SIGNALS),
    script:
        "../scripts/gather_signals.py"
