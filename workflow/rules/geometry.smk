rule build_mesh:
    output:
        paths.MESH,
    log:
        "results/logs/build_mesh/{geometry}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=mesh_recipe,
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
        recipe={"code": CODE["assemble_operators"]},
    script:
        "../scripts/assemble_operators.py"
