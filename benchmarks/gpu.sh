#!/bin/sh
# All that is to be measured on a machine with a GPU, in under 25 minutes: the chain's kernels against their oracle,
# waits in a training step, the chain against its peers, Table 2 in BERT-base's and the encoder's shapes, bfloat16.
#
#   sh benchmarks/gpu.sh                        # writes results/gpu/
#   sh benchmarks/gpu.sh --device cpu --small   # tries the script without a GPU
#
# Needs data/encoded, data/teacher and data/scores, which `dvc repro dump` or `dvc pull` brings.
set -eu
device=cuda small=""
while [ $# -gt 0 ]; do
  case $1 in
    --device) device=$2; shift 2 ;;
    --small) small=yes; shift ;;
    *) echo "$0: $1 is no option; give --device cpu|cuda or --small" >&2; exit 2 ;;
  esac
done
out=results/gpu
[ -z "$small" ] || out=$(mktemp -d)
mkdir -p "$out"

say() { echo "== $1 ($(date +%H:%M:%S))"; }

say "kernels against their oracle, and waits in a step"
DISTIL_TEST_GPU=yes python -m pytest -q -n 0 tests/chain/test_fused.py tests/training/test_host_reads.py

say "the chain against its peers"
python -m benchmarks.chain --device "$device" --output "$out/chain.json" ${small:+--quick --seconds 0.02}

say "a training step, with and without what keeps it from waiting"
python -m benchmarks.host_waits --output "$out/host_waits.json" ${small:+--small}

say "sentences per second of the dump"
python -m benchmarks.processes --output "$out/processes.json" ${small:+--small --sentences 400 --rounds 1}

if [ -z "$small" ]; then
  for shapes in bert-base encoder; do
    say "Table 2 in the shapes $shapes"
    dvc exp run --temp --force --single-item time_epochs -S time_epochs.shapes="$shapes" \
      -S time_epochs.batches=100 --name "gpu-$shapes"
    # git does not find an experiment by its name alone; of those of other commits the last one counts.
    run=$(git for-each-ref --count 1 --sort -creatordate --format '%(refname)' "refs/exps/*/*/gpu-$shapes")
    git show "$run:reports/timing.json" > "$out/timing-$shapes.json"
  done
fi
say "done: $out"
