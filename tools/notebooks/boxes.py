"""The boxes of a lesson that its tools number and title: exercises, theorems with all their kin, proofs."""

from __future__ import annotations

import re
from dataclasses import dataclass

KIN = ("theorem", "lemma", "proposition", "corollary", "definition", "assumption", "algorithm", "example", "remark")
KINDS = "|".join(["exercise", *(f"prf:{kind}" for kind in (*KIN, "proof"))])
BOX = re.compile(
    rf"^(:{{3,}})\{{(?P<kind>{KINDS})\}} *(?P<title>[^\n]*)\n(?P<options>(?::[\w-]+:[^\n]*\n)*)(?P<body>.*?)^\1 *$",
    re.M | re.S,
)
OPTION = re.compile(r"^:([\w-]+): *(.*?) *$", re.M)
DISPLAY = re.compile(r"\$\$.*?\$\$(?: *\([\w.-]+\))?", re.S)


@dataclass(frozen=True)
class Box:
    """A box as its author wrote it."""

    kind: str
    title: str
    options: dict[str, str]
    body: str

    @classmethod
    def of(cls, found: re.Match) -> Box:
        """What BOX has found."""
        kind, options = found["kind"].removeprefix("prf:"), dict(OPTION.findall(found["options"]))
        return cls(kind, found["title"].strip(), options, found["body"])

    @property
    def label(self) -> str:
        return self.options.get("label", "")

    def required(self) -> Box:
        """This box; ValueError for an option other than :label: and :class:, and for an exercise without a label."""
        name = f"the {self.kind} {self.title!r}"
        if others := self.options.keys() - {"label", "class"}:
            raise ValueError(f"{name}: got :{min(others)}:, expected :label: and :class: alone")
        if self.kind == "exercise" and not self.label:
            raise ValueError(f"{name}: got no :label:, expected the id of its record")
        return self

    def written(self, called: str) -> str:
        """The box as one that every reader of MyST knows, under the name that it is called by, its title behind it."""
        options = {"class": " ".join([self.kind, *self.options.get("class", "").split()]), "name": self.label}
        lines = [f":{key}: {value}" for key, value in options.items() if value]
        head = ". ".join(filter(None, [called, self.title]))
        return "\n".join([f":::{{admonition}} {head}", *lines, f"{self.body}:::"])
