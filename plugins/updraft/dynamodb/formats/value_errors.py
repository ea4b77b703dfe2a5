"""What readers of attribute values raise, before it is known which record they read."""

from updraft.dynamodb.formats.text_lines import excerpt


class InvalidValueError(Exception):
    """A value is none of DynamoDB's.

    :param what: what is wrong.
    :param value: the value.
    """

    def __init__(self, what: str, value: object) -> None:
        super().__init__(what)
        self._what = what
        self._value = value
        self._path = ""

    def below(self, name: str | int) -> "InvalidValueError":
        """Say that the value is a member of another one.

        :param name: name or position that it has there.
        :returns: this error.
        """
        step = f"[{name}]" if isinstance(name, int) else name
        dot = "." if self._path and not self._path.startswith("[") else ""
        self._path = f"{step}{dot}{self._path}"
        return self

    def __str__(self) -> str:
        place = f"attribute {self._path}: " if self._path else ""
        return f"{place}{self._what}: {excerpt(self._value)}"


class InexactNumberError(Exception):
    """A number stands without quotes and was not read with all its digits.

    :func:`updraft.dynamodb.formats.lossless_json.exact_json` reads it so.
    """
