"""Types of the configuration that are made of a registry when something is read.

pydantic fixes the type of a field when the class of its model is made. A kind that is registered
later, by a test or in a notebook, would not be seen; so these types look their registry up again
each time. What they make is kept as long as the registry holds the same.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, TypeAdapter
from pydantic_core import CoreSchema, core_schema


@cache
def adapter(model: Any) -> TypeAdapter[Any]:
    """Return what reads a model; to make it takes longer than most entries do."""
    return TypeAdapter(model)


class Registered:
    """A type made of a registry; it stands in the place of a model, and is never made itself."""

    @classmethod
    def model(cls) -> Any:
        """Return what the registry now makes: a model or a union of models.

        As long as the registry holds the same, it is the same object.
        """
        raise NotImplementedError

    @classmethod
    def accepted(cls) -> str:
        """Say what stands here, for messages and editors."""
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, _: Any, __: GetCoreSchemaHandler) -> CoreSchema:
        def read(value: object) -> object:
            return adapter(cls.model()).validate_python(value)

        return core_schema.no_info_plain_validator_function(read)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, _: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(adapter(cls.model()).core_schema), "description": cls.accepted()}
