from pathlib import Path

import pytest

from shared.domain.access import Access
from shared.settings import ApiSettings, FetchSettings, IngestSettings, SettingsError

GOOD = {
    "PICTRACE_BUCKET": "b",
    "PICTRACE_TABLE": "t",
    "PICTRACE_MODEL_DIR": "/opt/resnet50",
    "PICTRACE_BUS": "bus",
    "PICTRACE_DEAD_LETTERS": "q",
    "PICTRACE_QUEUE": "q",
    "PICTRACE_PEOPLE_QUEUE": "p",
    "PICTRACE_FETCH_FUNCTION": "f",
    "PICTRACE_TRASH_DAYS": "30",
}
GOOD_API = GOOD | {"PICTRACE_ACCESS": "keys"}


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        *((ApiSettings, name) for name in sorted(GOOD) if name not in {"PICTRACE_BUS", "PICTRACE_DEAD_LETTERS"}),
        *((IngestSettings, name) for name in sorted(GOOD)),
        (FetchSettings, "PICTRACE_BUCKET"),
    ],
)
def test_a_missing_variable_is_named(
    kind: type[ApiSettings] | type[IngestSettings] | type[FetchSettings], missing: str
) -> None:
    for broken in ({name: value for name, value in GOOD_API.items() if name != missing}, GOOD_API | {missing: " "}):
        with pytest.raises(SettingsError, match=missing):
            kind.from_environ(broken)
    assert kind.from_environ(GOOD_API).bucket == "b"


def test_an_api_is_open_only_if_the_setting_says_so() -> None:
    assert ApiSettings.from_environ(GOOD_API).access is Access.KEYS
    assert ApiSettings.from_environ(GOOD | {"PICTRACE_ACCESS": "open"}).access is Access.OPEN
    for wrong in ({}, {"PICTRACE_ACCESS": ""}, {"PICTRACE_ACCESS": "none"}, {"PICTRACE_ACCESS": "OPEN"}):
        with pytest.raises(SettingsError, match="PICTRACE_ACCESS"):
            ApiSettings.from_environ(GOOD | wrong)


@pytest.mark.parametrize("days", ["-1", "1.5", "a month", "\N{ARABIC-INDIC DIGIT ONE}"])
def test_the_days_in_the_trash_are_a_whole_number(days: str) -> None:
    assert IngestSettings.from_environ(GOOD).trash_days == 30
    assert ApiSettings.from_environ(GOOD_API | {"PICTRACE_TRASH_DAYS": "0"}).trash_days == 0
    with pytest.raises(SettingsError, match="PICTRACE_TRASH_DAYS"):
        IngestSettings.from_environ(GOOD | {"PICTRACE_TRASH_DAYS": days})


def test_places_are_shown_to_everyone_only_if_the_setting_says_so() -> None:
    assert not ApiSettings.from_environ(GOOD_API).show_location
    assert not ApiSettings.from_environ(GOOD_API | {"PICTRACE_SHOW_LOCATION_TO": "admin"}).show_location
    assert ApiSettings.from_environ(GOOD_API | {"PICTRACE_SHOW_LOCATION_TO": "everyone"}).show_location
    with pytest.raises(SettingsError, match="PICTRACE_SHOW_LOCATION_TO"):
        ApiSettings.from_environ(GOOD_API | {"PICTRACE_SHOW_LOCATION_TO": ""})


def test_pdq_hashes_are_stored_only_if_the_setting_says_so() -> None:
    assert not IngestSettings.from_environ(GOOD).pdq
    assert not IngestSettings.from_environ(GOOD | {"PICTRACE_PDQ": "off"}).pdq
    assert IngestSettings.from_environ(GOOD | {"PICTRACE_PDQ": "on"}).pdq
    with pytest.raises(SettingsError, match="PICTRACE_PDQ"):
        IngestSettings.from_environ(GOOD | {"PICTRACE_PDQ": "yes"})


def test_a_second_model_is_loaded_only_if_it_is_named() -> None:
    for kind in (IngestSettings, ApiSettings):
        assert [folder.name for folder in kind.from_environ(GOOD_API).model_dirs] == ["resnet50"]
        both = kind.from_environ(GOOD_API | {"PICTRACE_NEXT_MODEL_DIR": "/opt/next_model"})
        assert [folder.name for folder in both.model_dirs] == ["resnet50", "next_model"]


def test_faces_are_found_only_if_their_networks_are_named() -> None:
    environ = GOOD_API | {"PICTRACE_PEOPLE_QUEUE": "q"}
    for settings in (IngestSettings, ApiSettings):
        assert settings.from_environ(environ).faces_dir is None
        assert settings.from_environ(environ | {"PICTRACE_FACES_DIR": "/opt/faces"}).faces_dir == Path("/opt/faces")
