"""The report of an evaluation as a page that stands by itself: no script, no address, its style within it."""

import base64
import hashlib

from review.api.headers import SECURITY_HEADERS
from review.console.assets import FILES
from review.console.pages import document
from review.learning.report import Report

HTML = "text/html; charset=utf-8"
STYLE = FILES["report.css"].decode()


def report_html(report: Report) -> str:
    """The whole page; the same report makes the same page."""
    return document("report.html", report=report, style=STYLE, known=frozenset())


def report_policy() -> str:
    """The console's Content-Security-Policy, which lets the page's own style through by its digest."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    policy = SECURITY_HEADERS["content-security-policy"]
    return policy.replace("style-src 'self'", f"style-src 'self' 'sha256-{digest}'")
