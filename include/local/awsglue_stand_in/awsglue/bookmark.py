"""The bookmark of the job that this process runs.

Its state is a file that the local stack names in an environment variable and that GetJobBookmark
and ResetJobBookmark work on as well. A file on S3 is new until a run that has read it commits.

.. seealso:: https://docs.aws.amazon.com/glue/latest/dg/monitor-continuations.html
"""

import itertools
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from awsglue.refusal import refuse

FILE_VARIABLE = "UPDRAFT_GLUE_BOOKMARK"
"""Variable with the path of the file: ``{"entries": [JobBookmarkEntry, …]}``, the latest last."""

_ENABLE, _DISABLE, _PAUSE = (f"job-bookmark-{what}" for what in ("enable", "disable", "pause"))


class Bookmark:
    """What earlier runs have read, and what this one does.

    :param arguments: ``sys.argv``.
    """

    def __init__(self, arguments: Sequence[str]) -> None:
        given = dict(itertools.pairwise(arguments))
        option = given.get("--job-bookmark-option", _DISABLE)
        if option not in {_ENABLE, _DISABLE, _PAUSE}:
            raise ValueError(f"--job-bookmark-option {option} is unknown")
        if any(name in given for name in ("--job-bookmark-from", "--job-bookmark-to")):
            refuse("bookmark that begins or ends at a given run")
        self._writes = option == _ENABLE
        self._run_id = given.get("--JOB_RUN_ID", "")
        self._path = Path(os.environ[FILE_VARIABLE]) if option != _DISABLE else None
        entries = self._entries()
        self._before: dict[str, dict[str, str]] = (
            json.loads(entries[-1]["JobBookmark"]) if entries else {}
        )
        self._now = {name: dict(files) for name, files in self._before.items()}
        self.job = ""

    def only_new(self, context: str, versions: Mapping[str, str]) -> list[str]:
        """Leave out the files that earlier runs have read.

        :param context: the source's ``transformation_ctx``; without it nothing is left out.
        :param versions: version by URI of the file.
        :returns: the URIs that are left, sorted.
        """
        if self._path is None or not context:
            return sorted(versions)
        read = self._before.get(context, {})
        new = sorted(uri for uri, version in versions.items() if read.get(uri) != version)
        self._now.setdefault(context, {}).update({uri: versions[uri] for uri in new})
        return new

    def commit(self) -> None:
        """Keep what this run has read."""
        if self._path is None or not self._writes:
            return
        entries = self._entries()
        number = entries[-1]["Run"] + 1 if entries else 1
        entry = {
            "JobName": self.job,
            "Version": number,
            "Run": number,
            "Attempt": 0,
            "PreviousRunId": entries[-1]["RunId"] if entries else "",
            "RunId": self._run_id,
            "JobBookmark": json.dumps(self._now, sort_keys=True),
        }
        temporary = self._path.with_suffix(".new")
        temporary.write_text(json.dumps({"entries": [*entries, entry]}))
        temporary.replace(self._path)

    def _entries(self) -> list[dict[str, Any]]:
        if self._path is None or not self._path.is_file():
            return []
        entries: list[dict[str, Any]] = json.loads(self._path.read_text())["entries"]
        return entries


BOOKMARK = Bookmark(sys.argv)
"""That of this process."""
