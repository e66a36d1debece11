#!/usr/bin/env bash
# The study behind results/: the paper's two tables on CoNLL-2000 and CoNLL-2003, in pieces that can run separately.
#
#   benchmarks/studies/reproduce.sh                         everything
#   benchmarks/studies/reproduce.sh grid conll2003          learning rate and epochs of every method, on development
#   benchmarks/studies/reproduce.sh students conll2003      every method at its best cell of the grid, for SEEDS
#   benchmarks/studies/reproduce.sh table1 conll2003        the same, with the report, recorded under results/
#   benchmarks/studies/reproduce.sh variants conll2003      other schedules of λ and initialisations of the student
#   benchmarks/studies/reproduce.sh ablation conll2003      one setting changed at a time, on development; the best, on test
#   benchmarks/studies/reproduce.sh table2                  time of an epoch: all batches, and some of BERT-base's
#
# Environment: SEEDS of the students ("1 2 3 4 5"), their LAYERS (2), ENCODER (of params.yaml unless given), SETTINGS of
# params.yaml for all runs ("teacher.epochs=4 teacher.batch_size=32"), DEVICE (cpu: a label), CORPUS_MIRROR. The names under
# results/ end with LAYERS, ENCODER if given, and DEVICE, those of table1 and table2 with RECORD_AS if given.
# After an interruption, the same command goes on from there. While it runs, params.yaml holds other values; at the end it is
# as committed. Run it in a checkout of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
SEEDS=${SEEDS:-1 2 3 4 5} LAYERS=${LAYERS:-2} DEVICE=${DEVICE:-cpu} ENCODER=${ENCODER:-}
read -ra settings <<<"${SETTINGS:-}"
NAME=${RECORD_AS:-$LAYERS-layers-${ENCODER:+${ENCODER##*/}-}$DEVICE}
study=(--device "$DEVICE" ${ENCODER:+--encoder "$ENCODER"} "${settings[@]/#/--set=}")
shared=(-S student.init=pretrained -S unlabelled.sentences=0 -S "student.layers=$LAYERS" ${ENCODER:+-S "teacher.encoder=$ENCODER"})
for setting in "${settings[@]}"; do shared+=(-S "$setting"); done

if ! git diff --quiet HEAD -- params.yaml; then
    echo "params.yaml: has uncommitted changes, which this command would overwrite; commit them, or undo them with" \
        "\`git checkout params.yaml\`" >&2
    exit 2
fi
restore() { git checkout --quiet HEAD -- params.yaml; }
trap restore EXIT

grid() {
    restore
    python -m benchmarks.studies.grid "$1" --layers "$LAYERS" "${study[@]}"
}

tuned() { # TASK [TARGET...]
    local chosen
    restore
    mapfile -t chosen < <(python -m benchmarks.studies.grid "$1" --layers "$LAYERS" "${study[@]}" --best)
    ((${#chosen[@]})) || return 1 # the search has said what is missing
    dvc exp run -S task="$1" "${shared[@]}" -S seeds="[${SEEDS// /,}]" "${chosen[@]}" "${@:2}"
}

students() { tuned "$1" evaluate_teacher evaluate; }

table1() {
    tuned "$1"
    python -m benchmarks.results --keep "$NAME"
}

variants() {
    local seeds
    read -ra seeds <<<"${SEEDS// / --seeds }"
    restore
    python -m benchmarks.studies.variants "$1" --layers "$LAYERS" "${study[@]}" --seeds "${seeds[@]}"
    python -m benchmarks.results
}

ablation() {
    restore
    python -m benchmarks.studies.ablation "$1" --layers "$LAYERS" "${study[@]}"
    python -m benchmarks.results
}

timed() { # NAME OPTION...: epoch times alone, recorded as results/conll2003-NAME
    restore
    dvc exp run -S task=conll2003 "${shared[@]}" "${@:2}" time_epochs
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
