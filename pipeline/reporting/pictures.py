"""Pictures of the report as SVG, from the same Vega-Lite definitions that `dvc plots` draws.

The definitions lie in `page_files/pictures`; `.dvc/plots` links to them. A picture takes the colour of the
text around it (currentColor), and loads nothing.
"""

import re
from pathlib import Path
from typing import Any

import pandas as pd
import vl_convert
from dvc_render.vega import VegaRenderer

DEFINITIONS = Path(__file__).parent / "page_files" / "pictures"
VEGA_LITE = "5.8"
"""DVC draws the same definitions with 5.2, which vl-convert no longer has; this is the nearest."""

_INK = "currentColor"
_WRITTEN = {
    "labelColor": _INK,
    "titleColor": _INK,
    "labelFontSize": 12,
    "titleFontSize": 12,
    "labelLimit": 460,
}
_CONFIG: dict[str, Any] = {
    "background": None,
    "padding": {"left": 24, "right": 24, "top": 4, "bottom": 4},  # fonts are wider elsewhere
    "font": "sans-serif",
    "view": {"stroke": _INK, "strokeOpacity": 0.2},
    "title": {"color": _INK, "subtitleColor": _INK, "fontSize": 14},
    "axis": _WRITTEN | {"domainColor": _INK, "tickColor": _INK, "gridColor": _INK, "gridOpacity": 0.15},
    "header": _WRITTEN | {"labelFontWeight": "bold"},
    "legend": _WRITTEN | {"symbolBaseFillColor": _INK},
    "rule": {"color": _INK},
    "text": {"color": _INK},
    "range": {"category": ["#0072B2", "#D55E00", "#009E73", "#CC79A7"]},
}


def draw(name: str, frame: pd.DataFrame) -> str:
    """The picture `name` of a table as an `<svg>` element.

    Args:
        name: of a definition.
        frame: the rows that `dvc plots` reads from a CSV file. A column `rev` holds what DVC puts revisions
            in; the page has one, or shows models side by side there.
    """
    rows = frame if "rev" in frame else frame.assign(rev="")
    renderer = VegaRenderer(rows.to_dict("records"), name, template=str(DEFINITIONS / f"{name}.json"))
    filled = renderer.get_filled_template()
    svg = vl_convert.vegalite_to_svg(
        filled if rows["rev"].nunique() > 1 else _without_revisions(filled),
        vl_version=VEGA_LITE,
        config=_CONFIG,
        allowed_base_urls=[],
    )
    return _ids_of_its_own(svg, name)


def _without_revisions(definition: Any) -> Any:
    """The definition without the headers and the legends that tell revisions apart."""
    if isinstance(definition, list):
        return [_without_revisions(part) for part in definition]
    if not isinstance(definition, dict):
        return definition
    kept = {key: _without_revisions(part) for key, part in definition.items()}
    for channel, hidden in (
        ("color", "legend"),
        ("strokeDash", "legend"),
        ("column", "header"),
        ("row", "header"),
    ):
        part = kept.get(channel)
        if isinstance(part, dict) and part.get("field") == "rev":
            kept[channel] = part | {hidden: None}
    return kept


def _ids_of_its_own(svg: str, name: str) -> str:
    """The SVG with ids that no other picture of the page has."""
    for found in sorted(set(re.findall(r'\bid="([^"]+)"', svg))):
        svg = svg.replace(f'id="{found}"', f'id="{name}-{found}"').replace(
            f"url(#{found})", f"url(#{name}-{found})"
        )
    return svg
