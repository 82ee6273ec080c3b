#!/bin/sh
# Usage: submit.sh MEGABYTES MINUTES CORES SCRIPT. Submits a job and prints its number.
#
# The place for what else a cluster asks for: a queue, an account, a licence.
set -eu

megabytes=$1 minutes=$2 cores=$3 script=$4
logs=.snakemake/cluster
mkdir -p "$logs"

if command -v sbatch >/dev/null; then # Slurm
    sbatch --parsable --job-name=torrey --ntasks=1 --cpus-per-task="$cores" --mem="$megabytes" \
        --time="$minutes" --output="$logs/%j.log" "$script"
elif command -v bsub >/dev/null; then # LSF
    bsub -J torrey -n "$cores" -R "span[hosts=1] rusage[mem=${megabytes}MB]" -M "${megabytes}MB" \
        -W "$minutes" -oo "$logs/%J.log" sh "$script" | sed -n 's/^Job <\([0-9]*\)>.*/\1/p'
elif command -v qsub >/dev/null; then # PBS
    qsub -N torrey -l "select=1:ncpus=$cores:mem=${megabytes}mb" \
        -l "walltime=$((minutes / 60)):$((minutes % 60)):00" -j oe -o "$logs/" "$script"
else
    echo "found none of sbatch (Slurm), bsub (LSF), qsub (PBS): add your scheduler to $0" >&2
    exit 1
fi
