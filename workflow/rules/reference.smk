SOLVER_CODE = code_digest("torrey.propagation", "torrey.cell.files")


def reference_recipe(wildcards):
    job = LAYOUT.jobs[paths.REFERENCE_SIGNAL.format(**wildcards)]
    return {**job.parameters(), "code": SOLVER_CODE}


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
