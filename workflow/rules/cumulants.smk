rule expand_cumulants:
    input:
        unpack(inputs_of(paths.CUMULANTS)),
    output:
        paths.CUMULANTS,
    log:
        "results/logs/expand_cumulants/{study}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.CUMULANTS),
    script:
        "../scripts/expand_cumulants.py"
