"""Less text for the same picture: matplotlib's SVG without what no reader sees."""

import base64
import io
import re
import xml.etree.ElementTree as ET

from PIL import Image

_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
_STROKE = re.compile(r"([MLQCz])([^MLQCz]*)")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_LONG_PATH = 60  # numbers: one of more is told to a tenth of a point, a mark or a letter to a hundredth
_COLOURS = 127  # and one that lets the paper through
_PIXELS = "data:image/png;base64,"


def slim(text: str) -> str:
    """The picture of matplotlib's `text` in about a third of it: relative paths, short names, pixels of few colours."""
    ET.register_namespace("", _SVG)
    ET.register_namespace("xlink", _XLINK)
    root = ET.fromstring(text)
    _unwrap(root)
    for element in root.iter():
        for key, value in element.attrib.items():
            element.set(key, _shorter(key, value))
        element.text = element.tail = None
    root.attrib.pop("version", None)
    root.attrib |= {"stroke-linejoin": "round", "stroke-linecap": "butt"}  # what matplotlib's style sheet says of all
    return _short_names(ET.tostring(root, "unicode").replace(" />", "/>").replace('"', "'"))


def _unwrap(element: ET.Element) -> None:
    """Take out what draws nothing and groups that say nothing; what all in a group say of themselves it says once."""
    kept: list[ET.Element] = []
    for child in element:
        _unwrap(child)
        kind = child.tag.removeprefix(f"{{{_SVG}}}")
        if kind == "g" and not child.attrib.keys() - {"id"}:
            kept += child
        elif kind not in ("metadata", "style") and (kind != "defs" or len(child)):
            kept.append(child)
    element[:] = kept
    styles = {child.get("style") for child in kept}
    if len(kept) > 1 and len(styles) == 1 and None not in styles and "style" not in element.attrib:
        element.set("style", kept[0].attrib["style"])
        for child in kept:
            del child.attrib["style"]


def _shorter(key: str, value: str) -> str:
    if key == "d":
        return _relative(value)
    if value.startswith(_PIXELS):
        return _PIXELS + _few_colours(value.removeprefix(_PIXELS))
    if key == "style":
        return value.replace(": ", ":").replace("; ", ";")
    if key == "transform" and "translate" not in value:
        return value
    return _LONG_NUMBER.sub(lambda number: _decimal(round(100 * float(number[0])), 100), value)


def _relative(path: str) -> str:
    """A path of absolute places as one of steps, each rounded from where the steps before it have led."""
    unit = 10 if len(path.split()) > _LONG_PATH else 100
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


def _few_colours(pixels: str) -> str:
    """A PNG in base64 with a palette, where that is smaller."""
    image = Image.open(io.BytesIO(base64.b64decode(pixels))).convert("RGBA")
    alpha = image.getchannel("A")
    partly = sum(alpha.histogram()[1:254]) > 0.005 * image.width * image.height
    file = io.BytesIO()
    if partly:  # the one method that knows of alpha, and rough with colours
        few = image.quantize(_COLOURS + 1, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        few.save(file, "png", optimize=True)
    else:
        few = image.convert("RGB").quantize(_COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
        colours = (few.getpalette() or [])[: 3 * _COLOURS]
        clear = len(colours) // 3
        few.putpalette([*colours, 255, 255, 255])
        few.paste(clear, mask=alpha.point([255] * 128 + [0] * 128))
        few.save(file, "png", optimize=True, transparency=clear)
    return min("".join(pixels.split()), base64.b64encode(file.getvalue()).decode(), key=len)


def _short_names(text: str) -> str:
    """Names that nothing refers to left out, the others in letters."""
    used = dict.fromkeys(re.findall(r"(?:href='|url\()#([^')]+)", text))
    short = {name: f"g{number}" for number, name in enumerate(used)}
    text = re.sub(r" id='([^']+)'", lambda found: f" id='{short[found[1]]}'" if found[1] in short else "", text)
    return re.sub(r"(href='|url\()#([^')]+)", lambda found: f"{found[1]}#{short[found[2]]}", text)
