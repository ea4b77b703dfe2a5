"""What a comparison has found, counted and in words."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from updraft.dynamodb.counted_nouns import counted
from updraft.dynamodb.differences import ComparisonCounts, Difference, DifferenceKind
from updraft.dynamodb.file_names import format_of_name
from updraft.dynamodb.item_digest import json_bytes

_IN_WORDS = {
    DifferenceKind.DIFFERENT: ("item has other attributes", "items have other attributes"),
    DifferenceKind.ONLY_IN_EXPORT: ("item is only in the export", "items are only in the export"),
    DifferenceKind.ONLY_IN_TABLE: ("item is only in the table", "items are only in the table"),
    DifferenceKind.NOT_DELETED: (
        "item is in the table although the export says that it is deleted",
        "items are in the table although the export says that they are deleted",
    ),
    DifferenceKind.UNREADABLE: (
        "record of the export is no item for the table",
        "records of the export are no items for the table",
    ),
}
_NAMED_IN_SUMMARY = 5


@dataclass(frozen=True)
class DifferenceReport:
    """The result of a comparison.

    :param table_arn: ARN of the table.
    :param s3_uri: URI of the files.
    :param files: number of files.
    :param table_items: number of items in the table.
    :param export_items: number of items in the files, each key counted once.
    :param equal: number of items that are the same on both sides.
    :param different: number of items that both have with different attributes.
    :param only_in_export: number of items that only the files have.
    :param only_in_table: number of items that only the table has. They are no differences when the
        files are known to hold a part of the table.
    :param deleted: number of keys that an incremental export says are deleted.
    :param not_deleted: number of those that the table has nevertheless.
    :param superseded: number of records that a later one with the same key supersedes, as it does
        in an import. They are no differences.
    :param unreadable: number of records in the files that are no items for this table.
    :param differences: number of all differences.
    :param first_differences: the first of them, see :meth:`Difference.as_dict`.
    :param differences_file: URI of the file that has all of them, ``None`` if none was asked for.
    """

    table_arn: str
    s3_uri: str
    files: int
    table_items: int
    export_items: int
    equal: int
    different: int
    only_in_export: int
    only_in_table: int
    deleted: int
    not_deleted: int
    superseded: int
    unreadable: int
    differences: int
    first_differences: list[dict[str, Any]]
    differences_file: str | None

    def summary(self) -> str:
        """Say in a few sentences what was found.

        :returns: the counts of the differences, and the keys of the first ones.
        """
        if not self.differences:
            return (
                f"{self.table_arn} and {self.s3_uri} hold the same {counted(self.equal, 'item')}"
                + (f", {self.deleted:,} are deleted as they should be" if self.deleted else "")
                + (f", {self.only_in_table:,} more are in the table" if self.only_in_table else "")
            )
        counts = {kind: getattr(self, kind) for kind in _IN_WORDS}
        if sum(counts.values()) > self.differences:
            del counts[DifferenceKind.ONLY_IN_TABLE]  # the files hold a part of the table
        parts = ", ".join(
            f"{count:,} {_IN_WORDS[kind][count > 1]}" for kind, count in counts.items() if count
        )
        named = "; ".join(
            _in_words(difference) for difference in self.first_differences[:_NAMED_IN_SUMMARY]
        )
        places = "place" if self.differences == 1 else "places"
        where = f" All are listed in {self.differences_file}." if self.differences_file else ""
        return (
            f"{self.table_arn} and {self.s3_uri} differ in {self.differences:,} {places}: {parts}; "
            f"{counted(self.equal, 'item')} {'is' if self.equal == 1 else 'are'} equal. "
            f"First: {named}.{where}"
        )


class DifferenceTally:
    """Counts differences on their way.

    :param partial: whether the files hold a part of the table.
    :param maximum: number of differences that are remembered one by one.
    """

    def __init__(self, *, partial: bool, maximum: int) -> None:
        self._partial = partial
        self._maximum = maximum
        self.by_kind: Counter[DifferenceKind] = Counter()
        self.first: list[Difference] = []
        self.total = 0

    def count(self, differences: Iterable[Difference]) -> Iterator[Difference]:
        """Count differences and hand them on.

        :param differences: what was found.
        :returns: those of them that are differences if the files hold a part of the table.
        """
        for difference in differences:
            self.by_kind[difference.kind] += 1
            if self._partial and difference.kind is DifferenceKind.ONLY_IN_TABLE:
                continue
            self.total += 1
            if len(self.first) < self._maximum:
                self.first.append(difference)
            yield difference

    def report(
        self,
        *,
        table_arn: str,
        s3_uri: str,
        files: int,
        counts: ComparisonCounts,
        differences_file: str | None,
    ) -> DifferenceReport:
        """Sum up.

        :param table_arn: ARN of the table.
        :param s3_uri: URI of the files.
        :param files: number of files.
        :param counts: what was found besides differences.
        :param differences_file: URI of the file that has all differences.
        :returns: the report.
        """
        kinds = {str(kind): self.by_kind[kind] for kind in DifferenceKind}
        on_both_sides = counts.equal + kinds["different"]
        return DifferenceReport(
            table_arn=table_arn,
            s3_uri=s3_uri,
            files=files,
            table_items=on_both_sides + kinds["only_in_table"] + kinds["not_deleted"],
            export_items=on_both_sides + kinds["only_in_export"],
            equal=counts.equal,
            deleted=counts.deleted,
            superseded=counts.superseded,
            differences=self.total,
            first_differences=[difference.as_dict() for difference in self.first],
            differences_file=differences_file,
            **kinds,
        )


def difference_lines(differences: Iterable[Difference]) -> Iterator[bytes]:
    """Write differences as JSON lines.

    :param differences: the differences.
    :returns: a line for each.
    """
    for difference in differences:
        yield json_bytes(difference.as_dict()) + b"\n"


def _in_words(difference: dict[str, Any]) -> str:
    if "reason" in difference:
        return f"unreadable: {difference['reason']}"
    key = json.dumps(difference["key"], ensure_ascii=False)
    kind = difference["kind"].replace("_", " ")
    if "file" not in difference:
        return f"{kind} {key}"
    noun = "row" if format_of_name(difference["file"]) == "PARQUET" else "line"
    return f"{kind} {key} ({difference['file']}, {noun} {difference['position']})"
