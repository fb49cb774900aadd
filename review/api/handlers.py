"""Every controller of the console process, in the order of the documentation."""

from litestar.types import ControllerRouterHandler

from review.api.cases import CasesController, ClaimsController, VerdictsController
from review.api.keys import KeysController
from review.api.people import PeopleController
from review.api.queues import QueuesController

HANDLERS: tuple[ControllerRouterHandler, ...] = (
    PeopleController,
    KeysController,
    QueuesController,
    ClaimsController,
    CasesController,
    VerdictsController,
)
