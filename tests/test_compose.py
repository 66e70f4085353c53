"""The composition, read against the settings: what it starts, who may do what, and what bounds each part of it."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from sqlalchemy import text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from cab_registry.app import create_app
from cab_registry.settings import IN_FILE, PREFIX, SECRETS, Settings, load_settings, variable
from cab_registry.storage.database.connections import COMMAND, jobs_connections, serving_connections
from cab_registry.storage.engine import create_engine
from cab_registry.storage.migration import upgrade
from tests.conftest import DatabaseServer

CHECKOUT = Path(__file__).resolve().parents[1]
TEXT = (CHECKOUT / "docker-compose.yml").read_text()
COMPOSITION: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSITION["services"]
OURS = {
    "migrate": ["cab", "db", "upgrade"],
    "service": ["cab", "serve", "--workers", "2"],
    "jobs": ["cab", "jobs", "run"],
}
DIGEST = r"@sha256:[0-9a-f]{64}"
MEMORY = {"m": 1024**2, "g": 1024**3}
# The keys of the Compose specification that are used here; one that is misspelt would be refused, or do nothing.
KNOWN = {
    "build", "cap_drop", "command", "configs", "cpus", "depends_on", "entrypoint", "environment", "healthcheck",
    "image", "logging", "mem_limit", "networks", "pids_limit", "ports", "read_only", "restart", "secrets",
    "security_opt", "shm_size", "stop_grace_period", "stop_signal", "tmpfs", "ulimits", "user", "volumes",
}  # fmt: skip


def unset(value: str) -> str:
    """A value where the operator set nothing that has a default, and `given` for the rest."""
    value = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", value)
    return re.sub(r"(?<!\$)\$\{[^}]*\}", "given", value)


def settings_of(name: str, folder: Path) -> Settings:
    """The settings as a program reads them in its container, where each password is its name with odd letters."""
    given = {key: unset(str(value)) for key, value in SERVICES[name]["environment"].items()}
    for key in [key for key in given if key.endswith(IN_FILE)]:
        secret = given[key].removeprefix("/run/secrets/")
        assert secret in SERVICES[name]["secrets"], f"{name} reads {secret} and is not given it"
        (folder / secret).write_text(f"{secret}/@:\n" if secret.endswith("password") else "\n")
        given[key] = str(folder / secret)
    return load_settings(given)


def content_of(config: str) -> str:
    return (CHECKOUT / COMPOSITION["configs"][config]["file"]).read_text()


def proxy_blocks() -> list[Any]:
    """The configuration of the proxy as nested lists: the words of each directive, and what stands in its braces."""
    words = re.findall(r"#[^\n]*|'[^']*'|\"[^\"]*\"|[{};]|[^\s{};]+", content_of("proxy"))
    stack: list[list[Any]] = [[]]
    line: list[Any] = []
    for word in (each for each in words if not each.startswith("#")):
        if word == ";":
            stack[-1].append(line)
            line = []
        elif word == "{":
            stack[-1].append([*line, inner := []])
            stack.append(inner)
            line = []
        elif word == "}":
            stack.pop()
        else:
            line.append(word.strip("'\""))
    assert len(stack) == 1
    return stack[0]


def found(blocks: list[Any], *path: str) -> list[list[Any]]:
    """Every directive of a name below blocks of these names."""
    here = [each for each in blocks if each[0] == path[0]]
    return here if len(path) == 1 else [deep for each in here for deep in found(each[-1], *path[1:])]


def public_server() -> list[Any]:
    (server,) = [each[-1] for each in found(proxy_blocks(), "http", "server") if "ssl" in found(each[-1], "listen")[0]]
    return server


def test_the_services_are_these() -> None:
    assert set(SERVICES) == {"proxy", "postgres", *OURS}
    assert {name: SERVICES[name]["command"] for name in OURS} == OURS
    assert {key for service in SERVICES.values() for key in service} <= KNOWN


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_each_is_bounded_and_has_few_rights(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["cpus"] > 0
    assert service["pids_limit"] > 0
    assert service["ulimits"]["nofile"]["hard"] >= service["ulimits"]["nofile"]["soft"] > 0
    assert all("size=" in each for each in service["tmpfs"])
    assert "privileged" not in service
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    if "build" not in service:
        assert re.fullmatch(r"\d+:\d+", service["user"])
        assert not service["user"].startswith("0:")


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
    assert SERVICES["proxy"]["depends_on"] == {"service": {"condition": "service_healthy"}}


def test_foreign_images_are_pinned_by_digest() -> None:
    for service in SERVICES.values():
        name = r"cab-registry:\d+\.\d+\.\d+" if "build" in service else rf"[a-z-]+:\d+\.\d+[\w.-]*{DIGEST}"
        assert re.fullmatch(name, service["image"])
    origins = re.findall(r"^FROM (\S+)", (CHECKOUT / "Dockerfile").read_text(), re.MULTILINE)
    assert len(set(origins)) == 1
    assert re.fullmatch(rf"python:3\.11-slim-bookworm{DIGEST}", origins[0])


def test_the_data_outlives_the_containers() -> None:
    assert SERVICES["postgres"]["volumes"] == ["database:/var/lib/postgresql"]
    assert "database" in COMPOSITION["volumes"]


def test_only_the_proxy_is_reachable_and_the_database_only_from_the_programs() -> None:
    assert {name for name, service in SERVICES.items() if "ports" in service} == {"proxy"}
    inside = {name for name, network in COMPOSITION["networks"].items() if network.get("internal")}
    reach = {name: set(service["networks"]) for name, service in SERVICES.items()}
    assert reach["postgres"] == {"data"} <= inside
    assert {name for name, networks in reach.items() if "data" in networks} == {"postgres", *OURS}
    assert {name for name, networks in reach.items() if networks - inside} == {"proxy", "jobs"}
    assert reach["service"] & reach["proxy"] == {"inner"}


@pytest.mark.parametrize("name", sorted(OURS))
def test_each_program_is_given_settings_that_it_accepts(name: str, tmp_path: Path) -> None:
    settings = settings_of(name, tmp_path)
    assert settings.environment == "production"
    assert (settings.secret_keys, settings.smtp_url) == (None, None)
    url = make_url(str(settings.database_url))
    assert (url.host, url.port, url.database) == ("postgres", 5432, "cab")
    expected = ("cab_owner", "owner_password/@:") if name == "migrate" else ("cab_service", "service_password/@:")
    assert (url.username, url.password) == expected


def test_what_the_service_cannot_work_without_is_passed(tmp_path: Path) -> None:
    settings = settings_of("service", tmp_path)
    assert settings.host == "0.0.0.0"  # noqa: S104 - in its container, for the proxy
    assert settings.trusted_proxy == SERVICES["proxy"]["networks"]["inner"]["ipv4_address"]
    # What an operator may set for notices, the service and the jobs are both given.
    passed = {name: {each.removesuffix(IN_FILE) for each in SERVICES[name]["environment"]} for name in OURS}
    notices = {"secret_keys", "smtp_url", "mail_from", "public_address", "webhook_networks"}
    assert {variable(each) for each in notices} <= passed["service"] & passed["jobs"]


def test_no_secret_is_written_down_or_passed_in_the_environment() -> None:
    secret = {variable(each) for each in SECRETS} - {"CAB_DATABASE_URL"}
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            assert key not in secret
            assert "PASSWORD" not in key or str(value).startswith("/run/secrets/")
        assert set(service.get("secrets", ())) <= COMPOSITION["secrets"].keys()
    assert not re.search(r"postgresql://[^@\s]*:[^@\s]*@", TEXT)
    assert "superuser_password" not in {each for name in OURS for each in SERVICES[name]["secrets"]}
    assert "owner_password" not in {each for name in ("service", "jobs") for each in SERVICES[name]["secrets"]}


def test_what_is_put_into_containers_are_files() -> None:
    # Compose refuses any other source for a service whose root cannot be written.
    for name, source in COMPOSITION["secrets"].items():
        assert source == {"file": f"${{CAB_SECRETS:-./secrets}}/{name}"}
    assert all(content_of(name) for name in COMPOSITION["configs"])
    for service in SERVICES.values():
        assert {each["source"] for each in service.get("configs", ())} <= COMPOSITION["configs"].keys()
    assert "secrets/" in (CHECKOUT / ".gitignore").read_text().splitlines()
    page = (CHECKOUT / "docs/operator.md").read_text()
    assert all(f"`{name}`" in page for name in COMPOSITION["secrets"])


def test_the_connections_of_all_fit_into_those_of_the_database(tmp_path: Path) -> None:
    options = dict(each.removeprefix("--").split("=") for each in SERVICES["postgres"]["command"][1:])
    workers = int(OURS["service"][-1])
    pool = settings_of("service", tmp_path).pool_size
    # Beside the programs, the migration of an upgrade and one command by hand.
    needed = workers * serving_connections(pool) + jobs_connections() + 2 * COMMAND
    assert needed <= int(options["max_connections"]) - int(options["superuser_reserved_connections"])


async def test_the_roles_that_it_makes_are_enough_and_no_superusers(
    database_server: DatabaseServer, migrated_template: str
) -> None:
    script = content_of("roles")
    (statements,) = re.findall(r"<<'SQL'\n(.*)\nSQL", script, re.DOTALL)
    # The names belong to the whole server, where others work at the same time.
    mark = database_server.create(migrated_template)
    renamed = re.sub(r"\b(cab_owner|cab_service)\b", lambda each: f'"{mark}_{each[1]}"', statements)
    renamed = re.sub(r"DATABASE cab\b", f'DATABASE "{mark}_cab"', renamed)
    for name in ("owner", "service"):
        assert f'--set={name}="$(cat /run/secrets/{name}_password)"' in script
        renamed = renamed.replace(f":'{name}'", f"'{mark}'")
    try:
        for statement in renamed.split(";"):
            if statement.strip() and "CREATE ROLE cab_app" not in statement:
                database_server.execute(statement)

        def address(login: str) -> str:
            url: URL = make_url(database_server.owner_url(f"{mark}_cab"))
            return url.set(username=f"{mark}_{login}", password=mark).render_as_string(hide_password=False)

        upgrade(address("cab_owner"))
        engine = create_engine(address("cab_service"), poolclass=NullPool)
        async with engine.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM entry")) == 0
            powers = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls FROM pg_roles"
            for login in ("cab_owner", "cab_service"):
                named = {"name": f"{mark}_{login}"}
                assert await connection.scalar(text(f"{powers} WHERE rolname = :name"), named) is False
            owns = text("SELECT count(*) FROM pg_class WHERE relowner = current_user::regrole")
            assert await connection.scalar(owns) == 0
    finally:
        database_server.drop([f"{mark}_cab"])
        for login in ("cab_owner", "cab_service"):
            database_server.execute(f'DROP ROLE IF EXISTS "{mark}_{login}"')


@pytest.mark.parametrize(
    ("address", "scheme", "expected"),
    [("proxy", "https", 401), ("proxy", "http", 403), ("another", "https", 403)],
)
async def test_a_token_is_taken_through_the_proxy_and_past_it_is_not(
    tmp_path: Path, database_url: str, address: str, scheme: str, expected: int
) -> None:
    settings = settings_of("service", tmp_path)
    values = {"$remote_addr": "198.51.100.7", "$scheme": scheme, "$host": "register.example"}
    (location,) = [each for each in found(public_server(), "location") if each[1] == "/"]
    sent = {words[1]: values.get(words[2], words[2]) for words in found(location[-1], "proxy_set_header")}
    assert {"X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Forwarded"} <= sent.keys()
    # What is set to nothing is not sent.
    headers = {name: value for name, value in sent.items() if value and name != "Connection"}
    app = create_app(Settings(database_url=database_url, metrics_port=0, trusted_proxy=settings.trusted_proxy))
    peer = SERVICES["proxy"]["networks"]["inner"]["ipv4_address"] if address == "proxy" else "172.30.8.9"
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(peer, 40000))
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://service:8000") as client:
        # The token is unknown (401), which only who took it can say.
        headers["Authorization"] = f"Bearer cab_{'0' * 16}_{'a' * 43}"
        assert (await client.get("/v1/me", headers=headers)).status_code == expected


def test_the_proxy_holds_back_who_is_slow_large_or_many() -> None:
    (http,) = [each[-1] for each in found(proxy_blocks(), "http")]
    for limit in ("client_header_timeout", "client_body_timeout", "send_timeout"):
        assert int(found(http, limit)[0][1].removesuffix("s")) <= 15
    (largest,) = found(http, "client_max_body_size")
    assert int(largest[1][:-1]) * MEMORY[largest[1][-1]] == Settings().submission_limit_bytes
    for kind in ("limit_conn", "limit_req"):
        (zone,) = found(http, f"{kind}_zone")
        name = next(word for word in zone if word.startswith("zone=")).removeprefix("zone=").partition(":")[0]
        assert zone[1] == "$binary_remote_addr"
        assert name in " ".join(found(http, kind)[0])
        assert found(http, f"{kind}_status")[0][1] == "429"
    assert found(public_server(), "ssl_protocols")[0][1:] == ["TLSv1.2", "TLSv1.3"]
    ports = {found(each[-1], "listen")[0][1] for each in found(http, "server")}
    published = {each.rpartition(":")[2] for each in SERVICES["proxy"]["ports"]}
    assert published == {each for each in ports if ":" not in each}
    for name in ("ssl_certificate", "ssl_certificate_key"):
        assert found(public_server(), name)[0][1].removeprefix("/run/secrets/") in SERVICES["proxy"]["secrets"]


def test_each_variable_of_the_operator_is_told_in_the_documentation() -> None:
    page = (CHECKOUT / "docs/operator.md").read_text()
    for name in set(re.findall(r"\$\{(\w+)", TEXT)):
        assert name.startswith(PREFIX)
        assert f"`{name}`" in page, name


def test_the_image_is_built_from_the_locks_as_an_ordinary_user() -> None:
    words = (CHECKOUT / "Dockerfile").read_text()
    assert "--require-hashes -r requirements/server.txt -r requirements/build.txt" in words
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", words, re.MULTILINE)
    assert re.search(r"^HEALTHCHECK ", words, re.MULTILINE)
    for folder in ("cab_registry", "cli", "migrations", "schemas"):
        assert re.search(rf"^COPY {folder} {folder}$", words, re.MULTILINE)
        assert f"!{folder}" in (CHECKOUT / ".dockerignore").read_text()


def test_a_secret_stands_in_one_place(tmp_path: Path) -> None:
    from cab_registry.settings import SettingsError

    file = tmp_path / "url"
    file.write_text("postgresql://cab@db.example/cab\n")
    settings = load_settings({"CAB_DATABASE_URL_FILE": str(file), "CAB_DATABASE_PASSWORD": "a b/c"})
    assert settings.database_url == "postgresql+asyncpg://cab:a%20b%2Fc@db.example/cab"
    with pytest.raises(SettingsError) as caught:
        load_settings(
            {
                "CAB_DATABASE_URL": "postgresql://cab@db.example/cab",
                "CAB_DATABASE_URL_FILE": str(file),
                "CAB_SECRET_KEYS_FILE": str(tmp_path / "none"),
                "CAB_PORT_FILE": str(file),
            }
        )
    assert len(caught.value.faults) == 3
