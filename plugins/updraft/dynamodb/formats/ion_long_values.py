"""Lets amazon.ion read long values.

Its C library gives up at texts and blobs of about 16 kB, and its Python reader takes seconds for
them. So a long value goes through the library as an annotated list of short ones.
"""

import re
from typing import Any

PIECES = "updraft_pieces"
"""Annotation of a list whose members are the pieces of one value."""

_LONGEST_VALUE = 4_000
_TOKEN = re.compile(
    r"""
    (?P<text>"[^"\\]*(?:\\.[^"\\]*)*")
    | '{3}(?:[^'\\]|\\.|'(?!''))*'{3}
    | '[^'\\]*(?:\\.[^'\\]*)*'
    | \{\{(?P<blob>[A-Za-z0-9+/=\s]*)\}\}
    | //[^\n]*
    | /\*.*?\*/
    """,
    re.DOTALL | re.VERBOSE,
)
# An escape must stay in one piece, and so must the two of a surrogate pair.
_TEXT_PIECE = re.compile(
    r"(?:[^\\]"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[0-9a-fA-F]{4}"
    r"|\\u[0-9a-fA-F]{4}|\\U[0-9a-fA-F]{8}|\\x[0-9a-fA-F]{2}|\\.){1,2000}",
    re.DOTALL,
)
_BLOB_PIECE = re.compile(r".{1,4000}", re.DOTALL)  # a multiple of four characters of base64


def split_long_values(content: bytes) -> bytes | str:
    """Replace the long values of a line by lists of their pieces.

    :param content: Ion text, UTF-8.
    :returns: Ion text whose values are short.
    :raises UnicodeDecodeError: when it is no UTF-8.
    """
    if len(content) <= _LONGEST_VALUE:
        return content
    return _TOKEN.sub(_split, content.decode())


def _split(match: re.Match[str]) -> str:
    token = match[0]
    if len(token) <= _LONGEST_VALUE // 4:  # so many characters may take four times as many bytes
        return token
    if match["text"] is not None:
        pieces = [f'"{piece}"' for piece in _TEXT_PIECE.findall(token[1:-1])]
    elif match["blob"] is not None:
        base64 = "".join(match["blob"].split())
        pieces = [f"{{{{{piece}}}}}" for piece in _BLOB_PIECE.findall(base64)]
    else:
        return token
    return f"{PIECES}::[{','.join(pieces)}]"


def join_pieces(pieces: list[Any]) -> Any:
    """Put a value together again.

    :param pieces: the members of the list, all text or all bytes.
    :returns: the value.
    """
    return "".join(pieces) if isinstance(pieces[0], str) else b"".join(pieces)
