"""What stands before the DAG under a name: scripts of several lines, and values used repeatedly.

A script in the middle of a nested argument is hard to read and to edit, and a value that the
legacy definition named once, such as the volumes of several instance groups, would stand in the
file once for each use.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

from updraft.migration.jinja_text import LAST_LINE_BREAK
from updraft.migration.names import RESERVED, snake_case, unique
from updraft.migration.source_values import python, script
from updraft.migration.tasks import ArgumentValue, Code, DagSpec, TaskOutput

# A script of fewer lines is read well enough where it stands.
_SCRIPT_LINES = 4
# A repeated value that takes less than this, written on one line, is not worth a name. Texts of
# tasks are worth one later: they say more where they stand than lists and dicts do.
_SHORTEST_REPEATED = 80
_SHORTEST_REPEATED_TEXT = 160

# What says more than the name of the argument, or the same of several.
_WORDS = {
    "Args": "argument",
    "HadoopJarStep": "step",
    "AdditionalMasterSecurityGroups": "security_groups",
    "AdditionalSlaveSecurityGroups": "security_groups",
    "security_group_ids": "security_groups",
}


@dataclass(frozen=True, slots=True)
class Constant:
    """A name for a value.

    :param name: in capitals, as constants are.
    :param source: the value as Python code.
    """

    name: str
    source: str


Step = Callable[[ArgumentValue, tuple[str, ...]], ArgumentValue]
"""What is done to a value, given the names that lead to it; it returns the value that takes its
place."""


def with_constants(dag: DagSpec) -> tuple[DagSpec, tuple[Constant, ...]]:
    """Give names to scripts and to repeated values.

    :param dag: the DAG.
    :returns: the DAG that uses the names, and what they stand for, in the order of their use.
    """
    found: list[Constant] = []
    taken = {"DAG", *RESERVED}

    def named(name: str, source: str) -> Code:
        constant = Constant(unique(_constant_name(name), taken), source)
        found.append(constant)
        return Code(constant.name)

    scripts: dict[str, Code] = {}
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for value, path in _values(dag):
        if _is_script(value):
            owners[_script_text(value)].add(path[0])

    def script_named(value: ArgumentValue, path: tuple[str, ...]) -> ArgumentValue:
        if not _is_script(value):
            return value
        text = _script_text(value)
        if text not in scripts:
            # What several share is not named after one of them: a failure's message may be that of
            # a success, too.
            owner = f"{path[0]}_" if len(owners[text]) == 1 else ""
            scripts[text] = named(f"{owner}{_kind(path)}", script(text))
        return scripts[text]

    dag = _changed(dag, script_named)
    while (repeated := _longest_repeated(dag)) is not None:
        value, name = repeated
        name = _constant_name(name)
        dag = _changed(dag, _swap(value, named(name, python(value, 0, len(name) + len(" = ")))))
    return dag, tuple(found)


def _swap(old: ArgumentValue, new: Code) -> Step:
    source = python(old)  # 1, 1.0 and true are equal, but not the same
    return lambda value, _: new if _may_be_named(value) and python(value) == source else value


def _longest_repeated(dag: DagSpec) -> tuple[ArgumentValue, str] | None:
    """Find the longest value that stands in a DAG more than once, and a name for it."""
    counts: Counter[str] = Counter()
    names: defaultdict[str, set[str]] = defaultdict(set)
    first: dict[str, tuple[ArgumentValue, tuple[str, ...]]] = {}
    before = {variable.name for variable in dag.variables}
    for value, path in _values(dag):
        if not _may_be_named(value):
            continue
        of_a_task = isinstance(value, str) and path[0] not in before
        least = _SHORTEST_REPEATED_TEXT if of_a_task else _SHORTEST_REPEATED
        if len(source := python(value)) >= least:
            counts[source] += 1
            names[source].add(_innermost(path))
            first.setdefault(source, (value, path))
    repeated = [source for source, count in counts.items() if count > 1]
    if not repeated:
        return None
    longest = max(repeated, key=len)
    value, path = first[longest]
    # What is the output of one task and the input of others is named after the one.
    owner = f"{path[0]}_" if len(names[longest]) > 1 else ""
    return value, f"{owner}{_innermost(path)}"


def _may_be_named(value: ArgumentValue) -> bool:
    if isinstance(value, str):
        return True
    return isinstance(value, Mapping | list | tuple) and not any(
        isinstance(inner, Code | TaskOutput) for inner, _ in _inner(value, ())
    )


def _is_script(value: ArgumentValue) -> bool:
    return isinstance(value, str) and len(value.strip().splitlines()) >= _SCRIPT_LINES


def _script_text(value: ArgumentValue) -> str:
    # A script is the same without the line break at its end, which Jinja would swallow.
    return str(value).removesuffix(LAST_LINE_BREAK)


def _kind(path: tuple[str, ...]) -> str:
    """Say what a script is by the argument that takes it: ``sql`` and ``command`` say it."""
    innermost = _innermost(path)
    return "script" if innermost in {_WORDS["Args"], "steps"} else innermost


def _innermost(path: tuple[str, ...]) -> str:
    name = next(name for name in reversed(path) if name)
    return _WORDS.get(name, name)


def _constant_name(name: str) -> str:
    words = snake_case(name).upper()
    return f"VALUE_{words}" if words[0].isdigit() else words


def _values(dag: DagSpec) -> Iterator[tuple[ArgumentValue, tuple[str, ...]]]:
    """Walk all values of variables and tasks, with the names that lead to each."""
    for owner, arguments in [
        *((variable.name, variable.arguments) for variable in dag.variables),
        *((task.task_id, task.arguments) for task in dag.tasks),
    ]:
        for name, value in arguments.items():
            yield from _inner(value, (owner, name))


def _inner(
    value: ArgumentValue, path: tuple[str, ...]
) -> Iterator[tuple[ArgumentValue, tuple[str, ...]]]:
    yield value, path
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _inner(one, (*path, name))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _inner(one, (*path, ""))


def _changed(dag: DagSpec, step: Step) -> DagSpec:
    """Apply a step to all values of a DAG; what it replaces is not looked into."""

    def change(value: ArgumentValue, path: tuple[str, ...]) -> ArgumentValue:
        new = step(value, path)
        if new is not value:
            return new
        if isinstance(value, Mapping):
            return {name: change(one, (*path, name)) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [change(one, (*path, "")) for one in value]
        return value

    def arguments(owner: str, given: Mapping[str, ArgumentValue]) -> dict[str, ArgumentValue]:
        return {name: change(value, (owner, name)) for name, value in given.items()}

    return replace(
        dag,
        variables=tuple(
            replace(one, arguments=arguments(one.name, one.arguments)) for one in dag.variables
        ),
        tasks=tuple(
            replace(one, arguments=arguments(one.task_id, one.arguments)) for one in dag.tasks
        ),
    )
