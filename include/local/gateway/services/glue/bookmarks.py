"""Bookmarks of jobs: the run writes them when it commits; here they are read and reset.

.. seealso:: https://docs.aws.amazon.com/glue/latest/webapi/API_JobBookmarkEntry.html
"""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

from include.local.gateway.errors import AwsError

STAND_IN = Path(__file__).parents[3] / "awsglue_stand_in"
"""Directory that has to be on a run's ``PYTHONPATH``."""

_FILE_VARIABLE = "UPDRAFT_GLUE_BOOKMARK"


class JobBookmarks:
    """The bookmarks of all jobs.

    :param directory: where they are kept, a file for each.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def variables(self, region: str, job: str) -> dict[str, str]:
        """Name the variables that a run needs for its bookmark, and for ``awsglue`` altogether.

        :param region: Region of the job.
        :param job: its name.
        :returns: the variables.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        return {_FILE_VARIABLE: str(self._path(region, job)), "PYTHONPATH": str(STAND_IN)}

    def get(self, region: str, job: str, run_id: str | None = None) -> dict[str, Any]:
        """Find the bookmark, as GetJobBookmark returns it.

        :param region: Region of the job.
        :param job: its name.
        :param run_id: the run that has written it; None for the latest.
        :returns: the entry.
        :raises AwsError: when there is none.
        """
        entries = self._entries(region, job)
        matching = [entry for entry in entries if run_id in {None, entry["RunId"]}]
        if not matching:
            raise AwsError("EntityNotFoundException", f"Continuation for job {job} does not exist.")
        return matching[-1]

    def reset(self, region: str, job: str, run_id: str | None = None) -> dict[str, Any]:
        """Forget what was read, or what was read after a run.

        :param region: Region of the job.
        :param job: its name.
        :param run_id: the run to go back to; None for the beginning.
        :returns: the entry that holds now.
        :raises AwsError: when there is no such bookmark.
        """
        found = self.get(region, job, run_id)
        entries = self._entries(region, job)
        last = entries[-1]
        entry = {
            **last,
            "Version": last["Version"] + 1,
            "Run": 0 if run_id is None else found["Run"],
            "JobBookmark": "{}" if run_id is None else found["JobBookmark"],
        }
        path = self._path(region, job)
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps({"entries": [*entries, entry]}))
        temporary.replace(path)
        return entry

    def _entries(self, region: str, job: str) -> list[dict[str, Any]]:
        path = self._path(region, job)
        if not path.is_file():
            return []
        entries: list[dict[str, Any]] = json.loads(path.read_text())["entries"]
        return entries

    def _path(self, region: str, job: str) -> Path:
        return self._directory / f"{region}-{quote(job, safe='')}.json"
