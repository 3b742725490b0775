#!/usr/bin/env bash
# The tests in their order. `fast`: what needs neither a browser nor whole processes.
set -eu
export PYTHONPATH=src
unset SMARTGOV_DATABASE_URL SMARTGOV_HOME
# Hundreds of processes start from the same sources: each would compile all of them for itself, and pytest its tests.
unset PYTHONDONTWRITEBYTECODE
python=.venv/bin/python
# The order of tests and the examples of property tests are random and can be asked for again: another SEED gives others.
order=(--randomly-seed="${SEED:-20261101}" --hypothesis-seed="${SEED:-20261101}")
began=$SECONDS
step() { printf '\n== %s (after %d s)\n' "$1" $((SECONDS - began)); }
# Files of journeys run side by side: each raises a country on ports of its own, and mostly waits. Within a country their
# order is kept: what one journey did there is known to the next. Files come as tests/journeys/conftest.py has them.
journeys=(tests/journeys -n 2 --dist loadfile --no-loadscope-reorder -p no:randomly)

$python -m smartgov.site.messages compile >/dev/null
# Engines know neither Django nor its database, but for the two that write SQL. Of these folders runs again what may come
# to a database (tests/second_database.py).
database=(src/smartgov/{blocks,site,theme,clients} src/smartgov/engines/{expr,rules} tests/architecture)

if [ "${1:-}" = fast ]; then
  step "Fast tests on SQLite"
  exec $python -m pytest -n 2 -q "${order[@]}" -m "not browser and not journey and not process"
fi
step "Units, blocks and architecture on SQLite"
$python -m pytest -n 2 -q "${order[@]}" -m "not browser and not journey"
step "Journeys and browsers against real processes on SQLite"
$python -m pytest -q -m "browser or journey" "${journeys[@]}" src
step "Blocks, and all else that has to do with the database, on PostgreSQL"
$python scripts/with_postgres.py $python -m pytest -p tests.second_database -n 2 -q "${order[@]}" -m "not browser and not journey" "${database[@]}"
step "Journeys without a browser, J1 among them, on PostgreSQL"
$python scripts/with_postgres.py $python -m pytest -q -m "journey and not browser" "${journeys[@]}"
step "Everything passed"
