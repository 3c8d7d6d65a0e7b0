#!/bin/sh
# One task from creation to its patch: one_task.sh OWNER/NAME "what Jules shall do" [SECONDS]
set -eu
repository=$1 description=$2 interval=${3:-30}

task_id=$(jjm create --repo "$repository" --description "$description" --require-approval)
echo "created $task_id"

jjm monitor "$task_id" --until waiting_approval --interval "$interval"
jjm plan "$task_id"
jjm approve "$task_id"

jjm monitor "$task_id" --until completed --interval "$interval"
jjm get "$task_id"
jjm patch "$task_id" > "$task_id.patch"
echo "the work is in $task_id.patch"
