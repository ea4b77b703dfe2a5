import gzip
import io
import itertools
import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.lineage import log_forms as forms
from updraft.lineage import log_harvest, log_records
from updraft.lineage.log_harvest import HarvestCounts, LogHarvest
from updraft.lineage.validation import problems

LOGS = Path(__file__).parent / "logs"
SAMPLE = json.loads((Path(__file__).parent / "samples" / "airflow_3_fail.json").read_text())
NOISE = "[2026-11-22T20:07:33.624+0000] {client.py:144} INFO - the next one has an eventTime"


def harvest(content: bytes | str) -> tuple[LogHarvest, list[dict]]:
    """Harvest a log; events come back decoded, from the bytes that would be stored."""
    found: list[dict] = []
    reader = LogHarvest(lambda event: found.append(json.loads(event.body)))
    raw = content.encode() if isinstance(content, str) else content
    reader.read_file(io.BytesIO(raw), "a.log")
    return reader, found


def event(number: int, text: str = "") -> dict:
    return {
        **SAMPLE,
        "run": {"runId": f"00000000-0000-0000-0000-{number:012}", "facets": {"x": {"text": text}}},
    }


# What each log holds, after the description of the runs that wrote them: five tasks that succeed
# or fail, one of them mapped to two, on 3.3.2 and 2.10.5; four on 2.6.3; a DAG run that fails.
@pytest.mark.parametrize(
    ("name", "types"),
    [
        (
            "airflow3.3.2_provider2.20.3_task_log.jsonl",
            {"START": 6, "COMPLETE": 5, "FAIL": 1},
        ),
        ("airflow3.3.2_scheduler_stdout.txt", {"START": 1, "FAIL": 1}),
        (
            "airflow2.10.5_provider1.14.0_task_log.txt",
            {"START": 6, "COMPLETE": 5, "FAIL": 1},
        ),
        (
            "airflow2.6.3_openlineage-airflow1.4.1_task_log.txt",
            {"START": 4, "COMPLETE": 3, "FAIL": 1},
        ),
    ],
)
def test_every_event_of_real_logs_is_found_once(name: str, types: dict[str, int]):
    content = (LOGS / name).read_bytes()
    windows = content.decode().replace("\n", "\r\n")
    for log in (
        content,
        gzip.compress(gzip.compress(content)),
        windows.encode("utf-8-sig"),
        windows.encode("utf-16"),
    ):
        reader, found = harvest(log)
        assert reader.counts == HarvestCounts(found=sum(types.values()))
        assert Counter(one["eventType"] for one in found) == types
        assert [problems(one) for one in found] == [[]] * len(found)
        assert len({json.dumps(one) for one in found}) == len(found)


def test_there_is_no_other_log():
    assert len(list(LOGS.iterdir())) == 4


@pytest.mark.parametrize("document", forms.DOCUMENTS, ids=lambda form: form.__name__)
@pytest.mark.parametrize("line", forms.LINES, ids=lambda form: form.__name__)
def test_every_form(line, document):
    wanted = [event(1, 'C:\\ "q" \'s\' {"a":1}\nü😀\x1b['), event(2, "\\\\")]
    reader, found = harvest(document([NOISE, line(wanted[0]), NOISE, line(wanted[1]), NOISE]))
    assert found == wanted
    assert reader.counts == HarvestCounts(found=2)


@pytest.mark.parametrize("document", [forms.plain, forms.filtered, forms.insights_downloaded])
@pytest.mark.parametrize("line", [one for one in forms.LINES if one is not forms.spark_as_json])
def test_what_is_stored_is_what_was_logged(line, document):
    bodies: list[bytes] = []
    reader = LogHarvest(lambda found: bodies.append(found.body))
    reader.read_file(io.BytesIO(document([line(event(1, "ü"))]).encode()), "a.log")
    is_text_of_sparks = line in {forms.spark_on_emr, forms.spark_on_glue}
    written = forms.compact_text_of if is_text_of_sparks else forms.text_of
    assert bodies == [written(event(1, "ü")).encode()]


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=30),
    line=st.sampled_from(forms.LINES),
    document=st.sampled_from(forms.DOCUMENTS),
)
def test_whatever_an_event_says(text, line, document):
    assert harvest(document([line(event(1, text)), NOISE]))[1] == [event(1, text)]


def pieces(text: str, cuts: list[int]) -> list[str]:
    edges = [0, *sorted(cuts), len(text)]
    return [text[start:end] for start, end in itertools.pairwise(edges)]


SPLITTING = (
    forms.plain,
    forms.filtered,
    forms.filtered_on_one_line,
    forms.subscribed,
    forms.tailed,
    forms.exported_to_s3,
    forms.kubernetes,
    forms.fluent_bit,
)


@settings(max_examples=60, deadline=None)
@given(
    line=st.sampled_from(forms.LINES),
    document=st.sampled_from(SPLITTING),
    cuts=st.lists(st.integers(150, 700), min_size=1, max_size=3, unique=True),
)
def test_split_events_are_put_together(line, document, cuts):
    wanted = event(1, 'a "quoted" word')
    parts = pieces(line(wanted), cuts)
    reader, found = harvest(document([*parts, NOISE, line(event(2))]))
    assert found == [wanted, event(2)]
    assert reader.counts == HarvestCounts(found=2, split=1)


@pytest.mark.parametrize("document", SPLITTING, ids=lambda form: form.__name__)
@pytest.mark.parametrize("line", forms.LINES, ids=lambda form: form.__name__)
def test_pieces_that_begin_like_json(line, document):
    """Each brace of the event is where a piece begins."""
    text = line(event(1))
    braces = [at for at, character in enumerate(text) if character in "{[" and at > 170]
    reader, found = harvest(document([*pieces(text, braces), NOISE]))
    assert found == [event(1)]
    assert reader.counts == HarvestCounts(found=1, split=1)


@settings(max_examples=40, deadline=None)
@given(
    line=st.sampled_from(forms.LINES),
    document=st.sampled_from(SPLITTING),
    length=st.integers(400, 1000),
)
def test_truncated_events_are_named_and_harm_no_other(line, document, length):
    reader, found = harvest(document([NOISE, line(event(1))[:length], NOISE, line(event(2))]))
    assert found == [event(2)]
    assert reader.counts == HarvestCounts(found=1, truncated=1)
    assert "eventTime 2026-" in reader.cut[0].about
    assert "eventType FAIL" in reader.cut[0].about
    if document is forms.plain:
        assert str(reader.cut[0]).startswith("a.log:2: eventTime")


@pytest.mark.parametrize("line", forms.LINES, ids=lambda form: form.__name__)
def test_an_event_that_began_before_the_file_is_named(line):
    wanted = event(2)
    rest = line(event(1))[300:]
    reader, found = harvest(forms.plain([rest, NOISE.replace("eventTime", "x"), line(wanted)]))
    assert found == [wanted]
    # The listener in Spark writes the end of an event, from which it is recognised, first.
    is_sparks = line in {forms.spark_on_emr, forms.spark_on_glue, forms.spark_as_json}
    assert reader.counts == HarvestCounts(found=1, truncated=int(not is_sparks))


def test_pieces_of_two_streams_do_not_mix():
    first, second = forms.airflow_2(event(1)), forms.airflow_3(event(2))
    messages = [
        forms.log_event(first[:500], 0, "a"),
        forms.log_event(second[:500], 1, "b"),
        forms.log_event(NOISE, 2, "a"),
        forms.log_event(first[500:], 3, "a"),
        forms.log_event(second[500:], 4, "b"),
    ]
    for indent in (None, 4):
        reader, found = harvest(json.dumps({"events": messages}, indent=indent))
        assert found == [event(1), event(2)]
        assert (reader.counts.split, reader.counts.truncated) == (2, 0)


def test_a_cut_behind_the_event_loses_nothing():
    line = forms.airflow_3(event(1))
    cut = line[: line.index('","logger"')]
    reader, found = harvest(forms.filtered([cut, NOISE]))
    assert (found, reader.counts.truncated) == ([event(1)], 0)


def test_an_event_that_the_program_itself_has_cut_has_no_rest():
    record = json.loads(forms.airflow_3(event(1)))
    record["event"] = record["event"][:500]
    reader, found = harvest(f"{json.dumps(record)}\n{forms.airflow_3(event(2))}\n")
    assert (found, reader.counts.truncated, reader.counts.split) == ([event(2)], 1, 0)


def test_several_events_in_one_line():
    text = f"{forms.airflow_2(event(1))} and {forms.text_of(event(2))} done {{}}"
    assert harvest(text)[1] == [event(1), event(2)]


def test_a_line_without_end_fills_no_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_records, "_LONGEST_LINE", 5_000)
    events = [event(number) for number in range(20)]
    text = forms.filtered_on_one_line([forms.airflow_3(one) for one in events])
    assert len(text) > 30_000
    assert harvest(text)[1] == events
    reader, found = harvest("x" * 50_000 + "\n" + forms.airflow_2(event(1)) + "\n")
    assert (found, reader.counts.truncated) == ([event(1)], 0)


@pytest.mark.parametrize("size", range(900, 2_500, 97))
def test_wherever_a_line_without_end_is_cut_for_reading(monkeypatch, size):
    monkeypatch.setattr(log_records, "_LONGEST_LINE", size)
    messages = [NOISE.replace("eventTime", "end"), forms.airflow_2(event(1))] * 8
    assert harvest(forms.filtered_on_one_line(messages))[1] == [event(1)] * 8


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eventTime",
        '{"eventTime": "2026"}',
        '[2026] {x} - {"eventTime": "2026-11-22T20:07:12Z", "run": 1, "job": 2, "producer": ""}',
        '{"job": {"eventTime": 1}}',
        '{\\\\"eventTime\\\\": 1}',
        '{\\"eventTime\\": 1}"',
    ],
)
def test_what_is_no_event(text):
    assert harvest(text)[1] == []


def test_broken_json_is_counted():
    line = forms.airflow_2(event(1)).replace('"eventType":', '"eventType";')
    reader, found = harvest(f"{line}\n{forms.airflow_2(event(2))}")
    assert (found, reader.counts.truncated) == ([event(2)], 1)


@pytest.mark.parametrize("noise", [NOISE, forms.airflow_3_on_mwaa({"message": "x"})])
def test_nothing_waits_for_ever(noise):
    reader = LogHarvest(lambda _: None)
    texts = log_records.read_texts(
        io.BytesIO(forms.plain([forms.airflow_3(event(1))[:600], *[noise] * 25]).encode()),
        lambda: bool(reader._pending),
    )
    reader.read(texts, "a.log")
    assert (reader._pending, reader.counts.truncated) == ({}, 1)


def test_what_waits_is_bounded(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(log_harvest, "_MOST_PENDING", 3_000)
    messages = [
        forms.log_event(forms.airflow_3(event(number))[:600], number, f"s{number}")
        for number in range(20)
    ]
    reader = LogHarvest(lambda _: None)
    texts = [log_records.LogText(one["logStreamName"], 1, one["message"]) for one in messages]
    reader.read(texts, "group")
    assert sum(len(one.text) for one in reader._pending.values()) <= 3_000
    reader.finish()
    assert reader.counts.truncated == 20
