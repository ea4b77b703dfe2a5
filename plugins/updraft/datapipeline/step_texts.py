"""Steps of EMR as texts that a form gives, taken apart while the task runs.

Nothing here needs more than the standard library: templates of DAGs compute with it.
"""

from updraft.datapipeline.expression_values import Value, as_text, flatten


def split_commas(text: str) -> list[str]:
    """Split a text at its commas; one behind a backslash or two belongs to the argument.

    :param text: a step without expressions.
    :returns: the JAR and the arguments.
    """
    pieces = [""]
    index = 0
    while index < len(text):
        if text.startswith("\\\\,", index) or text.startswith("\\,", index):
            pieces[-1] += ","
            index += 3 if text.startswith("\\\\,", index) else 2
        elif text[index] == ",":
            pieces.append("")
            index += 1
        else:
            pieces[-1] += text[index]
            index += 1
    return pieces


def step_definitions(name: Value, *texts: Value) -> list[dict[str, object]]:
    """Write steps as EMR takes them.

    :param name: name of the activity.
    :param texts: steps, or lists of them, such as ``s3://bucket/tool.jar,low,high``.
    :returns: a ``StepConfig`` of the EMR API for each; when one fails, those after it don't run.
    """
    steps = [split_commas(as_text(one)) for one in flatten(texts)]
    return [
        {
            "Name": f"{name} {number}/{len(steps)}" if len(steps) > 1 else as_text(name),
            "ActionOnFailure": "CONTINUE" if number == len(steps) else "CANCEL_AND_WAIT",
            "HadoopJarStep": {"Jar": jar.strip(), "Args": arguments},
        }
        for number, (jar, *arguments) in enumerate(steps, 1)
    ]
