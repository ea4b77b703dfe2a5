"""Where the local stack and the demo keep what they write."""

from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class StateDirectory:
    """Folders and files below one state directory.

    :param root: the state directory itself, absolute; ``.local`` in the project by default.
    """

    root: Path

    @property
    def airflow_home(self) -> Path:
        """``AIRFLOW_HOME``: metadata database, configuration, task logs."""
        return self.root / "airflow"

    @property
    def dags(self) -> Path:
        """Converted DAGs; Airflow reads them beside the project's own ``dags/``."""
        return self.root / "dags"

    @property
    def reports(self) -> Path:
        """Reports of the converter."""
        return self.root / "reports"

    @property
    def outbox(self) -> Path:
        """Lineage events on their way to the catalog."""
        return self.root / "outbox"

    @property
    def logs(self) -> Path:
        """What the servers print, one file each."""
        return self.root / "logs"

    @property
    def summary(self) -> Path:
        """Result of the last demo, as JSON."""
        return self.root / "demo.json"
