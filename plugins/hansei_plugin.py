"""Hansei in Airflow's own pages. The review board will register here; until it does, nothing is registered.

Airflow loads this module in every one of its processes: what it imports at the top, each of them pays for.
"""

from airflow.plugins_manager import AirflowPlugin


class HanseiPlugin(AirflowPlugin):
    name = "hansei"
