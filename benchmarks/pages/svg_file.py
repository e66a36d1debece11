"""A picture of the report as an SVG file of its own, for pages that show it as an image.

An image inherits no colours from its page, so the file has its own text colour and background, for the
reader's light or dark setting.
"""

import re
from html import escape

_MARGIN = 8
_STYLE = """
  svg { color: #1f2328; overflow: visible }
  .paper { fill: #ffffff; stroke: #d0d7de }
  @media (prefers-color-scheme: dark) {
    svg { color: #e6edf3 }
    .paper { fill: #0d1117; stroke: #3d444d }
  }
"""


def svg_file(picture: str, title: str) -> str:
    """The text of an SVG file.

    Args:
        picture: an `<svg>` element as `pipeline.reporting.pictures.draw` returns it.
        title: for readers who do not see the picture.
    """
    size = re.match(r'<svg\b[^>]*? width="([\d.]+)" height="([\d.]+)"', picture)
    assert size is not None, picture[:300]
    width, height = (float(side) + 2 * _MARGIN for side in size.groups())
    placed = picture.replace("<svg", f'<svg x="{_MARGIN}" y="{_MARGIN}"', 1)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="paper" x=".5" y=".5" width="{width - 1:g}" height="{height - 1:g}" rx="6"/>\n'
        f"{placed}\n</svg>\n"
    )
