"""Which versions of Airflow and its OpenLineage provider lose events together.

Read from the sources of the providers and from the constraints of the MWAA images
(https://github.com/aws/amazon-mwaa-docker-images); the loss of console events was measured with the
log handler of those images.
"""

from collections.abc import Collection, Iterator, Mapping

from packaging.version import InvalidVersion, Version

from updraft.lineage.diagnosis.findings import Finding, error, ok, warning

PROVIDER = "apache-airflow-providers-openlineage"
CLIENT = "openlineage-python"
OLD_PACKAGE = "openlineage-airflow"
PACKAGES = ("apache-airflow", PROVIDER, CLIENT, OLD_PACKAGE, "apache-airflow-providers-amazon")
"""Distributions whose versions matter."""

_CHECK = "versions"
_LISTENER_SINCE = Version("2.8")
_AIRFLOW_3 = Version("3.0")
_FORK_SINCE, _FLUSH_SINCE = Version("1.9.0"), Version("2.17.0")
_BROKEN_FORK, _MENDED_FORK = Version("2.14.0"), Version("2.16.0")
_POLICY_SINCE = Version("2.19.0")
_OLDEST_CLIENT = Version("1.22.0")


def diagnose_versions(
    installed: Mapping[str, str], transports: Collection[str]
) -> Iterator[Finding]:
    """Look for combinations that are known to lose events.

    :param installed: version by distribution, of those in :data:`PACKAGES` that are installed.
    :param transports: types of the transports that are configured, such as ``console``.
    :returns: what is wrong; what is installed if nothing is.
    """
    found = list(_wrong(_versions(installed), transports))
    yield from found
    if not found:
        listed = ", ".join(f"{name} {version}" for name, version in installed.items())
        yield ok(_CHECK, listed)


def _wrong(versions: Mapping[str, Version], transports: Collection[str]) -> Iterator[Finding]:
    airflow, provider = versions.get("apache-airflow"), versions.get(PROVIDER)
    if provider is None:
        yield error(
            _CHECK,
            f"{PROVIDER} is not installed, so no task emits an event; no MWAA image has it",
            f"add {PROVIDER} to requirements.txt",
        )
    if OLD_PACKAGE in versions and airflow is not None and airflow >= _LISTENER_SINCE:
        yield warning(
            _CHECK,
            f"{OLD_PACKAGE} {versions[OLD_PACKAGE]} registers no listener in Airflow {airflow}",
            f"remove it from requirements.txt; {PROVIDER} is its successor",
        )
    if provider is not None and _BROKEN_FORK <= provider < _MENDED_FORK:
        yield error(
            _CHECK,
            f"{PROVIDER} {provider} shares connections with the process it forks: tasks fail with "
            "'SSL error: decryption failed or bad record mac' (apache/airflow#65677)",
            f"pin {PROVIDER}=={_MENDED_FORK} or newer",
        )
    if (
        provider is not None
        and airflow is not None
        and airflow < _AIRFLOW_3
        and _FORK_SINCE <= provider < _FLUSH_SINCE
        and "console" in transports
    ):
        yield error(
            _CHECK,
            f"with {PROVIDER} {provider} on Airflow {airflow}, what the console transport logs "
            "does not reach CloudWatch on MWAA: the process that logs it is forked and leaves "
            "before its log is sent",
            "use updraft.lineage.transport.OutboxTransport instead of console",
        )
    client = versions.get(CLIENT)
    if client is not None and client < _OLDEST_CLIENT:
        yield warning(
            _CHECK,
            f"{CLIENT} {client} writes events that are older than DataZone supports",
            f"install {CLIENT} {_OLDEST_CLIENT} or newer",
        )
    if provider is not None and provider < _POLICY_SINCE:
        yield warning(
            _CHECK,
            f"{PROVIDER} {provider} does not know [openlineage] emission_policy, so that option "
            "does not keep the forwarder from reporting on itself",
            "set openlineage.disabled_for_operators to "
            "updraft.operators.lineage.ForwardLineageOperator",
        )


def _versions(installed: Mapping[str, str]) -> dict[str, Version]:
    found: dict[str, Version] = {}
    for name, text in installed.items():
        try:
            found[name] = Version(text)
        except InvalidVersion:
            continue  # a build of one's own; nothing is known of it
    return found
