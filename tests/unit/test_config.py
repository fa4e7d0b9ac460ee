"""What the settings promise: one table, clear errors, and the same settings in a child process."""

import dataclasses
from pathlib import Path

import pytest

from worker.config import SETTINGS, Settings, duration, environment, load
from worker.errors import BadSetting


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("24h", 86_400), ("30d", 2_592_000), ("250ms", 0.25), ("1.5h", 5400), (" 5s ", 5)],
)
def test_durations_are_read(text: str, seconds: float) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "90", "s", "-5s", "1e3s", "5 s", "5w", "s5", "1h30m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write a duration like"):
        duration(text)


def test_the_table_and_the_fields_are_the_same() -> None:
    assert [setting.name for setting in SETTINGS] == [field.name for field in dataclasses.fields(Settings)]


def test_every_default_can_be_read() -> None:
    assert load({}) == load({setting.variable: "" for setting in SETTINGS})


def test_the_command_line_wins_over_the_environment() -> None:
    given = {"STORYWIRE_DATA_DIR": "/a", "STORYWIRE_BATCH": "7"}
    settings = load(given, data_dir="/b", batch=None)
    assert (settings.data_dir, settings.batch) == (Path("/b"), 7)


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("STORYWIRE_BATCH", "many", "whole number"),
        ("STORYWIRE_BATCH", "0", "whole number"),
        ("STORYWIRE_RETENTION", "7", "write a duration"),
        ("STORYWIRE_LOG_LEVEL", "loud", "debug, info"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable_and_a_remedy(variable: str, value: str, remedy: str) -> None:
    with pytest.raises(BadSetting) as caught:
        load({variable: value})
    assert variable in str(caught.value) and repr(value) in str(caught.value) and remedy in str(caught.value)


def test_a_child_process_gets_the_same_settings() -> None:
    given = {
        "STORYWIRE_REDIS_URL": "unix:///run/a b.sock",
        "STORYWIRE_DATA_DIR": "/var/lib/story wire",
        "STORYWIRE_RETENTION": "90m",
        "STORYWIRE_POLL_INTERVAL": "1.5h",
        "STORYWIRE_WORKERS": "3",
        "STORYWIRE_LOG_FORMAT": "json",
    }
    settings = load(given)
    assert load(environment(settings)) == settings


@pytest.mark.parametrize("text", ["0d", "59m"])
def test_a_retention_that_would_empty_the_store_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match=r"STORYWIRE_RETENTION='\w+': write 3600s or more, less is too short"):
        load({"STORYWIRE_RETENTION": text})


def test_a_user_without_a_home_needs_none() -> None:
    """As those that systemd (DynamicUser) and Kubernetes make up: nothing fails where nothing asks for it."""
    settings = load({"STORYWIRE_REDIS_URL": "redis://h/0", "STORYWIRE_DATA_DIR": "~nobody-has-this-name/news"})
    assert settings.data_dir == Path("/nonexistent/news")
    assert load({"STORYWIRE_ALERTS": "~nobody-has-this-name/a.toml"}).alerts == "/nonexistent/a.toml"
