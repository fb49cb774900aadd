"""The console as one router: `/console` with its own error pages; the console process's application takes it whole."""

from litestar import Router, get
from litestar.exceptions import NotFoundException

from review.api.guards import needs
from review.console.acting import ActsPages
from review.console.assets import show_asset
from review.console.cases import CasesPages
from review.console.corrections import CorrectionsPages
from review.console.evaluations import EvaluationsPages
from review.console.lane import LaneController
from review.console.models import ModelsPages
from review.console.operations import OperationsPages
from review.console.people import PeoplePages
from review.console.predictions import PredictionsPages
from review.console.problems import EXCEPTION_HANDLERS
from review.console.queues import QueuesPages
from review.console.release import ReleasePages
from review.console.releases import MovesPages
from review.console.rollouts import RolloutsPages
from review.console.signing_in import SigningInController
from review.console.simulations import SimulationsPages
from review.console.training import TrainingPages
from review.console.trials import TrialsPages


@get("/{rest:path}", include_in_schema=False, **needs("public"))
async def nothing_here(rest: str) -> None:
    """Any other address below the console: the page that says so."""
    raise NotFoundException(rest)


CONSOLE = Router(
    path="/console",
    route_handlers=[
        SigningInController,
        LaneController,
        CasesPages,
        QueuesPages,
        ModelsPages,
        TrialsPages,
        EvaluationsPages,
        MovesPages,
        ReleasePages,
        OperationsPages,
        ActsPages,
        RolloutsPages,
        SimulationsPages,
        TrainingPages,
        PredictionsPages,
        CorrectionsPages,
        PeoplePages,
        show_asset,
        nothing_here,
    ],
    exception_handlers=EXCEPTION_HANDLERS,
)
