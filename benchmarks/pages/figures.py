"""Two SVG pictures for the pages, drawn from summary.json and timing.json.

A picture carries its own background and follows the reader's light or dark setting; it loads nothing.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from typing import Any

from pipeline.distillation.roles import UNDISTILLED
from pipeline.reporting.tables import BLOCKS, PHASES

_WIDTH, _LEFT, _RIGHT = 760, 170, 150
_ROW, _TOP, _BOTTOM = 30, 76, 46
_PLOT = _WIDTH - _LEFT - _RIGHT

_STYLE = """
  .back { fill: #ffffff; stroke: #d0d7de }
  text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .group { font-weight: 600 }
  .minor { font-size: 12px; fill: #59636e }
  .grid { stroke: #d8dee4 }
  .rule { stroke: #59636e; stroke-dasharray: 4 3 }
  .mark { fill: #0969da; stroke: #0969da }
  .seed { fill: #0969da; opacity: .55 }
  .teacher_forward { fill: #b08800 }
  .student_forward { fill: #2da44e }
  .student_backward { fill: #0969da }
  @media (prefers-color-scheme: dark) {
    .back { fill: #0d1117; stroke: #30363d }
    text { fill: #e6edf3 }
    .minor { fill: #9198a1 }
    .grid { stroke: #2a3038 }
    .rule { stroke: #9198a1 }
    .mark { fill: #58a6ff; stroke: #58a6ff }
    .seed { fill: #58a6ff; opacity: .6 }
    .teacher_forward { fill: #d4a72c }
    .student_forward { fill: #3fb950 }
    .student_backward { fill: #58a6ff }
  }
"""


def f1_figure(summary: Mapping[str, Any]) -> str:
    """Test F1 by method: mean, standard deviation and every seed, with lines at teacher and vanilla."""
    methods = {name: figures["f1"] for name, figures in summary["methods"].items()}
    teacher = summary["teacher"]["f1"]
    seeds = [value for f1 in methods.values() for value in f1["seeds"].values()]
    ends = [f1["mean"] + sign * (f1["std"] or 0) for f1 in methods.values() for sign in (-1, 1)]
    ticks = _ticks(min([teacher, *seeds, *ends]), max([teacher, *seeds, *ends]))
    x = _scale(ticks[0], ticks[-1])
    bottom = _TOP + _ROW * len(methods)

    parts = [
        _text(_LEFT, 28, f"Test F1 on {summary['task']}", "title"),
        _text(_LEFT, 46, "span F1 in percent: mean ± standard deviation, and every seed", "minor"),
        *_axis(ticks, x, bottom),
    ]
    rules = {"teacher": teacher}
    if UNDISTILLED in methods:
        rules[UNDISTILLED] = methods[UNDISTILLED]["mean"]
    parts += [_line(x(value), _TOP - 6, x(value), bottom, "rule") for value in rules.values()]
    parts += _rule_labels({f"{name} {value:.2f}": x(value) for name, value in rules.items()})
    for row, (method, f1) in enumerate(methods.items()):
        y = _TOP + _ROW * (row + 0.5)
        parts.append(_text(_LEFT - 12, y + 4.5, method, anchor="end"))
        parts += [
            f'<circle class="seed" cx="{x(v):.1f}" cy="{y + 9:.1f}" r="2.5"/>' for v in f1["seeds"].values()
        ]
        label = f"{f1['mean']:.2f}"
        if f1["std"] is not None:
            low, high = x(f1["mean"] - f1["std"]), x(f1["mean"] + f1["std"])
            parts.append(_line(low, y, high, y, "mark", 'stroke-width="2"'))
            parts += [_line(end, y - 4, end, y + 4, "mark", 'stroke-width="2"') for end in (low, high)]
            label += f" ± {f1['std']:.2f}"
        parts.append(f'<circle class="mark" cx="{x(f1["mean"]):.1f}" cy="{y:.1f}" r="5"/>')
        parts.append(_text(_WIDTH - _RIGHT + 18, y + 4.5, label))
    return _svg(bottom + _BOTTOM, f"Test F1 by method on {summary['task']}", parts)


def epoch_time_figure(timing: Mapping[str, Any]) -> str:
    """Seconds of one epoch by phase, stacked, as published and here, and of the encoder alone."""
    bound = timing["floor"]
    groups = {title: {**timing[block], "lower bound": bound} for block, title in BLOCKS.items()}
    ticks = _ticks(0, max(phases["total"] for methods in groups.values() for phases in methods.values()))
    x = _scale(ticks[0], ticks[-1])
    rows = sum(len(methods) + 1 for methods in groups.values())
    bottom = _TOP + _ROW * rows

    parts = [_text(_LEFT, 28, "Time of one epoch by phase", "title"), *_legend(), *_axis(ticks, x, bottom)]
    parts.append(_line(x(bound["total"]), _TOP, x(bound["total"]), bottom, "rule"))
    y = float(_TOP)
    for title, methods in groups.items():
        parts.append(_text(_LEFT - 12, y + 20, title, "group", anchor="end"))
        y += _ROW
        for method, phases in methods.items():
            parts.append(_text(_LEFT - 12, y + 19.5, method, anchor="end"))
            start = 0.0
            for phase in PHASES[:-1]:
                seconds = phases.get(phase) or 0.0
                width = x(start + seconds) - x(start)
                parts.append(
                    f'<rect class="{phase}" x="{x(start):.1f}" y="{y + 5:.1f}" '
                    f'width="{width:.1f}" height="{_ROW - 10}"/>'
                )
                start += seconds
            ratio = phases["total"] / bound["total"]
            label = f"{phases['total']:.3g} s · {ratio:.2f}×"
            parts.append(_text(_WIDTH - _RIGHT + 18, y + 19.5, label))
            y += _ROW
    note = f"seconds on {timing['device']}, and multiples of the lower bound: the encoder alone"
    parts.append(_text(_LEFT, bottom + 38, note, "minor"))
    return _svg(bottom + _BOTTOM, "Time of one epoch by phase", parts)


def _svg(height: float, title: str, parts: Iterable[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:.0f}" '
        f'width="{_WIDTH}" height="{height:.0f}" role="img">\n<title>{escape(title)}</title>\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="back" x=".5" y=".5" width="{_WIDTH - 1}" height="{height - 1:.0f}" rx="6"/>\n'
        f"{body}\n</svg>\n"
    )


def _text(x: float, y: float, text: str, kind: str = "", *, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str, extra: str = "") -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" {extra}/>'


def _scale(low: float, high: float) -> Callable[[float], float]:
    return lambda value: _LEFT + _PLOT * (value - low) / (high - low)


def _axis(ticks: Sequence[float], x: Callable[[float], float], bottom: float) -> list[str]:
    digits = max(0, -math.floor(math.log10(ticks[1] - ticks[0])))
    lines = [_line(x(tick), _TOP, x(tick), bottom, "grid") for tick in ticks]
    numbers = [_text(x(tick), bottom + 18, f"{tick:.{digits}f}", "minor", anchor="middle") for tick in ticks]
    return lines + numbers


def _ticks(low: float, high: float) -> list[float]:
    """Round numbers, at least two, from at or below `low` to at or above `high`, about five steps apart."""
    rough = (high - low or 1) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = power * next(factor for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [step * number for number in range(first, max(last, first + 1) + 1)]


def _rule_labels(rules: Mapping[str, float]) -> list[str]:
    """Names above the vertical lines; neighbours lean away from each other."""
    places = sorted(rules.items(), key=lambda rule: rule[1])
    close = len(places) == 2 and places[1][1] - places[0][1] < 100
    anchors = ("end", "start") if close else ("middle", "middle")
    return [
        _text(place, _TOP - 10, name, "minor", anchor=anchor)
        for (name, place), anchor in zip(places, anchors, strict=False)
    ]


def _legend() -> list[str]:
    parts = []
    for number, phase in enumerate(PHASES[:-1]):
        left = _LEFT + 140 * number
        parts.append(f'<rect class="{phase}" x="{left}" y="38" width="12" height="12"/>')
        parts.append(_text(left + 18, 48.5, phase.replace("_", " "), "minor"))
    return parts
