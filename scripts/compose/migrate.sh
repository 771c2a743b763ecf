#!/bin/sh
# The migration job: brings Airflow's metadata and the board store to this release. Safe to run at every start.
set -eu

airflow db migrate
airflow pools set hansei_warehouse "${HANSEI_WAREHOUSE_SLOTS:-4}" "opens the live warehouse"
python - <<'PYTHON'
import json, os, pathlib

from hansei import board
from hansei.settings import load_settings

board.open(load_settings()).dispose()

# Airflow's simple auth manager keeps passwords in a file; the one of the admin comes from outside.
passwords = pathlib.Path(os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"])
known = json.loads(passwords.read_text() or "{}") if passwords.exists() else {}
passwords.touch(mode=0o600)
passwords.write_text(json.dumps(known | {"admin": os.environ["AIRFLOW_ADMIN_PASSWORD"]}) + "\n")
PYTHON
# Faults in definitions are for people to see; Airflow starts all the same, and its nights name them.
hansei check || echo "migrate: the definitions have faults, see above" >&2
