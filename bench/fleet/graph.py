"""A small line graph as SVG: both axes logarithmic, a line a series, its last figure beside it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 150, 36, 48
INK, FAINT, PAPER = "#24292f", "#d0d7de", "#ffffff"
COLOURS = ("#cf222e", "#0969da", "#1a7f37", "#8250df")


def svg(title: str, across: str, up: str, series: Mapping[str, Points]) -> str:
    """The whole picture.

    Args:
        title: above it.
        across: what the horizontal axis means.
        up: what the vertical one means.
        series: points by the name of their line; all of them above 0.
    """
    xs = sorted({x for points in series.values() for x, _ in points})
    tops = [y for points in series.values() for _, y in points]
    plane = _Plane(xs[0], xs[-1], 10.0 ** math.ceil(math.log10(max(tops))))
    parts = [*_frame(title, across, up), *_grid(plane, xs)]
    for (name, points), colour in zip(series.items(), COLOURS, strict=False):
        parts += _line(plane, name, points, colour)
    return "\n".join([_HEAD, *parts, "</svg>", ""])


_HEAD = (
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
    f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12" fill="{INK}">\n'
    f'<rect width="{WIDTH}" height="{HEIGHT}" fill="{PAPER}"/>'
)


class _Plane:
    """From figures to places on the picture."""

    def __init__(self, first: float, last: float, most: float) -> None:
        self._first, self._last, self.most = first, last, most

    def x(self, value: float) -> float:
        share = math.log(value / self._first) / math.log(self._last / self._first)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        share = math.log10(value) / math.log10(self.most)
        return round(HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM), 1)


def _frame(title: str, across: str, up: str) -> list[str]:
    middle = LEFT + (WIDTH - LEFT - RIGHT) / 2
    return [
        _text(LEFT, 20, title, "start", weight="bold"),
        _text(middle, HEIGHT - 10, across, "middle"),
        f'<g transform="translate(16 {HEIGHT / 2}) rotate(-90)">{_text(0, 0, up, "middle")}</g>',
    ]


def _grid(plane: _Plane, xs: Sequence[float]) -> list[str]:
    parts = []
    decade = 1.0
    while decade <= plane.most:
        y = plane.y(decade)
        parts.append(_stroke(f"M{LEFT} {y}H{WIDTH - RIGHT}", FAINT, 1))
        parts.append(_text(LEFT - 8, y + 4, f"{decade:,.0f}", "end"))
        decade *= 10
    foot = HEIGHT - BOTTOM + 18
    return parts + [_text(plane.x(x), foot, f"{x:,.0f}", "middle") for x in xs]


def _line(plane: _Plane, name: str, points: Points, colour: str) -> list[str]:
    places = [(plane.x(x), plane.y(y)) for x, y in points]
    path = "M" + "L".join(f"{x} {y}" for x, y in places)
    dots = [f'<circle cx="{x}" cy="{y}" r="3" fill="{colour}"/>' for x, y in places]
    x, y = places[-1]
    told = _text(x + 10, y + 4, f"{points[-1][1]:,.0f} {name}", "start", colour=colour)
    return [_stroke(path, colour, 2), *dots, told]


def _stroke(path: str, colour: str, width: int) -> str:
    return f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def _text(
    x: float, y: float, text: str, anchor: str, *, weight: str = "normal", colour: str = INK
) -> str:
    place = f'x="{x:g}" y="{y:g}" text-anchor="{anchor}"'
    return f'<text {place} font-weight="{weight}" fill="{colour}">{escape(text)}</text>'
