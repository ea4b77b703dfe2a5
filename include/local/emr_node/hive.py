"""Hive scripts, which Spark SQL executes in place of Hive, and says so.

Spark SQL understands most of HiveQL; what it doesn't, fails with its message.

.. seealso:: https://spark.apache.org/docs/3.5.9/sql-ref-syntax-hive-format.html
"""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from include.local.emr_node.refusal import RefusedError, UsageError
from include.local.emr_node.spark_programs import run_program

_NOTE = "[local stack] Spark SQL stands in for Hive: data types, functions and plans may differ\n"
_VALUED = {"-d": "-d", "--define": "-d", "--hivevar": "--hivevar", "-hivevar": "--hivevar"}
_SETTINGS = frozenset({"-hiveconf", "--hiveconf"})
_SOURCES = frozenset({"-e", "-f"})


def hive_script(arguments: Sequence[str]) -> int:
    """Carry out ``hive-script --run-hive-script --args -f s3://…``.

    :param arguments: the arguments.
    :returns: exit code.
    """
    if "--args" not in arguments:
        raise RefusedError(f"hive-script {' '.join(arguments)}; only --run-hive-script --args is")
    return hive(arguments[list(arguments).index("--args") + 1 :])


def hive(arguments: Sequence[str]) -> int:
    """Carry out ``hive -f FILE`` or ``hive -e STATEMENTS``.

    :param arguments: the arguments.
    :returns: exit code.
    """
    options: list[str] = []
    left = list(arguments)
    while left:
        option = left.pop(0)
        if option not in {*_VALUED, *_SETTINGS, *_SOURCES}:
            raise RefusedError(f"the option {option} of Hive")
        if not left:
            raise UsageError(f"the option {option} needs a value")
        value = left.pop(0)
        if option in _SETTINGS:
            options += ["--hiveconf", value]
        else:
            options += [_VALUED.get(option, option), value]
    if not _SOURCES & set(options):
        raise UsageError("give a script with -f or statements with -e")
    sys.stderr.write(_NOTE)
    # Tables are those of the cluster: the next step finds what this one made.
    home = Path(os.environ["HOME"])
    metastore = f"jdbc:derby:;databaseName={home / 'metastore'};create=true"
    shared = ["--conf", f"spark.hadoop.javax.jdo.option.ConnectionURL={metastore}"]
    shared += ["--conf", f"spark.sql.warehouse.dir={home / 'warehouse'}"]
    return run_program("spark-sql", [*shared, *options])
