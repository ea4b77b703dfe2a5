"""Base of all operators that speak to AWS."""

import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, ClassVar, TypeVar

from airflow.providers.amazon.aws.hooks.base_aws import AwsGenericHook
from airflow.providers.amazon.aws.operators.base_aws import AwsBaseOperator

from updraft.compat import Context
from updraft.errors import UpdraftError
from updraft.operators.failures import task_failure
from updraft.operators.template_arguments import given
from updraft.operators.waiting import Deferral

_Hook = TypeVar("_Hook", bound=AwsGenericHook[Any])


# Airflow tells the name of a file by its end; this one renders to nothing.
_NO_FILE = "{# no file #}"


class AwsOperator(AwsBaseOperator[_Hook]):
    """The provider's base, for arguments that come from a form.

    A template makes an empty text of a Region that was not given. The provider hands that to boto3,
    which looks for ``https://glue..amazonaws.com``; only ``None`` means the Region of the
    connection, and without one there that of the worker (``AWS_REGION``).
    """

    json_fields: ClassVar[Sequence[str]] = ()
    """Template fields that may render as the JSON of a mapping. They become the mapping, since the
    UI shows rendered fields and Airflow masks by name only what is in a mapping."""

    def resolve_template_files(self) -> None:
        """Read the files that fields name, such as ``report.sql``.

        An S3 URI names none, and neither does a template: Airflow renders no names of files.
        """
        others = {
            name: value
            for name in self.template_fields
            if _is_no_file(value := getattr(self, name, None))
        }
        for name in others:
            setattr(self, name, None)
        super().resolve_template_files()
        for name, value in others.items():
            setattr(self, name, value)

    def render_template(self, content: Any, context: Context, *args: Any, **kwargs: Any) -> Any:
        """Render a value, in which a URI or a template is no name of a file, whatever it ends with.

        :param content: the value, or a collection of values.
        :param context: context of the task instance.
        :param args: as in Airflow, whose versions differ in them.
        :param kwargs: likewise.
        :returns: the rendered value.
        """
        if _is_no_file(content):
            content = f"{content}{_NO_FILE}"
        return super().render_template(content, context, *args, **kwargs)

    def render_template_fields(self, context: Context, jinja_env: Any = None) -> None:
        """Render the templates.

        :param context: context of the task instance.
        :param jinja_env: environment of Jinja, by default that of the DAG.
        """
        super().render_template_fields(context, jinja_env)
        for name in self.json_fields:
            with suppress(ValueError, TypeError):  # what is wrong with it is said when it is used
                value = json.loads(getattr(self, name))
                if isinstance(value, dict):
                    setattr(self, name, value)

    def carry_out(self, step: Callable[[], Any]) -> Any:
        """Take a step of the work, and defer when it says so.

        :param step: does what can be done now; gives the result, or a :class:`Deferral`.
        :returns: the result.
        :raises AirflowException: when the step failed.
        :raises AirflowFailException: when it failed, and no retry can mend that.
        """
        try:
            outcome = step()
        except UpdraftError as error:
            raise task_failure(error) from None
        if isinstance(outcome, Deferral):
            self.defer(
                trigger=outcome.trigger, method_name="execute_complete", timeout=outcome.timeout
            )
        return outcome

    @property
    def _hook_parameters(self) -> dict[str, Any]:
        return {**super()._hook_parameters, "region_name": given(self.region_name)}


def _is_no_file(value: Any) -> bool:
    return isinstance(value, str) and (
        value.startswith(("s3://", "s3a://", "s3n://")) or "{{" in value
    )
