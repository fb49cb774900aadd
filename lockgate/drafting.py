"""Drafts a card from what admission found out about a file; each guess is marked, and listed, to be confirmed. Pure."""

from collections.abc import Iterator

from gateway.inference.guess import ModelGuess
from gateway.inference.report import AdmissionReport
from gateway.protocol.signature import TensorSpec
from lockgate.toml import text, texts

MARK = "# confirm:"
KEYS = "1234567890"
CLASSES_MAX = 50
"""Beyond this many columns their owner had better write the classes than be given names for them."""
IMAGE_RANK = 4


def draft_card(report: AdmissionReport, guess: ModelGuess) -> str:
    """A card in TOML that `lockgate models check` accepts once its blanks are filled and `confirm` is empty."""
    sections = (
        _axis(report, guess),
        _guideline(),
        _about(),
        _shown(report, guess),
        _answer(report, guess),
        _outcome(report, guess),
        _labels(report, guess),
        _policy(report, guess),
    )
    body = [line for lines in map(list, sections) if lines for line in (*lines, "")]
    return "\n".join([*_head(report, places_in(body)), "", *body]).rstrip() + "\n"


def places_in(lines: list[str]) -> list[str]:
    """The places that are marked to confirm, in order: a mark begins with the place it is about."""
    return [line.removeprefix(MARK).split()[0] for line in lines if line.startswith(MARK)]


def _head(report: AdmissionReport, places: list[str]) -> Iterator[str]:
    yield f"# The draft of a card, made from the model file {report.sha256[:12]}…; docs/card.md explains every field."
    yield from (f"#   it takes  {_spec(spec)}" for spec in report.signature.inputs)
    yield from (f"#   it gives  {_spec(spec)}" for spec in report.signature.outputs)
    yield from (f"#   note      {warning}" for warning in report.warnings)
    yield ""
    yield "# What is listed here was guessed. Look at each place below, put it right, then take it off this list:"
    yield "# the card is only taken when the list is empty."
    yield "confirm = ["
    yield from (f"    {text(place)}," for place in places)
    yield "]"


def _guideline() -> Iterator[str]:
    yield "# What a reviewer reads before judging, in Markdown: what is right, what is wrong, what to do in doubt."
    yield 'guideline = ""'


def _about() -> Iterator[str]:
    yield "# Who answers for the model, whom to ask, what it is for and what it is not for. Nobody can guess these."
    yield "[about]"
    yield from (f'{name} = ""' for name in ("owner", "contact", "intended_use", "limitations"))


def _axis(report: AdmissionReport, guess: ModelGuess) -> Iterator[str]:
    if guess.batch_axis is None or report.probe.batching == "mixed":
        yield f"{MARK} batch_axis a request is always one item: the first axis of the tensors does not count items."
        yield 'batch_axis = "none"'


def _shown(report: AdmissionReport, guess: ModelGuess) -> Iterator[str]:
    yield f"{MARK} shown how each input is put before a person: text, image, table or json."
    for spec in report.signature.inputs:
        kind = _kind(spec, guess)
        yield "[[shown]]"
        yield f"input = {text(spec.name)}"
        yield f"kind = {text(kind)}"
        if kind == "image":
            yield from _image(spec)


def _kind(spec: TensorSpec, guess: ModelGuess) -> str:
    return "text" if spec.datatype == "BYTES" else guess.shown


def _image(spec: TensorSpec) -> Iterator[str]:
    """The layout of pixels, as far as the shape tells it."""
    first = len(spec.shape) == IMAGE_RANK and spec.shape[1] in (1, 3, 4)
    height, width = spec.shape[2:4] if first else spec.shape[1:3]
    yield from (f"{name} = {size}" for name, size in (("width", width), ("height", height)) if size > 0)
    yield f"channels_first = {str(first).lower()}"
    yield f"maximum = {255.0 if spec.datatype == 'UINT8' else 1.0}"


def _answer(report: AdmissionReport, guess: ModelGuess) -> Iterator[str]:
    yield "[answer]"
    yield f"{MARK} answer.output which output is the answer, and how it is read: value, argmax or threshold."
    yield f"output = {text(guess.answer or '')}"
    yield f"takes = {text(_takes(guess))}"
    if guess.confidence is not None:
        yield f"{MARK} answer.confidence where its confidence comes from; this output looks like {_looks(guess)}."
        yield f"confidence = {text(guess.confidence)}"
    if classes := _classes(report, guess):
        yield f"{MARK} answer.classes the order of the classes, which the file does not vouch for."
        yield f"classes = {texts(classes)}"


def _takes(guess: ModelGuess) -> str:
    if guess.answer != guess.confidence or guess.answer is None:
        return "value"
    return "threshold" if guess.confidence_meaning == "probability" else "argmax"


def _looks(guess: ModelGuess) -> str:
    return {"probabilities": "rows that sum to 1", "probability": "one probability an item"}.get(
        guess.confidence_meaning or "", "several scores"
    )


def _outcome(report: AdmissionReport, guess: ModelGuess) -> Iterator[str]:
    yield f"{MARK} outcome how a person's answer becomes outputs, so that no corrected answer contradicts itself."
    for spec in report.signature.outputs:
        yield "[[outcome]]"
        yield f"output = {text(spec.name)}"
        yield f"becomes = {text(_becomes(report, spec, guess))}"


def _becomes(report: AdmissionReport, spec: TensorSpec, guess: ModelGuess) -> str:
    by_class = bool(_classes(report, guess))
    if (
        spec.name in (guess.confidence, guess.answer)
        and by_class
        and (spec.name == guess.confidence or _takes(guess) != "value")
    ):
        return "one_hot"
    return "answer" if spec.name == guess.answer else "keep"


def _labels(report: AdmissionReport, guess: ModelGuess) -> Iterator[str]:
    classes = _classes(report, guess)
    yield f"{MARK} labels what people may answer: a choice with the key that each is given by, a number, or a text."
    yield "[labels]"
    if not classes:
        yield f"kind = {text(_answer_kind(report, guess))}"
        return
    yield 'kind = "choice"'
    keys = classes if all(len(name) == 1 for name in classes) else tuple(KEYS)
    for number, name in enumerate(classes):
        yield "[[labels.choices]]"
        yield f"value = {text(name)}"
        if number < len(keys):
            yield f"key = {text(keys[number])}"


def _answer_kind(report: AdmissionReport, guess: ModelGuess) -> str:
    answer = next((spec for spec in report.signature.outputs if spec.name == guess.answer), None)
    return "text" if answer is not None and answer.datatype == "BYTES" else "number"


def _policy(report: AdmissionReport, guess: ModelGuess) -> Iterator[str]:
    yield f"{MARK} policy below which confidence an answer waits for a person, and which share is checked later."
    yield "[policy]"
    if guess.confidence is not None:
        yield f"hold_below = {0.6 if len(_classes(report, guess)) <= 3 else 0.5}"
    yield "audit_rate = 0.02"


def _classes(report: AdmissionReport, guess: ModelGuess) -> tuple[str, ...]:
    """The classes as the file names them, else as many made-up names as the confidence output has columns."""
    if guess.classes or guess.confidence is None:
        return guess.classes
    if guess.confidence_meaning == "probability":
        return ("no", "yes")
    spec = next(spec for spec in report.signature.outputs if spec.name == guess.confidence)
    columns = spec.shape[-1] if spec.shape else 0
    return tuple(f"class {number + 1}" for number in range(columns)) if 0 < columns <= CLASSES_MAX else ()


def _spec(spec: TensorSpec) -> str:
    return f"{spec.name} {spec.datatype} {list(spec.shape)}"
