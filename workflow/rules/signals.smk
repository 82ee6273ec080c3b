rule evaluate_models:
    input:
        unpack(inputs_of(paths.MODELS)),
    output:
        paths.MODELS,
    log:
        "results/logs/evaluate_models/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.MODELS),
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
