#!/bin/sh
# CRF and softmax students side by side, each as an experiment: for every task and teacher's head, students with
# either head by each method and seed. From the environment: CORPUS_MIRROR (see README), and, if wanted,
#   TASKS="conll2003 conll2000"  TEACHERS="crf softmax"  METHODS="vanilla structural"  SEEDS=1,2,3
# Run it in a clean checkout. Experiments that are there are not run again; the table comes from all.
set -eu
cd "$(dirname "$0")/.."
if [ -n "${CORPUS_MIRROR:-}" ]; then
    CORPUS_MIRROR=$(cd "$CORPUS_MIRROR" && pwd)
    export CORPUS_MIRROR
fi
METHODS=${METHODS:-vanilla structural}
listed=$(echo "$METHODS" | tr ' ' ',')
names=
for task in ${TASKS:-conll2003 conll2000}; do
    for teacher in ${TEACHERS:-crf}; do
        for student in crf softmax; do
            name=$task-$teacher-$student
            names="$names $name"
            dvc exp list --name-only | grep -qx "$name" && continue
            # --temp: a folder of its own, so that the shorter list of methods removes nothing here
            dvc exp run --temp --name "$name" --set-param "task=$task" \
                --set-param "teacher.head=$teacher" --set-param "student.head=$student" \
                --set-param "methods=[$listed]" --set-param "method=${METHODS##* }" \
                --set-param "seeds=[${SEEDS:-1,2,3}]"
        done
    done
done
# shellcheck disable=SC2086  # a word for each experiment
python - $names <<'TABLE'
import sys

import dvc.api

print("| task, teacher's head, student's | teacher | method | F1 |\n| :-- | --: | :-- | --: |")
for name in sys.argv[1:]:
    summary = dvc.api.metrics_show("metrics/summary.json", rev=name)
    for method, figures in summary["methods"].items():
        f1 = figures["f1"]
        spread = "" if f1["std"] is None else f" ± {f1['std']:.2f}"
        print(f"| {name} | {summary['teacher']['f1']:.2f} | `{method}` | {f1['mean']:.2f}{spread} |")
TABLE
