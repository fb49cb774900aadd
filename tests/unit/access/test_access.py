"""Keys, passwords and the table of roles."""

import itertools

import pytest

from gateway.access.keys import UnknownScope, bearer, check_scopes, digest, make_key
from gateway.access.passwords import PasswordTooShort, hash_password, password_matches
from gateway.access.roles import PERMISSIONS, ROLES, SCOPE_PERMISSIONS, Permission, key_may, person_may

TABLE: dict[str, set[Permission]] = {
    "reviewer": {"look", "judge"},
    "lead": {"look", "judge", "lead", "inspect"},
    "operator": {"look", "operate", "inspect"},
    "auditor": {"look", "inspect"},
    "admin": {"look", "inspect", "administer"},
}
EVERYBODY: set[Permission] = {"public", "anyone", "self"}
SCOPES = [
    ("predict:sentiment", True),
    ("predict:*", True),
    ("read:a-b_c9", True),
    ("pin:*", True),
    ("truth:x", True),
    ("operate", True),
    ("admin", True),
    ("predict", False),
    ("predict:", False),
    ("predict:Upper", False),
    ("predict:a b", False),
    ("predict:**", False),
    ("predict:a/../b", False),
    ("root", False),
    ("", False),
]


def test_a_key_is_new_each_time_and_only_its_digest_is_kept() -> None:
    """256 random bits under our prefix; the digest is that of the text, the hint does not give it away."""
    made, other = make_key(), make_key()
    assert made.text.startswith("lg_")
    assert len(made.text) == 3 + 43
    assert made.text != other.text
    assert made.sha256 == digest(made.text)
    assert made.text.startswith(made.hint)
    assert len(made.hint) == 8


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Bearer lg_abc", "lg_abc"),
        ("bearer  lg_abc ", "lg_abc"),
        ("Bearer other", None),
        ("Basic lg_abc", None),
        ("lg_abc", None),
        ("", None),
        (None, None),
    ],
)
def test_a_key_is_found_in_its_header(header: str | None, found: str | None) -> None:
    """Only a bearer key of ours counts."""
    assert bearer(header) == found


@pytest.mark.parametrize(("scope", "good"), SCOPES)
def test_scopes_are_checked_when_a_key_is_made(scope: str, good: bool) -> None:
    """A scope that would never match anything is refused."""
    if good:
        assert check_scopes([scope, scope]) == (scope,)
    else:
        with pytest.raises(UnknownScope):
            check_scopes([scope])


@pytest.mark.parametrize(("role", "permission"), itertools.product(ROLES, PERMISSIONS))
def test_each_role_has_the_permissions_of_the_table_and_no_other(role: str, permission: Permission) -> None:
    """What the table does not list is refused."""
    assert person_may(frozenset({role}), permission) == (permission in TABLE[role] | EVERYBODY)


@pytest.mark.parametrize("permission", PERMISSIONS)
def test_who_has_no_role_has_nothing_but_oneself(permission: Permission) -> None:
    """A person without roles can see who they are, and no more."""
    assert person_may(frozenset(), permission) == (permission in EVERYBODY)
    assert key_may(frozenset({"predict:*", "read:*"}), permission) == (permission in {"public", "anyone"})


@pytest.mark.parametrize("scope", SCOPE_PERMISSIONS)
def test_no_key_judges(scope: str) -> None:
    """A verdict is a person's: no scope of a key that belongs to nobody opens the desk."""
    assert not key_may(frozenset({scope}), "judge")
    assert not key_may(frozenset({scope}), "lead")
    assert not key_may(frozenset({scope}), "self")


def test_a_password_matches_its_hash_and_nothing_else() -> None:
    """Nobody's password matches nothing, and takes as long."""
    kept = hash_password("correct horse battery")
    assert password_matches("correct horse battery", kept)
    assert not password_matches("correct horse batterz", kept)
    assert not password_matches("nobody has this password", None)
    assert not password_matches("x", "no hash at all")
    with pytest.raises(PasswordTooShort):
        hash_password("short")
