"""14-bit numbers, and the parameters that have one (NRPN and RPN), from bytes of 7 bits (MIDI 1.0, tables
III and IIIa)."""

from __future__ import annotations

BITS_14, BITS_7 = 16383, 127  # the largest numbers of 14 and of 7 bits
DATA_COARSE, DATA_FINE, DATA_UP, DATA_DOWN = 6, 38, 96, 97  # data entry, increment, decrement
NUMBER_HALVES = {98: "nrpn", 99: "nrpn", 100: "rpn", 101: "rpn"}  # of a number, the fine one first
DATA_ENTRY = (DATA_COARSE, DATA_FINE, DATA_UP, DATA_DOWN)
MOST_PARAMETERS = 48  # of a channel; garbage must not fill the memory


class TwoByteNumber:
    """A number that comes as two bytes, the coarse one first.

    Between the two it does not jump: a new coarse byte gives the nearest number that it can mean, so that a
    moving fader never turns back. Before the first fine byte only the coarse one counts.
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
            return (self._coarse or 0) / BITS_7
        return ((self._coarse or 0) << 7 | self._fine) / BITS_14

    def coarse(self, byte: int) -> float:
        """The upper seven bits."""
        if self._fine is not None and self._coarse is not None and byte != self._coarse:
            self._fine = 0 if byte > self._coarse else BITS_7
        self._coarse = byte
        return self.value

    def fine(self, byte: int) -> float:
        """The lower seven bits."""
        self._fine = byte
        return self.value

    def step(self, by: int) -> float:
        """Steps up or down."""
        if self._fine is None:
            self._coarse = min(max((self._coarse or 0) + by, 0), BITS_7)
        else:
            number = min(max(((self._coarse or 0) << 7 | self._fine) + by, 0), BITS_14)
            self._coarse, self._fine = number >> 7, number & BITS_7
        return self.value


class ParameterNumbers:
    """The NRPN and RPN of a channel.

    A parameter is chosen when both halves of its number come one after the other: a controller whose knobs
    are CC 98 to 101 sends no such pair, or no value after it.
    """

    def __init__(self) -> None:
        self.used = False  # whether a value has come: then its controllers are nothing else
        self._name = ""  # of the chosen parameter, "nrpn300"
        self._before: int | None = None
        self._halves: dict[int, int] = {}
        self._numbers: dict[str, TwoByteNumber] = {}

    def carries(self, control: int) -> bool:
        """Whether a controller belongs to a parameter."""
        return (control in NUMBER_HALVES and self.used) or (control in DATA_ENTRY and self._name != "")

    def receive(self, control: int, byte: int) -> tuple[str, float] | None:
        """The parameter that a controller changes, as `nrpn300` and 0..1."""
        before, self._before = self._before, control
        if control in NUMBER_HALVES:
            self._halves[control] = byte
            if before == control ^ 1 or self.used:
                self._choose(control & ~1)
            return None
        if control not in DATA_ENTRY or not self._name:
            return None
        self.used = True
        if self._name not in self._numbers and len(self._numbers) >= MOST_PARAMETERS:
            return None
        return self._name, self._set(self._numbers.setdefault(self._name, TwoByteNumber()), control, byte)

    def _choose(self, lower: int) -> None:
        fine, coarse = self._halves.get(lower), self._halves.get(lower + 1)
        # 127, 127 is no parameter
        known = fine is not None and coarse is not None and (fine, coarse) != (BITS_7, BITS_7)
        self._name = f"{NUMBER_HALVES[lower]}{(coarse or 0) << 7 | (fine or 0)}" if known else ""

    def _set(self, number: TwoByteNumber, control: int, byte: int) -> float:
        if control == DATA_COARSE:
            return number.coarse(byte)
        if control == DATA_FINE:
            return number.fine(byte)
        return number.step(1 if control == DATA_UP else -1)
