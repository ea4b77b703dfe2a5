"""From the DAG as data to the text of its file: a template, then ruff."""

import hashlib
import keyword
import re
import subprocess
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from importlib import resources
from unicodedata import east_asian_width

import jinja2
from ruff import find_ruff_bin  # type: ignore[import-untyped]  # ships no types

from updraft.errors import UpdraftError
from updraft.migration.constants import with_constants
from updraft.migration.names import RESERVED, unique
from updraft.migration.shared_arguments import with_shared_arguments
from updraft.migration.source_values import LINE_LENGTH, python
from updraft.migration.tasks import ArgumentValue, Code, DagSpec, TaskOutput

# Ruff is told everything, so that no configuration file near the caller changes the bytes.
_RUFF_OPTIONS = ("--isolated", "--line-length", str(LINE_LENGTH), "--target-version", "py311")
_SECOND_COLUMN = "\0"  # which no source has
_HASH_LINE = re.compile(r"# Updraft sha256:(?P<digest>[0-9a-f]{64})\n")


def render(dag: DagSpec) -> str:
    """Write the file of a DAG. The same DAG gives the same bytes.

    :param dag: the DAG.
    :returns: Python source, its first line a comment with the hash of the rest.
    :raises UpdraftError: when ruff can't be run or refuses the source.
    """
    variables = _variables(dag)
    edges = _edges(dag, variables)
    dag = _with_outputs(dag, variables)
    dag, constants = with_constants(with_shared_arguments(dag))
    source = _template().render(
        dag=dag,
        imports=_imports(dag),
        constants=constants,
        variables=variables,
        edges=edges,
        failure_words=_failure_words(dag),
    )
    source = _wrap_docstring(source)
    source = _ruff(("check", "--select", "I", "--fix", "--quiet", "-"), source)
    source = _ruff(("format", "--quiet", "-"), source)
    return f"# Updraft sha256:{_digest(source)}\n{source}"


def is_untouched(text: str) -> bool:
    """Tell whether a file is as it was written, not edited since.

    :param text: the content of a DAG file.
    :returns: true when its first line names the hash of the rest.
    """
    match = _HASH_LINE.match(text)
    return match is not None and match["digest"] == _digest(text[match.end() :])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _docstring(text: str) -> str:
    """Make any text fit for one line of a docstring."""
    one_line = " ".join(text.split())
    printable = "".join(c if c.isprintable() else repr(c)[1:-1] for c in one_line)
    return printable.replace("\\", "\\\\").replace('"', '\\"' if '""' in printable else '"')


def _wrap_docstring(source: str) -> str:
    head, docstring, code = source.split('"""', 1)[0], *_split_docstring(source)
    lines = [_wrap_paragraph(paragraph) for paragraph in docstring.split("\n\n")]
    return f'{head}"""' + "\n\n".join(lines) + f'\n"""{code}'


def _split_docstring(source: str) -> tuple[str, str]:
    start = source.index('"""') + 3
    end = source.index('\n"""\n', start)
    return source[start:end].strip("\n"), source[end + 4 :]


def _wrap_paragraph(paragraph: str) -> str:
    lines = paragraph.split("\n")
    items = [line for line in lines if re.match(r"(\d+\.|-) ", line)]
    if items and len(items) == len(lines):
        return "\n".join(_fill(line, " " * (line.index(" ") + 1)) for line in items)
    return _fill(" ".join(line.strip() for line in lines))


def _fill(text: str, indent: str = "") -> str:
    """Fill lines, where East Asian characters take two columns, as ruff counts them."""
    counted = "".join(
        character + _SECOND_COLUMN if east_asian_width(character) in "WF" else character
        for character in text
    )
    filled = textwrap.fill(
        counted,
        LINE_LENGTH,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return filled.replace(_SECOND_COLUMN, "")


def _imports(dag: DagSpec) -> list[str]:
    names = ["DAG", "Param"] if dag.params else ["DAG"]
    modules = dag.release.dag_modules
    statements = {*(f"from {modules[one]} import {one}" for one in names)}
    statements.update(dag.retry_delay.imports)
    statements.update(*(one.imports for one in dag.timing.values()))
    for task in dag.tasks:
        module, _, name = task.operator.rpartition(".")
        statements.add(f"from {module} import {name}")
        for value in task.arguments.values():
            if isinstance(value, Code):
                statements.update(value.imports)
    for variable in dag.variables:
        module = variable.maker.rpartition(".")[0]
        statements |= {f"from {module} import {variable.maker_name}", *variable.imports}
    return sorted(statements)


def _variables(dag: DagSpec) -> dict[str, str]:
    """Name the tasks that stand in an edge; the others need no name."""
    in_edges = {task_id for task_id, others in dag.upstream.items() if others}
    in_edges |= {other for others in dag.upstream.values() for other in others}
    in_edges |= {other for task in dag.tasks for other in task.implied_upstream}
    task_ids = [task.task_id for task in dag.tasks if task.task_id in in_edges]
    taken = {"DAG", "Param", *RESERVED, *filter(_is_free, task_ids)}
    taken |= {variable.name for variable in dag.variables}
    return {
        task_id: task_id if _is_free(task_id) else unique(f"task_{task_id}", taken)
        for task_id in task_ids
    }


def _with_outputs(dag: DagSpec, variables: dict[str, str]) -> DagSpec:
    """Write outputs of other tasks as attributes of their variables."""

    def written(value: ArgumentValue) -> ArgumentValue:
        if isinstance(value, TaskOutput):
            return Code(f"{variables[value.task_id]}.output")
        return value

    tasks = tuple(
        replace(task, arguments={name: written(value) for name, value in task.arguments.items()})
        for task in dag.tasks
    )
    return replace(dag, tasks=tasks)


def _is_free(task_id: str) -> bool:
    """Tell whether a task id can be the name of a variable in a DAG file."""
    return task_id.isidentifier() and not keyword.iskeyword(task_id) and task_id not in RESERVED


def _edges(dag: DagSpec, variables: dict[str, str]) -> list[str]:
    """Write the order of tasks as chains, the tasks that follow the same ones side by side."""
    followers: dict[tuple[str, ...], list[str]] = {}
    earlier: dict[str, set[str]] = {}
    for task in dag.tasks:
        # Those who wait for the last of a chain wait for all of it.
        nearest = {*dag.upstream.get(task.task_id, ()), *task.implied_upstream}
        beyond = {one for near in nearest for one in earlier.get(near, ())}
        earlier[task.task_id] = nearest | beyond
        before = tuple(
            variables[one]
            for one in dag.upstream.get(task.task_id, ())
            if one not in task.implied_upstream and one not in beyond
        )
        if before:
            followers.setdefault(before, []).append(variables[task.task_id])
    chains: list[list[str]] = []
    for before, after in followers.items():
        left = _side_by_side(before)
        # Python has no `>>` between two lists.
        rights = [_side_by_side(after)] if len(before) == 1 else after
        for right in rights:
            for chain in chains:
                if chain[-1] == left:
                    chain.append(right)
                    break
            else:
                chains.append([left, right])
    return [" >> ".join(chain) for chain in chains]


def _side_by_side(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"[{', '.join(names)}]"


def _failure_words(dag: DagSpec) -> str:
    delay = dag.retry_delay.text.removeprefix("timedelta(").removesuffix(")")
    unit, _, count = delay.partition("=")
    tries = f"{dag.retries} time{'s' if dag.retries != 1 else ''}"
    words = [
        f"Airflow tries a task again up to {tries}, {count} {unit} apart."
        if dag.retries
        else "Airflow does not try a task again.",
        "Read the log of the failed task, remove the cause, then clear the task: the run keeps its "
        "time, so it writes to the same place.",
        *([dag.notice] if dag.notice else []),
    ]
    if not all(task.migrated for task in dag.tasks):
        words.append(
            "Tasks of type `NotMigratedOperator` always fail: replace each by one that does the "
            "work; the conversion report says what was there."
        )
    return " ".join(words)


def _ruff(arguments: tuple[str, ...], source: str) -> str:
    command = [find_ruff_bin(), *arguments[:-1], *_RUFF_OPTIONS, arguments[-1]]
    finished = subprocess.run(  # noqa: S603 a fixed command, the source goes to its input
        command, input=source.encode(), capture_output=True, check=False
    )
    if finished.returncode != 0:
        message = finished.stderr.decode(errors="replace").strip()
        raise UpdraftError(f"ruff refuses the generated file, please report this: {message}")
    return finished.stdout.decode()


@cache
def _template() -> jinja2.Template:
    # Python source, not HTML: values are written by the filters below.
    environment = jinja2.Environment(  # noqa: S701 no HTML
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    environment.filters["python"] = python
    environment.filters["docstring"] = _docstring
    source = resources.files("updraft.migration").joinpath("templates", "dag.py.j2")
    return environment.from_string(source.read_text("utf-8"))
