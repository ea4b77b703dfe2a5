"""Shell commands on the master node of a cluster, with copies of their data around them.

.. seealso:: https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-concepts-staging.html
"""

from collections.abc import Sequence

from updraft.emr.legacy_steps import COMMAND_RUNNER, JarStep

# Everything that a template may have made is an argument, so that no quote in it does any harm.
_SCRIPT = r"""set -u
form=$1 command=$2 inputs=$3; shift 3
work=$(mktemp -d) || exit
trap 'rm -rf "$work"' EXIT
copy() { aws s3 cp --only-show-errors "$@"; }
for ((n = 1; n <= inputs; n++)); do
  mkdir "$work/input$n" && export "INPUT${n}_STAGING_DIR=$work/input$n" || exit
  case $1 in
    */) copy --recursive "$1" "$work/input$n" || exit ;;
    *) copy "$1" "$work/input$n/" || exit ;;
  esac
  shift
done
outputs=("${@:2:$1}"); shift "$(($1 + 1))"
for n in "${!outputs[@]}"; do
  mkdir "$work/output$((n + 1))" || exit
  export "OUTPUT$((n + 1))_STAGING_DIR=$work/output$((n + 1))"
done
if [ "$form" = script ]; then copy "$command" "$work/command.sh" || exit
else printf '%s\n' "$command" > "$work/command.sh"; fi
chmod +x "$work/command.sh"
case $(head -c 2 "$work/command.sh") in
  '#!') "$work/command.sh" "$@" || exit ;;
  *) bash "$work/command.sh" "$@" || exit ;;
esac
for n in "${!outputs[@]}"; do
  copy --recursive "$work/output$((n + 1))" "${outputs[n]}" || exit
done"""


def staged_command_step(
    *,
    command: str | None = None,
    script_uri: str | None = None,
    arguments: Sequence[str] = (),
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
) -> JarStep:
    """Run a command between copies from and to S3.

    :param command: the command, as many lines as it takes; or
    :param script_uri: the object of S3 to run.
    :param arguments: its positional arguments.
    :param inputs: objects, or prefixes that end with a slash, that are copied before into the
        directories ``$INPUT1_STAGING_DIR`` and so on.
    :param outputs: prefixes that the directories ``$OUTPUT1_STAGING_DIR`` and so on are copied to
        after success.
    :returns: the step.
    """
    what = ("script", script_uri) if script_uri is not None else ("command", command or "")
    data = (str(len(inputs)), *inputs, str(len(outputs)), *outputs)
    return JarStep(COMMAND_RUNNER, ("bash", "-c", _SCRIPT, "bash", *what, *data, *arguments))
