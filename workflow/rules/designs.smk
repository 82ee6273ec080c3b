rule bound_parameters:
    input:
        unpack(inputs_of(f"{paths.DESIGN}.nc")),
    output:
        data=f"{paths.DESIGN}.nc",
        csv=f"{paths.DESIGN}.csv",
    log:
        "results/logs/bound_parameters/{design}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(f"{paths.DESIGN}.nc"),
    script:
        "../scripts/bound_parameters.py"


rule designs:
    input:
        [LAYOUT.design_files(name) for name in CONFIG.designs],


# A target for each: `snakemake design_NAME`.
for name in CONFIG.designs:

    rule:
        name:
            f"design_{name}"
        input:
            LAYOUT.design_files(name),
        localrule: True
