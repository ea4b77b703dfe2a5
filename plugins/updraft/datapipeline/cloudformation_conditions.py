"""Conditions of a CloudFormation template: true, false, or not known from the template alone."""

from collections.abc import Callable

from updraft.datapipeline.json_text import JsonArray, JsonObject, JsonScalar, JsonValue

_LONGEST_CHAIN = 50


class Conditions:
    """Decides conditions.

    :param template: the whole template.
    :param resolve: works out the functions in a value.
    """

    def __init__(
        self, template: JsonObject, resolve: Callable[[JsonValue], JsonValue | None]
    ) -> None:
        self._resolve = resolve
        self._expressions = {
            member.key: member.value
            for section in template.values("Conditions")
            if isinstance(section, JsonObject)
            for member in section.members
        }
        self._being_decided: set[str] = set()
        self._decided: dict[str, bool | None] = {}

    def value(self, name: str) -> bool | None:
        """Decide a condition.

        :param name: its name.
        :returns: whether it holds; none when that is not known, or it does not exist.
        """
        expression = self._expressions.get(name)
        # A condition that asks for itself has no answer.
        if expression is None or name in self._being_decided:
            return None
        if len(self._being_decided) > _LONGEST_CHAIN:
            return None
        if name not in self._decided:
            self._being_decided.add(name)
            self._decided[name] = self._decide(expression)
            self._being_decided.remove(name)
        return self._decided[name]

    def _decide(self, expression: JsonValue) -> bool | None:
        if isinstance(expression, JsonScalar):
            return {"true": True, "false": False}.get(expression.text.lower())
        if not isinstance(expression, JsonObject) or len(expression.members) != 1:
            return None
        (member,) = expression.members
        items = member.value.items if isinstance(member.value, JsonArray) else (member.value,)
        match member.key, items:
            case "Condition", (JsonScalar() as name,):
                return self.value(name.text)
            case "Fn::Equals", _:
                return self._equal(items)
            case "Fn::Not", (one,):
                decided = self._decide(one)
                return None if decided is None else not decided
        return self._settled(member.key, items)

    def _settled(self, function: str, items: tuple[JsonValue, ...]) -> bool | None:
        settling = {"Fn::And": False, "Fn::Or": True}.get(function)
        if settling is None or not items:
            return None
        decided = [self._decide(item) for item in items]
        # One answer may settle the whole, whatever the others are.
        if settling in decided:
            return settling
        return None if None in decided else not settling

    def _equal(self, items: tuple[JsonValue, ...]) -> bool | None:
        values = [self._resolve(item) for item in items]
        texts = [
            value.text for value in values if isinstance(value, JsonScalar) and not value.parts
        ]
        if len(texts) != len(("left", "right")) or len(values) != len(texts):
            return None
        return texts[0] == texts[1]
