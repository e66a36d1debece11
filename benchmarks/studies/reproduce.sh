#!/usr/bin/env bash
# The study behind results/: the paper's two tables on CoNLL-2000 and CoNLL-2003, in pieces that can be run apart.
#
#   benchmarks/studies/reproduce.sh                         everything
#   benchmarks/studies/reproduce.sh grid conll2003          every method's learning rate and epochs, on development
#   benchmarks/studies/reproduce.sh table1 conll2003        every method at its best cell of the grid, scored on test
#   benchmarks/studies/reproduce.sh variants conll2003      λ's schedule, and where the student starts
#   benchmarks/studies/reproduce.sh ablation conll2003      one setting changed at a time, on development; what helped, on test
#   benchmarks/studies/reproduce.sh table2                  time of an epoch: MiniLM's shapes whole, BERT-base's in part
#
# Stopped, it goes on where it was: DVC keeps what is finished, a stage goes on from its checkpoint. Environment:
# SEEDS of the students, their LAYERS, DEVICE (the names under results/ end with these two), and CORPUS_MIRROR.
# It changes params.yaml: run it in a checkout of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
SEEDS=${SEEDS:-1 2 3 4 5} LAYERS=${LAYERS:-2} DEVICE=${DEVICE:-cpu}
NAME=$LAYERS-layers-$DEVICE

fresh() { git checkout --quiet -- params.yaml; }

grid() {
    fresh
    python -m benchmarks.studies.grid "$1" --layers "$LAYERS" --device "$DEVICE"
}

table1() {
    local chosen
    fresh
    mapfile -t chosen < <(python -m benchmarks.studies.grid "$1" --layers "$LAYERS" --device "$DEVICE" --best)
    dvc exp run -S task="$1" -S student.layers="$LAYERS" -S seeds="[${SEEDS// /,}]" "${chosen[@]}"
    python -m benchmarks.results --keep "$NAME"
}

variants() {
    local seeds
    read -ra seeds <<<"${SEEDS// / --seeds }"
    fresh
    python -m benchmarks.studies.variants "$1" --layers "$LAYERS" --device "$DEVICE" --seeds "${seeds[@]}"
    python -m benchmarks.results
}

ablation() {
    fresh
    python -m benchmarks.studies.ablation "$1" --layers "$LAYERS" --device "$DEVICE"
    python -m benchmarks.results
}

timed() { # NAME OPTION...: epoch times alone, kept as results/conll2003-NAME
    fresh
    dvc exp run -S task=conll2003 -S student.layers="$LAYERS" "${@:2}" time_epochs
    python -m benchmarks.results --keep "$1" --times
}

table2() {
    timed "$NAME" -S time_epochs.batches=null
    timed "bert-base-$DEVICE" -S time_epochs.shapes=bert-base -S time_epochs.batches=8 -S time_epochs.epochs=5
}

if (($#)); then
    "$@"
    exit
fi
for task in conll2000 conll2003; do
    for piece in grid table1 variants ablation; do
        "$piece" "$task"
    done
done
table2
