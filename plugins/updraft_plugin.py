"""The one Airflow plugin of Updraft.

Every Airflow process executes this file when it starts, so it imports little that Airflow has not
imported by then: a few modules that need the standard library alone. The library beside it,
``updraft``, is on the import path anyway; ``.airflowignore`` keeps Airflow from executing its
modules as if each were a plugin.

There is no listener here. Lineage is emitted by the OpenLineage provider's own, and a listener
whose signature does not fit the running Airflow would silence that one too.
"""

import os

from airflow.configuration import conf
from airflow.plugins_manager import AirflowPlugin

from updraft.datapipeline.macros import template_macros
from updraft.timetables import PeriodTimetable

_EXTRACTORS = tuple(
    f"updraft.operators.provider_extractors.{name}"
    for name in (
        "EmrAddStepsExtractor",
        "GlueJobExtractor",
        "GlueCrawlerExtractor",
        "DynamoDBToS3Extractor",
        "S3ToDynamoDBExtractor",
        "RedshiftDataExtractor",
    )
)


def _register_extractors() -> None:
    """Let the OpenLineage provider ask Updraft about operators that tell nothing themselves.

    The provider reads its option when it is loaded, which is after the plugins folder. The
    extractors join those that the environment has configured; they are left out by
    ``[updraft] provider_extractors = False``.
    """
    if not conf.getboolean("updraft", "provider_extractors", fallback=True):
        return
    configured = conf.get("openlineage", "extractors", fallback="")
    configured = configured or os.environ.get("OPENLINEAGE_EXTRACTORS", "")
    names = [name.strip() for name in configured.split(";") if name.strip()]
    os.environ["AIRFLOW__OPENLINEAGE__EXTRACTORS"] = ";".join(dict.fromkeys([*names, *_EXTRACTORS]))


_register_extractors()


class UpdraftPlugin(AirflowPlugin):
    """Makes Updraft visible under Admin → Plugins, and brings what converted DAGs need.

    Templates call its macros as ``macros.updraft.…``. A timetable has to be registered, for Airflow
    to read it back from the database.
    """

    name = "updraft"
    macros = template_macros()
    timetables = [PeriodTimetable]  # noqa: RUF012 - the base class has no class variable
