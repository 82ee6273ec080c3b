rule fit_orders:
    input:
        signals=paths.SIGNALS,
    output:
        paths.CONVERGENCE,
    log:
        "results/logs/fit_orders/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=order_recipe,
    script:
        "../scripts/fit_orders.py"


rule fit_kurtosis:
    input:
        signals=paths.SIGNALS,
    output:
        paths.KURTOSIS,
    log:
        "results/logs/fit_kurtosis/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe={"code": CODE["tables"]},
    script:
        "../scripts/fit_kurtosis.py"
