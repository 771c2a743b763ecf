# Source this: Airflow's settings for this checkout. Everything can be overridden from outside.
# AIRFLOW_HOME must be absolute, and .venv/bin on PATH: `airflow standalone` starts "airflow" by name.
_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PATH="$_root/.venv/bin:$PATH"
export AIRFLOW_HOME=${AIRFLOW_HOME:-$_root/.airflow}
export AIRFLOW__CORE__DAGS_FOLDER=$_root/dags
export AIRFLOW__CORE__PLUGINS_FOLDER=$_root/plugins
export AIRFLOW__CORE__LOAD_EXAMPLES=False
export AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION=${AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION:-False}

# Small machines: the default parallelism starts 32 worker processes, and a slot stays busy for a heartbeat after its task.
export AIRFLOW__CORE__PARALLELISM=${AIRFLOW__CORE__PARALLELISM:-4}
export AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL=${AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL:-1}
export AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL=${AIRFLOW__DAG_PROCESSOR__REFRESH_INTERVAL:-30}

# Tasks call the execution API: it has to follow the port, or every task fails without a log.
_port=${PORT:-8080}
export AIRFLOW__API__PORT=$_port
export AIRFLOW__API__HOST=${AIRFLOW__API__HOST:-127.0.0.1}
export AIRFLOW__API__BASE_URL=http://localhost:$_port
export AIRFLOW__CORE__EXECUTION_API_SERVER_URL=http://localhost:$_port/execution/
unset _root _port
