"""The schema of the configuration for editors, made from the models.

``python -m torrey.config.schema > config/schema.json`` writes it; a test keeps the two alike.
"""

from __future__ import annotations

import json
from typing import Any

from torrey.config.models import FileModel


def json_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of a configuration file."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **FileModel.model_json_schema(),
        "title": "Configuration of Torrey",
    }


def schema_text() -> str:
    """Return the schema as the text of its file."""
    return json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
