"""The environment in which all contenders run: Airflow as on MWAA, and dag-factory."""

import hashlib
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[2]
LOCK = Path(__file__).with_name("requirements.lock")


def interpreter() -> Path:
    """Return its interpreter; uv makes the environment when the lock file has changed.

    :returns: path of the interpreter.
    """
    directory = PROJECT / ".local" / "dag-factory"
    python = directory / "bin" / "python"
    stamp = directory / "complete"
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text("utf-8") != digest:
        uv = str(Path(sys.executable).parent / "uv")
        new = [uv, "venv", "--python", sys.executable, "--quiet", "--clear", str(directory)]
        subprocess.run(new, check=True)
        install = [uv, "pip", "install", "--quiet", "--python", str(python), "-r", str(LOCK)]
        subprocess.run(install, check=True)
        stamp.write_text(digest, "utf-8")
    return python


def variables(home: Path) -> dict[str, str]:
    """Give the environment variables of the contenders.

    :param home: an empty folder, Airflow's home.
    :returns: all variables; the contenders get no others.
    """
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": str(home),
        "PYTHONPATH": str(PROJECT / "plugins"),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        # One file makes all DAGs of dag-factory, which takes its time on a busy machine.
        "AIRFLOW__CORE__DAGBAG_IMPORT_TIMEOUT": "600",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
        # It would ask a server at each file.
        "AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY": "False",
    }
