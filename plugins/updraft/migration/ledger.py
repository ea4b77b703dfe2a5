"""The account of every field: what became of it in the DAG."""

from collections.abc import Collection, Iterator, Mapping
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from updraft.datapipeline.model import Definition
from updraft.datapipeline.resolution import ResolvedObject


class Status(StrEnum):
    """What became of a field, from the best to the one that needs most attention."""

    CARRIED_OVER = "carried over"
    EQUIVALENT = "equivalent"
    DROPPED = "dropped"
    APPROXIMATED = "approximated"
    NEEDS_DECISION = "needs a decision"


_WEIGHT = {status: weight for weight, status in enumerate(Status)}

NO_RULE = "Updraft has no rule for this field"
"""The note of a field that nobody has accounted for."""


class FieldAccount(BaseModel):
    """What became of one field.

    :param object_id: id of the object that the field is written on.
    :param object_type: its type, ``-`` when it has none.
    :param field: field name.
    :param value: its value or values, secrets masked.
    :param status: what became of it.
    :param note: why, or how it differs.
    """

    model_config = ConfigDict(frozen=True)

    object_id: str
    object_type: str
    field: str
    value: str
    status: Status
    note: str


class Ledger:
    """Collects the accounts while mappers work, and shows that none is missing.

    A field that several objects inherit is accounted for by each of them; the account that needs
    most attention stands.

    :param definition: the definition whose fields are accounted for.
    :param missing: ids of objects that no file has; they have no account.
    :param written_ids: the id that a file has for an object, where it is not the object's own.
    """

    def __init__(
        self,
        definition: Definition,
        missing: Collection[str] = (),
        written_ids: Mapping[str, str] | None = None,
    ) -> None:
        self._definition = definition
        self._missing = missing
        self._written_ids = written_ids or {}
        self._accounts: dict[tuple[str, str], tuple[Status, str]] = {}

    def account(self, item: ResolvedObject, field: str, status: Status, note: str) -> None:
        """Say what became of a field of an object, own or inherited.

        :param item: the object.
        :param field: the field; nothing happens when the object has none of this name.
        :param status: what became of it.
        :param note: why, or how it differs.
        """
        inherited = item.fields.get(field)
        owner = inherited.owner_id if inherited else item.id
        if inherited is not None or field in {"name", "type"}:
            self.account_own(owner, field, status, note)

    def account_own(self, object_id: str, field: str, status: Status, note: str) -> None:
        """Say what became of a field where it is written.

        :param object_id: the object that the field is written on.
        :param field: the field.
        :param status: what became of it.
        :param note: why, or how it differs.
        """
        current = self._accounts.get((object_id, field))
        if current is None or _WEIGHT[status] > _WEIGHT[current[0]]:
            self._accounts[object_id, field] = (status, note)

    def status(self, object_id: str, field: str) -> Status | None:
        """Look up what became of a field.

        :param object_id: the object that the field is written on.
        :param field: the field.
        :returns: its status, none when nobody has accounted for it.
        """
        found = self._accounts.get((object_id, field))
        return found[0] if found else None

    def unaccounted(self) -> Iterator[tuple[str, str]]:
        """List the fields that nobody has accounted for.

        :returns: pairs of object id and field name in the order of the file.
        """
        for item in self._definition.objects:
            for field in item.fields:
                if (item.id, field.name) not in self._accounts:
                    yield item.id, field.name

    def accounts(self) -> tuple[FieldAccount, ...]:
        """Give all accounts in the order of the file.

        :returns: one account for each field of each object.
        """
        rows: list[FieldAccount] = []
        shown = self._definition.shown
        for item in self._definition.objects:
            if item.id in self._missing:
                continue
            written = [("name", item.name)] if item.name != item.id else []
            written += [("type", item.type)] if item.type else []
            for name, value in [*written, *((one.name, shown(one)) for one in item.fields)]:
                status, note = self._accounts.get((item.id, name), (Status.NEEDS_DECISION, NO_RULE))
                rows.append(
                    FieldAccount(
                        object_id=self._written_ids.get(item.id, item.id),
                        object_type=item.type or "-",
                        field=name,
                        value=value,
                        status=status,
                        note=note,
                    )
                )
        return tuple(rows)
