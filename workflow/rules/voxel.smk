rule mesh_voxel:
    input:
        unpack(inputs_of(paths.VOXEL_MESH)),
    output:
        paths.VOXEL_MESH,
    log:
        "results/logs/mesh_voxel/{voxel}_{domain}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.VOXEL_MESH),
    script:
        "../scripts/mesh_voxel.py"


rule solve_voxel:
    input:
        unpack(inputs_of(paths.VOXEL_SIGNAL)),
    output:
        paths.VOXEL_SIGNAL,
    log:
        "results/logs/solve_voxel/{voxel}_{domain}_{point}.log",
    conda:
        "../../environment.yml"
    threads: lambda wildcards: LAYOUT.voxel_threads(wildcards.voxel)
    params:
        recipe=recipe_of(paths.VOXEL_SIGNAL),
        checkpoint=lambda wildcards: paths.VOXEL_CHECKPOINT.format(**wildcards),
    script:
        "../scripts/solve_voxel.py"


rule homogenise_voxel:
    input:
        unpack(inputs_of(paths.VOXEL_HOMOGENISED)),
    output:
        paths.VOXEL_HOMOGENISED,
    log:
        "results/logs/homogenise_voxel/{voxel}_{domain}.log",
    conda:
        "../../environment.yml"
    threads: lambda wildcards: LAYOUT.voxel_threads(wildcards.voxel)
    params:
        recipe=recipe_of(paths.VOXEL_HOMOGENISED),
    script:
        "../scripts/homogenise_voxel.py"


rule gather_voxel:
    input:
        unpack(inputs_of(paths.VOXEL_SIGNALS)),
    output:
        paths.VOXEL_SIGNALS,
    log:
        "results/logs/gather_voxel/{voxel}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.VOXEL_SIGNALS),
    script:
        "../scripts/gather_voxel.py"
