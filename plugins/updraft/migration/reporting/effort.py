"""How much is left to do for people once a pipeline is converted."""

from collections.abc import Iterable
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, computed_field

from updraft.datapipeline.mentions import Mentions
from updraft.migration.ledger import FieldAccount, Status
from updraft.migration.parameters import ParameterAccount

POINTS_OF_TASK, POINTS_OF_DECISION, POINTS_OF_CHECK = 5, 2, 1

FORMULA = (
    f"points = {POINTS_OF_TASK} * tasks to write + {POINTS_OF_DECISION} * decisions "
    f"+ {POINTS_OF_CHECK} * things to check. A task to write is a placeholder. A decision is a "
    "note on fields of one object that need one, or a parameter; what belongs to a placeholder "
    "counts with it. A thing to check is a note on approximated fields, counted once per DAG "
    "however many fields it stands at. Points order pipelines by work left; they are no hours."
)
"""What the points mean, in words."""


class Stage(StrEnum):
    """What is next for a pipeline, from the nearest to done to the farthest."""

    READY = "ready"
    CHECK = "check"
    DECIDE = "decide"
    WRITE = "write tasks"
    MEND = "mend errors"
    UNREADABLE = "not converted"


class Effort(BaseModel):
    """What is left to do.

    :param tasks_to_write: placeholders that fail until somebody replaces them.
    :param decisions: what somebody has to decide.
    :param checks: what works a little differently, to be checked.
    """

    model_config = ConfigDict(frozen=True)

    tasks_to_write: int = 0
    decisions: int = 0
    checks: int = 0

    @computed_field  # type: ignore[prop-decorator]  # mypy knows no decorated properties
    @property
    def points(self) -> int:
        """The work left as one number, see :data:`FORMULA`."""
        return (
            POINTS_OF_TASK * self.tasks_to_write
            + POINTS_OF_DECISION * self.decisions
            + POINTS_OF_CHECK * self.checks
        )

    def __add__(self, other: "Effort") -> "Effort":
        return Effort(
            tasks_to_write=self.tasks_to_write + other.tasks_to_write,
            decisions=self.decisions + other.decisions,
            checks=self.checks + other.checks,
        )


def effort_of(
    fields: Iterable[FieldAccount],
    parameters: Iterable[ParameterAccount],
    placeholders: Iterable[str],
    used: Mentions,
) -> Effort:
    """Count what is left to do.

    :param fields: the accounts of all fields.
    :param parameters: the accounts of all parameters.
    :param placeholders: ids of the objects behind the placeholders, each as often as it has one.
    :param used: which fields use which names.
    :returns: the counts.
    """
    waiting = list(placeholders)
    objects = set(waiting)
    decisions: set[tuple[str, str]] = set()
    checks: set[str] = set()
    for one in fields:
        if one.status is Status.NEEDS_DECISION and one.object_id not in objects:
            decisions.add((one.object_id, one.note))
        elif one.status is Status.APPROXIMATED:
            checks.add(one.note)
    undecided = 0
    for parameter in parameters:
        users = {object_id for object_id, _ in used.get(parameter.id.removeprefix("*"), ())}
        if parameter.status is Status.NEEDS_DECISION and not (users and users <= objects):
            undecided += 1
        elif parameter.status is Status.APPROXIMATED:
            checks.add(parameter.note)
    return Effort(
        tasks_to_write=len(waiting), decisions=len(decisions) + undecided, checks=len(checks)
    )


def stage_of(effort: Effort, *, has_errors: bool) -> Stage:
    """Say what is next.

    :param effort: what is left to do.
    :param has_errors: whether the definition has errors.
    :returns: the stage.
    """
    if has_errors:
        return Stage.MEND
    if effort.tasks_to_write:
        return Stage.WRITE
    if effort.decisions:
        return Stage.DECIDE
    return Stage.CHECK if effort.checks else Stage.READY
