"""What can go wrong where a change is simulated."""

from review.errors import ReviewError


class SimulationError(ReviewError):
    """Something went wrong in a simulation."""

    code = "simulation"


class ProposalRefused(SimulationError):
    """This cannot be simulated: {fault}"""

    status = 400
    code = "proposal-refused"


class NothingProposed(SimulationError):
    """The proposal changes nothing: flags and policy would be as they are."""

    status = 400
    code = "nothing-proposed"


class UnknownSimulation(SimulationError):
    """There is no simulation with this id here."""

    status = 404
    code = "unknown-simulation"


class SimulationNotDone(SimulationError):
    """The simulation {simulation} has no result: it is {state}."""

    status = 409
    code = "simulation-not-done"


class SimulationOfOther(SimulationError):
    """The simulation {simulation} is about {of}, not about {model}."""

    status = 409
    code = "simulation-of-other"


class SimulationFailed(SimulationError):
    """The simulation came to nothing: {why}."""

    status = 500
    code = "simulation-failed"
