"""Checks request bodies against Discord's own OpenAPI description, when it is at hand."""

import json
import os
import pathlib
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import jsonschema
import referencing
import referencing.jsonschema

HERE = "urn:discord"
DEFAULT = pathlib.Path(__file__).parents[3] / "shared" / "discord" / "openapi.json"


def default_path() -> pathlib.Path | None:
    """Where the description is: ``DISCORD_OPENAPI``, else beside the repository; None if absent."""
    path = pathlib.Path(os.environ.get("DISCORD_OPENAPI") or DEFAULT)
    return path if path.is_file() else None


class Schemas:
    """The request schemas of an OpenAPI 3.1 file, each compiled when first asked for.

    A body that differs from one already checked only in its text or in the digits of a
    ``custom_id`` is not checked again: a burst of 200 stories costs one validation.
    """

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self._compiled: dict[tuple[str, str], Any] = {}
        self._checked: dict[tuple[str, str, str], list[str]] = {}

    @cached_property
    def document(self) -> dict[str, Any]:
        """The parsed description, with two lenient spots where Discord itself is lenient."""
        document: dict[str, Any] = json.loads(self.path.read_text(encoding="utf-8"))
        # Discord reads snowflakes as strings and as integers; discord.py numbers its files 0, 1...
        document["components"]["schemas"]["SnowflakeType"]["type"] = ["string", "integer"]
        return document

    @cached_property
    def _registry(self) -> Any:  # noqa: ANN401 -- a Registry is generic in what it holds
        resource = referencing.jsonschema.DRAFT202012.create_resource(self.document)
        return referencing.Registry().with_resource(HERE, resource)

    def violations(self, method: str, route: str, body: Any) -> list[str]:  # noqa: ANN401
        """What is wrong with ``body`` for this operation, one line each; [] if nothing is.

        ``route`` is written as in the description: ``/channels/{channel_id}/messages``.
        """
        operation = self.document["paths"].get(route, {}).get(method.lower())
        if operation is None:
            return [f"{method} {route}: Discord has no such route"]
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            return [] if not body else [f"{method} {route}: takes no body"]
        if body is None:
            return [f"{method} {route}: needs a body"]
        key = (method, route, json.dumps(_shape(body), sort_keys=True))
        if key not in self._checked:
            self._checked[key] = list(self._check(method, route, body))
        return self._checked[key]

    def _check(self, method: str, route: str, body: Any) -> Iterator[str]:  # noqa: ANN401
        if (method, route) not in self._compiled:
            pointer = "/".join(
                part.replace("~", "~0").replace("/", "~1").replace("{", "%7B").replace("}", "%7D")
                for part in ("paths", route, method.lower())
            )
            schema = {"$ref": f"{HERE}#/{pointer}/requestBody/content/application~1json/schema"}
            self._compiled[method, route] = jsonschema.Draft202012Validator(
                schema, registry=self._registry
            )
        for error in self._compiled[method, route].iter_errors(body):
            worst = max(_leaves(error), key=lambda leaf: len(leaf.absolute_path))
            yield f"{method} {route} {worst.json_path}: {worst.message[-300:]}"


def describe() -> Schemas | None:
    """Discord's own description, if it is at hand."""
    path = default_path()
    return Schemas(path) if path else None


def _leaves(error: Any) -> Iterator[Any]:  # noqa: ANN401
    """The errors behind an anyOf or oneOf: the one deepest in the body says most."""
    if not error.context:
        yield error
    for inner in error.context:
        yield from _leaves(inner)


def _shape(value: Any, key: str = "") -> Any:  # noqa: ANN401
    if isinstance(value, dict):
        return {name: _shape(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [_shape(inner, key) for inner in value]
    if isinstance(value, str) and key in ("content", "custom_id"):
        return "x" * len(value) if len(value) > 100 or not value else "x"
    return value
