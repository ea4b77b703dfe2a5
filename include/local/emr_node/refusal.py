"""What the node's programs say to what they can't do."""


class RefusedError(Exception):
    """Something that real EMR does and the local stack does not; the text names it."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the local stack does not execute this: {what}; see docs/local-stack.md")


class UsageError(RefusedError):
    """Arguments that real EMR would refuse too."""

    def __init__(self, what: str) -> None:
        Exception.__init__(self, what)
