"""Every controller of the console process, in the order of the documentation."""

from litestar.types import ControllerRouterHandler

from review.api.bundles import BundlesController
from review.api.cases import CasesController, ClaimsController, VerdictsController
from review.api.corrections import CorrectionsController
from review.api.datasets import DatasetsController
from review.api.evaluations import EvaluationsController
from review.api.flags import FlagsController
from review.api.guarding import GuardController
from review.api.halts import HaltsController
from review.api.inputs import InputsController
from review.api.internal import InternalController
from review.api.keys import KeysController
from review.api.models import ModelsController
from review.api.people import PeopleController
from review.api.predictions import PredictionsController
from review.api.queues import QueuesController
from review.api.releases import ReleasesController
from review.api.rollouts import RolloutsController
from review.api.simulations import SimulationsController
from review.api.terms import TermsController
from review.api.timeline import TimelineController
from review.api.traffic import TrafficController
from review.api.training import JobsController, TrainingController
from review.api.trials import TrialsController
from review.api.unleash import UnleashController
from review.console.docs import DocsController
from review.console.handlers import CONSOLE

HANDLERS: tuple[ControllerRouterHandler, ...] = (
    PeopleController,
    KeysController,
    ModelsController,
    ReleasesController,
    BundlesController,
    TrialsController,
    TermsController,
    GuardController,
    HaltsController,
    FlagsController,
    UnleashController,
    SimulationsController,
    RolloutsController,
    TimelineController,
    TrafficController,
    DatasetsController,
    EvaluationsController,
    TrainingController,
    JobsController,
    InternalController,
    PredictionsController,
    QueuesController,
    ClaimsController,
    CasesController,
    InputsController,
    VerdictsController,
    CorrectionsController,
    CONSOLE,
    DocsController,
)
