"""Where in an Unleash server the flags of models are: its address, project and environment. PURE."""

from typing import Final

from msgspec import Struct

API: Final = "/api"


class Place(Struct, frozen=True, kw_only=True):
    """A project and an environment of an Unleash server. `url` is where people look at it."""

    url: str
    project: str
    environment: str
    admin_token: str = ""
    """Empty: flags are changed in Unleash, and what was changed there is not pulled."""

    @property
    def admin_url(self) -> str:
        """Where the Admin API is."""
        return f"{self.url}{API}/admin"

    @property
    def operated(self) -> bool:
        """Whether flags are made and switched there from here."""
        return bool(self.admin_token)

    def link(self, flag: str = "") -> str:
        """The page of a flag in Unleash, or of the project."""
        project = f"{self.url}/projects/{self.project}"
        return f"{project}/features/{flag}" if flag else project


def address_of(url: str) -> str:
    """Where people look at a server, whether its address is written with `/api` or without."""
    return url.rstrip("/").removesuffix(API).rstrip("/")
