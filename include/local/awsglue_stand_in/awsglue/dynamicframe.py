"""Frames, as far as turning them into those of Spark."""

from typing import Any

from awsglue.refusal import refuse


class DynamicFrame:
    """A frame of Spark that passes for one of Glue.

    :param frame: the frame.
    """

    def __init__(self, frame: Any) -> None:
        self._frame = frame

    def toDF(self) -> Any:  # noqa: N802 - AWS's name
        """Return the frame of Spark."""
        return self._frame

    def count(self) -> int:
        """Count the rows."""
        rows: int = self._frame.count()
        return rows

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        refuse(f"DynamicFrame.{name}")
