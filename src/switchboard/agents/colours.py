"""Whether an accent colour can be read."""

from typing import Final

LIGHT: Final = "#ffffff"
DARK: Final = "#101418"
MIN_CONTRAST: Final = 4.5


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two `#rrggbb` colours as WCAG 2 defines it, 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str, ground: str) -> str:
    """The colour (`#rrggbb`), if text in it can be read on this ground. Raises `ValueError`."""
    ratio = contrast(colour, ground)
    if ratio < MIN_CONTRAST:
        raise ValueError(f"its contrast on {ground} is {ratio:.2f}; text needs {MIN_CONTRAST}")
    return colour


def _luminance(colour: str) -> float:
    red, green, blue = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    return 0.2126 * _linear(red) + 0.7152 * _linear(green) + 0.0722 * _linear(blue)


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
