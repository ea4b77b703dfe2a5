"""The one machine of a cluster: where its bootstrap actions and steps run as processes.

The programs of a primary node, such as ``spark-submit``, are found on the PATH. Everything else on
the PATH is this machine's.
"""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from include.local.bootstrap import LOCAL_ENVIRONMENT
from include.local.gateway.execution.environment import job_variables, program
from include.local.gateway.execution.objects import (
    FetchError,
    fetch,
    interpreter,
    is_s3,
    upload_logs,
)
from include.local.gateway.execution.process import JobProcess
from include.local.gateway.services.emr.clusters import Cluster

_PROGRAMS = (
    "hadoop",
    "hdfs",
    "hive",
    "hive-script",
    "pig",
    "pig-script",
    "pyspark",
    "s3-dist-cp",
    "script-runner",
    "spark-example",
    "spark-shell",
    "spark-sql",
    "spark-submit",
)


class Node:
    """The node of one cluster.

    :param cluster: the cluster.
    :param folder: its directory.
    :param endpoint_url: address of the gateway.
    """

    def __init__(self, cluster: Cluster, folder: Path, endpoint_url: str) -> None:
        self._cluster = cluster
        self._folder = folder
        self._endpoint_url = endpoint_url
        self._process = JobProcess()

    def fetch(self, uri: str, folder: Path) -> Path:
        """Copy an object of S3 to the node.

        :param uri: its URI.
        :param folder: where it goes.
        :returns: the file.
        :raises FetchError: when it can't be read.
        """
        return fetch(uri, folder, self._endpoint_url, self._cluster.region)

    def folder(self, *names: str) -> Path:
        """Name a directory of the node.

        :param names: parts of its path.
        :returns: the directory, which exists.
        """
        folder = self._folder.joinpath(*names)
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def variables(self, **more: str) -> Mapping[str, str]:
        """Give the environment of the node's processes.

        :param more: variables of one process.
        :returns: values by name.
        """
        inherited = job_variables(self._endpoint_url, self._cluster.region)
        return {
            **inherited,
            "EMR_CLUSTER_ID": self._cluster.id,
            "EMR_RELEASE_LABEL": self._cluster.request.get("ReleaseLabel", ""),
            "HOME": str(self.folder("home")),
            "PATH": f"{self.programs()}:{inherited['PATH']}",
            "USER": "hadoop",
            **more,
        }

    def programs(self) -> Path:
        """Name the directory with the programs of a primary node.

        :returns: the directory, with an executable file for each.
        """
        folder = self.folder("bin")
        for name in _PROGRAMS:
            command = shlex.join(program([name]))
            _write_program(folder / name, f'exec {command} "$@"')
        command_line = LOCAL_ENVIRONMENT / "bin" / "aws"
        if command_line.is_file():
            _write_program(folder / "aws", f'exec {shlex.quote(str(command_line))} "$@"')
        return folder

    def log(self, *place: str) -> None:
        """Copy logs to where the cluster wants them.

        :param place: parts of the directory's path on the node, and of the keys after the cluster.
        """
        uri = self._cluster.request.get("LogUri")
        if uri:
            prefix = "/".join((uri.rstrip("/"), self._cluster.id, *place))
            upload_logs(self.folder(*place), prefix, self._endpoint_url, self._cluster.region)

    def log_uri(self, *place: str) -> str:
        """Name an object of the logs.

        :param place: parts of its key, after that of the cluster.
        :returns: its URI, or its path on the node when the cluster keeps no logs.
        """
        uri = self._cluster.request.get("LogUri")
        if not uri:
            return str(self._folder.joinpath(*place))
        return "/".join((uri.rstrip("/"), self._cluster.id, *place)) + ".gz"

    def bootstrap(self) -> str | None:
        """Run the bootstrap actions, one after the other.

        :returns: why the cluster can't be used; None when all is well.

        .. seealso:: https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-plan-bootstrap.html
        """
        instance = self.instance_id()
        for number, action in enumerate(self._cluster.request.get("BootstrapActions", ()), 1):
            script = action["ScriptBootstrapAction"]
            place = ("node", instance, "bootstrap-actions", str(number))
            code = self._run_action(script["Path"], script.get("Args", ()), self.folder(*place))
            self.log(*place)
            if code is not None and code != 0:
                return (
                    f"On the master instance ({instance}), bootstrap action {number} returned a "
                    "non-zero return code"
                )
        return None

    def _run_action(self, path: str, arguments: Sequence[str], logs: Path) -> int | None:
        controller = logs / "controller"
        with (logs / "stdout").open("wb") as stdout, (logs / "stderr").open("wb") as stderr:
            try:
                script = self.fetch(path, self.folder("actions")) if is_s3(path) else Path(path)
                command = [*interpreter(script), str(script), *arguments]
                controller.write_text(f"INFO startExec '{shlex.join(command)}'\n")
                code = self._process.run(
                    command,
                    directory=self.folder("home"),
                    variables=self.variables(),
                    stdout=stdout,
                    stderr=stderr,
                )
            except (FetchError, OSError) as error:
                controller.write_text(f"ERROR {error}\n")
                return 1
        with controller.open("a") as log:
            log.write(f"INFO exit code {code}\n")
        return code

    def instance_id(self) -> str:
        """Name the primary instance.

        :returns: its id, which follows from that of the cluster.
        """
        return f"i-0{self._cluster.id[2:].encode().hex()[:12]}0000"

    def end(self) -> None:
        """End the bootstrap action that runs, and start no other."""
        self._process.end()

    def kill(self) -> None:
        """Do so at once."""
        self._process.kill()


def _write_program(path: Path, line: str) -> None:
    text = f"#!/bin/sh\n{line}\n"
    if not path.is_file() or path.read_text() != text:
        path.write_text(text)
        path.chmod(0o755)
