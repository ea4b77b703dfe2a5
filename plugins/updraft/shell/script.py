"""The script that runs a command on a machine as the legacy service's Task Runner did.

It was given the command with its arguments in a file of its own, copies of the inputs in local
directories before, and the outputs copied up after success.

.. seealso::
    https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-shellcommandactivity.html
    and https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-concepts-staging.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from updraft.errors import ArgumentError
from updraft.s3_uri import parse_s3_uri
from updraft.shell.quoting import quoted

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_USER = re.compile(r"[A-Za-z_][A-Za-z0-9_.@-]*\$?")

_HEAD = r"""#!/bin/bash
set -u
user={user}
home=$(getent passwd "$user" | cut -d: -f6)
if [ -z "$home" ]; then
  echo "There is no user $user on this machine." >&2
  exit 1
fi
as_user() {{ runuser -u "$user" -- "$@"; }}
"""
_HEAD_AS_IS = r"""#!/bin/bash
set -u
home=${HOME:-/root}
as_user() { "$@"; }
"""
_PLACE = r"""export HOME="$home"
cd "$HOME" || exit
if [ -n "${AWS_SSM_REGION_NAME:-}" ]; then
  export AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-$AWS_SSM_REGION_NAME}"
fi
work=$(as_user mktemp -d "$HOME/.updraft.XXXXXXXX") || exit
trap 'rm -rf "$work"' EXIT
"""
_RUN = r"""chmod 755 "$work/command.sh"
case $(head -c 2 "$work/command.sh" | tr -d '\0') in
  '#!') set -- "$work/command.sh" ;;
  *) set -- bash "$work/command.sh" ;;
esac
"""
_KEPT_OUTPUT = r"""mkfifo "$work/out" "$work/err"
tee "$work/stdout" < "$work/out" &
out=$!
tee "$work/stderr" < "$work/err" >&2 &
err=$!
"""
_FAILED = "code=$(( code ? code : 1 ))"


@dataclass(frozen=True)
class ShellScript:
    """A command with everything around it.

    :param command: what to run, as many lines as it takes; or
    :param script_uri: the object of S3 to run. Either is run by what its first line says after
        ``#!``, else by bash.
    :param arguments: its positional arguments, ``$1`` and so on.
    :param environment: variables of its environment.
    :param inputs: objects, or prefixes that end with a slash, that are copied before into the
        directories ``$INPUT1_STAGING_DIR`` and so on.
    :param outputs: prefixes that the directories ``$OUTPUT1_STAGING_DIR`` and so on are copied to
        after success.
    :param stdout_uri: object of S3, or absolute path of the machine, that its standard output is
        written to as well.
    :param stderr_uri: the same for its standard error.
    :param user: the user of the machine that it runs as, in the user's home directory; by
        default the one that the script is started as.
    """

    command: str | None = None
    script_uri: str | None = None
    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    inputs: Sequence[str] = ()
    outputs: Sequence[str] = ()
    stdout_uri: str | None = None
    stderr_uri: str | None = None
    user: str | None = None

    def check(self) -> None:
        """Check everything.

        :raises UpdraftError: when something is wrong.
        """
        if (self.command is None) == (self.script_uri is None):
            raise ArgumentError("Give one of command and script_uri, and not both")
        if self.command is not None and not self.command.strip():
            raise ArgumentError("command: there is nothing to run")
        for name in self.environment:
            if not _NAME.fullmatch(name):
                raise ArgumentError(
                    f"environment: {name!r} is no name of a variable; one has letters, digits and "
                    "underscores, and does not begin with a digit"
                )
        if self.user is not None and not _USER.fullmatch(self.user):
            raise ArgumentError(f"user: {self.user!r} is no name of a user")
        _require_object("script_uri", self.script_uri)
        _require_place("stdout_uri", self.stdout_uri)
        _require_place("stderr_uri", self.stderr_uri)
        for argument, uris in (("inputs", self.inputs), ("outputs", self.outputs)):
            for uri in uris:
                _s3(argument, uri)

    def text(self) -> str:
        """Write the script.

        :returns: the script for bash, without a line break at its end.
        :raises UpdraftError: when something is wrong.
        """
        self.check()
        return "\n".join(line for part in self._parts() for line in part.rstrip("\n").split("\n"))

    def _parts(self) -> Iterator[str]:
        user = self.user
        yield _HEAD_AS_IS if user is None else _HEAD.format(user=quoted(user))
        yield _PLACE
        for name, value in self.environment.items():
            yield f"export {name}={quoted(value)}"
        if self.script_uri is not None:
            yield _copied(_uri(self.script_uri), '"$work/command.sh"')
        else:
            # Task Runner wrote it into a file, too.
            yield f"printf '%s\\n' {quoted(self.command or '')} > \"$work/command.sh\""
        yield from self._stage_in()
        yield _RUN
        arguments = "".join(f" {quoted(one)}" for one in self.arguments)
        keeps = self.stdout_uri is not None or self.stderr_uri is not None
        if keeps:
            yield _KEPT_OUTPUT
        redirection = ' > "$work/out" 2> "$work/err"' if keeps else ""
        yield f'as_user "$@"{arguments}{redirection}'
        yield "code=$?"
        if keeps:
            yield 'wait "$out" "$err"'
        for name, uri in (("stdout", self.stdout_uri), ("stderr", self.stderr_uri)):
            if uri is not None and _is_path(uri):
                yield f'as_user cp "$work/{name}" {quoted(uri)} || {_FAILED}'
            elif uri is not None:
                yield _copied(f'"$work/{name}"', _uri(uri), failure=_FAILED)
        yield from self._stage_out()
        yield "exit $code"

    def _stage_in(self) -> Iterator[str]:
        for number, uri in enumerate(self.inputs, 1):
            name = f"INPUT{number}_STAGING_DIR"
            yield f'export {name}="$work/input{number}"'
            yield f'as_user mkdir "${name}" || exit'
            if uri.endswith("/"):
                yield _copied(_uri(uri), f'"${name}"', options=" --recursive")
            else:
                yield _copied(_uri(uri), f'"${name}/"')
        for number in range(1, len(self.outputs) + 1):
            name = f"OUTPUT{number}_STAGING_DIR"
            yield f'export {name}="$work/output{number}"'
            yield f'as_user mkdir "${name}" || exit'

    def _stage_out(self) -> Iterator[str]:
        if not self.outputs:
            return
        yield "if [ $code -eq 0 ]; then"
        for number, uri in enumerate(self.outputs, 1):
            target = _uri(uri.rstrip("/") + "/")
            source = f'"$OUTPUT{number}_STAGING_DIR"'
            yield f"  {_copied(source, target, options=' --recursive', failure='exit')}"
        yield "fi"


def _require_object(argument: str, uri: str | None) -> None:
    if uri is not None and (key := _s3(argument, uri)) in {"", "/"} | _folder(key):
        raise ArgumentError(f"{argument}: {uri!r} names no object of S3")


def _require_place(argument: str, uri: str | None) -> None:
    if uri is None or not _is_path(uri):
        _require_object(argument, uri)
    elif uri.endswith("/"):
        raise ArgumentError(f"{argument}: {uri!r} names no file")


def _is_path(uri: str) -> bool:
    return uri.startswith("/")


def _copied(source: str, target: str, *, options: str = "", failure: str = "exit") -> str:
    return f"as_user aws s3 cp --only-show-errors{options} {source} {target} || {failure}"


def _uri(uri: str) -> str:
    """Write a URI as the AWS command line takes it, which knows no scheme but ``s3``."""
    return quoted("s3://" + "/".join(parse_s3_uri(uri)))


def _s3(argument: str, uri: str) -> str:
    try:
        return parse_s3_uri(uri).key
    except ArgumentError as error:
        raise ArgumentError(f"{argument}: {error}") from None


def _folder(key: str) -> set[str]:
    return {key} if key.endswith("/") else set()
