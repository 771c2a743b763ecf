"""What Airflow's plugin loader makes of plugins/: one plugin, and not one module of the package executed."""

from __future__ import annotations

import subprocess
import sys

LOAD = """
import sys
from airflow import plugins_manager

plugins, errors = plugins_manager._get_plugins()
print(sorted(plugin.name for plugin in plugins if plugin.name.startswith("hansei")), errors)
bare = [n for n, m in sys.modules.items() if "plugins/hansei/" in (getattr(m, "__file__", "") or "")]
print("EXECUTED", sorted(name for name in bare if not name.startswith("hansei.") and name != "hansei"))
"""


def test_airflow_loads_our_plugin_and_leaves_the_package_alone() -> None:
    answer = subprocess.run([sys.executable, "-c", LOAD], capture_output=True, text=True, check=True, timeout=120)
    assert answer.stdout.splitlines()[-2:] == ["['hansei'] {}", "EXECUTED []"]
