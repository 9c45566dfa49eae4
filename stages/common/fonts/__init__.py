"""Fonts for names in scripts that the libraries' own fonts lack: those that lie in this folder.

None lies here at first, and the fonts of a machine are never used: another machine has others. A
font file that is put here is part of the project, and DVC draws everything anew with it.
"""

from collections.abc import Iterable
from pathlib import Path

from stages.common.base.errors import shown
from stages.common.base.progress import log

FOLDER = Path(__file__).parent
KINDS = (".otf", ".ttc", ".ttf")
MOST_NAMED = 5  # texts in one warning

_told: set[str] = set()  # scripts, each once in a stage


def files() -> list[Path]:
    """List the font files in this folder, sorted."""
    return sorted(path for path in FOLDER.iterdir() if path.suffix.lower() in KINDS)


def warn(texts: Iterable[str], lacking: Iterable[str], place: str) -> None:
    """Tell in one line which scripts no font has, in which texts, and what to do.

    Parameters
    ----------
    texts : iterable of str
        All that is drawn.
    lacking : iterable of str
        Characters of them that no font has.
    place : str
        Where boxes stand instead, such as "pictures".
    """
    new = {c: name for c in lacking if (name := _script(c)) not in _told}
    _told.update(new.values())
    if not new:
        return
    found = [text for text in dict.fromkeys(texts) if not new.keys().isdisjoint(text)]
    named = ", ".join(map(shown, found[:MOST_NAMED]))
    more = f" and {len(found) - MOST_NAMED} more" if len(found) > MOST_NAMED else ""
    scripts = " and ".join(sorted({*new.values()}))
    log(
        f"warning: boxes stand in the {place} for characters of {named}{more}, because no font has "
        f"{scripts}: put one that has into stages/common/fonts, see docs/data.md, or rename"
    )


def _script(character: str) -> str:
    from fontTools.unicodedata import script, script_name

    code = script(character)
    return "symbols" if code.startswith("Z") else script_name(code)  # emoji have no script
