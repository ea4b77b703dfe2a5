"""``SnsAlarm``: a notifier of the amazon provider, called back when a task fails or succeeds.

Source: guide, "SnsAlarm"
(https://docs.aws.amazon.com/datapipeline/latest/DeveloperGuide/dp-object-snsalarm.html).
"""

import re
from dataclasses import dataclass

from updraft.datapipeline.expressions import (
    Embedded,
    ExpressionError,
    Member,
    Name,
    Part,
    Verbatim,
    parse_text,
)
from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.compiled_fields import require_no_password
from updraft.migration.jinja_compiler import Template
from updraft.migration.jinja_text import to_template
from updraft.migration.mapper import Workflow

NOTIFIER = "airflow.providers.amazon.aws.notifications.sns.SnsNotifier"
# "Subjects must be … less than 100 characters long" (API reference of SNS, Publish).
LONGEST_SUBJECT = 99
# What an object is called is what its task is called, which its notifier finds out by itself, so
# that several tasks can share it.
_ITS_NAME = re.compile(r"\bnode\.(?:name|@?id)\b")
_TOPIC_REGION = re.compile(r"arn:[\w-]+:sns:([a-z]{2,}(?:-[a-z]+)+-\d):")
_SINGLE_EXPRESSION = re.compile(r"\{\{ ([\w.]+) \}\}")
_EXPRESSION = re.compile(r"\{\{.*?\}\}", re.DOTALL)
_TIME = re.compile(r"\.strftime\(|\.format\(|\bdata_interval_")
_OTHER = re.compile(r"\bparams\b|~")
# No expression that only prints a time gets longer than that.
_LONGEST_TIME = 40


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm for what one object does.

    :param alarm_id: the SnsAlarm.
    :param arguments: keyword arguments of the notifier, as pairs so that alarms can be compared.
    :param templates: templates among them.
    :param problems: for each field what could not be said, as pairs.
    """

    alarm_id: str
    arguments: tuple[tuple[str, str], ...]
    templates: tuple[Template, ...]
    problems: tuple[tuple[str, str], ...]

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str], ...]]:
        """What is the same for alarms that can share a notifier."""
        return self.alarm_id, self.arguments


def compile_alarm(item: ResolvedObject, node: ResolvedObject, workflow: Workflow) -> Alarm | None:
    """Write an alarm as a notifier that is called back.

    :param item: the SnsAlarm.
    :param node: the object that it speaks of.
    :param workflow: the workflow.
    :returns: the alarm; none when it is not known whom to tell, or what.
    """
    problems: list[tuple[str, str]] = []
    topic = alarm_text("topicArn", item, node, workflow, problems)
    message = alarm_text("message", item, node, workflow, problems)
    subject = alarm_text("subject", item, node, workflow, problems)
    if topic is None or message is None or any(name == "topicArn" for name, _ in problems):
        return None
    arguments = {"target_arn": topic.text}
    if region := topic_region(topic):
        arguments["region_name"] = region
    if subject is not None and subject.text:
        arguments["subject"] = fit_subject(subject)
    arguments["message"] = message.text
    templates = tuple(one for one in (topic, message, subject) if one is not None)
    return Alarm(item.id, tuple(arguments.items()), templates, tuple(problems))


def alarm_text(
    name: str,
    item: ResolvedObject,
    node: ResolvedObject,
    workflow: Workflow,
    problems: list[tuple[str, str]],
) -> Template | None:
    """Compile a text of an alarm; what can't be said stays as it was, since people read it.

    :param name: the field.
    :param item: the SnsAlarm.
    :param node: the object that it speaks of.
    :param workflow: the workflow.
    :param problems: what can't be said is added there.
    :returns: the text, none when there is none.
    """
    field = item.field(name)
    if field is None or field.text is None:
        return None
    compiler = workflow.compiler
    try:
        compiler.require_public(name)
        require_no_password(name, item)
        parts = parse_text(_ITS_NAME.sub("node.@taskId", field.text))
    except (ExpressionError, NotCompilableError) as error:
        problems.append((name, str(error)))
        return None
    said: list[Part] = []
    for part in parts:
        if isinstance(part, Embedded) and (listed := _references(part, item, node)):
            said.append(Verbatim(listed))
            continue
        try:
            compiler.compile_parts((part,), item, node)
            said.append(part)
        except (ExpressionError, NotCompilableError) as error:
            problems.append((name, str(error)))
            source = part.source if isinstance(part, Embedded) else ""
            said.append(Verbatim(f"#{{{source}}}"))
    compiled = compiler.compile_parts(tuple(said), item, node)
    own = (item.fields[name].owner_id, name)
    return Template(compiled.text, compiled.literal, compiled.parameters, compiled.fields | {own})


def topic_region(topic: Template) -> str | None:
    """Find the region of a topic, which may not be that of the connection.

    :param topic: its ARN.
    :returns: the region, none when the ARN is not complete.
    """
    if topic.literal is not None:
        found = _TOPIC_REGION.match(topic.literal)
        return found[1] if found else None
    single = _SINGLE_EXPRESSION.fullmatch(topic.text)
    if single:
        return f"{{{{ {single[1]}.split(':')[3] }}}}"
    found = _TOPIC_REGION.match(topic.text)
    return found[1] if found else None


def _references(part: Embedded, item: ResolvedObject, node: ResolvedObject) -> str:
    """Name what a reference points to: there is nothing else to print of it."""
    match part.tree:
        case Member(target=Name(name="node"), name=name):
            return ", ".join(node.references(name))
        case Name(name=name):
            return ", ".join(item.references(name))
    return ""


def fit_subject(subject: Template) -> str:
    """Keep a subject short and in one line: SNS refuses any other, and the alarm is lost.

    :param subject: the subject.
    :returns: a template that renders to one line of at most 99 characters.
    """
    if subject.literal is not None:
        return to_template((" ".join(subject.literal.splitlines())[:LONGEST_SUBJECT],))
    expressions = _EXPRESSION.findall(subject.text)
    longest = len(_EXPRESSION.sub("", subject.text)) + _LONGEST_TIME * len(expressions)
    if longest <= LONGEST_SUBJECT and all(map(_prints_a_time, expressions)):
        return subject.text
    fit = f"replace('\\n', ' ') | truncate({LONGEST_SUBJECT}, leeway=0)"
    if single := _SINGLE_EXPRESSION.fullmatch(subject.text):
        return f"{{{{ {single[1]} | {fit} }}}}"
    return f"{{% filter {fit} %}}{subject.text}{{% endfilter %}}"


def _prints_a_time(expression: str) -> bool:
    """Tell whether an expression prints a time and nothing else, which is short."""
    return _TIME.search(expression) is not None and _OTHER.search(expression) is None
