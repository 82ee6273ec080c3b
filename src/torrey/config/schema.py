"""The schema of the configuration for editors, made from the models.

``python -m torrey.config.schema > config/schema.json`` writes it; a test keeps the two alike.
"""

from __future__ import annotations

import json
from typing import Any

from pydantic import Field, create_model

from torrey.config.geometries import any_geometry
from torrey.config.models import FileModel, Name


def json_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a configuration file."""
    kept = FileModel.model_fields["geometries"]
    geometries: Any = Field(default_factory=dict, description=kept.description)
    fields: dict[str, Any] = {"geometries": (_by_name(any_geometry()), geometries)}
    model = create_model("FileModel", __base__=FileModel, **fields)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **model.model_json_schema(),
        "title": "Configuration of Torrey",
    }


def _by_name(entry: Any) -> Any:
    """Type of a section whose entries are of a type that is made as the program runs."""
    return dict[Name, entry]


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
