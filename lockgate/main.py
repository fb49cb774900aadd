"""The command `lockgate`. A subcommand's module is imported when it is called, so that help is quick."""

import importlib
import sys
from collections.abc import Mapping

import click

from flags.errors import FlagsError
from gateway.errors import GatewayError
from lockgate.errors import CommandError
from lockgate.output import complain
from lockgate.unadorned import unadorned
from review.errors import ReviewError

COMMANDS: Mapping[str, tuple[str, str]] = {
    "serve": ("lockgate.commands.serve:serve", "Run everything on this machine, supervised."),
    "gateway": ("lockgate.commands.apart:gateway", "Run one gateway process."),
    "console": ("lockgate.commands.apart:console", "Run the console process."),
    "worker": ("lockgate.commands.apart:worker", "Run the worker."),
    "migrate": ("lockgate.commands.ledger:migrate", "Bring the ledger to this release's tables."),
    "doctor": ("lockgate.commands.doctor:doctor", "Say what is wrong and what to do."),
    "backup": ("lockgate.commands.backup:backup", "Write ledger, artifacts, payloads and traffic to one file."),
    "restore": ("lockgate.commands.backup:restore", "Restore a backup into an empty place."),
    "recover": ("lockgate.commands.ledger:recover", "Clear what a crash left behind."),
    "config": ("lockgate.commands.config:config", "Show every setting and where it comes from."),
    "login": ("lockgate.commands.login:login", "Keep a key for a server."),
    "contexts": ("lockgate.commands.login:contexts", "The servers that are known here."),
    "people": ("lockgate.commands.people:people", "People, invitations and roles."),
    "keys": ("lockgate.commands.keys:keys", "Keys of services, of CI and one's own."),
    "models": ("lockgate.commands.models:models", "Inspect, check, add and list models."),
    "bench": ("lockgate.commands.bench:bench", "How fast a model runs here, and what suits it."),
    "releases": ("lockgate.commands.releases:releases", "Make releases and look at them."),
    "history": ("lockgate.commands.releases:history", "What served when, and who decided that."),
    "trial": ("lockgate.commands.trial:trial", "Put a candidate beside the champion."),
    "gate": ("lockgate.commands.promote:gate", "Whether a release may serve."),
    "terms": ("lockgate.commands.terms:terms", "What the gate asks for."),
    "promote": ("lockgate.commands.promote:promote", "Make a release serve."),
    "rollback": ("lockgate.commands.rollback:rollback", "Go back to the last good release."),
    "bundle": ("lockgate.commands.bundle:bundle", "A release in one archive, taken and verified."),
    "rollout": ("lockgate.commands.rollout:rollout", "A flag that is let on step by step."),
    "guard": ("lockgate.commands.guard:guard", "What is watched after a promotion."),
    "flags": ("lockgate.commands.flags:flags", "What is switched on, for whom, and why."),
    "simulation": ("lockgate.commands.simulation:simulation", "What a change would have done to recorded traffic."),
    "halt": ("lockgate.commands.halt:halt", "Stop automatic answers of a model."),
    "queues": ("lockgate.commands.desk:queues", "Queues and their rules."),
    "cases": ("lockgate.commands.desk:cases", "Cases before people."),
    "corrections": ("lockgate.commands.corrections:corrections", "What people and sources said was right."),
    "timeline": ("lockgate.commands.timeline:timeline", "What happened to the models, by whom and why."),
    "traffic": ("lockgate.commands.traffic:traffic", "Count what was answered on which path."),
    "datasets": ("lockgate.commands.datasets:datasets", "Frozen sets of outcomes."),
    "evaluate": ("lockgate.commands.evaluate:evaluate", "How good a release is, beside the champion."),
    "recipe": ("lockgate.commands.recipe:recipe", "By what a model is trained."),
    "train": ("lockgate.commands.train:train", "Train a model by its recipe."),
    "jobs": ("lockgate.commands.jobs:jobs", "What the worker trains."),
    "predictions": ("lockgate.commands.predictions:predictions", "Look a prediction up."),
    "status": ("lockgate.commands.status:status", "How the server is."),
    "version": ("lockgate.commands.status:version", "This release."),
}


class Commands(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, _context: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, _context: click.Context, name: str) -> click.Command | None:
        """The command, imported now."""
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        with unadorned():
            command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, _context: click.Context, formatter: click.HelpFormatter) -> None:
        """The list for `--help`, without importing anything."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in COMMANDS.items()])


@click.command(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
def root() -> None:
    """A feature flag decides, for each request, whether a model's answer goes out, is shadowed, or waits for a person.

    Start with 'lockgate serve'. Exit codes: 0 done, 1 failed, 2 wrong usage or setting, 3 not found, 4 not allowed,
    5 conflict, 6 server not reachable.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run a command and end the process with its exit code."""
    try:
        status = root.main(args=arguments, prog_name="lockgate", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(complain("Stopped.", 130))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except CommandError as error:
        sys.exit(complain(str(error), error.exit_code))
    except (GatewayError, ReviewError, FlagsError) as error:
        sys.exit(complain(str(error), 1))
    except BrokenPipeError:
        sys.exit(1)
    sys.exit(status if isinstance(status, int) else 0)
