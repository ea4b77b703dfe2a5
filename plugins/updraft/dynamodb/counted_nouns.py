"""Writes numbers of things as people do: one file, two files."""


def counted(count: int, noun: str) -> str:
    """Write a number with what it counts.

    :param count: the number.
    :param noun: what is counted, in the singular; its plural ends with an ``s``.
    :returns: ``1 file`` or ``1,234 files``.
    """
    return f"{count:,} {noun if count == 1 else f'{noun}s'}"
