"""The OpenAPI document, from the endpoints that answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from soundalike import __version__
from soundalike.service import endpoints, schemas
from soundalike.service.endpoints import Endpoint
from soundalike.service.problems import PROBLEM_JSON, Kind
from soundalike.service.uploads import FIELD

PATH = "/openapi.json"
VERSION = "3.1.0"


def document(offered: Iterable[Endpoint]) -> dict[str, Any]:
    """The OpenAPI document of some endpoints."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in offered:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": VERSION,
        "info": {
            "title": "Soundalike",
            "version": __version__,
            "summary": "Music that sounds alike, from the audio alone.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {"schemas": schemas.all_schemas()},
    }


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    answer = {
        "description": endpoint.summary,
        "content": {"application/json": {"schema": _schema(endpoint.answer)}},
    }
    return {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": endpoint.description,
        "parameters": [parameter.document() for parameter in endpoint.parameters],
        **({"requestBody": _clip()} if endpoint.takes_clip else {}),
        "responses": {"200": answer} | _problems([*endpoints.ANYWHERE, *endpoint.problems]),
    }


def _problems(kinds: Sequence[Kind]) -> dict[str, Any]:
    by_status = groupby(sorted(kinds, key=lambda kind: kind.status), key=lambda kind: kind.status)
    return {str(status): _problem(list(same)) for status, same in by_status}


def _problem(kinds: Sequence[Kind]) -> dict[str, Any]:
    about = ", ".join(f"{kind.title} (`{kind.name}`)" for kind in kinds)
    return {"description": about, "content": {PROBLEM_JSON: {"schema": _schema("Problem")}}}


def _clip() -> dict[str, Any]:
    part = {"type": "string", "contentMediaType": "application/octet-stream"}
    form = {
        "type": "object",
        "properties": {FIELD: part},
        "required": [FIELD],
        "additionalProperties": False,
    }
    return {
        "description": "An audio file of at most 30 MB and 20 minutes.",
        "required": True,
        "content": {
            "application/octet-stream": {},
            "audio/*": {},
            "multipart/form-data": {"schema": form},
        },
    }


def _schema(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}
