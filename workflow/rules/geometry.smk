rule build_mesh:
    output:
        paths.MESH,
    log:
        "results/logs/build_mesh/{geometry}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=lambda wildcards: {
            **CONFIG.geometries[wildcards.geometry].shape.to_dict(),
            **CONFIG.geometries[wildcards.geometry].mesh.to_dict(),
            "code": code_digest("torrey.geometry.meshing", "torrey.geometry.files"),
        },
    script:
        "../scripts/build_mesh.py"


rule assemble_operators:
    input:
        mesh=paths.MESH,
    output:
        paths.OPERATORS,
    log:
        "results/logs/assemble_operators/{geometry}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe={"code": code_digest("torrey.cell.assembly", "torrey.cell.files")},
    script:
        "../scripts/assemble_operators.py"
