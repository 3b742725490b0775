#!/usr/bin/env bash
# The tests in their order. `fast`: what needs neither a browser nor whole processes.
set -eu
export PYTHONPATH=src
unset SMARTGOV_DATABASE_URL
python=.venv/bin/python
step() { printf '\n== %s\n' "$1"; }

$python -m smartgov.site.messages compile >/dev/null
if [ "${1:-}" = fast ]; then
  step "Fast tests on SQLite"
  exec $python -m pytest -n 2 -q -m "not browser and not journey and not process"
fi
step "Units, blocks and architecture on SQLite"
$python -m pytest -n 2 -q -m "not browser and not journey"
step "Journeys against real processes on SQLite"
$python -m pytest -q tests/journeys
step "Everything but the browser on PostgreSQL"
$python scripts/with_postgres.py $python -m pytest -n 2 -q -m "not browser and not journey"
step "Journey J1 on PostgreSQL"
$python scripts/with_postgres.py $python -m pytest -q tests/journeys -k j1
