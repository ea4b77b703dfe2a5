"""What the compiler of expressions is told, and what it gives."""

from dataclasses import dataclass, field

from updraft.datapipeline.resolution import ResolvedObject
from updraft.migration.compilation_errors import NotCompilableError
from updraft.migration.jinja_text import Kind

# Of fields that read one another; each takes several frames of the stack.
_LONGEST_PATH = 50


@dataclass(frozen=True, slots=True)
class RunClock:
    """Jinja expressions for a run's scheduled times.

    :param start: expression for ``@scheduledStartTime``, a ``datetime`` in UTC.
    :param end: expression for ``@scheduledEndTime``, none when it is not known.
    :param pendulum: whether both yield instants of pendulum, not plain ones.
    :param any_year: whether they may lie in years before 1000, which only macros write as the
        service does; no run of a DAG does.
    """

    start: str
    end: str | None
    pendulum: bool = False
    any_year: bool = False

    @property
    def kind(self) -> Kind:
        """What both yield."""
        if self.any_year:
            return "instant"
        return "run time" if self.pendulum else "utc"


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled text.

    :param text: what to write in the DAG.
    :param literal: the plain value when the text holds no expression.
    :param parameters: names of the parameters that it reads.
    :param fields: fields it reads, as pairs of the object they are written on and their name.
    """

    text: str
    literal: str | None
    parameters: frozenset[str]
    fields: frozenset[tuple[str, str]]


@dataclass
class Scope:
    """What is known while one text compiles, and what it turns out to read.

    :param node: the object that an alarm or a precondition belongs to.
    :param path: the fields whose texts are being compiled, the outermost first.
    :param parameters: names of the parameters that were read.
    :param fields: the fields that were read, as pairs of the owner's id and the name.
    """

    node: ResolvedObject | None = None
    path: tuple[str, ...] = ()
    parameters: set[str] = field(default_factory=set)
    fields: set[tuple[str, str]] = field(default_factory=set)

    def below(self, step: str) -> "Scope":
        """Give the scope of a text within this one.

        :param step: the field that it is the text of.
        :returns: a scope that notes what is read in the same place.
        :raises NotCompilableError: when too many fields read one another.
        """
        if len(self.path) >= _LONGEST_PATH:
            raise NotCompilableError("fields read one another too deeply")
        return Scope(self.node, (*self.path, step), self.parameters, self.fields)
