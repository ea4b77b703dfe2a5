"""Text as a string literal of Amazon Redshift."""

from updraft.errors import UpdraftError


def literal(text: str) -> str:
    r"""Quote a text, so that it is one value of a statement whatever stands in it.

    Amazon Redshift takes a backslash in a literal for the beginning of an escape, as PostgreSQL 8
    did, so that it is doubled like a quote.

    :param text: the text.
    :returns: the literal with its quotes: ``'it''s C:\\temp'``.
    :raises UpdraftError: when the text has a character that Redshift can't store.
    """
    if "\0" in text:
        raise UpdraftError(f"{text[:40]!r} has a NUL character, which Amazon Redshift has not")
    doubled = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
