rule fit_inversion:
    input:
        unpack(inversion_inputs),
    output:
        paths.INVERSION,
    log:
        "results/logs/fit_inversion/{inversion}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=inversion_recipe,
    script:
        "../scripts/fit_inversion.py"
