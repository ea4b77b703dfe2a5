"""The beginning and the end of a job."""

from collections.abc import Mapping
from typing import Any

from awsglue.bookmark import BOOKMARK
from awsglue.refusal import refuse


class Job:
    """A run of a job.

    :param glue_context: the context.
    """

    def __init__(self, glue_context: object) -> None:
        self._context = glue_context
        self._begun = False

    def init(self, job_name: str, args: Mapping[str, str] | None = None) -> None:  # noqa: ARG002 - AWS's
        """Begin.

        :param job_name: name of the job.
        :param args: its arguments.
        """
        self._begun = True
        BOOKMARK.job = job_name

    def commit(self) -> None:
        """End, and keep the bookmark.

        :raises RuntimeError: when the job was not begun.
        """
        if not self._begun:
            raise RuntimeError("Job.commit was called before Job.init")
        BOOKMARK.commit()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(f"Job.{name}")
