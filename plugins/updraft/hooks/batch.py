"""AWS Batch, whose SubmitJob has no client token."""

from typing import Any

from airflow.providers.amazon.aws.hooks.batch_client import BatchClientHook

from updraft.hooks.clients import without_retries


class SubmitOnceHook(BatchClientHook):
    """The provider's hook, but that botocore does not repeat SubmitJob.

    What it repeats after a lost answer would be a second job.

    :param kwargs: as of the provider's hook.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._own_parameters = kwargs
        self._submitting: Any = None

    @property
    def client(self) -> Any:
        """The low-level client."""
        if self._submitting is None:
            self._submitting = self.conn
            self._submitting.submit_job = self._submit_job
        return self._submitting

    def _submit_job(self, **request: Any) -> Any:
        once: Any = BatchClientHook(**without_retries(self._own_parameters)).client
        return once.submit_job(**request)
