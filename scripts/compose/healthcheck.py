"""Exit 0 where Airflow says that a part of it is well. Light enough to run every half minute: no Airflow is imported.

usage: healthcheck.py metadatabase|scheduler|dag_processor|triggerer   (address: AIRFLOW_HEALTH_URL)
"""

import json
import os
import sys
import urllib.request

with urllib.request.urlopen(os.environ["AIRFLOW_HEALTH_URL"], timeout=10) as answer:
    status = json.load(answer)[sys.argv[1]]["status"]
sys.stdout.write(f"{sys.argv[1]}: {status}\n")
sys.exit(status != "healthy")
