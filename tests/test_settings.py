"""Settings are parsed once; what is wrong is named."""

from pathlib import Path

import pytest

from switchboard.errors import ConfigurationError
from switchboard.settings import Settings

NAMES = [name.upper() for name in Settings.model_fields]


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def test_nothing_need_be_set_to_serve_this_machine() -> None:
    settings = Settings.read()
    assert (settings.host, settings.port, settings.is_local) == ("127.0.0.1", 8000, True)
    assert settings.origins().allowed == {"http://127.0.0.1:8000", "http://localhost:8000"}


def test_every_variable_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "PORT": "9000",
        "PUBLIC_URL": "https://talk.example.com/",
        "ALLOWED_ORIGINS": "https://a.example, https://b.example",
        "ALLOW_ANONYMOUS": "true",
        "HOST": "0.0.0.0",
        "LOG_LEVEL": "debug",
        "LOG_FORMAT": "json",
        "DATABASE_URL": "",
        "TICKET_SECONDS": "5",
        "TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::1",
    }.items():
        monkeypatch.setenv(name, value)
    settings = Settings.read()
    assert settings.origins().allowed == {
        "https://talk.example.com",
        "https://a.example",
        "https://b.example",
    }
    assert (settings.port, settings.allow_anonymous, settings.log_level) == (9000, True, "DEBUG")
    assert (settings.database_url, settings.ticket_seconds) == (None, 5)
    assert [str(each) for each in settings.trusted_proxies] == ["10.0.0.0/8", "2001:db8::1/128"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "eighty"),
        ("PORT", "70000"),
        ("MAX_CALLS", "0"),
        ("ALLOW_ANONYMOUS", "perhaps"),
        ("LOG_LEVEL", "chatty"),
        ("LOG_FORMAT", "xml"),
        ("REATTACH_SECONDS", "-1"),
        ("AZURE_VOICELIVE_API_VERSION", "the newest"),
        ("AZURE_VOICELIVE_API_VERSION", "2026-07-15&api-key=x"),
        ("AZURE_AI_FOUNDRY_RESOURCE", "evil.example/?x="),
        ("FOUNDRY_RESOURCE_NAME", "https://talk.services.ai.azure.com"),
        ("PROXY_MAX_FRAME_BYTES", "1000"),
        ("PROXY_MAX_CONNECTIONS", "0"),
        ("TRUSTED_PROXIES", "ingress.example"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "10.0.0.0/8, *"),
        ("TRUSTED_PROXIES", "0.0.0.0/0"),
        ("TRUSTED_PROXIES", "::/0"),
    ],
)
def test_a_bad_value_is_named_and_not_repeated(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as refusal:
        Settings.read()
    assert str(refusal.value).startswith(f"{name}: ")


@pytest.mark.parametrize("name", ["AZURE_AI_FOUNDRY_RESOURCE", "FOUNDRY_RESOURCE_NAME"])
def test_a_resource_may_be_named_as_other_proxies_do_and_our_own_setting_goes_first(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "talk-1")
    assert Settings.read().voicelive_endpoint == "https://talk-1.services.ai.azure.com"
    monkeypatch.setenv("AZURE_VOICELIVE_ENDPOINT", "https://mine.services.ai.azure.com")
    assert Settings.read().voicelive_endpoint == "https://mine.services.ai.azure.com"


def test_every_bad_value_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "x")
    monkeypatch.setenv("MAX_CALLS", "x")
    with pytest.raises(ConfigurationError, match=r"PORT: .*; MAX_CALLS: "):
        Settings.read()


def test_a_server_for_others_must_know_its_own_name() -> None:
    with pytest.raises(ConfigurationError, match="PUBLIC_URL"):
        Settings(host="0.0.0.0", allow_anonymous=True).origins()


def test_without_an_endpoint_it_says_how_to_get_one() -> None:
    with pytest.raises(ConfigurationError, match=r"AZURE_OPENAI_ENDPOINT is not set.*make run"):
        Settings().need_a_model()


def test_a_key_is_shown_to_one_resource_only() -> None:
    several = {
        "azure_voicelive_endpoint": "https://one.example",
        "azure_voicelive_fallback_endpoints": "https://two.example",
    }
    secret = "https://v.vault.azure.net/secrets/k"
    Settings.model_validate(several).need_a_place_for_the_key()
    with pytest.raises(ConfigurationError, match=r"SECRET_URI and AZURE_VOICELIVE_FALLBACK"):
        Settings.model_validate(
            {**several, "voicelive_key_secret_uri": secret}
        ).need_a_place_for_the_key()


@pytest.mark.parametrize("name", ["azure_openai_endpoint", "azure_voicelive_endpoint"])
def test_one_service_with_models_is_enough(name: str) -> None:
    Settings.model_validate({name: "https://r.example"}).need_a_model()


def test_records_live_in_the_data_directory_unless_told_otherwise(tmp_path: Path) -> None:
    inside = Settings(data_dir=tmp_path / "new").records_url()
    assert inside == f"sqlite+aiosqlite:///{tmp_path / 'new' / 'records.sqlite3'}"
    assert Settings(database_url="postgresql+asyncpg://u:p@h/d").records_url().endswith("/d")


def test_the_database_password_is_not_shown() -> None:
    assert "hunter2" not in repr(Settings(database_url="postgresql://u:hunter2@h/d"))


def test_the_readme_names_every_setting() -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")

    assert [name for name in Settings.model_fields if f"`{name.upper()}`" not in readme] == []


@pytest.mark.parametrize(
    "url", ["http://a.example.com:8000", "http://8.8.8.8", "https://a.example/x", "10.0.0.4:8000"]
)
def test_voices_go_to_another_server_by_https_or_a_private_network(url: str) -> None:
    with pytest.raises(ConfigurationError, match="REPLICA_URL must be https"):
        Settings(replica_url=url).own_replica_url()


def test_a_server_has_no_address_for_others_or_the_one_that_it_was_given() -> None:
    assert Settings().own_replica_url() is None
    assert Settings(replica_url="http://10.0.0.4:8000/").own_replica_url() == "http://10.0.0.4:8000"
