import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).parents[2] / "plugins"

# What Airflow itself makes of the plugins folder, seen from inside.
_PROBE = """
import json, sys
from airflow import plugins_manager
plugins, errors = plugins_manager._get_plugins()
from airflow.listeners.listener import get_listener_manager
print("PROBE" + json.dumps({
    "plugins": sorted((plugin.name, str(plugin.source)) for plugin in plugins),
    "errors": errors,
    "listeners": {plugin.name: len(plugin.listeners) for plugin in plugins},
    "has_listeners": get_listener_manager().has_listeners,
    "executed": sorted(name for name in sys.modules if name.split(".")[0] == "updraft"),
}))
"""


@pytest.fixture(scope="module")
def airflow(tmp_path_factory: pytest.TempPathFactory) -> dict:
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS),
        "AIRFLOW__OPENLINEAGE__TRANSPORT": '{"type": "console"}',
    }
    result = subprocess.run(
        [sys.executable, "-c", _PROBE], env=environment, capture_output=True, text=True, check=True
    )
    (line,) = [line for line in result.stdout.splitlines() if line.startswith("PROBE")]
    return json.loads(line.removeprefix("PROBE"))


def test_exactly_one_plugin_comes_from_the_folder(airflow: dict):
    assert airflow["errors"] == {}
    from_folder = [name for name, source in airflow["plugins"] if "updraft" in source]
    assert from_folder == ["updraft"]


def test_of_the_library_the_plugin_imports_only_what_is_light(airflow: dict):
    # The extractors are loaded by the OpenLineage provider, where it is active.
    imported = {name for name in airflow["executed"] if "updraft.operators" not in name}
    assert imported == {
        "updraft",
        "updraft.errors",
        "updraft.timetables",
        "updraft.datapipeline",
        *(
            f"updraft.datapipeline.{name}"
            for name in (
                "date_functions",
                "expression_values",
                "joda",
                "macros",
                "periods",
                "query_columns",
                "step_texts",
                "zone_names",
            )
        ),
    }


def test_the_openlineage_listener_is_in_place(airflow: dict):
    assert airflow["listeners"] == {"OpenLineageProviderPlugin": 1, "updraft": 0}
    assert airflow["has_listeners"]
