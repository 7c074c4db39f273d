"""Numbers of 14 bits, and the parameters that have one (NRPN and RPN), out of bytes of 7 (MIDI 1.0,
tables III and IIIa)."""

from __future__ import annotations

FULL, BYTE = 16383, 127
COARSE, FINE, UP, DOWN = 6, 38, 96, 97  # data entry, increment, decrement
HALVES = {98: "nrpn", 99: "nrpn", 100: "rpn", 101: "rpn"}  # of a parameter's number, the fine one first
DATA = (COARSE, FINE, UP, DOWN)
MOST = 48  # parameters of a channel; garbage must not fill the memory


class Pair:
    """A number that comes as two bytes, the coarse one first.

    Between the two it does not jump: a new coarse byte leads to the nearest number that it can mean, so
    that a fader on its way never turns back. Before the first fine byte the coarse one is all there is.
    """

    def __init__(self) -> None:
        self._coarse: int | None = None
        self._fine: int | None = None

    @property
    def whole(self) -> bool:
        """Whether both bytes have come."""
        return self._coarse is not None and self._fine is not None

    @property
    def value(self) -> float:
        """The number as 0..1."""
        if self._fine is None:
            return (self._coarse or 0) / BYTE
        return ((self._coarse or 0) << 7 | self._fine) / FULL

    def coarse(self, byte: int) -> float:
        """The upper seven bits."""
        if self._fine is not None and self._coarse is not None and byte != self._coarse:
            self._fine = 0 if byte > self._coarse else BYTE
        self._coarse = byte
        return self.value

    def fine(self, byte: int) -> float:
        """The lower seven bits."""
        self._fine = byte
        return self.value

    def step(self, by: int) -> float:
        """So many steps up or down."""
        if self._fine is None:
            self._coarse = min(max((self._coarse or 0) + by, 0), BYTE)
        else:
            number = min(max(((self._coarse or 0) << 7 | self._fine) + by, 0), FULL)
            self._coarse, self._fine = number >> 7, number & BYTE
        return self.value


class Parameters:
    """The NRPN and RPN of a channel.

    A number counts as one when its halves come one after the other: on a controller whose knobs are CC
    98 to 101 they do not, or not followed by a value.
    """

    def __init__(self) -> None:
        self.used = False  # whether a value has come: then the controllers that carry it are nothing else
        self._name = ""  # of the parameter that is chosen, "nrpn300"
        self._before: int | None = None
        self._halves: dict[int, int] = {}
        self._pairs: dict[str, Pair] = {}

    def carries(self, control: int) -> bool:
        """Whether a controller is a part of a parameter."""
        return (control in HALVES and self.used) or (control in DATA and self._name != "")

    def hear(self, control: int, byte: int) -> tuple[str, float] | None:
        """The parameter that a controller changes, as `nrpn300` and 0..1."""
        before, self._before = self._before, control
        if control in HALVES:
            self._halves[control] = byte
            if before == control ^ 1 or self.used:
                self._choose(control & ~1)
            return None
        if control not in DATA or not self._name:
            return None
        self.used = True
        if self._name not in self._pairs and len(self._pairs) >= MOST:
            return None
        return self._name, self._set(self._pairs.setdefault(self._name, Pair()), control, byte)

    def _choose(self, lower: int) -> None:
        fine, coarse = self._halves.get(lower), self._halves.get(lower + 1)
        known = fine is not None and coarse is not None and (fine, coarse) != (BYTE, BYTE)  # that one is none
        self._name = f"{HALVES[lower]}{(coarse or 0) << 7 | (fine or 0)}" if known else ""

    def _set(self, pair: Pair, control: int, byte: int) -> float:
        match control:
            case 6:
                return pair.coarse(byte)
            case 38:
                return pair.fine(byte)
            case _:
                return pair.step(1 if control == UP else -1)
