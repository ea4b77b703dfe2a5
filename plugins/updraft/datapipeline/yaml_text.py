"""YAML as positioned values, with CloudFormation's short tags written out.

``!Ref Bucket`` becomes ``{"Ref": "Bucket"}`` and ``!Sub …`` becomes ``{"Fn::Sub": …}``. Scalars
keep the text that stands in the file: the service knows nothing but text.
"""

import yaml

from updraft.datapipeline.findings import Position
from updraft.datapipeline.json_text import (
    DEEPEST_NESTING,
    LARGEST_TEXT,
    JsonArray,
    JsonMember,
    JsonObject,
    JsonScalar,
    JsonSyntaxError,
    JsonValue,
    depth_of,
    with_whole_characters,
)

_BOOLEAN = "tag:yaml.org,2002:bool"
_NULL = "tag:yaml.org,2002:null"
_MERGE = "tag:yaml.org,2002:merge"
_WITHOUT_PREFIX = {"Ref", "Condition"}
# Aliases of aliases can make a small file very large.
_MOST_NODES = 200_000


def parse_yaml(text: str) -> tuple[JsonValue, ...]:
    """Read a YAML text.

    :param text: the text, of one or several documents.
    :returns: the documents that are not empty.
    :raises JsonSyntaxError: when it is not YAML, too large or nested too deeply.
    """
    if len(text) > LARGEST_TEXT:
        raise JsonSyntaxError(
            f"The file has {len(text):,} characters; no template is larger than {LARGEST_TEXT:,}",
            Position(line=1, column=1),
            "Give the template itself, not a file of data",
        )
    try:
        nodes = list(yaml.compose_all(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise JsonSyntaxError(
            f"The file is not YAML: {error.problem or error.context}",
            _position(mark),
            "Look at the indentation, colons and quotes just before it",
        ) from None
    except yaml.YAMLError as error:
        raise JsonSyntaxError(
            f"The file is not YAML: {str(error).splitlines()[0]}",
            Position(line=1, column=1),
            "Save it as UTF-8 text without control characters",
        ) from None
    except RecursionError:
        raise _too_deep(Position(line=1, column=1)) from None
    builder = _Builder()
    return tuple(builder.value(node, 0) for node in nodes if node is not None)


def _position(mark: yaml.Mark | None) -> Position:
    if mark is None:
        return Position(line=1, column=1)
    return Position(line=mark.line + 1, column=mark.column + 1)


def _too_deep(position: Position) -> JsonSyntaxError:
    return JsonSyntaxError(
        f"The text is nested more than {DEEPEST_NESTING} levels deep",
        position,
        "Look for an anchor that contains itself, or for brackets that are too many",
    )


class _Builder:
    def __init__(self) -> None:
        self._nodes = 0
        # What an alias stands for is built once, and counts each time.
        self._built: dict[int, tuple[JsonValue, int]] = {}

    def value(self, node: yaml.Node, level: int) -> JsonValue:
        position = _position(node.start_mark)
        known = self._built.get(id(node))
        depth = known[0].depth if known and not isinstance(known[0], JsonScalar) else 0
        before = self._nodes
        self._nodes += known[1] if known else 1
        if level + depth > DEEPEST_NESTING:
            raise _too_deep(position)
        if self._nodes > _MOST_NODES:
            raise JsonSyntaxError(
                f"The aliases of the file stand for more than {_MOST_NODES:,} values",
                position,
                "Write the values out, or leave most of them out",
            )
        if known:
            return known[0]
        value = self._tagged(node, position, level)
        self._built[id(node)] = value, self._nodes - before
        return value

    def _tagged(self, node: yaml.Node, position: Position, level: int) -> JsonValue:
        plain = self._plain(node, position, level)
        # What is left after a single exclamation mark is CloudFormation's; "!" alone says nothing.
        if not node.tag.startswith("!") or node.tag == "!":
            return plain
        name = node.tag.removeprefix("!")
        key = name if name in _WITHOUT_PREFIX else f"Fn::{name}"
        return JsonObject((JsonMember(key, plain, position),), position, depth_of((plain,)))

    def _plain(self, node: yaml.Node, position: Position, level: int) -> JsonValue:
        if isinstance(node, yaml.MappingNode):
            members = self._members(node, level)
            return JsonObject(members, position, depth_of(member.value for member in members))
        if isinstance(node, yaml.SequenceNode):
            items = tuple(self.value(item, level + 1) for item in node.value)
            return JsonArray(items, position, depth_of(items))
        text = with_whole_characters(node.value)
        if node.tag == _BOOLEAN:
            # In YAML 1.1, which CloudFormation reads, "yes" and "On" are true.
            return JsonScalar(text.casefold() in {"true", "yes", "on"}, text, position)
        return JsonScalar(None if node.tag == _NULL else text, text or "null", position)

    def _members(self, node: yaml.MappingNode, level: int) -> tuple[JsonMember, ...]:
        own: list[JsonMember] = []
        merged: list[JsonMember] = []
        for key, value in node.value:
            read = self.value(value, level + 1)
            if key.tag == _MERGE:
                for one in read.items if isinstance(read, JsonArray) else (read,):
                    merged += one.members if isinstance(one, JsonObject) else ()
                continue
            name = with_whole_characters(key.value) if isinstance(key, yaml.ScalarNode) else "?"
            own.append(JsonMember(name, read, _position(key.start_mark)))
        names = {member.key for member in own}
        return (*own, *(member for member in merged if member.key not in names))
