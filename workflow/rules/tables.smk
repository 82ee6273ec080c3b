rule write_table:
    input:
        unpack(inputs_of(f"{paths.TABLE}.nc")),
    output:
        csv=f"{paths.TABLE}.csv",
        markdown=report(
            f"{paths.TABLE}.md",
            caption="../report/caption.rst",
            category=table_category,
            subcategory="Tables",
            labels=lambda wildcards: {
                "table": wildcards.table,
                "shows": tables.CATALOGUE[wildcards.table].caption,
            },
        ),
        data=f"{paths.TABLE}.nc",
    log:
        "results/logs/write_table/{table}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        recipe=recipe_of(f"{paths.TABLE}.nc"),
    script:
        "../scripts/write_table.py"
