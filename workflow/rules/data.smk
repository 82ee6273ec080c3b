rule read_data:
    input:
        unpack(inputs_of(paths.DATA)),
    output:
        paths.DATA,
    log:
        "results/logs/read_data/{data}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.DATA),
        files=lambda wildcards: LAYOUT.data_files(wildcards.data),
    script:
        "../scripts/read_data.py"


rule fit_chunk:
    input:
        unpack(inputs_of(paths.CHUNK)),
    output:
        paths.CHUNK,
    log:
        "results/logs/fit_chunk/{fit}_{chunk}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.CHUNK),
    script:
        "../scripts/fit_chunk.py"


rule gather_fit:
    input:
        unpack(inputs_of(paths.FIT)),
    output:
        paths.FIT,
    log:
        "results/logs/gather_fit/{fit}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.FIT),
    script:
        "../scripts/gather_fit.py"


# One rule for each fit of volumes: its maps are those of the parameters of its model.
for fit, maps in LAYOUT.mapped.items():

    rule:
        name:
            f"write_maps_{fit}"
        input:
            unpack(inputs_of(paths.MAPS.format(fit=fit))),
        output:
            paths.MAPS.format(fit=fit),
            maps,
        log:
            f"results/logs/write_maps/{fit}.log",
        conda:
            "../../environment.yml"
        threads: 1
        params:
            recipe=recipe_of(paths.MAPS.format(fit=fit)),
        script:
            "../scripts/write_maps.py"
