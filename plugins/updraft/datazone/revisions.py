"""What differs between what is declared and the latest revision of an asset or data product."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from updraft.datazone.declaration import Form
from updraft.errors import ArgumentError


class Revision:
    """The next revision of something, made of the latest one and what is declared.

    A revision replaces the one before as a whole. So what the declaration does not speak of is
    taken over: forms, fields of forms, and whatever else there is.

    :param before: output of GetAsset or GetDataProduct; empty for something new.
    """

    def __init__(self, before: Mapping[str, Any]) -> None:
        self._before = before
        self.parameters: dict[str, Any] = {
            name: before[name]
            for name in ("name", "description", "glossaryTerms")
            if before.get(name)
        }
        self.differences: list[str] = []

    def set(self, member: str, value: Any) -> None:
        """Declare a member.

        :param member: its name.
        :param value: its value; None when nothing is declared.
        """
        if value is None:
            return
        wanted = list(value) if isinstance(value, tuple) else value
        old = self.parameters.get(member)
        is_same = sorted(old or ()) == sorted(wanted) if isinstance(wanted, list) else None
        if is_same if is_same is not None else (old or "").strip() == wanted:
            return
        self.parameters[member] = wanted
        if not wanted:
            del self.parameters[member]
        self.differences.append(f"{member} {_shown(old)} -> {_shown(wanted)}")

    def set_forms(self, declared: Iterable[Form]) -> None:
        """Declare fields of forms, and take all forms over.

        :param declared: the forms.
        :raises UpdraftError: when a form that is not there has no type.
        """
        forms = {form["formName"]: _input(form) for form in self._before.get("formsOutput", ())}
        for form in declared:
            if form.name not in forms:
                if form.type is None:
                    raise ArgumentError(
                        f"form {form.name!r} is not there yet, so it needs a 'type'"
                    )
                forms[form.name] = {
                    "formName": form.name,
                    "typeIdentifier": form.type,
                    "content": _json(form.content),
                }
                self.differences.append(f"form {form.name}")
                continue
            content = json.loads(forms[form.name].get("content") or "{}")
            changed = [name for name, value in form.content.items() if content.get(name) != value]
            if changed:
                forms[form.name]["content"] = _json({**content, **form.content})
                self.differences.append(f"form {form.name}: {', '.join(changed)}")
        if forms:
            self.parameters["formsInput"] = list(forms.values())


def _input(form: Mapping[str, Any]) -> dict[str, Any]:
    names = {"formName": "formName", "typeName": "typeIdentifier", "typeRevision": "typeRevision"}
    given = {theirs: form[ours] for ours, theirs in names.items() if form.get(ours)}
    return {**given, "content": form.get("content") or "{}"}


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(str, value)) + "]"
    return repr(value or "")
