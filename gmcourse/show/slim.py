"""Less text for the same picture: matplotlib's SVG without what no reader sees."""

import base64
import io
import re

from PIL import Image

_LEFT_OUT = re.compile(r"<\?xml.*?\?>\s*|<!DOCTYPE.*?>\s*|<metadata>.*?</metadata>\s*|<!--.*?-->\s*", re.DOTALL)
_PATH = re.compile(r'\bd="([^"]+)"')
_STROKE = re.compile(r"([MLQCz])([^MLQCz]*)")
_EXACT_OR_LONG = re.compile(r"(?:scale|matrix)\([^)]*\)|-?\d+\.\d{3,}")
_PIXELS = re.compile(r"data:image/png;base64,([^\"]+)")
_LONG = 60  # numbers: a curve of more is told to a tenth of a point, a mark to a hundredth


def slim(text: str) -> str:
    """The picture of matplotlib's `text`, in about a third of it: relative paths, short names, pixels of few colours."""
    text = _PATH.sub(lambda found: f'd="{_relative(found[1])}"', _LEFT_OUT.sub("", text))
    text = _EXACT_OR_LONG.sub(lambda found: _hundredths(found[0]), text)
    text = _PIXELS.sub(lambda found: f"data:image/png;base64,{_few_colours(found[1])}", text)
    return _short_names(re.sub(r"\s*\n\s*", "\n", text))


def _relative(path: str) -> str:
    """A path of absolute places as one of steps, each rounded from where the steps before it have led."""
    unit = 10 if len(path.split()) > _LONG else 100
    written, here, start = [], (0, 0), (0, 0)
    for command, numbers in _STROKE.findall(path):
        places = [round(float(number) * unit) for number in numbers.split()]
        pairs = list(zip(places[::2], places[1::2]))
        steps = [_decimal(step, unit) for x, y in pairs for step in (x - here[0], y - here[1])]
        written.append(command.lower() + " ".join(steps).replace(" -", "-"))
        here = pairs[-1] if pairs else start
        start = here if command == "M" else start
    return "".join(written)


def _decimal(number: int, unit: int) -> str:
    return re.sub(r"^(-?)0\.", r"\1.", f"{number / unit:.2f}".rstrip("0").rstrip("."))


def _hundredths(number: str) -> str:
    return number if number[0] in "sm" else f"{float(number):.2f}".rstrip("0").rstrip(".")


def _few_colours(pixels: str) -> str:
    """A PNG in base64 with a palette, where that is smaller."""
    image = Image.open(io.BytesIO(base64.b64decode(pixels))).convert("RGBA")
    method = Image.Quantize.FASTOCTREE
    if image.getextrema()[3][0] == 255:
        image, method = image.convert("RGB"), Image.Quantize.MEDIANCUT
    file = io.BytesIO()
    image.quantize(128, method, dither=Image.Dither.NONE).save(file, "png", optimize=True)
    return min("".join(pixels.split()), base64.b64encode(file.getvalue()).decode(), key=len)


def _short_names(text: str) -> str:
    """Names that nothing refers to left out, the others in letters."""
    used = dict.fromkeys(re.findall(r'(?:href="|url\()#([^")]+)', text))
    short = {name: f"g{number}" for number, name in enumerate(used)}
    text = re.sub(r' id="([^"]+)"', lambda found: f' id="{short[found[1]]}"' if found[1] in short else "", text)
    return re.sub(r'(href="|url\()#([^")]+)', lambda found: f"{found[1]}#{short[found[2]]}", text)
