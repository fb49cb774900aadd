"""Every controller of the console process, in the order of the documentation."""

from litestar.types import ControllerRouterHandler

from review.api.keys import KeysController
from review.api.people import PeopleController

HANDLERS: tuple[ControllerRouterHandler, ...] = (PeopleController, KeysController)
