"""The OpenAPI document is valid, and says what docs/api.md says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from soundalike.index.index import Index
from soundalike.models import ModelStore
from soundalike.service import endpoints, openapi
from soundalike.service.endpoints import Endpoint
from soundalike.service.library import Library
from soundalike.service.problems import KINDS

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"


@pytest.fixture(scope="module")
def offered(bundled: Index, models: ModelStore) -> list[Endpoint]:
    return endpoints.of(Library(bundled, models))


@pytest.fixture(scope="module")
def document(offered: list[Endpoint]) -> dict[str, Any]:
    return openapi.document(offered)


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def sections() -> dict[str, str]:
    """Each part of docs/api.md about an endpoint, by its heading."""
    parts = re.split(r"^### `([^`]+)`\n", DOCS.read_text(encoding="utf-8"), flags=re.M)
    return {name: part.split("\n## ")[0] for name, part in zip(parts[1::2], parts[2::2], strict=True)}


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document, cls=OpenAPIV31SpecValidator)


def test_it_has_five_addresses(document: dict[str, Any]) -> None:
    assert list(document["paths"]) == [
        *("/recommend", "/describe", "/journey", "/tracks/{id}", "/health")
    ]


def test_the_docs_have_the_same_endpoints_and_parameters(document: dict[str, Any]) -> None:
    written = sections()
    described = operations(document)
    assert set(written) == set(described)
    for name, operation in described.items():
        in_query = [one["name"] for one in operation["parameters"] if one["in"] == "query"]
        assert re.findall(r"^\| `(\w+)` \|", written[name], flags=re.M) == in_query
        assert "curl " in written[name]
        for one in operation["parameters"]:
            limits = [one["schema"][key] for key in ("minimum", "maximum") if key in one["schema"]]
            for limit in limits:
                assert f"{limit:g}" in written[name]


def test_the_docs_have_the_same_problems() -> None:
    rows = re.findall(r"^\| (\d{3}) \| `([\w-]+)` \|", DOCS.read_text(encoding="utf-8"), flags=re.M)
    assert rows == [(str(kind.status), kind.name) for kind in KINDS]


def test_each_operation_has_its_problems(offered: list[Endpoint], document: dict[str, Any]) -> None:
    for endpoint in offered:
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        statuses = {kind.status for kind in (*endpoints.ANYWHERE, *endpoint.problems)}
        assert set(operation["responses"]) == {"200", *map(str, statuses)}
        assert ("requestBody" in operation) == endpoint.takes_clip
    assert len({endpoint.name for endpoint in offered}) == len(offered)


def test_a_small_host_offers_no_representation_of_vgg16_for_clips(bundled: Index) -> None:
    light = Library(bundled, ModelStore(light=True))
    assert "vgg_mel" in light.comparing_tracks
    assert "vgg_mel" not in light.comparing_clips
    assert "soundalike" in light.comparing_clips
    assert "mfcc_flat" not in light.with_vectors
