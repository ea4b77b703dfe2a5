"""So many definitions converted in one run: what each of them takes, and whether that grows."""

import json
import resource
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from updraft.migration.batch import check_all, convert_all, write_all
from updraft.migration.given_values import Given

GOLDEN = Path(__file__).parents[2] / "tests" / "golden"
# So many divide a hundred: each hundred has the same mixture.
MODELS = 25


@dataclass(frozen=True)
class Times:
    """What a run took.

    All are seconds of CPU, which other programs of the machine hardly change.

    :param each: for each definition, in the order of conversion.
    :param check: for loading all DAGs in Airflow, none when they were not.
    :param write: for writing all files.
    :param wall: from the first definition to the last file, on the clock.
    :param dags: number of DAGs.
    """

    each: list[float]
    check: float | None
    write: float
    wall: float
    dags: int

    def part(self, place: float, size: int) -> float:
        """Give the mean of some definitions that follow each other.

        :param place: 0 for the first ones, 1 for the last ones.
        :param size: how many.
        :returns: seconds for one.
        """
        first = round(place * (len(self.each) - size))
        return statistics.fmean(self.each[first : first + size])


def write_definitions(folder: Path, count: int) -> list[Path]:
    """Write definitions that differ in the names of their objects.

    :param folder: where they go.
    :param count: how many.
    :returns: the files, made of the golden definitions in turn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    models = [
        (path.stem, json.loads(path.read_text("utf-8")))
        for path in sorted(GOLDEN.glob("*/*.json"))
        if not (path.parent / "arguments").exists() and _is_plain(path)
    ][:MODELS]
    files = []
    for number in range(count):
        name, document = models[number % len(models)]
        file = folder / f"{name}_{number:06}.json"
        renamed = _renamed(document, f"{number:06}")
        file.write_text(json.dumps(renamed, indent=1), "utf-8")
        files.append(file)
    return files


def _is_plain(path: Path) -> bool:
    """Leave out those with irregularities that only the reader of the product knows."""
    try:
        return "objects" in json.loads(path.read_text("utf-8"))
    except ValueError:
        return False


def _renamed(document: dict[str, Any], suffix: str) -> dict[str, Any]:
    ids = {one["id"] for one in document["objects"]} - {"Default"}

    def change(value: Any) -> Any:
        if isinstance(value, list):
            return [change(one) for one in value]
        if not isinstance(value, dict):
            return value
        return {
            key: f"{one}{suffix}" if key in {"id", "ref"} and one in ids else change(one)
            for key, one in value.items()
        }

    return {**document, "objects": change(document["objects"])}


def _cpu() -> float:
    """Give the CPU time of this process and of the formatters that it has run, in seconds."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def measure(
    files: list[Path], output: Path, advance: Callable[[], None], *, import_check: bool
) -> Times:
    """Convert definitions as `updraft convert` does.

    :param files: the definitions.
    :param output: where DAGs and reports go.
    :param advance: called after each definition.
    :param import_check: whether to load the DAGs in Airflow.
    :returns: the times.
    :raises SystemExit: when one can't be converted.
    """
    each: list[float] = []
    start = time.perf_counter()
    last = _cpu()

    def done(_: Path) -> None:
        nonlocal last
        now = _cpu()
        each.append(now - last)
        last = now
        advance()

    conversions = convert_all(files, None, Given(), done)
    check = None
    if import_check:
        begin = _cpu()
        conversions = check_all(conversions)
        check = _cpu() - begin
    begin = _cpu()
    written = write_all(conversions, output / "dags", output / "reports", force=False)
    seconds = _cpu() - begin
    failed = [one.conversion for one in written if one.dag_file is None]
    if failed:
        raise SystemExit(f"{failed[0].path}: {failed[0].findings}")
    return Times(each, check, seconds, time.perf_counter() - start, len(written))
