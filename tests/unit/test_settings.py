import pytest

from shared.settings import ApiSettings, FetchSettings, IngestSettings, SettingsError

GOOD = {
    "PICTRACE_BUCKET": "b",
    "PICTRACE_TABLE": "t",
    "PICTRACE_MODEL_DIR": "/opt/resnet50",
    "PICTRACE_BUS": "bus",
    "PICTRACE_DEAD_LETTERS": "q",
    "PICTRACE_FETCH_FUNCTION": "f",
}


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
    for broken in ({name: value for name, value in GOOD.items() if name != missing}, GOOD | {missing: " "}):
        with pytest.raises(SettingsError, match=missing):
            kind.from_environ(broken)
    assert kind.from_environ(GOOD).bucket == "b"
