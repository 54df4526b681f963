from __future__ import annotations

import base64

import pytest
from pydantic import ValidationError

from shared.web.settings import ServiceSettings

KEY = base64.b64encode(b"k" * 32).decode()
SECRET = "s" * 43


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("GUANHU_MASTER_KEY", KEY)
    monkeypatch.setenv("GUANHU_CLAIM_KEY", KEY)
    monkeypatch.setenv("GUANHU_SERVICE_SECRET", SECRET)
    return monkeypatch


def test_settings_come_from_the_environment(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GUANHU_PORT", "8123")
    environment.setenv("GUANHU_DATA", "/var/lib/guanhu")
    settings = ServiceSettings()
    assert (settings.port, str(settings.data), settings.partitions) == (8123, "/var/lib/guanhu", 8)
    assert settings.master_key.get_secret_value() == b"k" * 32
    assert settings.service_secret.get_secret_value() == SECRET.encode()


def test_secrets_show_in_no_text(environment: pytest.MonkeyPatch) -> None:
    settings = ServiceSettings()
    for text in (repr(settings), str(settings), settings.model_dump_json()):
        assert KEY not in text
        assert "kkkk" not in text
        assert "ssss" not in text


@pytest.mark.parametrize("key", ["c2hvcnQ=", "no base64 at all"])
def test_a_key_that_is_no_key_is_refused_without_being_shown(environment: pytest.MonkeyPatch, key: str) -> None:
    environment.setenv("GUANHU_MASTER_KEY", key)
    with pytest.raises(ValidationError, match="base64") as caught:
        ServiceSettings()
    assert key not in str(caught.value)


def test_a_secret_that_is_too_short_is_refused_without_being_shown(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("GUANHU_SERVICE_SECRET", "short-secret")
    with pytest.raises(ValidationError, match="at least 32") as caught:
        ServiceSettings()
    assert "short-secret" not in str(caught.value)
