"""Parts of the request for a cluster, as legacy definitions describe it.

Texts may hold templates of Airflow, and so may numbers, which are texts then. Source: EMR API,
"RunJobFlow" (https://docs.aws.amazon.com/emr/latest/APIReference/API_RunJobFlow.html).
"""

import re
from collections.abc import Mapping, Sequence

PROPOSED_RELEASE = "emr-7.9.0"
"""Release for clusters whose AMI version can't be started any more; it has Hive and Pig."""

PROPOSED_INSTANCE_TYPE = "m5.xlarge"
"""Instance type where none is given; the service's own choice, m1.small, runs no release of EMR."""

DEFAULT_APPLICATIONS = ("Hadoop", "Hive", "Pig")
"""What the service installed when a definition says nothing (guide, "EmrCluster"), and Hadoop."""

ON_DEMAND_PRICE = "OnDemandPrice"
"""Word for a Spot price that is bounded by the price on demand (guide, "EmrCluster")."""

SHORTEST_IDLE_SECONDS, LONGEST_IDLE_SECONDS = 60, 604_800
"""Bounds of an auto-termination policy (EMR API, "AutoTerminationPolicy")."""

# Auto-termination policies came with 5.30 and 6.1 (EMR management guide, "Using an auto-termination
# policy for Amazon EMR cluster cleanup").
_FIRST_WITH_POLICY, _WITHOUT_POLICY = (5, 30), (6, 0)
# EMR release guide, "Amazon EMR release 5.28.0": steps can be run in parallel.
_FIRST_WITH_CONCURRENCY = (5, 28)
_RELEASE = re.compile(r"emr-(?P<major>\d+)\.(?P<minor>\d+)\.\w+")
_OLD_FAMILIES = frozenset(
    {"c1", "c3", "cc1", "cc2", "cg1", "cr1", "g2", "hi1", "hs1", "i2", "m1", "m2", "m3", "r3", "t1"}
)
_SCHEDULERS = {
    "parallel_fair_scheduling": "fair.FairScheduler",
    "parallel_capacity_scheduling": "capacity.CapacityScheduler",
}
_YARN_SCHEDULERS = "org.apache.hadoop.yarn.server.resourcemanager.scheduler"
# As EMR itself writes them; it takes them in any case.
_APPLICATIONS = {
    name.casefold(): name
    for name in (
        "Flink",
        "Ganglia",
        "HBase",
        "HCatalog",
        "Hadoop",
        "Hive",
        "Hue",
        "JupyterHub",
        "Livy",
        "Mahout",
        "Oozie",
        "Phoenix",
        "Pig",
        "Presto",
        "Spark",
        "Sqoop",
        "Tez",
        "Trino",
        "Zeppelin",
        "ZooKeeper",
    )
}


def supports_auto_termination(release: str) -> bool:
    """Tell whether clusters of a release can end themselves when they are idle.

    :param release: release label, such as ``emr-5.29.0``.
    :returns: true also for what is no fixed label.
    """
    version = _version(release)
    return version is None or (version >= _FIRST_WITH_POLICY and version != _WITHOUT_POLICY)


def supports_concurrent_steps(release: str) -> bool:
    """Tell whether clusters of a release can run steps side by side.

    :param release: release label, such as ``emr-5.27.0``.
    :returns: true also for what is no fixed label.
    """
    version = _version(release)
    return version is None or version >= _FIRST_WITH_CONCURRENCY


def _version(release: str) -> tuple[int, int] | None:
    match = _RELEASE.fullmatch(release)
    return None if match is None else (int(match["major"]), int(match["minor"]))


def is_previous_generation(instance_type: str) -> bool:
    """Tell whether an instance type is so old that current releases may refuse it.

    :param instance_type: such as ``m3.xlarge``.
    :returns: true for families that EC2 lists as previous generation before 2015.
    """
    return instance_type.partition(".")[0] in _OLD_FAMILIES


def instance_group(
    role: str, instance_type: str, count: int | str, bid_price: str | None
) -> dict[str, object]:
    """Describe a group of instances.

    :param role: ``MASTER``, ``CORE`` or ``TASK``.
    :param instance_type: type of each of its instances.
    :param count: how many.
    :param bid_price: highest Spot price of an hour in US dollars, or :data:`ON_DEMAND_PRICE`;
        None for instances on demand.
    :returns: an ``InstanceGroupConfig``.
    """
    group: dict[str, object] = {
        "Name": role.capitalize(),
        "InstanceRole": role,
        "InstanceType": instance_type,
        "InstanceCount": count,
        "Market": "ON_DEMAND" if bid_price is None else "SPOT",
    }
    if bid_price is not None and bid_price.casefold() != ON_DEMAND_PRICE.casefold():
        group["BidPrice"] = bid_price
    return group


def configuration(
    classification: str,
    properties: Mapping[str, str],
    nested: Sequence[Mapping[str, object]] = (),
) -> dict[str, object]:
    """Describe a configuration of an application.

    :param classification: such as ``yarn-site``.
    :param properties: its properties.
    :param nested: configurations inside of it, such as the ``export`` of ``hadoop-env``.
    :returns: a ``Configuration``.
    """
    described: dict[str, object] = {"Classification": classification}
    if properties:
        described["Properties"] = dict(properties)
    if nested:
        described["Configurations"] = [dict(one) for one in nested]
    return described


def with_properties(
    configurations: Sequence[Mapping[str, object]], added: Mapping[str, Mapping[str, str]]
) -> list[dict[str, object]]:
    """Add properties to configurations; EMR takes each classification once.

    :param configurations: what there is; its properties go before those that are added.
    :param added: further properties by classification.
    :returns: configurations, each classification once where it was so.
    """
    merged = [dict(one) for one in configurations]
    for classification, properties in added.items():
        for one in merged:
            if one["Classification"] == classification:
                present = one.get("Properties")
                one["Properties"] = {**properties, **(present if isinstance(present, dict) else {})}
                break
        else:
            merged.append(configuration(classification, properties))
    return merged


def scheduler_properties(scheduler: str) -> dict[str, dict[str, str]]:
    """Choose Hadoop's scheduler.

    :param scheduler: value of ``hadoopSchedulerType``.
    :returns: properties by classification, none for the default scheduler.
    """
    name = _SCHEDULERS.get(scheduler.strip().casefold())
    if name is None:
        return {}
    key = "yarn.resourcemanager.scheduler.class"
    return {"yarn-site": {key: f"{_YARN_SCHEDULERS}.{name}"}}


def application(arguments: Sequence[str]) -> dict[str, object]:
    """Describe an application to install.

    :param arguments: its name, then arguments that it takes.
    :returns: an ``Application``.
    """
    name, *others = (argument.strip() for argument in arguments)
    described: dict[str, object] = {"Name": _APPLICATIONS.get(name.casefold(), name)}
    if others:
        described["Args"] = others
    return described


def bootstrap_action(arguments: Sequence[str]) -> dict[str, object]:
    """Describe a bootstrap action.

    :param arguments: URI of its script, then arguments of the script.
    :returns: a ``BootstrapActionConfig``, named after its script.
    """
    path, *others = arguments
    script: dict[str, object] = {"Path": path}
    if others:
        script["Args"] = list(others)
    return {"Name": path.rpartition("/")[2] or path, "ScriptBootstrapAction": script}


def idle_seconds(lifetime_seconds: int) -> int:
    """Say after which time without work a cluster ends itself.

    :param lifetime_seconds: the longest that it was to live.
    :returns: the same within the bounds of EMR.
    """
    return min(max(lifetime_seconds, SHORTEST_IDLE_SECONDS), LONGEST_IDLE_SECONDS)
