rule solve_dictionary:
    input:
        unpack(inputs_of(paths.REFERENCE_BLOCK)),
    output:
        paths.REFERENCE_BLOCK,
    log:
        "results/logs/solve_dictionary/{dictionary}/{material}_{block}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.REFERENCE_BLOCK),
    script:
        "../scripts/solve_dictionary.py"


rule evaluate_dictionary:
    input:
        unpack(inputs_of(paths.MODEL_BLOCK)),
    output:
        paths.MODEL_BLOCK,
    log:
        "results/logs/evaluate_dictionary/{dictionary}/{material}_{model}_{block}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.MODEL_BLOCK),
    script:
        "../scripts/evaluate_dictionary.py"


rule gather_dictionary:
    input:
        unpack(inputs_of(paths.DICTIONARY)),
    output:
        paths.DICTIONARY,
    log:
        "results/logs/gather_dictionary/{dictionary}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(paths.DICTIONARY),
    script:
        "../scripts/gather_dictionary.py"


rule dictionaries:
    input:
        [paths.DICTIONARY.format(dictionary=name) for name in CONFIG.dictionaries],


# A target for each: `snakemake dictionary_NAME`.
for name in CONFIG.dictionaries:

    rule:
        name:
            f"dictionary_{name}"
        input:
            paths.DICTIONARY.format(dictionary=name),
        localrule: True
