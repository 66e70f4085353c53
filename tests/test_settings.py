"""The environment is read whole: what is wrong in it is said all at once, and nothing unknown passes."""

from pathlib import Path

import pytest

from cab_registry.settings import (
    Settings,
    SettingsError,
    asyncpg_url,
    describe_settings,
    load_settings,
    read_keys,
    read_networks,
    variable,
)


def test_nothing_set_gives_the_defaults() -> None:
    settings = load_settings({"PATH": "/bin", "HOME": "/root"})
    assert settings == Settings()
    assert settings.database_url is None
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.time_zone == "UTC"
    assert settings.body_limit_bytes == 1_048_576


def test_each_kind_of_value_is_read() -> None:
    settings = load_settings(
        {
            "CAB_DATABASE_URL": "postgresql://cab:secret@db.example/cab",
            "CAB_DATA_FOLDER": "/srv/cab",
            "CAB_PORT": "9000",
            "CAB_WAIT_FOR_POSITION_SECONDS": "0.5",
            "CAB_TIME_ZONE": "Asia/Tokyo",
            "CAB_LOG_LEVEL": "debug",
            "CAB_ENVIRONMENT": "test",
            "CAB_TRUSTED_PROXY": "10.0.0.0/8",
        }
    )
    assert settings.trusted_proxy == "10.0.0.0/8"
    assert settings.database_url == "postgresql+asyncpg://cab:secret@db.example/cab"
    assert settings.data_folder == Path("/srv/cab")
    assert settings.port == 9000
    assert settings.wait_for_position_seconds == 0.5
    assert settings.time_zone == "Asia/Tokyo"
    assert settings.environment == "test"


def test_all_faults_are_told_together() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(
            {
                "CAB_PROT": "8000",
                "CAB_PORT": "eighty",
                "CAB_METRICS_PORT": "70000",
                "CAB_TIME_ZONE": "Mars/Olympus",
                "CAB_DATABASE_URL": "mysql://here",
                "CAB_LOG_LEVEL": "loud",
                "CAB_TRUSTED_PROXY": "10.0.0.1/8",
            }
        )
    faults = caught.value.faults
    assert len(faults) == 7
    assert faults[0] == "CAB_PROT is no setting."
    for name in (
        "CAB_PORT",
        "CAB_METRICS_PORT",
        "CAB_TIME_ZONE",
        "CAB_DATABASE_URL",
        "CAB_LOG_LEVEL",
        "CAB_TRUSTED_PROXY",
    ):
        assert any(fault.startswith(f"{name}: ") for fault in faults)
    assert all(fault in str(caught.value) for fault in faults)


def test_a_fault_in_an_address_does_not_repeat_the_password() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"CAB_DATABASE_URL": "mysql://cab:hunter2@db/cab"})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("zone", ["../etc/passwd", "", "/etc/localtime", "America"])
def test_a_zone_that_is_none_is_refused_or_unset(zone: str) -> None:
    if not zone:
        assert load_settings({"CAB_TIME_ZONE": zone}).time_zone == "UTC"
        return
    with pytest.raises(SettingsError, match="CAB_TIME_ZONE"):
        load_settings({"CAB_TIME_ZONE": zone})


def test_what_other_programs_read_is_left_alone() -> None:
    assert load_settings({"CAB_TEST_DATABASE_URL": "postgresql://x/y", "CAB_SERVER": "http://s"}) == Settings()


def test_an_empty_variable_counts_as_unset() -> None:
    assert load_settings({"CAB_DATABASE_URL": "", "CAB_PORT": " "}) == Settings()


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+asyncpg"])
def test_addresses_are_normalised(scheme: str) -> None:
    assert asyncpg_url(f"{scheme}://u:p@h:1/d?host=/run") == "postgresql+asyncpg://u:p@h:1/d?host=/run"


def test_every_setting_is_described() -> None:
    described = describe_settings()
    assert [name for name, _, _ in described] == [variable(field) for field in Settings.__struct_fields__]
    assert all(meaning.endswith(".") for _, meaning, _ in described)


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Settings().port = 1  # type: ignore[misc]


KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
MAIL = {"CAB_MAIL_FROM": "Register <notices@register.example>", "CAB_PUBLIC_ADDRESS": "https://register.example/"}


def test_what_notices_need_is_read() -> None:
    settings = load_settings(
        {
            "CAB_SECRET_KEYS": f"{KEY}, {KEY}",
            "CAB_WEBHOOK_NETWORKS": "10.1.0.0/16, fd00::/8",
            "CAB_SMTP_URL": "smtps://cab:p%40ss@mail.example",
            **MAIL,
        }
    )
    assert read_keys(settings.secret_keys or "") == (b"A" * 32, b"A" * 32)
    assert [str(each) for each in read_networks(settings.webhook_networks)] == ["10.1.0.0/16", "fd00::/8"]
    assert read_networks(None) == ()
    assert settings.public_address == "https://register.example"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CAB_SECRET_KEYS", "hunter2"),
        ("CAB_SECRET_KEYS", f"{KEY},"),
        ("CAB_SECRET_KEYS", "aHVudGVyMg=="),
        ("CAB_SECRET_KEYS", f"{KEY},hunter2"),
        ("CAB_WEBHOOK_NETWORKS", "10.1.0.1/16"),
        ("CAB_WEBHOOK_NETWORKS", "inside"),
        ("CAB_SMTP_URL", "smtp://cab:hunter2@mail.example?tls=none"),
        ("CAB_SMTP_URL", "smtp://cab:hunter2@mail.example:x"),
        ("CAB_MAIL_FROM", "nobody"),
        ("CAB_MAIL_FROM", "a@b.example\nBcc: c@d.example"),
        ("CAB_PUBLIC_ADDRESS", "register.example"),
        ("CAB_PUBLIC_ADDRESS", "https://register.example/?a=1"),
        ("CAB_PUBLIC_ADDRESS", "https://register.example/ a"),
        ("CAB_PUBLIC_ADDRESS", "https://cab:hunter2@register.example"),
    ],
)
def test_what_cannot_be_used_for_notices_is_refused_and_no_secret_repeated(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name) as caught:
        load_settings({**MAIL, name: value})
    assert "hunter2" not in str(caught.value)
    assert KEY not in str(caught.value)


def test_mail_needs_its_sender_and_the_address_of_the_registry() -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings({"CAB_SMTP_URL": "smtps://mail.example"})
    assert caught.value.faults == (
        "CAB_SMTP_URL needs CAB_MAIL_FROM beside it.",
        "CAB_SMTP_URL needs CAB_PUBLIC_ADDRESS beside it.",
    )


@pytest.mark.parametrize("name", [each for each, _, default in describe_settings() if isinstance(default, float)])
@pytest.mark.parametrize("value", ["inf", "nan", "-inf", "1e300"])
def test_a_number_without_an_end_is_refused(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({name: value})


@pytest.mark.parametrize("name", ["CAB_OPEN_BODY_LIMIT_BYTES", "CAB_BODY_LIMIT_BYTES", "CAB_SUBMISSION_LIMIT_BYTES"])
def test_a_body_that_no_process_could_hold_is_refused(name: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load_settings({name: "9999999999"})


@pytest.mark.parametrize("value", ["0.0.0.0/0", "::/0", "0.0.0.0/1", "0.0.0.0/7", "2000::/3"])
def test_nobody_believes_the_whole_internet_as_a_proxy(value: str) -> None:
    with pytest.raises(SettingsError, match=r"CAB_TRUSTED_PROXY: .* wider than a /8"):
        load_settings({"CAB_TRUSTED_PROXY": value})
    assert load_settings({"CAB_TRUSTED_PROXY": "10.0.0.0/8"}).trusted_proxy == "10.0.0.0/8"
