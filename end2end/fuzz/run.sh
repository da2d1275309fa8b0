#!/usr/bin/env bash
# Asks a house of its own whatever its description allows, and much that it does not, from a fixed seed.
set -euo pipefail
cd "$(dirname "$0")/../.."
tools=target/fuzz-api
[ -x "$tools/bin/schemathesis" ] || { python3 -m venv "$tools" && "$tools/bin/pip" install --quiet "schemathesis==4.32.5"; }
data=$(mktemp -d)
said=$(mktemp)
MILLWRIGHT_LOG=warn "${1:-target/release/millwright}" serve --listen 127.0.0.1:0 --data "$data" >"$said" &
server=$!
trap 'kill "$server"; wait "$server" || true; rm -rf "$data" "$said"' EXIT
for _ in $(seq 100); do
  url=$(grep -o 'http://[0-9.:]*' "$said" || true)
  [ -n "$url" ] && break
  sleep 0.1
done
schemathesis="$PWD/$tools/bin/schemathesis"
cd end2end/fuzz
SCHEMATHESIS_HOOKS=hooks PYTHONPATH=. "$schemathesis" run "$url/api/v1/openapi.json" --continue-on-failure "${@:2}"
