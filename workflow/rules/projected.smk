rule build_basis:
    input:
        operators=paths.OPERATORS,
    output:
        paths.BASIS,
    log:
        "results/logs/build_basis/{geometry}/{material}/{span}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=basis_recipe,
    script:
        "../scripts/build_basis.py"


rule solve_projected:
    input:
        basis=study_basis,
        operators=study_operators,
    output:
        paths.PROJECTED,
    log:
        "results/logs/solve_projected/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=projected_recipe,
    script:
        "../scripts/solve_projected.py"


rule check_projected:
    input:
        projected=paths.PROJECTED,
        references=study_samples,
    output:
        paths.CHECK,
    log:
        "results/logs/check_projected/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=check_recipe,
    script:
        "../scripts/check_projected.py"
