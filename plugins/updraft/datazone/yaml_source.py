"""Reads YAML and remembers in which line each value stands."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from updraft.errors import ArgumentError

Path = tuple[str | int, ...]
"""Where a value stands: keys of mappings and positions in lists, from the top."""

_MOST_NODES = 100_000
_TAG = "tag:yaml.org,2002:"


class YamlSource(NamedTuple):
    """A document of YAML.

    :param data: its content.
    :param lines: line, from 1 on, by path of a value or of the key that it stands behind.
    """

    data: Any
    lines: Mapping[Path, int]

    def line(self, path: Path) -> int:
        """Say where a value stands, or where it would have to.

        :param path: its path; one that isn't there stands where its parent does.
        :returns: the line.
        """
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


class _Loader(yaml.SafeLoader):
    """YAML with the plain types of JSON: ``no`` is a text, and so are dates and ``007``."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's


for _name, _pattern, _first in (
    ("null", r"null|~|", ["n", "~", ""]),
    ("bool", r"true|false", ["t", "f"]),
    ("int", r"-?(?:0|[1-9]\d*)", list("-0123456789")),
    ("float", r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?", list("-0123456789")),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(_TAG + _name, re.compile(f"^(?:{_pattern})$"), _first)


def read_yaml(text: str, file: str) -> YamlSource:
    """Read a document.

    :param text: the YAML.
    :param file: where it is from, for error messages.
    :returns: content and lines.
    :raises UpdraftError: when it is no YAML, has a key twice, or contains itself.
    """
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            raise ArgumentError(f"{file} is empty")
        lines: dict[Path, int] = {}
        for path, line in _positions(node, (), (), file):
            lines.setdefault(path, line)
            if len(lines) > _MOST_NODES:
                raise ArgumentError(f"{file} has more than {_MOST_NODES} values")
        return YamlSource(loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise ArgumentError(f"{file}{where}: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        said = " ".join(str(error).split())
        raise ArgumentError(f"{file} is not YAML: {said}") from None
    finally:
        if loader is not None:
            loader.dispose()


def _positions(
    node: yaml.Node, path: Path, above: tuple[yaml.Node, ...], file: str
) -> Iterator[tuple[Path, int]]:
    line = node.start_mark.line + 1
    yield path, line
    if any(node is one for one in above):
        raise ArgumentError(f"{file}, line {line}: a value contains itself")
    above = (*above, node)
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _positions(item, (*path, index), above, file)
    elif isinstance(node, yaml.MappingNode):
        seen: dict[str, int] = {}
        for key, value in node.value:
            name, at = str(key.value), key.start_mark.line + 1
            if name in seen:
                raise ArgumentError(
                    f"{file}, line {at}: {name!r} is given twice, first in line {seen[name]}"
                )
            seen[name] = at
            yield (*path, name), at
            yield from _positions(value, (*path, name), above, file)
