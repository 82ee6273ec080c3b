"""What several tests of this directory ask for."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.configurations import edited, load_texts

from torrey.config import Config, ConfigError


@pytest.fixture
def read(tmp_path):
    """Reads texts as the files of a configuration."""

    def read(*texts: str) -> Config:
        return load_texts(tmp_path, *texts)

    return read


@pytest.fixture
def study(read):
    """The study `mine`, after an edit of the good file."""
    return lambda old, new: read(edited(old, new)).studies["mine"]


@pytest.fixture
def messages(tmp_path, monkeypatch):
    """The messages about some files, which are named without their directory."""
    monkeypatch.chdir(tmp_path)

    def messages(*texts: str) -> list[str]:
        with pytest.raises(ConfigError) as refusal:
            load_texts(Path(), *texts)
        return str(refusal.value).splitlines()

    return messages
