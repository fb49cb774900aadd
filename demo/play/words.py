"""What the play says, so that a newcomer understands it at once."""

from collections.abc import Sequence
from pathlib import Path

from demo.items import Item
from demo.models.figures import DOUBTFUL_BELOW, Prediction
from demo.play.callers import Told
from demo.play.door import Door
from demo.play.founding import ROLES
from demo.play.intervals import Share
from demo.play.notebook import BY_PEOPLE, Errors, Figures, Notebook
from demo.play.remote import tunnel_from_here
from demo.play.screen import BOLD, DIM, GREEN, YELLOW, Screen

NO_BREAK = "\N{NO-BREAK SPACE}"
KEYS = "1 negative, 2 neutral, 3 positive"


def tell_plan(screen: Screen, *, once: bool) -> None:
    """What will happen, and how long it takes."""
    screen.show("")
    screen.show(f"  {screen.styled('Lockgate', BOLD)}: answers go out on their own, or wait for a person")
    screen.show("")
    if once:
        screen.say(
            "The play without you: three models are made and served, people who rated these sentences years ago are "
            "replayed at the desk, what they say becomes a better release, and a bad one is rolled back. The last line "
            "is one JSON object. It takes about three minutes."
        )
    else:
        screen.say(
            "Three models are made and served here, and half a minute from now a caller waits for your verdict. "
            "Everything stays in .demo/ and nothing leaves this machine. Ctrl-C ends it."
        )
    screen.show("")


def tell_opening(screen: Screen, item: Item, alone: Prediction) -> None:
    """Who asks what, and why nobody has answered yet."""
    (text,) = item.inputs
    screen.show("")
    screen.say("A service asks what this sentence says of the product it is about:")
    screen.show("")
    screen.show(f"      {screen.styled(f'“{text.data[0]}”', BOLD)}")
    screen.show("")
    screen.say(
        f"The model would say {alone.label}, but is only {_whole(alone.confidence)} sure. Its card "
        f"says: below {_whole(DOUBTFUL_BELOW)} a person decides."
    )


def tell_waiting(screen: Screen, link: str, *, opened: bool) -> None:
    """That the caller waits for you, and what to do."""
    screen.show("")
    arrow = screen.styled("▶", YELLOW)
    screen.show(f"  {arrow} {screen.styled('This caller is waiting for YOU: open', BOLD)}")
    screen.show(f"      {screen.styled(link, BOLD)}")
    screen.show(f"    {screen.styled('and press a key:', BOLD)} {KEYS}.")
    if opened:
        screen.show(screen.styled("    (Your browser should show it by now.)", DIM))
    screen.show("")


def tell_tunnel(screen: Screen, ports: tuple[int, ...]) -> None:
    """How to get here from another machine, where no browser can be opened on this one."""
    command = tunnel_from_here(ports)
    if command is not None:
        screen.show("")
        screen.say("There is no display here. From the machine you sit at, bring the ports over first:", style=DIM)
        screen.show(screen.styled(f"      {command}", DIM))


def tell_answered(screen: Screen, told: Told, latency_ms: float | None, alone: Prediction) -> None:
    """What the caller was told, and how soon."""
    tick = screen.styled("✓", GREEN)
    how = told.review_status or f"refused ({told.status})"
    soon = f" in {latency_ms:.0f} ms" if latency_ms is not None else ""
    screen.show(f"  {tick} {screen.styled(f'answered{soon}: {how}', BOLD)}")
    if told.answer is not None:
        screen.say(f"The model said {alone.label}; the caller was told {told.answer}.", style=DIM)
    if told.times > 1:
        screen.say(f"It asked {told.times} times meanwhile and always joined the same hold.", style=DIM)


def tell_invitation(screen: Screen, door: Door, page: str, command: str) -> None:
    """What to try next, and where."""
    screen.show("")
    screen.say("Now switch sentiment.automated off and watch the next ten wait:", style=BOLD)
    screen.show(f"      on the page   {page}")
    screen.show(f"      or by command {command} flags off sentiment.automated --why 'to see it'")
    screen.show("")
    screen.say(
        "From here on services send held-out items to all three models, and replayed raters work beside you: each of "
        "their verdicts is what one real person once said of that sentence. They are slow, so that most is left to you."
    )
    tell_links(screen, door)


def tell_links(screen: Screen, door: Door) -> None:
    """One link a role; opening one signs the browser in as that person."""
    screen.show("")
    screen.say("One link a role (opening one signs this browser in as that person):")
    for role in ROLES:
        screen.show(f"    {role.name:<9} {door.link(role.name)}  {screen.styled(role.can, DIM)}")
    screen.show("")


def tell_switched_off(screen: Screen, link: str) -> None:
    """That the flag is off, and what to watch."""
    screen.show(
        f"  {screen.styled('sentiment.automated is off', YELLOW)}: every sentence waits for a person now, sure or not."
    )
    screen.show(f"      watch them come in: {link}")


def tell_switched_on(screen: Screen) -> None:
    """That the flag is on again."""
    screen.show(f"  {screen.styled('sentiment.automated is on again', GREEN)}: only doubtful sentences wait.")


def tell_ten(screen: Screen, ten: Sequence[Told]) -> None:
    """What became of the ten who waited because the flag was off."""
    held = [one for one in ten if one.held_by_flag]
    corrected = sum(one.review_status == "corrected" for one in held)
    tick = screen.styled("✓", GREEN)
    screen.show(
        f"  {tick} sentiment.automated off: {len(held)} of the next {len(ten)} waited, {corrected} were corrected"
    )


def status(notebook: Notebook, *, on: bool) -> str:
    """How it goes, on one line."""
    told = notebook.told
    people = [one for one in told if one.review_status in BY_PEOPLE]
    corrected = sum(one.review_status == "corrected" for one in people)
    automated = sum(one.review_status == "automated" for one in told)
    return (
        f"{len(told)} answer{'' if len(told) == 1 else 's'}: {automated} by models, "
        f"{len(people)} by people ({corrected} corrected), "
        f"{notebook.waiting} wait, flag {'on' if on else 'OFF'}"
    )


def tell_figures(screen: Screen, figures: Figures) -> None:
    """What a play without you came to, in words."""
    screen.show("")
    screen.say(
        f"{figures.requests} requests, {figures.holds} of them held; people gave {figures.verdicts} verdicts, and "
        f"{figures.failed_requests} requests failed."
    )
    tell_errors(screen, figures.errors_reaching_callers)


def tell_failed(screen: Screen, failed: Sequence[Told]) -> None:
    """What the first of those was told who should have been answered; nothing where there is none."""
    for one in failed[:1]:
        said = one.said or "nothing"
        screen.say(f"A caller of {one.item.model} failed with status {one.status} and was told: {said}", style=YELLOW)


def tell_errors(screen: Screen, errors: Errors) -> None:
    """What people were good for, once somebody was answered."""
    if errors.with_review.of:
        screen.say(
            f"Wrong answers that reached callers: {_percent(errors.with_review)}. Had the models answered alone: "
            f"{_percent(errors.automated_alone)}, of the same {errors.with_review.of} items."
        )


def tell_end(screen: Screen, home: Path) -> None:
    """How to go on, and how to be rid of everything."""
    screen.status("")
    screen.show("")
    screen.show("  The demo has ended, and nothing of it runs any more.")
    screen.show(f"    go on           make demo    {screen.styled('(the same people, cases and history)', DIM)}")
    screen.show(f"    delete it all   rm -rf {shown(home)}")
    screen.show("")


def shown(path: Path) -> str:
    """A path as one would type it here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _percent(share: Share) -> str:
    if share.value is None or share.interval is None:
        return "none could be counted"
    low, high = share.interval
    return f"{_tenth(share.value)} ({_tenth(low)} to {_tenth(high)})"


def _whole(value: float) -> str:
    return f"{100 * value:.0f}{NO_BREAK}%"


def _tenth(value: float) -> str:
    return f"{100 * value:.1f}{NO_BREAK}%"
