"""Guidelines: Markdown as safe HTML. HTML in the text stays text, links lead only to the web, and there are no images.

The one door to the Markdown library.
"""

from functools import lru_cache

from markdown_it import MarkdownIt
from markupsafe import Markup

_MARKDOWN = (
    MarkdownIt("commonmark", {"html": False, "linkify": False})
    .enable("table")
    .disable(["image", "html_block", "html_inline"])
)


@lru_cache(maxsize=64)
def rendered(text: str) -> Markup:
    """The guideline as HTML that may stand in a page; its headings begin below the card's own."""
    tokens = _MARKDOWN.parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1]) + 3)}"
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("rel", "noopener noreferrer")
                child.attrSet("target", "_blank")
    return Markup(_MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {}))  # noqa: S704 - made from tokens, HTML off
