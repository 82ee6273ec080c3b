MODEL_CODE = code_digest("torrey.signals", "torrey.cell.files")
TABLE_CODE = code_digest("torrey.study_files")


def model_recipe(wildcards):
    study = CONFIG.studies[wildcards.study]
    return {
        **study.material.to_dict(),
        "sweep": study.sweep.to_json(),
        "models": ",".join(LAYOUT.models(study)),
        "code": MODEL_CODE,
    }


rule evaluate_models:
    input:
        operators=lambda wildcards: paths.OPERATORS.format(
            geometry=CONFIG.studies[wildcards.study].geometry
        ),
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
        operators=lambda wildcards: paths.OPERATORS.format(
            geometry=CONFIG.studies[wildcards.study].geometry
        ),
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


def model_table(wildcards):
    study = CONFIG.studies[wildcards.study]
    return [paths.MODELS.format(study=study.name)] if LAYOUT.models(study) else []


rule gather_signals:
    input:
        references=lambda wildcards: list(
            LAYOUT.references(CONFIG.studies[wildcards.study]).values()
        ),
        models=model_table,
    output:
        paths.SIGNALS,
    log:
        "results/logs/gather_signals/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=lambda wildcards: {
            "sweep": CONFIG.studies[wildcards.study].sweep.to_json(),
            "models": ",".join(CONFIG.studies[wildcards.study].models),
            "code": TABLE_CODE,
        },
    script:
        "../scripts/gather_signals.py"
