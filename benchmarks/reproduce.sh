#!/usr/bin/env bash
# The study behind results/: the paper's two tables on CoNLL-2000 and CoNLL-2003, in pieces that can be run apart.
#
#   benchmarks/reproduce.sh                         everything
#   benchmarks/reproduce.sh grid conll2003          every method's learning rate and epochs, on development
#   benchmarks/reproduce.sh table1 conll2003        every method at its best cell of the grid, scored on test
#   benchmarks/reproduce.sh variants conll2003      λ's schedule, and where the student starts
#   benchmarks/reproduce.sh table2                  time of an epoch: MiniLM's shapes whole, BERT-base's in part
#
# Stopped, it goes on where it was: DVC keeps what is finished, a stage goes on from its checkpoint. Environment:
# SEEDS, LAYERS of the students, DEVICE (the names under results/ end with these two), and CORPUS_MIRROR as everywhere.
set -euo pipefail
cd "$(dirname "$0")/.."
SEEDS=${SEEDS:-[1,2,3,4,5]} LAYERS=${LAYERS:-2} DEVICE=${DEVICE:-cpu}
NAME=$LAYERS-layers-$DEVICE

grid() {
    git checkout --quiet -- params.yaml
    python -m benchmarks.grid search "$1" --device "$NAME" --layers "$LAYERS"
}

tuned() { # run the task with every method at its best cell, and with further options of dvc exp run
    local task=$1 chosen
    shift
    mapfile -t chosen < <(python -m benchmarks.grid best "$task" --device "$NAME")
    git checkout --quiet -- params.yaml
    dvc exp run -S task="$task" -S student.layers="$LAYERS" -S seeds="$SEEDS" "${chosen[@]}" "$@"
}

keep() { python -m stages.results --keep "$1"; }

table1() {
    tuned "$1"
    keep "$NAME"
}

variants() {
    tuned "$1" -S distill.efficient.schedule=constant -S distill.efficient.weight=0.9
    keep "constant-$NAME"
    tuned "$1" -S student.init=teacher
    keep "from-teacher-$NAME"
}

table2() {
    tuned conll2003 -S time_epochs.batches=null -S time_epochs.epochs=5
    keep "$NAME"
    tuned conll2003 -S time_epochs.shapes=bert-base -S time_epochs.batches=4 -S time_epochs.epochs=5
    keep "bert-base-$NAME"
    rm "results/conll2003-bert-base-$NAME"/{summary.json,f1.svg} # the same students again
    python -m stages.results
}

if (($#)); then
    "$@"
    exit
fi
for task in conll2000 conll2003; do
    for piece in grid table1 variants; do
        "$piece" "$task"
    done
done
table2
