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
        recipe=lambda wildcards: {
            **LAYOUT.materials[wildcards.material].to_dict(),
            "code": code_digest("torrey.tensors", "torrey.tensor_files", "torrey.cell.files"),
        },
    script:
        "../scripts/extract_tensors.py"
