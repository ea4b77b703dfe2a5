"""Reads statements word by word."""

from updraft.errors import UpdraftError
from updraft.sql_lineage.scanning import Kind, Statement, Word
from updraft.sql_lineage.tables import Tables

_END = Word(Kind.SIGN, "", -1, -1)


class SqlError(UpdraftError):
    """A statement whose lineage cannot be found, and why."""


class WordReader:
    """Reads the words of a statement from left to right.

    :param statement: the statement.
    :param tables: folds names.
    """

    def __init__(self, statement: Statement, tables: Tables) -> None:
        self._words = statement.words
        self._tables = tables
        self._at = 0

    def skip(self, *keywords: str) -> bool:
        """Go past keywords if they are next.

        :param keywords: in capitals.
        :returns: whether they were there.
        """
        end = self._at + len(keywords)
        if tuple(word.keyword for word in self._words[self._at : end]) != keywords:
            return False
        self._at = end
        return True

    def expect(self, *keywords: str) -> None:
        """Go past keywords that must be next.

        :param keywords: in capitals.
        :raises SqlError: when they are not.
        """
        if not self.skip(*keywords):
            raise SqlError(f"expected {' '.join(keywords)}, found {self._next.text!r}")

    def string(self, what: str) -> str:
        """Read a literal.

        :param what: what it says, for the message.
        :returns: its text.
        :raises SqlError: when there is none.
        """
        word = self._next
        if word.kind is not Kind.STRING:
            raise SqlError(f"expected {what} in quotes, found {word.text!r}")
        self._at += 1
        return word.text

    def name(self) -> tuple[str, ...]:
        """Read a name of up to three parts.

        :returns: the folded parts.
        :raises SqlError: when there is none.
        """
        parts = [self._part()]
        while self.skip("."):
            parts.append(self._part())
        if len(parts) > 3:  # noqa: PLR2004 database, schema, table
            raise SqlError(f"{'.'.join(parts)!r} has too many parts for a name")
        return tuple(parts)

    def find_keywords(self, *keywords: str) -> bool:
        """Go to the first place where keywords stand, and past them.

        :param keywords: in capitals.
        :returns: whether there was one.
        """
        before = self._at
        while self._at < len(self._words):
            if self.skip(*keywords):
                return True
            self._at += 1
        self._at = before
        return False

    def advance(self) -> None:
        """Go past the next word, whatever it is."""
        self._at += 1

    @property
    def ended(self) -> bool:
        """Whether no word is left."""
        return self._at >= len(self._words)

    @property
    def rest_starts(self) -> int:
        """Offset of the next word in the statement's text."""
        return self._next.start

    @property
    def _next(self) -> Word:
        return self._words[self._at] if self._at < len(self._words) else _END

    def _part(self) -> str:
        word = self._next
        if word.kind not in (Kind.WORD, Kind.QUOTED) or not word.text:
            raise SqlError(f"expected a name, found {word.text!r}")
        self._at += 1
        return self._tables.session.fold(word.text, quoted=word.kind is Kind.QUOTED)
