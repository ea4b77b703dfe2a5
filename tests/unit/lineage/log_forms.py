"""The forms in which an event comes out of a log, as functions from events to the text of the log.

After the lines that Airflow 2.6 to 3.3 write, and the documents that CloudWatch Logs exports.
"""

import csv
import io
import json
from collections.abc import Callable, Sequence

Events = Sequence[dict]


def text_of(event: dict) -> str:
    """Serialise as the client of OpenLineage does."""
    return json.dumps(event, sort_keys=True)


def airflow_2(event: dict, line: int = 30) -> str:
    return f"[2026-11-22T20:07:32.964+0000] {{console.py:{line}}} INFO - {text_of(event)}"


def airflow_2_6_on_mwaa(event: dict) -> str:
    return f"[2026-11-22T20:10:59.286+0000] {{{{console.py:29}}}} INFO - {text_of(event)}"


def coloured(event: dict) -> str:
    return (
        "[\x1b[34m2026-11-22T20:10:49.667+0000\x1b[0m] {\x1b[34mconsole.py:\x1b[0m29} INFO\x1b[0m"
        f" - {text_of(event)}\x1b[0m"
    )


def airflow_3(event: dict) -> str:
    record = {
        "timestamp": "2026-11-22T20:07:12.289126Z",
        "level": "info",
        "event": text_of(event),
        "logger": "openlineage.client.transport.console",
        "run_id": "manual__2026-11-22T20:06:49.428441+00:00",
        "filename": "console.py",
        "lineno": 31,
    }
    return json.dumps(record, separators=(",", ":"), ensure_ascii=False)


def airflow_3_on_mwaa(event: dict) -> str:
    return json.dumps({"level": "info", "event": text_of(event), "run_id": "manual"})


def scheduler(event: dict) -> str:
    return (
        f"scheduler  | 2026-11-22T20:06:51.280934Z [info     ] {text_of(event)} "
        "[openlineage.client.transport.console] loc=console.py:30"
    )


def echoed_by_executor(event: dict) -> str:
    return (
        f"2026-11-22T20:06:51.280934Z [info     ] {text_of(event)} "
        "[openlineage.client.transport.console] dag_id=d loc=console.py:30 map_index=-1 x={}"
    )


def debugging(event: dict) -> str:
    return (
        "[2026-11-22T20:07:32.964+0000] {client.py:400} DEBUG - OpenLineageClient will emit event "
        f"{text_of(event).encode()!r}"
    )


def debugging_airflow_3(event: dict) -> str:
    message = f"OpenLineageClient will emit event {text_of(event).encode()!r}"
    return json.dumps({"timestamp": "2026-11-22T20:07:12.289126Z", "event": message})


_JAVA = ("eventTime", "producer", "schemaURL", "eventType", "run", "job", "inputs", "outputs")


def compact_text_of(event: dict) -> str:
    """Serialise as the client for Java does, which the listener in Spark uses."""
    ordered = {name: event[name] for name in _JAVA if name in event}
    return json.dumps({**ordered, **event}, separators=(",", ":"), ensure_ascii=False)


def spark_on_emr(event: dict) -> str:
    return f"26/11/23 10:05:42 INFO ConsoleTransport: {compact_text_of(event)}"


def spark_on_glue(event: dict) -> str:
    return (
        "2026-11-23 10:05:42,123 INFO [spark-listener-group-shared] transports.ConsoleTransport "
        f"(ConsoleTransport.java:emit(27)): {compact_text_of(event)}"
    )


def spark_as_json(event: dict) -> str:
    record = {
        "@timestamp": "2026-11-23T10:05:42.123Z",
        "log.level": "INFO",
        "message": compact_text_of(event),
        "log.logger": "io.openlineage.client.transports.ConsoleTransport",
    }
    return json.dumps(record, separators=(",", ":"))


LINES: Sequence[Callable[[dict], str]] = (
    airflow_2,
    airflow_2_6_on_mwaa,
    coloured,
    airflow_3,
    airflow_3_on_mwaa,
    scheduler,
    echoed_by_executor,
    debugging,
    debugging_airflow_3,
    spark_on_emr,
    spark_on_glue,
    spark_as_json,
)


def log_event(message: str, number: int = 0, stream: str = "s") -> dict:
    return {
        "logStreamName": stream,
        "timestamp": 1763842032000 + number,
        "message": message,
        "ingestionTime": 1763842033000 + number,
        "eventId": f"{number:056}",
    }


def plain(messages: Sequence[str]) -> str:
    return "".join(f"{message}\n" for message in messages)


def windows(messages: Sequence[str]) -> str:
    return "".join(f"{message}\r\n" for message in messages)


def filtered(messages: Sequence[str]) -> str:
    """As `aws logs filter-log-events` prints."""
    events = [log_event(message, number) for number, message in enumerate(messages)]
    return json.dumps({"events": events, "searchedLogStreams": []}, indent=4) + "\n"


def filtered_on_one_line(messages: Sequence[str]) -> str:
    events = [log_event(message, number) for number, message in enumerate(messages)]
    return json.dumps({"events": events}, separators=(",", ":"), ensure_ascii=False)


def fetched(messages: Sequence[str]) -> str:
    """As `aws logs get-log-events` prints, which names no stream."""
    events = [{"timestamp": 1, "message": message, "ingestionTime": 2} for message in messages]
    return json.dumps({"events": events, "nextForwardToken": "f/1"}, indent=4)


def subscribed(messages: Sequence[str]) -> str:
    events = [
        {"id": str(number), "timestamp": 1, "message": message}
        for number, message in enumerate(messages)
    ]
    return json.dumps({"messageType": "DATA_MESSAGE", "logStream": "s", "logEvents": events})


def insights(messages: Sequence[str]) -> str:
    results = [
        [{"field": "@timestamp", "value": "2026"}, {"field": "@message", "value": message}]
        for message in messages
    ]
    return json.dumps({"results": results, "status": "Complete"}, indent=4)


def insights_downloaded(messages: Sequence[str]) -> str:
    """As the console of Logs Insights saves: messages that are JSON come decoded."""

    def decoded(message: str) -> object:
        return json.loads(message) if message.startswith("{") else message

    return json.dumps([{"@timestamp": "2026", "@message": decoded(one)} for one in messages])


def insights_csv(messages: Sequence[str]) -> str:
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(["@timestamp", "@message"])
    writer.writerows(["2026-11-22 20:07:12.289", message] for message in messages)
    return file.getvalue()


def tailed(messages: Sequence[str]) -> str:
    return plain([f"2026-11-22T20:07:12.289000+00:00 a/b=c_1 {message}" for message in messages])


def exported_to_s3(messages: Sequence[str]) -> str:
    return plain([f"2026-11-22T20:07:12.289Z {message}" for message in messages])


def docker(messages: Sequence[str]) -> str:
    return plain([json.dumps({"log": f"{one}\n", "time": "2026-11-22T20Z"}) for one in messages])


def kubernetes(messages: Sequence[str]) -> str:
    """As the runtime of a node writes, whose flag P is before all pieces of a line but the last."""
    return plain([f"2026-11-22T20:07:12.289123456Z stdout P {one}" for one in messages])


def fluent_bit(messages: Sequence[str]) -> str:
    about = {"stream": "stdout", "kubernetes": {"pod_name": "worker-0", "container_name": "c"}}
    return plain([json.dumps({"date": 1763842032.1, "log": one, **about}) for one in messages])


DOCUMENTS: Sequence[Callable[[Sequence[str]], str]] = (
    plain,
    windows,
    filtered,
    filtered_on_one_line,
    fetched,
    subscribed,
    insights,
    insights_downloaded,
    insights_csv,
    tailed,
    exported_to_s3,
    docker,
    kubernetes,
    fluent_bit,
)
