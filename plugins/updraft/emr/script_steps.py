"""Steps that run scripts of Hive and Pig.

Source: EMR release guide, "Run commands and scripts on an Amazon EMR cluster"
(https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-commandrunner.html).
"""

from collections.abc import Sequence

from updraft.emr.legacy_steps import COMMAND_RUNNER, JarStep

# Pig replaces parameters in files only, not in what its command line gives it to run.
_RUN_PIG_TEXT = (
    'script=$(mktemp) && printf "%s\\n" "$1" > "$script" && shift && pig "$@" -f "$script"'
)
# The statements around a script of S3 have to stand in one file with it.
_RUN_PIG_FILE = (
    'script=$(mktemp) && printf "%s\\n" "$1" > "$script" && hadoop fs -cat "$2" >> "$script" && '
    'printf "\\n%s\\n" "$3" >> "$script" && shift 3 && pig "$@" -f "$script"'
)
_COPY_FILE = 'hadoop fs -rm -r -f "$1" && hadoop fs -mkdir -p "$1" && hadoop fs -cp "$0" "$1"'


def hive_text(script: str, options: Sequence[str] = ()) -> JarStep:
    """Run statements of Hive.

    :param script: the statements.
    :param options: options of ``hive``.
    :returns: the step.
    """
    return JarStep(COMMAND_RUNNER, ("hive", *options, "-e", script))


def hive_file(uri: str, options: Sequence[str] = ()) -> JarStep:
    """Run a Hive script from S3.

    :param uri: URI of the script.
    :param options: options of ``hive``.
    :returns: the step.
    """
    arguments = ("hive-script", "--run-hive-script", "--args", "-f", uri, *options)
    return JarStep(COMMAND_RUNNER, arguments)


def hive_options(variables: Sequence[str], queue: str | None) -> tuple[str, ...]:
    """Write what a script of Hive is given.

    :param variables: variables as ``NAME=value``.
    :param queue: queue of Hadoop's scheduler, None for the default one.
    :returns: options of ``hive``.
    """
    options = [text for variable in variables for text in ("-d", variable)]
    if queue is not None:
        for name in ("mapreduce.job.queuename", "tez.queue.name"):
            options += ["--hiveconf", f"{name}={queue}"]
    return tuple(options)


def pig_text(script: str, variables: Sequence[str] = ()) -> JarStep:
    """Run statements of Pig.

    :param script: the statements.
    :param variables: parameters as ``NAME=value``.
    :returns: the step.
    """
    options = [text for variable in variables for text in ("-p", variable)]
    return JarStep(COMMAND_RUNNER, ("bash", "-c", _RUN_PIG_TEXT, "pig", script, *options))


def pig_file(
    uri: str, variables: Sequence[str] = (), *, before: str = "", after: str = ""
) -> JarStep:
    """Run a Pig script from S3.

    :param uri: URI of the script.
    :param variables: parameters as ``NAME=value``.
    :param before: statements that go before those of the script.
    :param after: statements that follow them.
    :returns: the step.
    """
    options = [text for variable in variables for text in ("-p", variable)]
    if not before and not after:
        arguments = ("pig-script", "--run-pig-script", "--args", "-f", uri, *options)
        return JarStep(COMMAND_RUNNER, arguments)
    command = ("bash", "-c", _RUN_PIG_FILE, "pig", before, uri, after, *options)
    return JarStep(COMMAND_RUNNER, command)


def remove_directory(uri: str) -> JarStep:
    """Remove what an earlier try has left.

    Pig writes to new directories only, and what is loaded after the step would be loaded again.

    :param uri: URI of the directory, which need not be there.
    :returns: the step.
    """
    return JarStep(COMMAND_RUNNER, ("hadoop", "fs", "-rm", "-r", "-f", "-skipTrash", uri))


def copy_file(uri: str, directory: str) -> JarStep:
    """Copy a file into a directory of its own, since Hive reads directories only.

    :param uri: URI of the file.
    :param directory: the directory, which is replaced.
    :returns: the step.
    """
    return JarStep(COMMAND_RUNNER, ("bash", "-c", _COPY_FILE, uri, directory))
