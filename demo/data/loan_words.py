"""A mortgage application as a loan officer reads it: the same values as the tensors, with units and words for codes."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from demo.data.loans import AMOUNTS, CODES, Application

MORTGAGE_PAYMENTS = MappingProxyType(
    {1: "no mortgage before", 2: "none late", 3: "one or two late", 4: "over two late"}
)
CONSUMER_CREDIT = MappingProxyType(
    {
        1: "no slow account",
        2: "one or two slow accounts",
        3: "over two slow accounts",
        4: "too little to tell",
        5: "60 days past due",
        6: "90 days past due",
    }
)
YES_OR_NO = MappingProxyType({0: "no", 1: "yes"})


def application_words(application: Application) -> tuple[str, ...]:
    """One string a column, in the order of `AMOUNTS` and `CODES`."""
    amounts = zip(AMOUNTS, application.amounts, strict=True)
    codes = zip(CODES, application.codes, strict=True)
    return (*(_AMOUNT_WORDS[name](value) for name, value in amounts), *(_CODES[name][value] for name, value in codes))


def _thousands(value: float) -> str:
    sign = "−" if value < 0 else ""
    return f"{sign}${abs(value) * 1000:,.0f}"


def _percent(value: float) -> str:
    return f"{value:.0f} %"


_AMOUNT_WORDS: Mapping[str, Callable[[float], str]] = {
    "applicant_income_k": lambda value: f"{_thousands(value)} a year",
    "loan_amount_k": _thousands,
    "loan_to_price": lambda value: _percent(value * 100),
    "housing_cost_pct": _percent,
    "obligations_pct": _percent,
    "net_worth_k": _thousands,
    "industry_unemployment_pct": lambda value: f"{value:.1f} %",
}
_CODES: Mapping[str, Mapping[int, str]] = {
    "credit_meets_guidelines": YES_OR_NO,
    "mortgage_payment_code": MORTGAGE_PAYMENTS,
    "consumer_credit_code": CONSUMER_CREDIT,
    "bankruptcy_on_record": YES_OR_NO,
    "self_employed": YES_OR_NO,
    "has_cosigner": YES_OR_NO,
    "unverifiable_information": YES_OR_NO,
}
