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
        recipe=lambda wildcards: {
            "models": ",".join(LAYOUT.models(CONFIG.studies[wildcards.study])),
            "code": TABLE_CODE,
        },
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
        recipe={"code": TABLE_CODE},
    script:
        "../scripts/fit_kurtosis.py"
