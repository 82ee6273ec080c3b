rule fit_orders:
    input:
        unpack(inputs_of(paths.CONVERGENCE)),
    output:
        paths.CONVERGENCE,
    log:
        "results/logs/fit_orders/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.CONVERGENCE),
    script:
        "../scripts/fit_orders.py"


rule fit_kurtosis:
    input:
        unpack(inputs_of(paths.KURTOSIS)),
    output:
        paths.KURTOSIS,
    log:
        "results/logs/fit_kurtosis/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.KURTOSIS),
    script:
        "../scripts/fit_kurtosis.py"
