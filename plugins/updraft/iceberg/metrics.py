"""Computes the metrics of an Iceberg table.

Names are ``family.metric``: ``snapshot`` is what one commit did and what it left, ``files`` the
distribution over data files, ``partitions`` that over partitions, ``partition`` the figures of one
partition, and ``table`` the rest.

.. seealso:: https://aws.amazon.com/blogs/big-data/monitoring-apache-iceberg-metadata-layer-using-aws-lambda-aws-glue-and-aws-cloudwatch/
.. seealso:: https://iceberg.apache.org/spec/#optional-snapshot-summary-fields
"""

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from updraft.iceberg.table_state import TableFile, TableSnapshot

COUNT, BYTES, SECONDS, NONE = "Count", "Bytes", "Seconds", "None"

_CHANGES = (
    "added-data-files",
    "added-delete-files",
    "added-dvs",
    "added-equality-delete-files",
    "added-equality-deletes",
    "added-files-size",
    "added-position-delete-files",
    "added-position-deletes",
    "added-records",
    "changed-partition-count",
    "deleted-data-files",
    "deleted-records",
    "removed-delete-files",
    "removed-dvs",
    "removed-equality-delete-files",
    "removed-equality-deletes",
    "removed-files-size",
    "removed-position-delete-files",
    "removed-position-deletes",
)
_TOTALS = (
    "total-data-files",
    "total-delete-files",
    "total-equality-deletes",
    "total-files-size",
    "total-position-deletes",
    "total-records",
)
_DATA, _POSITION, _EQUALITY = "DATA", "POSITION_DELETES", "EQUALITY_DELETES"
_LEAST_FOR_SKEW = 3


@dataclass(frozen=True)
class Metric:
    """A figure.

    :param name: such as ``snapshot.added_records``.
    :param value: its value.
    :param unit: its unit as CloudWatch calls it.
    :param moment: what moment it is of.
    :param partition: path of the partition that it is of, if it is of one.
    """

    name: str
    value: float
    unit: str
    moment: datetime
    partition: str | None = None


def snapshot_metrics(snapshot: TableSnapshot) -> Iterator[Metric]:
    """Read the summary of a snapshot.

    :param snapshot: the snapshot.
    :returns: what it changed, zero where the summary is silent, and the totals that it names:
        writers leave out what they do not know.
    """
    for key in (*_CHANGES, *_TOTALS):
        text = snapshot.summary.get(key, "0" if key in _CHANGES else "")
        if text.isdecimal():
            unit = BYTES if key.endswith("-size") else COUNT
            yield Metric(f"snapshot.{key.replace('-', '_')}", int(text), unit, snapshot.moment)


def file_metrics(files: Iterable[TableFile], moment: datetime) -> Iterator[Metric]:
    """Describe how records and bytes are spread over data files.

    :param files: the files of a snapshot.
    :param moment: moment of the snapshot.
    :returns: number of data files, and average, maximum and minimum of records and of bytes.
    """
    data = [file for file in files if file.content == _DATA]
    yield Metric("files.count", len(data), COUNT, moment)
    yield from _spread("files", "record_count", [file.records for file in data], COUNT, moment)
    yield from _spread("files", "file_size", [file.size for file in data], BYTES, moment)


@dataclass
class PartitionFigures:
    """The figures of one partition.

    :param path: its path.
    :param record_count: records of its data files; deletes are not taken off.
    :param file_count: number of its data files.
    :param total_size: bytes of its data files.
    :param position_delete_record_count: records of its position delete files.
    :param position_delete_file_count: number of these.
    :param equality_delete_record_count: records of its equality delete files.
    :param equality_delete_file_count: number of these.
    """

    path: str
    record_count: int = 0
    file_count: int = 0
    total_size: int = 0
    position_delete_record_count: int = 0
    position_delete_file_count: int = 0
    equality_delete_record_count: int = 0
    equality_delete_file_count: int = 0

    def add(self, file: TableFile) -> None:
        """Count a file.

        :param file: a file of the partition.
        """
        if file.content == _DATA:
            self.record_count += file.records
            self.file_count += 1
            self.total_size += file.size
        elif file.content == _POSITION:
            self.position_delete_record_count += file.records
            self.position_delete_file_count += 1
        elif file.content == _EQUALITY:
            self.equality_delete_record_count += file.records
            self.equality_delete_file_count += 1


def partition_figures(files: Iterable[TableFile]) -> list[PartitionFigures]:
    """Add up the files of each partition.

    :param files: the files of a snapshot.
    :returns: the partitions, those with most records first; none for a table without partitions.
    """
    found: dict[str, PartitionFigures] = {}
    for file in files:
        if file.partition:
            found.setdefault(file.partition, PartitionFigures(file.partition)).add(file)
    return sorted(found.values(), key=lambda figures: (-figures.record_count, figures.path))


def aggregated_partition_metrics(
    partitions: Sequence[PartitionFigures], moment: datetime
) -> Iterator[Metric]:
    """Describe how records, files and bytes are spread over partitions.

    :param partitions: all partitions.
    :param moment: moment of the snapshot.
    :returns: number of partitions; average, maximum, minimum, standard deviation and skewness.
    """
    if not partitions:
        return
    yield Metric("partitions.count", len(partitions), COUNT, moment)
    for name, values, unit in (
        ("record_count", [one.record_count for one in partitions], COUNT),
        ("file_count", [one.file_count for one in partitions], COUNT),
        ("total_size", [one.total_size for one in partitions], BYTES),
    ):
        yield from _spread("partitions", name, values, unit, moment)
        deviation = statistics.stdev(values) if len(values) > 1 else 0.0
        yield Metric(f"partitions.deviation_{name}", deviation, unit, moment)
        yield Metric(f"partitions.skew_{name}", skewness(values), NONE, moment)


def partition_metrics(partitions: Sequence[PartitionFigures], moment: datetime) -> Iterator[Metric]:
    """Give the figures of each partition.

    :param partitions: the partitions.
    :param moment: moment of the snapshot.
    :returns: the metrics.
    """
    for one in partitions:
        for name, value in vars(one).items():
            if name != "path":
                unit = BYTES if name == "total_size" else COUNT
                yield Metric(f"partition.{name}", value, unit, moment, one.path)


def table_metrics(
    snapshot_count: int, last_commit: datetime | None, moment: datetime
) -> Iterator[Metric]:
    """Describe the table at a moment.

    :param snapshot_count: number of snapshots that have not expired.
    :param last_commit: moment of the current snapshot; None before the first.
    :param moment: the moment.
    :returns: number of snapshots, and seconds since the last commit.
    """
    yield Metric("table.snapshot_count", snapshot_count, COUNT, moment)
    if last_commit is not None:
        age = max((moment - last_commit).total_seconds(), 0.0)
        yield Metric("table.last_commit_age", age, SECONDS, moment)


def skewness(values: Sequence[float]) -> float:
    """Measure the asymmetry of a distribution.

    It is the adjusted Fisher-Pearson coefficient, as pandas and spreadsheets compute it.

    :param values: the values.
    :returns: 0 for a symmetric distribution, for equal values, and for less than three.
    """
    count = len(values)
    mean = statistics.fmean(values) if values else 0.0
    second = sum((value - mean) ** 2 for value in values)
    if count < _LEAST_FOR_SKEW or second == 0:
        return 0.0
    third = sum((value - mean) ** 3 for value in values)
    biased: float = math.sqrt(count) * third / second**1.5
    return math.sqrt(count * (count - 1)) / (count - 2) * biased


def _spread(
    family: str, name: str, values: Sequence[int], unit: str, moment: datetime
) -> Iterator[Metric]:
    if values:
        yield Metric(f"{family}.avg_{name}", statistics.fmean(values), unit, moment)
        yield Metric(f"{family}.max_{name}", max(values), unit, moment)
        yield Metric(f"{family}.min_{name}", min(values), unit, moment)
