"""An Airflow without database, network or connections for every test of this suite."""

import os
import tempfile

_HOME = tempfile.TemporaryDirectory(prefix="updraft-airflow-")

# Before anything imports Airflow, which reads its configuration at import.
for name in [name for name in os.environ if name.startswith(("AIRFLOW", "OPENLINEAGE", "AWS_"))]:
    del os.environ[name]
os.environ |= {
    "AIRFLOW_HOME": _HOME.name,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__CORE__UNIT_TEST_MODE": "False",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}
