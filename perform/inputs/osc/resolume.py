"""Resolume's addresses: what a page that was made for Resolume sends, as our addresses.

Its numbers are 0..1 of a parameter's range, a button is 1 when it is pressed and 0 when it is released.
Source: Resolume's manual, https://resolume.com/support/en/osc.
"""

from __future__ import annotations

import re
from collections.abc import Container

from perform.inputs.osc.packets import Message

COMPOSITION = "/composition/"
ABSOLUTE = "a"  # before a number: it is the new value, as it is without a word
# Resolume's address, ours (the first that there is, else the last), and what 0 and 1 are
RESOLUME = (
    (r"master|video/opacity", ("/master",), (0.0, 1.0)),
    (r"bypassed", ("/blackout",), (0.0, 1.0)),
    (r"layers/1/video/opacity", ("/layer/1/opacity", "/master"), (0.0, 1.0)),  # a scene without layers is one
    (r"layers/(\d+)/video/opacity", (r"/layer/\1/opacity",), (0.0, 1.0)),
    (r"layers/(\d+)/bypassed", (r"/layer/\1/visible",), (1.0, 0.0)),
    (r"layers/\d+/clips/(\d+)/connect", (r"/scene/\1",), (0.0, 1.0)),
    (r"columns/(\d+)/connect", (r"/scene/\1",), (0.0, 1.0)),
    (r"connectnextcolumn", ("/go",), (0.0, 1.0)),
    (r"connectprevcolumn", ("/back",), (0.0, 1.0)),
    (r"crossfader/phase", ("/crossfader",), (0.0, 1.0)),
    (r"tempocontroller/tempo", ("/tempo/bpm",), (20.0, 500.0)),
    (r"tempocontroller/tempotap", ("/tempo/tap",), (0.0, 1.0)),
    (r"tempocontroller/resync", ("/tempo/resync",), (0.0, 1.0)),
)
ALIASES = tuple((re.compile(pattern), addresses, ends) for pattern, addresses, ends in RESOLUME)


def aliased(message: Message, known: Container[str]) -> Message:
    """The message with our own address if it has one of Resolume's, which no formula names; `known` are the
    addresses that do something now. A step, `"+" 0.1`, is left as it is: our parameters have none."""
    address, arguments = message.address, message.arguments
    if not address.startswith(COMPOSITION) or address in known:
        return message
    if len(arguments) > 1 and isinstance(arguments[0], str):
        if arguments[0] != ABSOLUTE:
            return message
        arguments = arguments[1:]
    for pattern, addresses, (low, high) in ALIASES:
        if match := pattern.fullmatch(address, len(COMPOSITION)):
            ours = [match.expand(one) for one in addresses]
            address = next((one for one in ours if one in known), ours[-1])
            values = tuple(_spanned(argument, low, high) for argument in arguments)
            return message._replace(address=address, arguments=values)
    return message


def _spanned(argument: float | str | None, low: float, high: float) -> float | str | None:
    """0..1 as low..high."""
    return low + argument * (high - low) if isinstance(argument, int | float) else argument
