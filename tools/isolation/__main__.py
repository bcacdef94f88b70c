"""Writes the matrix of docs/security.md; with `--check`, says whether it is current."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.isolation.matrix import Matrix, matrix

PAGE = Path(__file__).parents[2] / "docs/security.md"
BEGIN, END = "<!-- matrix -->\n", "<!-- /matrix -->\n"


def page_with(found: Matrix) -> str:
    """The page with this matrix in its place."""
    text = PAGE.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{found.markdown()}\n\n{END}{after}"


def main() -> None:
    """Write the page, or exit with 1 when it is not current."""
    found = matrix()
    wanted = page_with(found)
    if "--check" not in sys.argv:
        PAGE.write_text(wanted, encoding="utf-8")
    elif wanted != PAGE.read_text(encoding="utf-8"):
        sys.exit(f"{PAGE.name} is not current: python -m tools.isolation")


if __name__ == "__main__":
    main()
