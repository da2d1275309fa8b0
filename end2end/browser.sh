#!/usr/bin/env bash
# Sees to it that there is a browser for the tests: one that is installed, else Debian's package, else Playwright's own.
set -euo pipefail
cd "$(dirname "$0")"
for found in "${CHROMIUM:-}" /usr/bin/chromium /usr/bin/chromium-browser /usr/bin/google-chrome; do
  [ -n "$found" ] && [ -x "$found" ] && exit 0
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium && exit 0
fi
npx playwright install chromium
