"""AWS's own bootstrap actions of the time before EMR 4, most of which are configurations now.

Source: EMR release guide, "Differences in Amazon EMR 4.x from AMI versions"
(https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-release-differences.html), and the
bootstrap action ``configure-hadoop`` itself.
"""

import re
from collections.abc import Sequence

_CONFIGURE_HADOOP = re.compile(
    r"^s3n?://(?:[^/]+\.)?elasticmapreduce/(?:bootstrap-actions|libs/ba)/configure-hadoop$"
)
# What AWS kept under these prefixes was made for AMI versions; `run-if` still is of use.
_AWS_OWN = re.compile(r"^s3n?://(?:(?:[^/]+\.)?elasticmapreduce/|datapipeline-[^/]+/)")
_STILL_THERE = re.compile(r"/bootstrap-actions/run-if$")
_CLASSIFICATIONS = {
    "-c": "core-site",
    "--core-key-value": "core-site",
    "-h": "hdfs-site",
    "--hdfs-key-value": "hdfs-site",
    "-m": "mapred-site",
    "--mapred-key-value": "mapred-site",
    "-y": "yarn-site",
    "--yarn-key-value": "yarn-site",
    "-e": "emrfs-site",
    "--emrfs-key-value": "emrfs-site",
    "-z": "capacity-scheduler",
    "--capacity-scheduler-key-value": "capacity-scheduler",
}


def is_configure_hadoop(path: str) -> bool:
    """Tell whether a bootstrap action is AWS's ``configure-hadoop``.

    :param path: URI of its script.
    :returns: true in whichever region's bucket it lies.
    """
    return _CONFIGURE_HADOOP.match(path) is not None


def was_made_for_ami_versions(path: str) -> bool:
    """Tell whether a bootstrap action is one of AWS's for releases before EMR 4.

    :param path: URI of its script.
    :returns: true for those that no current release comes with.
    """
    return _AWS_OWN.match(path) is not None and _STILL_THERE.search(path) is None


def hadoop_properties(arguments: Sequence[str]) -> dict[str, dict[str, str]] | None:
    """Read the arguments of ``configure-hadoop``.

    :param arguments: pairs of an option and ``key=value``; blanks around them do not count.
    :returns: properties by classification; None when there is anything else among them.
    """
    stripped = [argument.strip() for argument in arguments]
    found: dict[str, dict[str, str]] = {}
    if len(stripped) % 2:
        return None
    for option, pair in zip(stripped[::2], stripped[1::2], strict=True):
        classification = _CLASSIFICATIONS.get(option)
        key, equals, value = pair.partition("=")
        # Airflow renders no keys of a dict.
        if classification is None or not equals or not key or "{" in key:
            return None
        found.setdefault(classification, {})[key] = value
    return found
