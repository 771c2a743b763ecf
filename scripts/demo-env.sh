# Source this: whose definitions Airflow and the command line work on where nothing is set: the demo company's.
_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export HANSEI_HOME=${HANSEI_HOME:-$_root/.hansei/demo}
export HANSEI_DEFINITIONS=${HANSEI_DEFINITIONS-$_root/include/demo/definitions}
export HANSEI_RETRY_DELAY_SECONDS=${HANSEI_RETRY_DELAY_SECONDS:-10}

# Fresh secrets once per home, readable by its owner only. What is set outside wins.
if [ ! -s "$HANSEI_HOME/keys.env" ]; then
  mkdir -p "$HANSEI_HOME"
  (umask 077 && "$_root/.venv/bin/python" - >"$HANSEI_HOME/keys.env" <<'PYTHON'
import base64, secrets
print(f"HANSEI_IDENTITY_KEY={secrets.token_urlsafe(48)}")
print(f"HANSEI_QUARANTINE_KEY={base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}")
print(f"AIRFLOW__API_AUTH__JWT_SECRET={secrets.token_urlsafe(64)}")
PYTHON
  )
fi
# Not `IFS='=' read`: it would take off the "=" that a Fernet key ends with.
while read -r _line; do
  _name=${_line%%=*}
  if [ -z "${!_name:-}" ]; then export "$_name=${_line#*=}"; fi
done <"$HANSEI_HOME/keys.env"
unset _root _name _line
