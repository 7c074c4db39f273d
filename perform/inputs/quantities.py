"""Numbers as people and devices write them: `23,5`, `+1e3`, `49W`, `23.5 °C`, `40 %`, `1 234,5`, `ON`."""

from __future__ import annotations

import re

from perform.signals import LARGEST

LONGEST_NUMBER = 64  # characters, with its unit
SPACES = "\u00a0\u2007\u2009\u202f"  # within a number: those that do not break, of figures, and thin ones
SWITCHES = {"on": 1.0, "true": 1.0, "yes": 1.0, "off": 0.0, "false": 0.0, "no": 0.0}
GROUPS = re.compile(rf"(?<=\d)[{SPACES}](?=\d{{3}}(?!\d))")  # between the digits of 1 234 567
QUANTITY = re.compile(
    r"""
    (?P<sign> [+-]?+ )
    (?! 0[xX] )
    (?P<digits>
        \d{1,3} (?: [\x20']\d{3} )++ (?: [.,]\d++ )?  # 1 234,5
        | \d{1,3} (?: ,\d{3} )++ \.\d++               # 1,234.5
        | \d{1,3} (?: \.\d{3} )++ ,\d++               # 1.234,5
        | \d{1,3} (?: ,\d{3} ){2,}                    # 1,234,567
        | \d++ (?: [.,]\d*+ )? | [.,]\d++
    )
    (?P<exponent> [eE][+-]?+\d++ )?
    \s?
    (?P<unit> (?: [^\W\d_] | [°%‰€$£] ){1,8} [23²³]? (?: [/·] [^\W\d_]{1,8} [23²³]? )? )?
    """,
    re.VERBOSE,
)


def number_of(text: str, units: bool = True) -> float | None:
    """The number that a text is; None for any other text.

    One comma is a decimal comma. A unit may follow the number and is left out: `40 %` is 40. ON, TRUE and YES
    are 1, OFF, FALSE and NO are 0. Without `units`, only a number itself is one.
    """
    text = joined_digits(text.strip())
    if len(text) > LONGEST_NUMBER:
        return None
    if units and text.casefold() in SWITCHES:
        return SWITCHES[text.casefold()]
    found = QUANTITY.fullmatch(text)
    if found is None or (found["unit"] and not units):
        return None
    value = float(found["sign"] + _with_point(found["digits"]) + (found["exponent"] or ""))
    return value if -LARGEST < value < LARGEST else None


def joined_digits(text: str) -> str:
    """The text without thin spaces between groups of digits, and with a plain minus."""
    return GROUPS.sub("", text).replace("\u2212", "-")


def _with_point(digits: str) -> str:
    """Digits with a point at most: of two signs the last is the decimal one, a lone comma, too."""
    digits = digits.replace(" ", "").replace("'", "")
    if digits.count(",") > 1 or digits.find(",") < digits.find("."):
        return digits.replace(",", "")
    if "." in digits and "," in digits:
        digits = digits.replace(".", "")
    return digits.replace(",", ".")
