"""A figure's SVG as a part of the page: on its paper, in its ink, and described."""

import base64
import io
import re
import xml.etree.ElementTree as ET

from PIL import Image

from gmcourse.show.style import COLOURS

SVG, HREF = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
PAPER, INK = "var(--pst-color-background)", "var(--gm-ink)"
TOKENS = {COLOURS[name]: f"var(--gm-{name})" for name in ("data", "model", "samples", "ink")}
TOKENS |= {COLOURS["muted"]: "var(--gm-quiet)", COLOURS["faint"]: "var(--gm-faint)", "#ffffff": PAPER, "#000000": INK}
WIDE, LEAST = 560, 0.75  # a figure wider than this many pixels scrolls rather than shrinking below this share
POINT = 4 / 3  # pixels

Box = tuple[float, float, float, float]


def inline(text: str, alt: str, name: str) -> str:
    """The HTML of a figure: `name` begins every id in it, `alt` is what it is called.

    Paper, ink and the colours of the course become the theme's. A picture in pixels that hides the paper stays as it
    is, with all that lies on it; pixels that lie on paper are marked `gm-marks`.
    """
    root = ET.fromstring(text)
    images = [(image, _box(image)) for image in root.iter(f"{SVG}image")]
    pictures = [box for image, box in images if _hides(image)]
    for image, (left, top, right, bottom) in images:
        if not _inside(pictures, (left + right) / 2, (top + bottom) / 2):
            image.set("class", "gm-marks")
    root.remove(root[0])  # the paper
    _colour(root, pictures)
    for element in root.iter():
        element.tag = element.tag.removeprefix(SVG)
        _rename(element, name)
    width = round(float(root.attrib.pop("width").removesuffix("pt")) * POINT)
    del root.attrib["height"]
    least = f"; min-width: {round(width * LEAST)}px" if width > WIDE else ""
    root.attrib |= {"role": "img", "aria-label": alt, "style": f"width: {width}px{least}"}
    return f'<div class="gm-figure">{ET.tostring(root, "unicode")}</div>'


def _hides(image: ET.Element) -> bool:
    """Whether pixels hide the paper below a good part of them."""
    pixels = base64.b64decode(image.attrib[HREF].partition(",")[2])
    alpha = Image.open(io.BytesIO(pixels)).convert("RGBA").getchannel("A").histogram()
    return sum(alpha[240:]) > 0.4 * sum(alpha)


def _box(image: ET.Element) -> Box:
    """Left, top, right, bottom."""
    x, y, width, height = (float(image.get(key, 0)) for key in ("x", "y", "width", "height"))
    if flipped := re.fullmatch(r"scale\(1 -1\) translate\(0 (\S+)\)", image.get("transform", "")):
        y = -float(flipped[1]) - y - height
    return x, y, x + width, y + height


def _inside(boxes: list[Box], x: float, y: float) -> bool:
    """Whether a place is in one of the boxes, by a point at least."""
    return any(left + 1 < x < right - 1 and top + 1 < y < bottom - 1 for left, top, right, bottom in boxes)


def _colour(element: ET.Element, pictures: list[Box]) -> None:
    """The theme's colours in place of the course's, save on a picture."""
    place = _place(element)
    if place and _inside(pictures, *place):
        element.set("fill", COLOURS["ink"])  # for what matplotlib gives no colour, since it is black
        return
    if style := element.get("style"):
        element.set("style", re.sub(r"#[0-9a-f]{6}", lambda colour: TOKENS.get(colour[0], colour[0]), style))
    for child in element:
        _colour(child, [] if "transform" in element.attrib else pictures)  # places within what is moved are its own


def _place(element: ET.Element) -> tuple[float, float] | None:
    """Where an element is put: a letter or mark where it is moved to, a line where it begins."""
    if element.tag == f"{SVG}use" and "x" in element.attrib:
        return float(element.attrib["x"]), float(element.attrib["y"])
    begins = re.match(r"m(-?[\d.]+)[ ]?(-?[\d.]+)", element.get("d", ""))
    moved = re.match(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
    found = moved or begins
    return (float(found[1]), float(found[2])) if found else None


def _rename(element: ET.Element, name: str) -> None:
    if "id" in element.attrib:
        element.set("id", f"{name}-{element.get('id')}")
    if (target := element.attrib.pop(HREF, None)) is not None:
        element.set("href", f"#{name}-{target[1:]}" if target.startswith("#") else target)
    for key in ("clip-path", "style"):
        if key in element.attrib:
            element.set(key, element.get(key, "").replace("url(#", f"url(#{name}-"))
