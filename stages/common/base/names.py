"""What a class may be called: whatever every table, picture and page shows as it is."""

import re
import unicodedata
from collections.abc import Iterable

# what a spreadsheet calculates instead of showing it, at the beginning of a cell or, where cells
# end at a semicolon, after one (OWASP, "CSV Injection"); a number is shown as it is
FORMULA = re.compile(r"(^|;)\s*([=@]|[+-](?!\d+(\.\d+)?$)).")


def fault(name: str) -> str:
    """Return what the name of a class must be and is not, as it follows the name; "" if nothing."""
    if not name or not name.isprintable():
        return "must be printable text"
    if name != name.strip():
        return "must neither begin nor end with a space"
    # NFKC: a spreadsheet knows the wide forms of East Asian text, too
    if FORMULA.search(unicodedata.normalize("NFKC", name)):
        return "must not begin with = + - @ like a formula of a spreadsheet, nor go on so after ;"
    return ""


def twins(names: Iterable[str]) -> tuple[str, str] | None:
    """Return the first two names that are the same, or look so: accents are coded in two ways."""
    seen: dict[str, str] = {}
    for name in names:
        look = unicodedata.normalize("NFC", name)
        if look in seen:
            return seen[look], name
        seen[look] = name
    return None
