rule derive_signals:
    input:
        unpack(inputs_of(paths.DERIVATIVES)),
    output:
        paths.DERIVATIVES,
    log:
        "results/logs/derive_signals/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.DERIVATIVES),
    script:
        "../scripts/derive_signals.py"
