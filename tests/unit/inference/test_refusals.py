"""Every refusal tells a data scientist what to do."""

from string import Formatter

import pytest

from gateway.inference.refusals import AdmissionRefused, refusal_codes


@pytest.mark.parametrize("refusal", AdmissionRefused.__subclasses__())
def test_a_refusal_is_a_full_sentence_with_a_code_of_its_own(refusal: type[AdmissionRefused]) -> None:
    """Each refusal says what is wrong and what to do, in sentences, under its own code."""
    fields = {name for _, name, _, _ in Formatter().parse(refusal.__doc__ or "") if name}
    text = str(refusal(**dict.fromkeys(fields, "thing")))
    assert text.count(". ") >= 1 or ", or" in text or ";" in text or text.count(".") >= 1
    assert text.endswith(".")
    assert "  " not in text
    assert refusal_codes()[refusal.code] is refusal
    assert refusal.status == 422
