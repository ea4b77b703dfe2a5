"""Definitions with something wrong in them, for tests that nothing ends in a traceback."""

import copy
import json

JUNK = [
    None,
    True,
    0,
    -1,
    1e308,
    "",
    " ",
    "x" * 12_000,
    "#{",
    "#{}",
    "#{myX",
    "#{node.@status}",
    "#{format(@scheduledStartTime, 'YYYY')}",
    "#{1 / 0}",
    "#{minusDays('x', 99999999999)}",
    "${x}",
    "${var.nothing}",
    "%{if true}",
    "{{ 1 // 0 }}",
    "{% raw %}",
    '"""',
    "\\",
    "\u2028\x00",
    "\U0001f600",
    "99999999999 years",
    "0 minutes",
    "1 Day",
    "true",
    "s3://b/k",
    "Default",
    "-",
    [],
    {},
    [[]],
    ["a", ["b", {"ref": "Default"}]],
    {"ref": "Default"},
    {"ref": None},
    {"ref": ["a"]},
    {"ref": "nobody"},
    {"Ref": "AWS::NoValue"},
    {"Ref": []},
    {"Fn::Sub": "${A} ${B.C} ${!D}"},
    {"Fn::Sub": []},
    {"Fn::Join": [",", {"Ref": "x"}]},
    {"Fn::If": ["x", "a", {"b": "c"}]},
    {"Fn::Select": ["99", ["a"]]},
    {"Fn::FindInMap": ["a", "b"]},
    {"Fn::GetAtt": "a"},
    {"Fn::Unknown": {"Fn::ImportValue": None}},
]
EXPRESSIONS = [
    "#{",
    "}",
    "(",
    ")",
    "'",
    '"',
    ".",
    "@",
    "*",
    ",",
    "+",
    "^ 99",
    "[",
    "]",
    "#{input.output.input}",
    "#{node.node.x}",
    "#{@nothing}",
    "#{minusDays(@scheduledStartTime, 99999999999)}",
    "#{makeDate(0, 99, 1)}",
    "#{inTimeZone(@scheduledStartTime, 'Nowhere/Else')}",
    "#{format(@scheduledStartTime, 'QQQQ[')}",
    "#{2 ^ 9999 ^ 9999}",
    "#{1 / 0}",
    "#{" + "(" * 60 + "1" + ")" * 60 + "}",
    "#{" + "-" * 500 + "1}",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "{{ 1 }}",
    "{% endraw %}",
]
NAMES = [
    "id",
    "name",
    "type",
    "parent",
    "schedule",
    "dependsOn",
    "runsOn",
    "input",
    "output",
    "fields",
    "key",
    "stringValue",
    "refValue",
    "*password",
    "myX",
    "",
    "é",
]


def places(value, path=()):
    """List the paths to everything inside of a document."""
    found = []
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in entries:
        found.append((*path, key))
        if isinstance(inner, dict | list):
            found += places(inner, (*path, key))
    return found


def mutated(document, random):
    """Change a document in one to four places."""
    document = copy.deepcopy(document)
    for _ in range(random.randint(1, 4)):
        paths = places(document)
        if not paths:
            break
        *parents, key = random.choice(paths)
        container = document
        for parent in parents:
            container = container[parent]
        _change(container, key, document, paths, random)
    return document


def _change(container, key, document, paths, random):
    kinds = ["junk", "junk", "delete", "rename", "double", "other", "grown", "expression", "circle"]
    kind = random.choice(kinds)
    if kind == "junk":
        container[key] = copy.deepcopy(random.choice(JUNK))
    elif kind == "delete":
        del container[key]
    elif kind == "rename" and isinstance(container, dict):
        container[random.choice(NAMES)] = container.pop(key)
    elif kind == "double" and isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    elif kind == "grown":
        container[key] = _grown(container[key], random)
    elif kind == "expression":
        _break_expression(document, paths, random)
    elif kind == "circle":
        _tie(document, random)
    else:
        value = document
        for part in random.choice(paths):
            value = value[part]
        container[key] = copy.deepcopy(value)


def _grown(value, random):
    """Make far too much of a value, or wrap it into others."""
    kind = random.choice(["wrapped", "listed", "repeated"])
    if kind == "wrapped":
        for _ in range(random.choice([1, 2, 60])):
            value = random.choice([[value], {"ref": value}, {"a": value}])
    elif kind == "listed":
        value = [copy.deepcopy(value) for _ in range(random.choice([2, 130]))]
    elif isinstance(value, str):
        value *= random.choice([2, 3_000])
    return value


def _break_expression(document, paths, random):
    """Change a text with an expression, and put one where none was."""
    places_of_texts = []
    for path in paths:
        *parents, key = path
        container = document
        for parent in parents:
            container = container[parent]
        if isinstance(container[key], str):
            places_of_texts.append((container, key))
    if not places_of_texts:
        return
    with_expression = [place for place in places_of_texts if "#{" in place[0][place[1]]]
    container, key = random.choice(with_expression or places_of_texts)
    text = container[key]
    place = random.randrange(len(text) + 1)
    end = min(len(text), place + random.choice([0, 1, 4]))
    container[key] = text[:place] + random.choice(EXPRESSIONS) + text[end:]


def _tie(document, random):
    """Let two objects wait for one another, or inherit from one another."""
    found = [one for one in _dicts(document) if isinstance(one.get("id"), str)]
    if found:
        one, other = random.choice(found), random.choice(found)
        field = random.choice(
            ["parent", "dependsOn", "input", "schedule", "precondition", "onFail"]
        )
        one[field] = {"ref": other["id"]}
        other[field] = {"ref": one["id"]}


def _dicts(value):
    found = [value] if isinstance(value, dict) else []
    for inner in value.values() if isinstance(value, dict) else value:
        if isinstance(inner, dict | list):
            found += _dicts(inner)
    return found


def mutated_text(text, random):
    """Change a text at one to three places."""
    for _ in range(random.randint(1, 3)):
        place = random.randrange(len(text) + 1)
        length = random.choice([0, 1, 1, 5, 60])
        new = random.choice(["", "", *'{}[]":,#$\\<!*&|\n\t é', "${", "<<-E\n", "- ", "!Sub ", '"'])
        text = text[:place] + new + text[place + length :]
    return text


def in_api_form(document):
    """Write a definition of the CLI as the API gives it."""
    return {
        "pipelineObjects": [_api_object(item) for item in document["objects"]],
        "parameterObjects": [_api_object(item, "attributes") for item in _list(document)],
    }


def in_cloudformation(document):
    """Write a definition of the CLI as a template of CloudFormation."""
    text = json.dumps(in_api_form(document))
    for name in ("id", "name", "fields", "attributes", "key", "stringValue", "refValue"):
        text = text.replace(f'"{name}":', f'"{name[0].upper()}{name[1:]}":')
    form = json.loads(text)
    return {
        "Parameters": {"Bucket": {"Type": "String"}, "Env": {"Type": "String", "Default": "x"}},
        "Conditions": {"Is": {"Fn::Equals": [{"Ref": "Env"}, "x"]}},
        "Resources": {
            "Pipeline": {
                "Type": "AWS::DataPipeline::Pipeline",
                "Properties": {
                    "Name": {"Fn::Sub": "${Env}-p"},
                    "PipelineObjects": form["pipelineObjects"],
                    "ParameterObjects": form["parameterObjects"],
                },
            }
        },
    }


def in_terraform(document):
    """Write a definition of the CLI as a configuration of Terraform, in its JSON syntax."""
    form = in_api_form(document)

    def block(item, list_name, name):
        fields = [
            {
                {"stringValue": "string_value", "refValue": "ref_value"}.get(key, key): value
                for key, value in field.items()
            }
            for field in item[list_name]
        ]
        return {"id": item["id"], "name": item["name"], name: fields}

    return {
        "variable": {"env": {"default": "x"}, "bucket": {}},
        "resource": {
            "aws_datapipeline_pipeline_definition": {
                "p": {
                    "pipeline_id": "${aws_datapipeline_pipeline.p.id}",
                    "pipeline_object": [
                        block(item, "fields", "field") for item in form["pipelineObjects"]
                    ],
                    "parameter_object": [
                        block(item, "attributes", "attribute") for item in form["parameterObjects"]
                    ],
                }
            }
        },
    }


def _list(document):
    return [item for item in document.get("parameters", []) if isinstance(item, dict)]


def _api_object(item, list_name="fields"):
    fields = []
    for key, value in item.items():
        if key in {"id", "name"}:
            continue
        for one in value if isinstance(value, list) else [value]:
            reference = isinstance(one, dict) and "ref" in one
            kind = "refValue" if reference else "stringValue"
            fields.append({"key": key, kind: one["ref"] if reference else one})
    identity = item.get("id", "none")
    return {"id": identity, "name": item.get("name", identity), list_name: fields}
