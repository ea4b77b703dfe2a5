"""From the JARs that legacy steps named to steps that current EMR releases run.

Texts may hold templates of Airflow: nothing here looks further into a text than its known
beginning or end. Sources: EMR release guide, "Run commands and scripts on an Amazon EMR cluster"
(https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-commandrunner.html) and "Differences in
Amazon EMR 4.x from AMI versions"
(https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-release-differences.html).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

COMMAND_RUNNER = "command-runner.jar"
"""The JAR of EMR 4 and later that runs programs of the master node."""

_COMMAND_RUNNER = re.compile(r"(?:^|/)command-runner\.jar$")
_SCRIPT_RUNNER = re.compile(
    r"^s3n?://(?:(?P<region>[^/]+)\.)?elasticmapreduce/libs/script-runner/script-runner\.jar$"
)
_STREAMING = re.compile(r"^/home/hadoop/contrib/streaming/hadoop-streaming(?:-[\w.]+)?\.jar$")
# Releases have S3DistCp as a program (EMR release guide, "S3DistCp (s3-dist-cp)").
_S3_DIST_CP = re.compile(
    r"^(?:/home/hadoop/lib|s3n?://(?:[^/]+\.)?elasticmapreduce/libs/s3distcp)/"
    r"(?:[\w.-]+/)?(?:emr-)?s3distcp(?:-[\w.]+)?\.jar$"
)
# The launchers of Hive and Pig lay in the bucket of each region; now they are part of the image.
_LAUNCHER = re.compile(
    r"(?:^(?:s3n?://(?:[^/]+\.)?elasticmapreduce/libs|/home/hadoop/libs)/(?:hive|pig)/|^)"
    r"(?P<name>hive-script|pig-script)$"
)
_RELEASE_DECIDES = "the release decides on the version"
_BASE_PATH = "--base-path"
_ABOUT_VERSIONS = {_BASE_PATH, "--hive-versions", "--pig-versions"}
_LATEST = "latest"
_INSTALLS = ("--install-hive", "--install-pig")
_QUEUE_AS_OPTION = (
    "the queue is Hadoop's generic option `-D mapreduce.job.queuename`, which the JAR has to "
    "understand"
)
_DIFFERENCES = {_RELEASE_DECIDES, _QUEUE_AS_OPTION}
_OLD_SCHEME = "s3n://"
# Downloads a script to a file, since it may read its own input.
_RUN_SCRIPT = (
    'script=$(mktemp) && hadoop fs -cat "$0" > "$script" && chmod +x "$script" && "$script" "$@"'
)


@dataclass(frozen=True, slots=True)
class JarStep:
    """What one step runs.

    :param jar: the JAR.
    :param arguments: arguments of its main class.
    :param main_class: the class to run, None for the one that the JAR itself names.
    """

    jar: str
    arguments: tuple[str, ...] = ()
    main_class: str | None = None

    def definition(self, name: str, *, last: bool) -> dict[str, object]:
        """Write the step as EMR takes it.

        A step that others of the same activity follow keeps them from running when it fails;
        the cluster lives on in any case, so that Airflow can try again on it.

        :param name: name of the step.
        :param last: whether no other step of the activity follows.
        :returns: a ``StepConfig`` of the EMR API.
        """
        jar_step: dict[str, object] = {"Jar": self.jar}
        if self.main_class is not None:
            jar_step["MainClass"] = self.main_class
        if self.arguments:
            jar_step["Args"] = list(self.arguments)
        return {
            "Name": name,
            "ActionOnFailure": "CONTINUE" if last else "CANCEL_AND_WAIT",
            "HadoopJarStep": jar_step,
        }


@dataclass(frozen=True, slots=True)
class CurrentStep:
    """What a legacy step is today.

    :param step: the step; None when there is nothing left to do.
    :param changes: how it differs from what was written, a clause each.
    """

    step: JarStep | None
    changes: tuple[str, ...] = ()

    @property
    def differences(self) -> tuple[str, ...]:
        """The changes by which something else may run; all others only say the same anew."""
        if self.step is None:
            return self.changes
        return tuple(one for one in self.changes if one in _DIFFERENCES)


def current_step(jar: str, arguments: Sequence[str], region: str | None) -> CurrentStep:
    """Rewrite a step for current releases.

    :param jar: the JAR that the step names.
    :param arguments: its arguments.
    :param region: region of the cluster, None when it is not told.
    :returns: the step and what was changed; a JAR that is not AWS's own stays as it is.
    """
    changes: list[str] = []
    given = tuple(arguments)
    if any(text.startswith(_OLD_SCHEME) for text in (jar, *given)):
        changes.append("`s3n://` is `s3://` now")
        jar, *renamed = (_current_uri(text) for text in (jar, *given))
        given = tuple(renamed)
    if _STREAMING.match(jar):
        changes.append("`hadoop-streaming.jar` is started by `command-runner.jar hadoop-streaming`")
        return CurrentStep(JarStep(COMMAND_RUNNER, ("hadoop-streaming", *given)), tuple(changes))
    if _S3_DIST_CP.match(jar):
        changes.append("S3DistCp is started by `command-runner.jar s3-dist-cp`")
        return CurrentStep(JarStep(COMMAND_RUNNER, ("s3-dist-cp", *given)), tuple(changes))
    runner = _SCRIPT_RUNNER.match(jar)
    if (runner or _COMMAND_RUNNER.search(jar)) and given:
        launcher = _LAUNCHER.match(given[0])
        if launcher:
            return _launched(launcher["name"], given, is_old=runner is not None, before=changes)
    if runner and runner["region"] is None and region is not None:
        jar = f"s3://{region}.elasticmapreduce/libs/script-runner/script-runner.jar"
        changes.append("`script-runner.jar` comes from the bucket of the cluster's region")
    elif _COMMAND_RUNNER.search(jar) and jar != COMMAND_RUNNER:
        jar = COMMAND_RUNNER
        changes.append("`command-runner.jar` needs no path")
    return CurrentStep(JarStep(jar, given), tuple(changes))


def hadoop_step(
    jar: str, arguments: Sequence[str], main_class: str | None, queue: str | None
) -> CurrentStep:
    """Make the step of a Hadoop job.

    :param jar: the JAR.
    :param arguments: its arguments.
    :param main_class: the class to run, None for the one that the JAR itself names.
    :param queue: queue of the scheduler, None for the default one.
    :returns: the step and what is not as it was.
    """
    given = tuple(arguments)
    changes: tuple[str, ...] = ()
    if queue is not None:
        # The examples of Hadoop take the name of a program first, generic options behind it.
        program = main_class is None and given[:1] and not given[0].startswith("-")
        place = 1 if program else 0
        options = ("-D", f"mapreduce.job.queuename={queue}")
        given = (*given[:place], *options, *given[place:])
        # Hadoop's own programs read generic options.
        changes = () if _STREAMING.match(jar) else (_QUEUE_AS_OPTION,)
    current = current_step(jar, given, None)
    step = current.step
    if step is not None and main_class is not None:
        step = replace(step, main_class=main_class)
    return CurrentStep(step, (*current.changes, *changes))


def command_step(command: str) -> JarStep:
    """Run a command of the shell on the master node.

    :param command: the command line.
    :returns: the step.
    """
    return JarStep(COMMAND_RUNNER, ("bash", "-c", command))


def script_step(uri: str, arguments: Sequence[str], region: str | None) -> JarStep:
    """Run a script from S3 on the master node.

    :param uri: URI of the script.
    :param arguments: its arguments.
    :param region: region of the cluster, whose bucket holds EMR's own runner; None when it is not
        told, and the script is then downloaded by a command of the shell.
    :returns: the step.
    """
    uri = _current_uri(uri)
    if region is None:
        return JarStep(COMMAND_RUNNER, ("bash", "-c", _RUN_SCRIPT, uri, *arguments))
    runner = f"s3://{region}.elasticmapreduce/libs/script-runner/script-runner.jar"
    return JarStep(runner, (uri, *arguments))


def _current_uri(text: str) -> str:
    return f"s3://{text.removeprefix(_OLD_SCHEME)}" if text.startswith(_OLD_SCHEME) else text


def _launched(
    name: str, arguments: tuple[str, ...], *, is_old: bool, before: list[str]
) -> CurrentStep:
    """Start Hive or Pig by the launcher of the image."""
    kept: list[str] = []
    asked: set[str] = set()
    pending = list(arguments[1:])
    while pending and pending[0] not in {"--args", "-f"}:
        option = pending.pop(0)
        if option.startswith(_INSTALLS):
            return CurrentStep(None, (*before, f"`{option}` is left out: the release installs it"))
        if option in _ABOUT_VERSIONS:
            given = pending.pop(0) if pending else ""
            asked.add(option if option == _BASE_PATH else given)
        else:
            kept.append(option)
    if is_old:
        before.append(f"`{name}` is started by `command-runner.jar`")
    if _BASE_PATH in asked:
        before.append(f"`{_BASE_PATH}` is left out: the launcher is part of the release")
    if _LATEST in asked:
        before.append(f"`{_LATEST}` is left out: a release has one version")
    if asked - {_BASE_PATH, _LATEST}:
        before.append(_RELEASE_DECIDES)
    return CurrentStep(JarStep(COMMAND_RUNNER, (name, *kept, *pending)), tuple(before))
