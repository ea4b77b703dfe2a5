"""Which task waits for which: ``dependsOn``, shared data nodes, resources and preconditions.

An activity waits for its input data nodes, and a data node for the activities that write it, so
that a producer goes before a consumer even where no ``dependsOn`` says so. The tie is the data
node itself, not its path.
"""

from updraft.datapipeline.findings import Severity
from updraft.datapipeline.order_checking import CIRCLE
from updraft.datapipeline.resolution import Resolved, ResolvedObject
from updraft.migration.ledger import Status
from updraft.migration.mapper import Workflow
from updraft.migration.tasks import PLACEHOLDER, TaskSpec
from updraft.migration.unknown_objects import SCRIPT_REFERENCES, is_unknown


def upstream_tasks(workflow: Workflow) -> dict[str, tuple[str, ...]]:
    """Find out what each task waits for.

    :param workflow: the workflow with all its tasks. A circle becomes an error there, and is cut
        where a task stands for it that fails.
    :returns: for each task id the ids of the tasks before it, in the order of the file.
    """
    before = {key: _before(key, workflow) for key in workflow.tasks}
    cuts = _cut_circles(before, workflow)
    for object_id in workflow.teardowns:
        _place_resource(object_id, before)
    # A resource that waits for what its users share may close another circle.
    for key, task_ids in _cut_circles(before, workflow).items():
        cuts.setdefault(key, []).extend(task_ids)
    upstream: dict[str, tuple[str, ...]] = {}
    for object_id, others in before.items():
        waits_for = tuple(workflow.tasks[one].task_id for one in workflow.tasks if one in others)
        for task in workflow.tasks_of(object_id):
            upstream[task.task_id] = waits_for + tuple(cuts.pop(object_id, ()))
            waits_for = (task.task_id,)
    for object_id, teardown in workflow.teardowns.items():
        last = _last_users(object_id, before)
        upstream[teardown.task_id] = tuple(
            workflow.tasks[one].task_id for one in workflow.tasks if one in last
        )
    return {task.task_id: () for task in workflow.others} | _with_outputs(upstream, workflow)


def in_order(upstream: dict[str, tuple[str, ...]]) -> list[str]:
    """Sort tasks so that none stands before one it waits for, else by the order given.

    :param upstream: for each task id the ids of the tasks before it; without circles.
    :returns: task ids.
    """
    ordered: list[str] = []
    pending = list(upstream)
    while pending:
        following = next(one for one in pending if all(up in ordered for up in upstream[one]))
        ordered.append(following)
        pending.remove(following)
    return ordered


def _with_outputs(
    upstream: dict[str, tuple[str, ...]], workflow: Workflow
) -> dict[str, tuple[str, ...]]:
    """Let tasks follow those of no object whose output they take."""
    others = {task.task_id for task in workflow.others}
    taken = {task.task_id: sorted(task.implied_upstream & others) for task in workflow.all_tasks}
    return {one: (*before, *taken[one]) for one, before in upstream.items()}


def _cut_circles(before: dict[str, set[str]], workflow: Workflow) -> dict[str, list[str]]:
    """Take a dependency out of each circle, and let a task that fails take its place.

    :param before: for each object the objects it waits for, which is changed.
    :param workflow: takes the tasks, and an error for each circle.
    :returns: by object, the ids of the tasks that it waits for instead.
    """
    cuts: dict[str, list[str]] = {}
    while circle := _circle(before):
        waiting, awaited = circle[0], circle[-1]
        before[waiting].discard(awaited)
        edge = (waiting, awaited)
        if edge not in workflow.cuts:
            workflow.cuts[edge] = _add_cut(circle, workflow)
        cuts.setdefault(waiting, []).append(workflow.cuts[edge])
    return cuts


def _add_cut(circle: list[str], workflow: Workflow) -> str:
    """Add the task that stands for the dependency of the first of a circle on its last."""
    waiting, awaited = (workflow.tasks[one] for one in (circle[0], circle[-1]))
    item = workflow.resolved[waiting.object_id]
    message = f"{CIRCLE}: {' → '.join([*circle, circle[0]])}"
    workflow.report(Severity.ERROR, item, "dependsOn", message, "Remove one of the dependencies")
    task_id = workflow.free_task_id(f"{waiting.task_id}_waits_for_{awaited.task_id}")
    note = f"`{task_id}` fails in place of what would close a circle"
    for name in ("dependsOn", "input", "precondition"):
        if awaited.object_id in item.references(name):
            workflow.ledger.account(item, name, Status.NEEDS_DECISION, note)
    why = f"`{waiting.task_id}` would wait for `{awaited.task_id}`, which waits for it"
    workflow.others.append(
        TaskSpec(
            task_id=task_id,
            object_id="",
            object_type="",
            operator=PLACEHOLDER,
            arguments={
                "reason": why.replace("`", "'"),
                "object_id": item.id,
                "object_type": item.type or "-",
            },
            summary=f"fails, because {why}",
            migrated=False,
        )
    )
    return task_id


def _place_resource(resource: str, before: dict[str, set[str]]) -> None:
    """Let a resource wait for what all of its users wait for, and its users for the rest.

    :param resource: id of the object that makes it.
    :param before: for each object the objects it waits for, which is changed.
    """
    ancestors = {one: _ancestors(one, before) for one in before}
    users = _users(resource, before)
    if not users:
        return
    common = set.intersection(*(ancestors[user] for user in users))
    common = {one for one in common if one != resource and resource not in ancestors[one]}
    earlier = {one for one in common for other in common if one in ancestors[other]}
    before[resource] |= common - earlier
    for user in users:
        before[user] -= common


def _last_users(resource: str, before: dict[str, set[str]]) -> set[str]:
    """Find the users of a resource that no other of them waits for."""
    users = _users(resource, before)
    return users - {
        one for user in users for one in _ancestors(user, before) if one in users and one != user
    } or {resource}


def _users(resource: str, before: dict[str, set[str]]) -> set[str]:
    return {one for one, others in before.items() if resource in others}


def _ancestors(object_id: str, before: dict[str, set[str]]) -> set[str]:
    found: set[str] = set()
    pending = list(before.get(object_id, ()))
    while pending:
        one = pending.pop()
        if one not in found:
            found.add(one)
            pending += before.get(one, ())
    return found


def _before(key: str, workflow: Workflow) -> set[str]:
    resolved, tasks = workflow.resolved, workflow.tasks
    item = resolved[tasks[key].object_id]
    found: set[str] = set()
    seen: set[str] = set()
    pending = [
        *item.references("dependsOn"),
        *_checks(item, workflow),
        *item.references("input"),
        *_gates(item, resolved),
        *_before_check(key, item, workflow),
    ]
    taken = workflow.outputs_taken(key)
    # A migrated task that needs its resource names it, unless nobody knows what the resource is;
    # what still waits for its migration needs it.
    pending += [
        one
        for one in item.references("runsOn")
        if not tasks[key].migrated
        or (one in tasks and is_unknown(resolved[one]))
        or (one in tasks and tasks[one].task_id in taken)
    ]
    # A precondition runs where those run that wait for it, and names the resource in their place.
    pending += [other for other, task in tasks.items() if task.task_id in taken]
    pending += [
        one
        for name in SCRIPT_REFERENCES
        for one in item.references(name)
        if one in workflow.missing
    ]
    if is_unknown(item) or item.id in workflow.missing:
        # It may be a data node, which then goes between those that write and those that read it.
        pending += [producer.id for producer in workflow.users(item.id, "output")]
    while pending:
        object_id = pending.pop()
        if object_id in seen:
            continue
        seen.add(object_id)
        if object_id in tasks:
            found.add(object_id)
            continue
        if object_id not in resolved:
            continue
        node = resolved[object_id]
        if node.category == "data node":
            producers = workflow.users(object_id, "output")
            pending += [producer.id for producer in producers if producer.id != item.id]
            pending += [*node.references("dependsOn"), *_checks(node, workflow)]
            # It is one that the definition lacks.
            pending += [one for one in node.references("dataFormat") if one in tasks]
    found.discard(key)
    return found


def _checks(item: ResolvedObject, workflow: Workflow) -> list[str]:
    return [workflow.check_key(one, item.id) for one in item.references("precondition")]


def _before_check(key: str, item: ResolvedObject, workflow: Workflow) -> list[str]:
    """List what a precondition waits for: what its data node has to wait for, until it is written.

    Those that write the data node are among them, but for those that read it as well.
    """
    found: list[str] = []
    for (precondition, guarded_id), check in workflow.checks.items():
        if check == key and precondition == item.id:
            found += waits_for(workflow.resolved[guarded_id], workflow)
    return found


def waits_for(node: ResolvedObject, workflow: Workflow) -> list[str]:
    """List what has to be over before the preconditions of a data node are checked.

    :param node: a data node; an activity's preconditions are checked at once.
    :param workflow: the workflow.
    :returns: object ids.
    """
    if node.category != "data node":
        return []
    writers = [one.id for one in workflow.users(node.id, "output") if one.id in workflow.tasks]
    readers = {one.id for one in workflow.users(node.id, "input")}
    return [*(one for one in writers if one not in readers), *node.references("dependsOn")]


def _gates(item: ResolvedObject, resolved: Resolved) -> list[str]:
    """List what gates an activity's outputs: nothing but the activity itself could wait for it."""
    return [
        gate
        for object_id in item.references("output")
        if object_id in resolved
        for gate in resolved[object_id].references("dependsOn")
    ]


def _circle(before: dict[str, set[str]]) -> list[str]:
    remaining = {object_id: set(others) for object_id, others in before.items()}
    while free := [one for one, others in remaining.items() if not others & set(remaining)]:
        for one in free:
            del remaining[one]
    if not remaining:
        return []
    path = [next(iter(remaining))]
    while True:
        following = min(remaining[path[-1]] & set(remaining))
        if following in path:
            return path[path.index(following) :][::-1]
        path.append(following)
