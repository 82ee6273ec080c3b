rule verify:
    log:
        "results/logs/verify.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        configuration=[str(file) for file in CONFIG_FILES],
    script:
        "../scripts/verify.py"
