#!/bin/sh
# Usage: status.sh NUMBER. Prints what became of a job: running, success or failed.
#
# A scheduler that does not answer for a minute is asked again later. A job that it does not know
# any more counts as failed, because a run that waits for it would wait for ever.
set -u

job=$1
if command -v sbatch >/dev/null; then # Slurm
    answer=$(timeout 60 scontrol --oneliner show job "$job" 2>&1)
    state=$(printf '%s' "$answer" | sed -n 's/.*JobState=\([A-Z_]*\).*/\1/p')
elif command -v bsub >/dev/null; then # LSF
    answer=$(timeout 60 bjobs -noheader -o stat "$job" 2>&1)
    state=$(printf '%s' "$answer" | sed -n 's/^\([A-Z]*\) *$/\1/p')
else # PBS
    answer=$(timeout 60 qstat -x -f "$job" 2>&1)
    state=$(printf '%s' "$answer" | sed -n 's/.*job_state = \([A-Z]\).*/\1/p')
    case $state$(printf '%s' "$answer" | sed -n 's/.*Exit_status = \(-*[0-9]*\).*/\1/p') in
    F0 | C0) state=COMPLETED ;;
    F* | C*) state=FAILED ;;
    esac
fi

case $state in
COMPLETED | DONE) echo success ;;
FAILED | CANCELLED* | TIMEOUT | OUT_OF_MEMORY | NODE_FAIL | BOOT_FAIL | DEADLINE | EXIT) echo failed ;;
?*) echo running ;;
"")
    case $answer in
    *[Ii]"nvalid job id"* | *"is not found"* | *[Uu]"nknown "[Jj]"ob "[Ii]"d"*) echo failed ;;
    *) echo running ;;
    esac
    ;;
esac
