"""Stands between a task and the local stack and lets through what an IAM policy allows."""

import json
import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape, unescape

import urllib3

from tests.integration.container_permissions import (
    ECS_TARGET,
    batch_accesses,
    batch_operation,
    ecs_accesses,
    started_containers,
)
from tests.integration.datazone_permissions import datazone_access
from tests.integration.machine_permissions import (
    ec2_accesses,
    launch_tags,
    launched_ids,
    ssm_accesses,
)

POLICIES = Path(__file__).parents[2] / "include" / "infra" / "iam"
_ON_NO_TABLE = ("ListExports", "ListImports")
_ON_NO_CLUSTER = (
    "CreateScheduledAction",
    "DeleteScheduledAction",
    "DescribeClusters",
    "DescribeNodeConfigurationOptions",
    "DescribeScheduledActions",
    "ModifyScheduledAction",
)


class Access(NamedTuple):
    """One thing that a request does.

    :param action: in the notation of IAM.
    :param resource: ARN.
    :param context: values of condition keys.
    """

    action: str
    resource: str
    context: Mapping[str, str]


class Policy:
    """A document of ``include/infra/iam``.

    :param name: name of the file without suffix.
    :param values: what its placeholders stand for.
    """

    def __init__(self, name: str, **values: str) -> None:
        text = (POLICIES / f"{name}.json").read_text()
        self.statements = json.loads(Template(text).substitute(values))["Statement"]

    @property
    def actions(self) -> set[str]:
        return {action for statement in self.statements for action in statement["Action"]}

    def allows(self, access: Access) -> bool:
        return any(_matches(statement, access) for statement in self.statements)


def _matches(statement: Mapping[str, Any], access: Access) -> bool:
    conditions = statement.get("Condition", {})
    assert set(conditions) <= {"ArnEquals", "StringEquals", "StringLike"}
    wanted = [
        (key, [patterns] if isinstance(patterns, str) else patterns)
        for condition in conditions.values()
        for key, patterns in condition.items()
    ]
    return (
        access.action in statement["Action"]
        and fnmatchcase(access.resource, statement["Resource"])
        and all(
            key in access.context
            and any(fnmatchcase(access.context[key], pattern) for pattern in patterns)
            for key, patterns in wanted
        )
    )


class PermissionProxy(ThreadingHTTPServer):
    """The proxy.

    :param endpoint_url: address of the local stack.
    :param policies: what is allowed.
    """

    daemon_threads = True

    def __init__(self, endpoint_url: str, policies: list[Policy]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.endpoint_url = endpoint_url
        self.policies = policies
        self.used: set[str] = set()
        self.denied: list[Access] = []
        self.pool = urllib3.PoolManager()
        self.tags: dict[str, Mapping[str, str]] = {}  # of what was made

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def permits(self, access: Access) -> bool:
        if any(policy.allows(access) for policy in self.policies):
            self.used.add(access.action)
            return True
        return False


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: PermissionProxy

    def log_message(self, *_: object) -> None:
        pass

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        accesses = list(_accesses(self.command, self.path, self.headers, body, self.server.tags))
        for access in accesses:
            if not self.server.permits(access):
                self.server.denied.append(access)
                self._deny(access)
                return
        answer = self.server.pool.request(
            self.command,
            self.server.endpoint_url + self.path,
            body=body,
            headers=dict(self.headers),
            redirect=False,
            retries=False,
            decode_content=False,
        )
        if answer.status == 404 and accesses[0].action == "s3:GetObject":
            # Who may not list a bucket is not told that it lacks an object.
            listing = Access("s3:ListBucket", accesses[0].resource.split("/")[0], {})
            if not any(policy.allows(listing) for policy in self.server.policies):
                self.server.denied.append(listing)
                self._deny(listing)
                return
        if accesses[0].action == "elasticmapreduce:RunJobFlow" and answer.status == 200:
            tags = {tag["Key"]: tag["Value"] for tag in json.loads(body).get("Tags", ())}
            self.server.tags[json.loads(answer.data)["JobFlowId"]] = tags
        if accesses[0].action == "ec2:RunInstances" and answer.status == 200:
            given = {name: values[0] for name, values in parse_qs(body.decode()).items()}
            tags = launch_tags(given)
            self.server.tags |= dict.fromkeys(launched_ids(answer.data), tags)
        if accesses[0].action in {"batch:SubmitJob", "ecs:RunTask"} and answer.status == 200:
            self.server.tags |= started_containers(answer.data, json.loads(body))
        self._answer(answer.status, dict(answer.headers), answer.data)

    def do_GET(self) -> None:
        self._serve()

    def do_HEAD(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def do_PUT(self) -> None:
        self._serve()

    def do_DELETE(self) -> None:
        self._serve()

    def do_PATCH(self) -> None:
        self._serve()

    def _deny(self, access: Access) -> None:
        if access.action.startswith("s3:"):
            content = f"<Error><Code>AccessDenied</Code><Message>{access}</Message></Error>"
            self._answer(403, {"Content-Type": "application/xml"}, content.encode())
            return
        if _is_ec2(self.headers):
            said = f"<Code>UnauthorizedOperation</Code><Message>{escape(str(access))}</Message>"
            content = f"<Response><Errors><Error>{said}</Error></Errors></Response>"
            self._answer(403, {"Content-Type": "text/xml"}, content.encode())
            return
        if _is_redshift(self.headers):
            said = f"<Code>AccessDenied</Code><Message>{escape(str(access))}</Message>"
            content = f"<ErrorResponse><Error>{said}</Error></ErrorResponse>"
            self._answer(403, {"Content-Type": "text/xml"}, content.encode())
            return
        error = {"__type": "x#AccessDeniedException", "Message": f"no permission: {access}"}
        content = json.dumps(error)
        self._answer(400, {"Content-Type": "application/x-amz-json-1.0"}, content.encode())

    def _answer(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in {"content-length", "transfer-encoding", "connection"}:
                self.send_header(name, value)
        length = headers.get("Content-Length") if self.command == "HEAD" else None
        self.send_header("Content-Length", length or str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)


def _accesses(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    cluster_tags: Mapping[str, Mapping[str, str]],
) -> Iterator[Access]:
    """Say what a request does, by the service authorization reference."""
    operation = headers.get("X-Amz-Target", "")
    if operation.startswith("AWSGlue."):
        yield from _glue(operation.rpartition(".")[2], json.loads(body))
    elif operation.startswith("Logs_"):
        request = json.loads(body)
        stream = f"log-group:{request['logGroupName']}:log-stream:{request['logStreamName']}"
        arn = f"arn:aws:logs:us-east-1:123456789012:{stream}"
        yield Access(f"logs:{operation.rpartition('.')[2]}", arn, {})
    elif operation.startswith("RedshiftServerless."):
        # In AWS the id of the workgroup stands where its name stands here.
        name = json.loads(body)["workgroupName"]
        arn = f"arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/{name}"
        yield Access(f"redshift-serverless:{operation.rpartition('.')[2]}", arn, {})
    elif operation.startswith(ECS_TARGET):
        found = ecs_accesses(operation.rpartition(".")[2], json.loads(body), cluster_tags)
        yield from (Access(*one) for one in found)
    elif operation.startswith("AmazonSSM."):
        name = operation.rpartition(".")[2]
        found = ssm_accesses(name, json.loads(body), cluster_tags)
        yield from (Access(*one) for one in found)
    elif operation.startswith("ElasticMapReduce."):
        yield from _emr(operation.rpartition(".")[2], json.loads(body), cluster_tags)
    elif operation.startswith("RedshiftData."):
        yield from _redshift_data(operation.rpartition(".")[2], json.loads(body))
    elif operation:
        yield from _dynamodb(operation.rpartition(".")[2], headers, json.loads(body))
    else:
        yield from _without_target(method, target, headers, body, cluster_tags)


def _glue(operation: str, request: Mapping[str, Any]) -> Iterator[Access]:
    if operation == "GetTables":
        database = request["DatabaseName"]
        resources = ["catalog", f"database/{database}", f"table/{database}/*"]
    elif operation in {"GetCrawler", "ListCrawls"}:
        resources = [f"crawler/{request.get('CrawlerName', request.get('Name'))}"]
    else:
        resources = [f"job/{request['JobName']}"]
    for resource in resources:
        yield Access(f"glue:{operation}", f"arn:aws:glue:us-east-1:123456789012:{resource}", {})


def _without_target(
    method: str,
    target: str,
    headers: Mapping[str, str],
    body: bytes,
    tags: Mapping[str, Mapping[str, str]],
) -> Iterator[Access]:
    """Say what a request does that has no header for its operation."""
    operation = batch_operation(target)
    if operation is not None:
        found = batch_accesses(operation, json.loads(body or b"{}"), tags)
        yield from (Access(*one) for one in found)
    elif _is_redshift(headers):
        yield from _redshift(parse_qs(body.decode()))
    elif _is_ec2(headers):
        yield from (Access(*one) for one in ec2_accesses(parse_qs(body.decode()), tags))
    elif "/datazone/aws4_request" in headers.get("Authorization", ""):
        yield Access(*datazone_access(method, target), {})
    else:
        yield from _s3(method, target, body, headers.get("x-amz-copy-source"))


def _is_redshift(headers: Mapping[str, str]) -> bool:
    return "/redshift/aws4_request" in headers.get("Authorization", "")


def _is_ec2(headers: Mapping[str, str]) -> bool:
    return "/ec2/aws4_request" in headers.get("Authorization", "")


def _redshift(form: Mapping[str, list[str]]) -> Iterator[Access]:
    given = {name: values[0] for name, values in form.items()}
    action = f"redshift:{given['Action']}"
    if given["Action"] in _ON_NO_CLUSTER:
        yield Access(action, "*", {})
        if "IamRole" in given:
            context = {"iam:PassedToService": "scheduler.redshift.amazonaws.com"}
            yield Access("iam:PassRole", given["IamRole"], context)
        return
    cluster = f"arn:aws:redshift:us-east-1:123456789012:cluster:{given.get('ClusterIdentifier')}"
    yield Access(action, given.get("ResourceName", cluster), {})


def _emr(
    operation: str, request: Mapping[str, Any], cluster_tags: Mapping[str, Mapping[str, str]]
) -> Iterator[Access]:
    action = f"elasticmapreduce:{operation}"
    arn = "arn:aws:elasticmapreduce:us-east-1:123456789012:cluster/"
    if operation == "RunJobFlow":
        tags = {f"aws:RequestTag/{tag['Key']}": tag["Value"] for tag in request.get("Tags", ())}
        yield Access(action, "*", tags)
        yield Access("elasticmapreduce:AddTags", f"{arn}j-new", tags)
        roles = {"ServiceRole": "elasticmapreduce", "JobFlowRole": "ec2"}
        for member, service in roles.items():
            role = f"arn:aws:iam::123456789012:role/{request[member]}"
            context = {"iam:PassedToService": f"{service}.amazonaws.com"}
            yield Access("iam:PassRole", role, context)
        return
    if operation == "ListClusters":
        yield Access(action, "*", {})
        return
    named = [request.get("ClusterId") or request.get("JobFlowId"), *request.get("JobFlowIds", ())]
    for cluster in filter(None, named):
        tags = {
            f"elasticmapreduce:ResourceTag/{key}": value
            for key, value in cluster_tags.get(cluster, {}).items()
        }
        yield Access(action, arn + cluster, tags)


def _redshift_data(operation: str, request: Mapping[str, Any]) -> Iterator[Access]:
    action = f"redshift-data:{operation}"
    if operation not in {"BatchExecuteStatement", "ExecuteStatement"}:
        # All statements that the tests ask for are of the one who asks.
        yield Access(action, "*", {"redshift-data:statement-owner-iam-userid": "${aws:userid}"})
        return
    cluster, account = request["ClusterIdentifier"], "arn:aws:redshift:us-east-1:123456789012"
    yield Access(action, f"{account}:cluster:{cluster}", {})
    for resource in (f"dbuser:{cluster}/{request['DbUser']}", f"dbname:{cluster}/dev"):
        yield Access("redshift:GetClusterCredentials", f"{account}:{resource}", {})


def _dynamodb(
    operation: str, headers: Mapping[str, str], request: Mapping[str, Any]
) -> Iterator[Access]:
    action = f"dynamodb:{operation}"
    region = headers["Authorization"].split("Credential=")[1].split("/")[2]
    if operation in _ON_NO_TABLE:
        yield Access(action, "*", {})
        return
    creation = request.get("TableCreationParameters", {})
    named = [request.get(name) for name in ("TableName", "TableArn", "ExportArn", "ImportArn")]
    names = [name for name in (*named, creation.get("TableName")) if name]
    for name in names or list(request["RequestItems"]):
        table = f"arn:aws:dynamodb:{region}:123456789012:table/{name}"
        yield Access(action, name if name.startswith("arn:") else table, {})


def _s3(method: str, target: str, body: bytes, copied: str | None) -> Iterator[Access]:
    url = urlsplit(target)
    query = parse_qs(url.query, keep_blank_values=True)
    bucket, _, key = unquote(url.path).lstrip("/").partition("/")
    bucket_arn, object_arn = f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/{key}"
    if not key:
        if "uploads" in query:
            yield Access("s3:ListBucketMultipartUploads", bucket_arn, {})
        elif "delete" in query:
            for found in re.findall(rb"<Key>(.*?)</Key>", body):
                yield Access("s3:DeleteObject", f"{bucket_arn}/{unescape(found.decode())}", {})
        elif method in {"GET", "HEAD"}:  # HeadBucket names no prefix
            prefix = {"s3:prefix": query["prefix"][0]} if "prefix" in query else {}
            yield Access("s3:ListBucket", bucket_arn, prefix)
        else:
            yield Access(f"s3:{method}", bucket_arn, {})
    elif method in {"GET", "HEAD"}:
        yield Access("s3:GetObject", object_arn, {})
    elif method == "DELETE":
        action = "AbortMultipartUpload" if "uploadId" in query else "DeleteObject"
        yield Access(f"s3:{action}", object_arn, {})
    else:  # an upload in parts needs the same permission in all its calls
        if copied is not None:
            source = unquote(copied.partition("?")[0]).lstrip("/")
            yield Access("s3:GetObject", f"arn:aws:s3:::{source}", {})
        yield Access("s3:PutObject", object_arn, {})


@contextmanager
def permission_proxy(endpoint_url: str, *policies: Policy) -> Iterator[PermissionProxy]:
    """Run a proxy.

    :param endpoint_url: address of the local stack.
    :param policies: what is allowed.
    :returns: the proxy.
    """
    with PermissionProxy(endpoint_url, list(policies)) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield proxy
        finally:
            proxy.shutdown()
            thread.join()
