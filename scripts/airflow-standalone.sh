#!/usr/bin/env bash
# Airflow in the foreground on this machine: metadata in SQLite, DAGs unpaused, the pool made. Ctrl-C stops all of it.
# By default on the demo company; set HANSEI_DEFINITIONS and HANSEI_HOME for your own. PORT=8081 takes another port.
set -euo pipefail
cd "$(dirname "$0")/.."

source scripts/airflow-env.sh
source scripts/demo-env.sh

if [ "$HANSEI_DEFINITIONS" = "$PWD/include/demo/definitions" ]; then
  python include/demo/run.py --prepare --home "$HANSEI_HOME" # the demo company's exports, once
fi
airflow db migrate >/dev/null
airflow pools set hansei_warehouse "${HANSEI_WAREHOUSE_SLOTS:-1}" "opens the live warehouse: one slot beside DuckDB" >/dev/null
exec python scripts/standalone.py
