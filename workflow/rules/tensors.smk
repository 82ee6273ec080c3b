rule extract_tensors:
    input:
        unpack(inputs_of(paths.TENSORS)),
    output:
        paths.TENSORS,
    log:
        "results/logs/extract_tensors/{geometry}_{material}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.TENSORS),
    script:
        "../scripts/extract_tensors.py"
