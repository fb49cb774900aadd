"""Settings: where each comes from, and what is said when one is wrong."""

from pathlib import Path

import pytest

from lockgate.errors import CommandError, UnknownSetting, UnreadableFile, WrongSetting
from lockgate.settings import Settings
from lockgate.sources import MASK, mask, options, settle_settings

WRONG = [
    ("LOCKGATE_GATEWAYS", "many", "'many' is not a whole number from 1 to 128"),
    ("LOCKGATE_GATEWAYS", "0", "'0' is not a whole number from 1 to 128"),
    ("LOCKGATE_DRAIN_S", "0", "'0' is not a number of seconds above 0"),
    ("LOCKGATE_HTTP_ADDRESS", "8000", "'8000' is not HOST:PORT"),
    ("LOCKGATE_LOG_LEVEL", "loud", "'loud' is not one of debug, info, warning, error"),
    ("LOCKGATE_BODY_MAX_BYTES", "-1", "'-1' is not a number of bytes"),
]
MASKED = [
    ("", "", "nothing is nothing"),
    ("postgresql+asyncpg://ada:secret@db/lockgate", f"postgresql+asyncpg://ada:{MASK}@db/lockgate", "a password"),
    ("postgresql+asyncpg://ada@db/lockgate", "postgresql+asyncpg://ada@db/lockgate", "no password"),
    ("redis://:secret@db:6379/0", f"redis://:{MASK}@db:6379/0", "a password without a user"),
    ("hunter2", MASK, "what is no URL is masked whole"),
]


def test_a_setting_comes_from_default_then_file_then_variable_then_command_line(tmp_path: Path) -> None:
    """The last place that names a setting counts, and its name is kept."""
    (tmp_path / "lockgate.toml").write_text('gateways = 2\nlog_level = "debug"\ndrain_s = 3\n')
    environment = {"LOCKGATE_GATEWAYS": "3", "LOCKGATE_LOG_LEVEL": "error"}
    loaded = settle_settings(environment, tmp_path, {"gateways": "4"})
    settings = loaded.settings
    assert (settings.gateways, settings.log_level, settings.drain_s) == (4, "error", 3.0)
    assert settings.http_address == Settings().http_address
    assert loaded.sources == {
        "gateways": "the command line",
        "log_level": "LOCKGATE_LOG_LEVEL",
        "drain_s": str(tmp_path / "lockgate.toml"),
    }


def test_another_file_can_be_named(tmp_path: Path) -> None:
    """LOCKGATE_CONFIG names the file instead of lockgate.toml in the working folder."""
    (tmp_path / "lockgate.toml").write_text("gateways = 2\n")
    (tmp_path / "other.toml").write_text("gateways = 5\n")
    loaded = settle_settings({"LOCKGATE_CONFIG": str(tmp_path / "other.toml")}, tmp_path, {})
    assert loaded.settings.gateways == 5


@pytest.mark.parametrize(("variable", "value", "says"), WRONG)
def test_a_wrong_value_is_named_with_what_was_expected(variable: str, value: str, says: str, tmp_path: Path) -> None:
    """The sentence has the setting, the value, what was expected and where it came from."""
    with pytest.raises(WrongSetting) as caught:
        settle_settings({variable: value}, tmp_path, {})
    assert says in str(caught.value)
    assert variable in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("environment", "file", "near"),
    [
        ({"LOCKGATE_GATEWAY": "2"}, "", "LOCKGATE_GATEWAYS"),
        ({"LOCKGATE_TOKN": "x"}, "", "LOCKGATE_TOKEN"),
        ({}, 'htp_address = "x"\n', "http_address"),
    ],
)
def test_an_unknown_setting_is_refused_with_the_nearest_name(
    environment: dict[str, str], file: str, near: str, tmp_path: Path
) -> None:
    """A typing mistake is never a silent default."""
    (tmp_path / "lockgate.toml").write_text(file)
    with pytest.raises(UnknownSetting, match=f"did you mean {near}"):
        settle_settings(environment, tmp_path, {})


def test_a_secret_can_lie_in_a_file_and_is_never_shown(tmp_path: Path) -> None:
    """LOCKGATE_<NAME>_FILE is read for secrets, and `lockgate config` masks what was in it."""
    (tmp_path / "url").write_text("postgresql+asyncpg://ada:hunter2@db/lockgate\n")
    loaded = settle_settings({"LOCKGATE_DATABASE_URL_FILE": str(tmp_path / "url")}, tmp_path, {})
    assert loaded.settings.ledger_url == "postgresql+asyncpg://ada:hunter2@db/lockgate"
    shown = [value for _, value, _ in loaded.shown()]
    assert not any("hunter2" in value for value in shown)
    assert f"postgresql+asyncpg://ada:{MASK}@db/lockgate" in shown


def test_only_secrets_are_read_from_files(tmp_path: Path) -> None:
    """LOCKGATE_GATEWAYS_FILE is an unknown setting."""
    with pytest.raises(UnknownSetting):
        settle_settings({"LOCKGATE_GATEWAYS_FILE": "/x"}, tmp_path, {})


def test_a_file_that_cannot_be_read_is_one_sentence(tmp_path: Path) -> None:
    """Missing files and files that are no TOML are named."""
    with pytest.raises(UnreadableFile, match="nowhere"):
        settle_settings({"LOCKGATE_CONFIG": str(tmp_path / "nowhere.toml")}, tmp_path, {})
    (tmp_path / "lockgate.toml").write_text("gateways = [")
    with pytest.raises(UnreadableFile, match=r"lockgate\.toml"):
        settle_settings({}, tmp_path, {})


def test_a_wrong_secret_is_not_repeated(tmp_path: Path) -> None:
    """A value that is masked elsewhere is masked in the complaint, too."""
    (tmp_path / "lockgate.toml").write_text("database_url = 5\n")
    with pytest.raises(CommandError) as caught:
        settle_settings({}, tmp_path, {})
    assert "5" not in str(caught.value).split("(from")[0]


@pytest.mark.parametrize(("value", "shown", "word"), MASKED)
def test_masking_keeps_the_place_and_hides_the_secret(value: str, shown: str, word: str) -> None:
    """The host stays readable, the password does not."""
    assert mask(value) == shown, word


@pytest.mark.parametrize(
    ("url", "token", "wrong"),
    [
        ("", "default:production.f00d", "unleash_url"),
        ("unleash.example.org", "default:production.f00d", "unleash_url"),
        ("https://unleash.example.org", "", "unleash_token"),
    ],
)
def test_flags_of_a_server_need_its_address_and_a_token(url: str, token: str, wrong: str, tmp_path: Path) -> None:
    """What is missing is named at the start; a process without a server to follow would only ever hold."""
    given = {"flags_source": "unleash", "unleash_url": url, "unleash_token": token}
    with pytest.raises(WrongSetting, match=wrong):
        settle_settings({}, tmp_path, given)


@pytest.mark.parametrize("url", ["https://unleash.example.org", "https://unleash.example.org/api/"])
def test_the_address_of_a_server_is_the_one_that_people_open(url: str) -> None:
    """With the API's path or without it, links go to the same place; embedded flags have none."""
    settings = Settings(flags_source="unleash", unleash_url=url)
    assert settings.flag_home.url == "https://unleash.example.org"
    assert Settings().flag_home.url == ""


def test_every_setting_is_documented_in_the_struct() -> None:
    """Each option has a sentence beside its field."""
    assert all(option.description.endswith(".") for option in options())


@pytest.mark.parametrize(
    ("address", "public", "link"),
    [
        ("127.0.0.1:8000", "", "http://127.0.0.1:8000"),
        ("0.0.0.0:80", "", "http://127.0.0.1:80"),
        ("[::]:80", "", "http://127.0.0.1:80"),
        ("0.0.0.0:80", "https://lockgate.example.org/", "https://lockgate.example.org"),
    ],
)
def test_links_begin_with_an_address_that_can_be_opened(address: str, public: str, link: str) -> None:
    """A listener on every address is reached on this machine's; a public URL counts first."""
    assert Settings(http_address=address, public_url=public).link_url == link
