"""The composition: what it starts, in which order, and how each part's health is known."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from cab_registry.settings import load_settings

CHECKOUT = Path(__file__).resolve().parents[1]
COMPOSITION: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSITION["services"]
OURS = {"migrate": ["cab", "db", "upgrade"], "service": ["cab", "serve"], "jobs": ["cab", "jobs", "run"]}


def test_the_services_are_these() -> None:
    assert set(SERVICES) == {"postgres", *OURS}
    assert {name: SERVICES[name]["command"] for name in OURS} == OURS


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_has_a_health_check(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] == "CMD"
    assert {"interval", "timeout"} <= check.keys()


def test_the_order_is_database_then_migration_then_the_rest() -> None:
    assert "depends_on" not in SERVICES["postgres"]
    assert SERVICES["migrate"]["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    for name in ("service", "jobs"):
        assert SERVICES[name]["depends_on"] == {
            "postgres": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }


def test_images_are_named_by_version() -> None:
    for service in SERVICES.values():
        assert re.fullmatch(r"[a-z-]+:\d+\.\d+(\.\d+)?", service["image"])


def test_the_data_outlives_the_containers() -> None:
    assert SERVICES["postgres"]["volumes"] == ["database:/var/lib/postgresql"]
    assert "database" in COMPOSITION["volumes"]


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_program_is_given_settings_that_it_accepts(name: str) -> None:
    # What has a default is left unset, the rest is given.
    unset = {key: re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value) for key, value in SERVICES[name]["environment"].items()}
    given = {key: re.sub(r"\$\{[^}]*\}", "secret", value) for key, value in unset.items()}
    settings = load_settings(given)
    assert settings.environment == "production"
    assert (settings.secret_keys, settings.smtp_url) == (None, None)
    assert settings.database_url == "postgresql+asyncpg://cab:secret@postgres:5432/cab"


def test_no_password_is_written_down_and_no_port_is_open_to_others() -> None:
    text = (CHECKOUT / "docker-compose.yml").read_text()
    assert not re.search(r"PASSWORD: (?!\$\{CAB_PASSWORD:\?)", text)
    assert [port for service in SERVICES.values() for port in service.get("ports", [])] == ["127.0.0.1:8000:8000"]


def test_the_image_is_built_from_the_locks_as_an_ordinary_user() -> None:
    text = (CHECKOUT / "Dockerfile").read_text()
    assert "--require-hashes -r requirements/server.txt -r requirements/build.txt" in text
    assert re.search(r"^USER (?!root)", text, re.MULTILINE)
    for folder in ("cab_registry", "cli", "migrations", "schemas"):
        assert re.search(rf"^COPY {folder} {folder}$", text, re.MULTILINE)
        assert f"!{folder}" in (CHECKOUT / ".dockerignore").read_text()
