"""What ledgers are written in: the many ways in which one thing is typed, and the one thing that is meant."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Final

from services.registry.domain.phone import PHONE
from shared.contracts.values import MIDDLE_DOTS

_SPACES: Final = re.compile(r"\s+")
_BETWEEN: Final = re.compile(r"[/、，,；;\n]+")
_DAY: Final = re.compile(r"(\d{4})(?:[-./年](\d{1,2})(?:[-./月](\d{1,2})日?)?月?|(\d{2})(\d{2}))")
_MONTH: Final = re.compile(r"(\d{4})[-./年](\d{1,2})月?")
_NAME: Final = re.compile(r"[^\W\d_]+(?:·[^\W\d_]+)*")


def narrow(text: str) -> str:
    """Full-width letters and digits as half-width ones, compatibility forms as the plain ones."""
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def tight(text: str) -> str:
    """Without any white space, half-width."""
    return _SPACES.sub("", narrow(text))


def parts(text: str) -> list[str]:
    """What stands between /, 、, commas, semicolons and line breaks."""
    return [part for one in _BETWEEN.split(narrow(text)) if (part := one.strip())]


def name(text: str) -> str | None:
    """A person's name with the middle dot of minority names as U+00B7; None when it is none."""
    spoken = narrow(text).strip()
    found = spoken if spoken.isascii() else _SPACES.sub("", spoken).translate(MIDDLE_DOTS)
    letters = _SPACES.sub("", found).replace("'", "").replace("-", "")
    return found if 1 <= len(found) <= 50 and _NAME.fullmatch(letters.replace(".", "·")) else None


def day(text: str) -> date | None:
    """``2016-07-31``, ``2016.7.31``, ``2016/7/31``, ``20160731``, ``2016年7月31日``; None when it is none of them."""
    whole = _DAY.fullmatch(tight(text).removesuffix("T00:00:00"))
    if whole is None:
        return None
    year, month, of_month, month_8, _ = whole.groups()
    if month_8:
        digits = tight(text)
        month, of_month = digits[4:6], digits[6:8]
    return _date(year, month, of_month)


def month_begins(text: str) -> date | None:
    """The first day of ``2025.3`` or ``2025年3月``."""
    found = _MONTH.fullmatch(tight(text))
    return _date(found[1], found[2], "1") if found else None


def _date(year: str, month: str | None, of_month: str | None) -> date | None:
    try:
        return date(int(year), int(month or 0), int(of_month or 0))
    except ValueError:
        return None


def phone(text: str) -> str | None:
    found = tight(text).replace("(", "").replace(")", "-").replace("--", "-").removeprefix("+86")
    mobile = found.replace("-", "")
    return mobile if mobile.startswith("1") and PHONE.fullmatch(mobile) else found if PHONE.fullmatch(found) else None


def header(text: str) -> str:
    """A column's header without what people put around it: spaces, line breaks, brackets and what stands in them."""
    return re.sub(r"\(.*?\)|[:*\s·.、/和及]|^['‘]", "", narrow(text)).strip()
