"""Draws the picture on the README's first screen from a real run of `jjm demo`.

Run `python scripts/draw_demo.py` after the demo's words change. The text is what the demo prints
into a pipe, cut to two of its parts; the colours are put on here, by the words of a line.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent.parent / "docs" / "images" / "demo.svg"
WIDTH = 104
PARTS = ("2. ", "4. ")
"""The headings of what is drawn: the queue worked through, and what was merged."""
STYLES = (
    ("merged into", "bold green"),
    ("every check passed", "green"),
    ("proved:", "green"),
    ("rejected:", "bold red"),
    ("sent back", "yellow"),
    ("needs you:", "bold magenta"),
    ("Nothing more can move", "bold"),
)
TIME = re.compile(r"\d\d:\d\d:\d\d  ")


def demo() -> str:
    """Return what a run of the demo prints.

    Raises:
        CalledProcessError: the demo failed.
    """
    command = [sys.executable, "-m", "jules_job_manager", "demo"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def parts(printed: str) -> list[str]:
    """Return the lines of the parts to draw, with their headings and without long commands."""
    lines = ["$ jjm demo", "…"]
    drawn = False
    for line in printed.splitlines():
        if re.match(r"\d\. ", line):
            drawn = line.startswith(PARTS)
        elif line == "What you saw":
            break
        if drawn and not line.startswith(("$ ", "warning:")):
            lines.append(line)
    return lines


def styled(line: str) -> Text:
    """Return the line, coloured by its words."""
    style = next((style for words, style in STYLES if words in line), "")
    if line.startswith(("$ ", *PARTS)):
        style = "bold"
    text = Text(line)
    time = TIME.match(line)
    start = time.end() if time else 0
    text.stylize("dim", 0, start)
    text.stylize(style, start)
    return text


def draw(lines: list[str]) -> str:
    """Return the lines as an SVG picture of a terminal that loads nothing from elsewhere."""
    console = Console(
        record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, highlight=False
    )
    for line in lines:
        console.print(styled(line), no_wrap=True, overflow="ellipsis")
    form = re.sub(r"@font-face \{\{.*?\}\}", "", CONSOLE_SVG_FORMAT, flags=re.DOTALL)
    return console.export_svg(title="jjm demo", code_format=form, unique_id="jjm-demo")


def main() -> None:
    """Run the demo and write the picture."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    picture = draw(parts(demo()))
    PICTURE.write_text("\n".join(line.rstrip() for line in picture.splitlines()) + "\n")


if __name__ == "__main__":
    main()
