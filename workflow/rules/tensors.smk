rule extract_tensors:
    input:
        operators=paths.OPERATORS,
        mesh=paths.MESH,
    output:
        paths.TENSORS,
    log:
        "results/logs/extract_tensors/{geometry}_{material}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=tensor_recipe,
    script:
        "../scripts/extract_tensors.py"
