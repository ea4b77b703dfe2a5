"""The one Airflow plugin of Updraft.

Every Airflow process executes this file when it starts, so it imports little beside the base class.
The library beside it, ``updraft``, is on the import path anyway; ``.airflowignore`` keeps Airflow
from executing its modules as if each were a plugin.

There is no listener here. Lineage is emitted by the OpenLineage provider's own, and a listener
whose signature does not fit the running Airflow would silence that one too.
"""

from airflow.plugins_manager import AirflowPlugin

from updraft.datapipeline.macros import template_macros


class UpdraftPlugin(AirflowPlugin):
    """Makes Updraft visible under Admin → Plugins, and brings what converted DAGs need.

    Templates call its macros as ``macros.updraft.…``.
    """

    name = "updraft"
    macros = template_macros()
