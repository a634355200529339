"""Make the letters of the figures from Source Sans 3: `python tools/font.py FOLDER`, the TTF of npm's source-sans.

Latin, Greek and the signs of mathematics alone, under a name of their own, as the licence asks of a changed font.
"""

import sys
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

FONTS = Path(__file__).resolve().parents[1] / "gmcourse" / "show" / "fonts"
NAME = "Course Sans"
RANGES = ((0x20, 0x7E), (0xA0, 0xFF), (0x370, 0x3FF), (0x2010, 0x205F), (0x2070, 0x209F), (0x2190, 0x22FF))


def make(source: Path, style: str) -> None:
    """Write course-sans-STYLE.ttf."""
    font = TTFont(source, recalcTimestamp=False)
    subsetter = Subsetter(Options(layout_features=["kern", "mark"], hinting=False, notdef_outline=True, name_IDs=["*"]))
    subsetter.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
    subsetter.subset(font)
    full = {1: NAME, 2: style, 3: f"{NAME} {style}", 4: f"{NAME} {style}", 6: f"{NAME.replace(' ', '')}-{style}"}
    font["name"].names = [record for record in font["name"].names if record.nameID in {0, *full, 13, 14}]
    for record in font["name"].names:
        record.string = full.get(record.nameID, record.toUnicode())
    font.save(FONTS / f"course-sans-{style.lower()}.ttf")


if __name__ == "__main__":
    for style, short in (("Regular", "Regular"), ("Italic", "It"), ("Bold", "Bold")):
        make(Path(sys.argv[1]) / f"SourceSans3-{short}.ttf", style)
