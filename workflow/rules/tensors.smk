rule extract_tensors:
    input:
        operators=paths.OPERATORS,
        mesh=paths.MESH,
    output:
        paths.TENSORS,
    params:
        recipe=lambda wildcards: {
            **LAYOUT.materials[wildcards.material].to_dict(),
            "code": code_digest("torrey.tensors", "torrey.tensor_files", "torrey.cell.files"),
        },
    log:
        "results/logs/extract_tensors/{geometry}_{material}.log",
    conda:
        "../../environment.yml"
    threads: 1
    script:
        "../scripts/extract_tensors.py"
