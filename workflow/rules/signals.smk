rule evaluate_models:
    input:
        operators=study_operators,
    output:
        paths.MODELS,
    log:
        "results/logs/evaluate_models/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=model_recipe,
    script:
        "../scripts/evaluate_models.py"


rule trace_eigenvalues:
    input:
        operators=study_operators,
    output:
        paths.EIGENVALUES,
    log:
        "results/logs/trace_eigenvalues/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=model_recipe,
    script:
        "../scripts/trace_eigenvalues.py"


rule gather_signals:
    input:
        references=study_references,
        projected=study_projected,
        models=study_models,
    output:
        paths.SIGNALS,
    log:
        "results/logs/gather_signals/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=gather_recipe,
    script:
        "../scripts/gather_signals.py"
