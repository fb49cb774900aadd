"""What the second half of the play says."""

from collections.abc import Sequence

from demo.play.screen import BOLD, DIM, GREEN, YELLOW, Screen


def tell_second_half(screen: Screen) -> None:
    """What comes now."""
    screen.show("")
    screen.say("What people said becomes a better release:", style=BOLD)


def tell_training(screen: Screen, dataset: str, release: str) -> None:
    """What it was trained on, and what came of it."""
    screen.show(f"  {_tick(screen)} the dataset {dataset[:12]} is frozen, and the recipe has made {release} of it")


def tell_evaluation(screen: Screen, narrative: Sequence[str]) -> None:
    """What the evaluation says, in its own words."""
    for sentence in narrative:
        screen.say(sentence, style=DIM)


def tell_trial(screen: Screen, said: Sequence[str]) -> None:
    """How the trial stands, in its own words."""
    screen.say("The candidate ran beside the champion, and people judged where they differed:")
    for sentence in said:
        screen.say(sentence, style=DIM)


def tell_promotion(screen: Screen, release: str, gate: str, reasons: Sequence[str]) -> None:
    """What the gate said, and that the release serves now."""
    if reasons:
        screen.say(f"The gate says {gate} of {release}:", style=YELLOW)
        for reason in reasons:
            screen.say(f"- {reason}", style=DIM)
        screen.say("An operator promotes it by force, with a reason that stays on record.")
    screen.show(f"  {_tick(screen)} {screen.styled(f'{release} serves', BOLD)}")


def tell_bad(screen: Screen, release: str) -> None:
    """That a bad release serves."""
    screen.show("")
    screen.say(
        f"Now something bad: {release} learned from a file in which negative and positive were swapped. Somebody in a "
        "hurry promotes it by force.",
        style=YELLOW,
    )


def tell_rollback(screen: Screen, bad: str, to: str, answers: int, wrong: int, took_ms: float) -> None:
    """How soon the bad release was gone, and what it had done by then."""
    screen.show(
        f"  {_tick(screen)} {screen.styled(f'{to} serves again after {took_ms:.0f} ms', BOLD)}: "
        f"{wrong} of {answers} answers of {bad} were wrong"
    )


def tell_bundle(screen: Screen, path: str) -> None:
    """That everything about the release stands in one file."""
    screen.say(f"{path} holds the release with all that an auditor asks for: its digests hold, and its report replays.")


def tell_bundle_broken(screen: Screen, why: str) -> None:
    """That the bundle does not verify, which should not happen."""
    screen.say(why, style=YELLOW)


def _tick(screen: Screen) -> str:
    return screen.styled("✓", GREEN)
