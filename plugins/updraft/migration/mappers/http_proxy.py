"""``HttpProxy``: how the machine of a run reaches the services of AWS.

Task Runner was told the proxy. The agent of Systems Manager takes its place, and is told when the
instance starts; the commands it runs inherit its environment. Source: Systems Manager user guide,
"Configuring SSM Agent to use a proxy on Linux nodes"
(https://docs.aws.amazon.com/systems-manager/latest/userguide/configure-proxy-ssm-agent.html).
"""

from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import compile_value, flag, reading, references_to
from updraft.migration.ledger import Status
from updraft.migration.mappers.emr_cluster_fields import ClusterFields

_METADATA = "169.254.169.254"
_CREDENTIALS = ("username", "*password", "password", "windowsDomain", "windowsWorkgroup")
_SCRIPT = """\
folder=/etc/systemd/system/amazon-ssm-agent.service.d
mkdir -p "$folder"
cat > "$folder/proxy.conf" <<'END'
[Service]
Environment="http_proxy={proxy}" "https_proxy={proxy}" "no_proxy={direct}"
END
systemctl daemon-reload
systemctl restart amazon-ssm-agent"""


def proxy_user_data(fields: ClusterFields, region: str | None) -> str | None:
    """Say what an instance runs when it starts, to go through a proxy.

    :param fields: the instance.
    :param region: its region, none when that is not told.
    :returns: commands for bash, none when there is no proxy.
    :raises NotCompilableError: when the proxy can't be said exactly.
    """
    if fields.item.field("httpProxy") is None:
        return None
    workflow = fields.workflow
    found = references_to("httpProxy", fields.item, workflow)
    if len(found) != 1 or found[0].type != "HttpProxy":
        raise NotCompilableError("its httpProxy is no HttpProxy")
    (proxy,) = found
    host, port = (compile_value(name, proxy, workflow) for name in ("hostname", "port"))
    if host is None or port is None:
        raise NotCompilableError(f"{proxy.id} needs hostname and port")
    fields.take(host, port, reading("httpProxy", fields.item))
    direct = [_METADATA]
    if flag("s3NoProxy", proxy):
        fields.take(reading("s3NoProxy", proxy))
        direct += ["s3.amazonaws.com", ".s3.amazonaws.com"]
        direct += [f"s3.{region}.amazonaws.com", f".s3.{region}.amazonaws.com"] if region else []
    fields.described.add(proxy.id)
    status, note = Status.EQUIVALENT, "`user_data`: the agent of Systems Manager goes through it"
    if any(proxy.field(name) is not None for name in _CREDENTIALS):
        status = Status.NEEDS_DECISION
        note += "; without the user and the password, which must not stand in a DAG"
        for name in _CREDENTIALS:
            advice = "let the instance read it from AWS Secrets Manager in `user_data`"
            workflow.ledger.account(proxy, name, Status.NEEDS_DECISION, advice)
    fields.settle("httpProxy", status, note)
    return _SCRIPT.format(proxy=f"http://{host.text}:{port.text}", direct=",".join(direct))
