rule fit_inversion:
    input:
        unpack(inputs_of(paths.INVERSION)),
    output:
        paths.INVERSION,
    log:
        "results/logs/fit_inversion/{inversion}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.INVERSION),
    script:
        "../scripts/fit_inversion.py"
