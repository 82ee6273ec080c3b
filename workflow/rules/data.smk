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


# One rule for all fits of volumes whose maps have the same names: those of the parameters.
for number, (maps, fits) in enumerate(LAYOUT.mappings.items(), start=1):

    rule:
        name:
            "write_maps" if number == 1 else f"write_maps_{number}"
        input:
            unpack(inputs_of(paths.MAPS)),
        output:
            paths.MAPS,
            [paths.MAP.replace("{map}", one) for one in maps],
        log:
            "results/logs/write_maps/{fit}.log",
        wildcard_constraints:
            fit=names(fits),
        conda:
            "../../environment.yml"
        threads: 1
        params:
            recipe=recipe_of(paths.MAPS),
        script:
            "../scripts/write_maps.py"
