"""Where in an Unleash server the flags of models are: its address, project and environment. PURE."""

from typing import Final

from msgspec import Struct

API: Final = "/api"


class Place(Struct, frozen=True, kw_only=True):
    """A project and an environment of an Unleash server. `url` is what clients are given; it ends in `/api`."""

    url: str
    project: str
    environment: str
    admin_token: str = ""
    """Empty: flags are changed in Unleash, and what was changed there is not pulled."""

    @property
    def people_url(self) -> str:
        """Where people look at the server."""
        return self.url.rstrip("/").removesuffix(API)

    def link(self, flag: str) -> str:
        """The page of a flag in Unleash."""
        return f"{self.people_url}/projects/{self.project}/features/{flag}"
