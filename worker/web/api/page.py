"""The page of the API, made of its document: operations with what they take, answer and an example, then the records.

Invariant: pure; says nothing that the document does not.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from worker.web.api.document import ALWAYS, EMPTY, problems
from worker.web.api.operation import Operation

Said = list[tuple[bool, str]]
"""A text in pieces: (whether it is code, the piece)."""


class Field(NamedTuple):
    """A line of a table: of a parameter or of a record. `record`: the name of the record that it holds, or ""."""

    name: str
    kind: str
    said: Said
    record: str = ""
    required: bool = False


def pieces(text: str) -> Said:
    """A text with `code` in it, in pieces."""
    return [(place % 2 == 1, piece) for place, piece in enumerate(text.split("`")) if piece]


def facts(document: Mapping[str, Any], operations: Sequence[Operation], address: str) -> dict[str, Any]:
    """What the template shows; address: where the site is, for examples."""
    return {
        "introduction": _paragraphs(document["info"]["description"]),
        "groups": [(tag["name"], _group(document, operations, tag["name"], address)) for tag in document["tags"]],
        "always": [(status, pieces(when)) for status, when in sorted(ALWAYS.items())],
        "records": [_record(name, schema) for name, schema in sorted(document["components"]["schemas"].items())],
    }


def _group(
    document: Mapping[str, Any], operations: Sequence[Operation], name: str, address: str
) -> list[dict[str, Any]]:
    return [_shown(document, each, address) for each in operations if each.group == name]


def _shown(document: Mapping[str, Any], each: Operation, address: str) -> dict[str, Any]:
    said = document["paths"][each.path][each.method.lower()]
    return {
        "id": each.name,
        "method": each.method,
        "path": f"/api{each.path}",
        "summary": each.summary,
        "said": _paragraphs(said["description"]),
        "parameters": [
            Field(p["name"], _kind(p["schema"]), pieces(p["description"]), required=p["required"])
            for p in said.get("parameters", ())
        ],
        "body": each.body.__name__ if each.body else "",
        "answer": each.answer.__name__ if each.answer else "",
        "media": each.media,
        "edits": each.edits,
        "curl": curl(each, address),
        "problems": [(status, pieces(when)) for status, when in sorted(problems(each).items())],
    }


def curl(each: Operation, address: str) -> str:
    """A command that tries the operation."""
    path, body = each.example
    parts = ["curl -N" if each.media == "text/event-stream" else "curl"]
    if each.method != "GET" and body is None:
        parts.append(f"-X {each.method}")
    if each.edits:
        parts.append('-H "Authorization: Bearer $STORYWIRE_TOKEN"')
    if body is not None:
        parts.append("--json '" + json.dumps(body, indent=2).replace("'", "'\\''") + "'")
    return " \\\n  ".join([*parts, f"'{address}/api{path}'"])


def _record(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    required = set(schema.get("required", ()))
    fields = [
        Field(field, _kind(of), pieces(of.get("description", "")), _inner(of), field in required)
        for field, of in schema.get("properties", {}).items()
    ]
    return {"name": name, "said": pieces(schema.get("description", "")), "fields": fields}


def _paragraphs(text: str) -> list[Said]:
    return [pieces(part) for part in text.split("\n\n")]


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema in a few words: `text`, `whole number or null`, `list of StoryRecord`."""
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"] if each != EMPTY)
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    names = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return names.get(str(schema.get("type")), str(schema.get("type", "anything")))


def _inner(schema: Mapping[str, Any]) -> str:
    """The record that a field holds, alone, in a list, or where it is not null."""
    inner = [schema, schema.get("items", {}), *schema.get("anyOf", ())]
    return next((str(each["$ref"]).rpartition("/")[2] for each in inner if "$ref" in each), "")
