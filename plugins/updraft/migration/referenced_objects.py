"""Which objects an expression means before a dot: ``input`` in ``#{input.directoryPath}``."""

from updraft.datapipeline.evaluation import is_component
from updraft.datapipeline.expressions import Expression, Member, Name
from updraft.datapipeline.resolution import Resolved, ResolvedObject
from updraft.migration.compilation_errors import MissingFieldError, NotCompilableError


def referenced_objects(
    tree: Expression, item: ResolvedObject, node: ResolvedObject | None, resolved: Resolved
) -> list[ResolvedObject]:
    """Find the objects that an expression means.

    :param tree: what stands before the dot.
    :param item: the object whose field the expression stands in.
    :param node: what an alarm or a precondition belongs to, none elsewhere.
    :param resolved: all objects, with inheritance applied.
    :returns: one or several, in the order of the references.
    :raises MissingFieldError: when there is no such reference.
    :raises NotCompilableError: when it is no reference, or one to nothing.
    """
    if isinstance(tree, Name):
        owners, name = [item], tree.name
    elif isinstance(tree, Member):
        owners, name = referenced_objects(tree.target, item, node, resolved), tree.name
    else:
        raise NotCompilableError("only references have fields")
    if name == "node" and all("node" not in one.fields for one in owners):
        if node is None or isinstance(tree, Member):
            raise NotCompilableError("'node' is known only to alarms and preconditions")
        return [node]
    if is_component(tree, item):
        return [item]
    found: list[ResolvedObject] = []
    for owner in owners:
        for object_id in owner.references(name):
            if object_id not in resolved:
                raise NotCompilableError(
                    f"{owner.id}.{name} refers to an object that does not exist"
                )
            found.append(resolved[object_id])
    if not found:
        raise MissingFieldError(
            f"{owners[0].id} has no reference {name!r}",
            f"Add the field {name!r} with a reference to an object",
        )
    return found
