"""The OpenAPI document: what the table of operations says, in the words of OpenAPI 3.1.

Invariant: pure; every schema comes from the Struct that is read or written.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec

from worker.web.api.operation import Operation, Parameter
from worker.web.api.records.fields import Problem

VERSION = "1.0"
_REF = "#/components/schemas/{name}"

ALWAYS = {
    400: "Something in the address or the body cannot be used.",
    401: "The token is missing or wrong.",
    403: "Another site's page asks, or there is no right to it.",
    421: "The site was called by a name that is not its own.",
    429: "Too often: `Retry-After` says when to ask again.",
    503: "The server of the stories is away, or busy: `Retry-After` says when to ask again.",
}
"""What any operation may answer with, and when."""

_INTRODUCTION = """Stories as they form: which articles, from which outlets, tell the same story, and which of them are
copies, rewrites, or reports of their own.

Answers are JSON; every error is a problem (RFC 9457, `application/problem+json`) whose `detail` names the thing and
the remedy. A parameter that an operation does not take is refused, so a slip of the pen does not widen what is asked
for. Every GET has an `ETag`: send it back as `If-None-Match`, and what did not change is answered 304. Where others
than this machine reach the site, every request needs the token; corrections need it anywhere: `Authorization: Bearer
TOKEN`.
Searching and comparing are limited for each client. Titles, names and addresses are what feeds say: escape them before
they become markup."""


def document(operations: Sequence[Operation], base: str) -> dict[str, Any]:
    """The document; `base`: the path under which the site is served, no slash at its end."""
    kinds = [kind for each in operations for kind in (each.answer, each.body) if kind is not None]
    _, schemas = msgspec.json.schema_components([*dict.fromkeys(kinds), Problem], ref_template=_REF)
    _say_once(schemas)
    paths: dict[str, Any] = {}
    for each in operations:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Storywire",
            "version": VERSION,
            "summary": "Stories of the news as they form.",
            "description": _unfolded(_INTRODUCTION),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": f"{base}/api"}],
        "security": [{}, {"token": []}],
        "tags": [{"name": group} for group in dict.fromkeys(each.group for each in operations)],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "STORYWIRE_TOKEN."}},
            "responses": {f"Problem{status}": _problem(status, when) for status, when in ALWAYS.items()},
            "headers": {"ETag": {"schema": {"type": "string"}, "description": "Send it back as `If-None-Match`."}},
        },
    }


EMPTY = {"type": "string", "maxLength": 0}
"""What a form sends for a field that was left empty."""


def _operation(each: Operation) -> dict[str, Any]:
    said: dict[str, Any] = {
        "operationId": each.name,
        "tags": [each.group],
        "summary": each.summary,
        "description": _unfolded(each.said),
        "responses": _responses(each),
    }
    if each.parameters:
        said["parameters"] = [_parameter(parameter) for parameter in each.parameters]
    if each.body is not None:
        schema: dict[str, Any] = {"$ref": _REF.format(name=each.body.__name__)}
        if each.any_of:
            schema["anyOf"] = [{"required": [name]} for name in each.any_of]
        content = {"schema": schema, "example": each.example[1]}
        said["requestBody"] = {"required": True, "content": {"application/json": content}}
    if each.edits:
        said["security"] = [{"token": []}]
    return said


def _responses(each: Operation) -> dict[str, Any]:
    schema = {"type": "string"} if each.answer is None else {"$ref": _REF.format(name=each.answer.__name__)}
    fine: dict[str, Any] = {"description": "What was asked for.", "content": {each.media: {"schema": schema}}}
    responses: dict[str, Any] = {"200": fine}
    if each.method == "GET" and each.answer is not None:
        fine["headers"] = {"ETag": {"$ref": "#/components/headers/ETag"}}
        responses["304"] = {"description": "It is as it was."}
    for status in ALWAYS:
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    for status, when in problems(each).items():
        responses[str(status)] = _problem(status, when)
    return dict(sorted(responses.items()))


def problems(each: Operation) -> dict[int, str]:
    """Further statuses of an operation, besides those of ALWAYS, with when they come."""
    of_body = {} if each.body is None else {413: "The body is too large.", 415: "The body is no JSON."}
    return dict(each.problems) | of_body


def _problem(status: int, when: str) -> dict[str, Any]:
    content = {"application/problem+json": {"schema": {"$ref": _REF.format(name="Problem")}}}
    return {"description": f"{HTTPStatus(status).phrase}: {when}", "content": content}


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "required": parameter.required,
        "description": parameter.said,
        "schema": _schema(parameter),
    }


def _schema(parameter: Parameter) -> dict[str, Any]:
    """As the parameter has it; in a query an empty one is as none, and so refused where it is required."""
    schema = dict(parameter.schema)
    if parameter.where != "query":
        return schema
    if parameter.required:
        return {"minLength": 1} | schema
    plain = schema["type"] == "string" and not {"enum", "minLength", "pattern"} & schema.keys()
    return schema if plain else {"anyOf": [schema, EMPTY]}


def _say_once(schemas: Mapping[str, dict[str, Any]]) -> None:
    """Structs have their docstring as description; folded lines are one."""
    for schema in schemas.values():
        if "description" in schema:
            schema["description"] = _unfolded(schema["description"])


def _unfolded(text: str) -> str:
    """Lines folded in the source as one, paragraphs kept."""
    return "\n\n".join(" ".join(part.split()) for part in text.strip().split("\n\n"))
