#!/usr/bin/env bash
# Fuzzes the parsers of live telemetry one after the other, so many seconds each; further words name the parsers, or
# else all are taken. Corpora are kept, so that a run goes on from the one before.
set -euo pipefail
cd "$(dirname "$0")"
out=$(realpath -m "${CARGO_TARGET_DIR:-../../../target}")/fuzz
triple=$(rustc -vV | sed -n 's/^host: //p')
# What cargo-fuzz asks of rustc, without its sanitizers: those need a nightly, and telemetry has no unsafe code.
export RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module"
for flag in level=4 inline-8bit-counters pc-table trace-compares; do
  RUSTFLAGS+=" -Cllvm-args=-sanitizer-coverage-$flag"
done
# A target is named, so that build scripts are left as they are.
cargo build --release --locked --target "$triple" --target-dir "$out"
[ $# -gt 1 ] || set -- "${1:-600}" exposition remote-write exchange kernel-log engine
for parser in "${@:2}"; do
  echo "== $parser"
  corpus=$out/corpus/$parser
  mkdir -p "$corpus"
  # What was found stands in the file that libFuzzer names: the program with that file alone runs it again.
  "$out/$triple/release/$parser" "$corpus" "seeds/$parser" -dict="$corpus.dict" -artifact_prefix="$out/$parser-" \
    -max_total_time="$1" -max_len=8192 -timeout=5 -rss_limit_mb=1024 -print_final_stats=1
done
