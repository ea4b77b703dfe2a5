"""Identifiers of the form that DataZone gives to events and nodes: 14 lower-case characters."""

import hashlib
import secrets
import string

_ALPHABET = string.ascii_lowercase + string.digits
_LENGTH = 14


def random_identifier() -> str:
    """Make an identifier for something new.

    :returns: 14 characters out of ``a-z0-9``.
    """
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def derived_identifier(*parts: str) -> str:
    """Make the identifier of something that is known by its names.

    :param parts: the names; their order and their limits matter.
    :returns: 14 characters out of ``a-z0-9``, the same for the same parts.
    """
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    number = int.from_bytes(digest, "big")
    characters = []
    for _ in range(_LENGTH):
        number, position = divmod(number, len(_ALPHABET))
        characters.append(_ALPHABET[position])
    return "".join(characters)
