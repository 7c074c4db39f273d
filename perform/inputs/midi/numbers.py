"""14-bit numbers, and the parameters that have one (NRPN and RPN), from bytes of 7 bits (MIDI 1.0, tables
III and IIIa)."""

from __future__ import annotations

from collections import deque

BITS_14, BITS_7 = 16383, 127  # the largest numbers of 14 and of 7 bits
DATA_COARSE, DATA_FINE, DATA_UP, DATA_DOWN = 6, 38, 96, 97  # data entry, increment, decrement
NUMBER_HALVES = {98: "nrpn", 99: "nrpn", 100: "rpn", 101: "rpn"}  # of a number, the fine one first
DATA_ENTRY = (DATA_COARSE, DATA_FINE, DATA_UP, DATA_DOWN)
STEPS_COMPARED = 3  # steps between numbers, by which the order of their bytes is judged
MOST_PARAMETERS = 48  # of a channel; garbage must not fill the memory


class TwoByteNumber:
    """A number that comes as two bytes: the coarse one first as MIDI has it, or the fine one first.

    The byte that comes first of all tells the order. A fine byte that comes alone belongs to the coarse one
    before it. If the other order makes the last numbers lie much nearer to each other, it is the right one.

    The number does not jump between the two bytes, so that a moving fader never turns back. Coarse first: a
    new coarse byte gives the nearest number that it can mean. Fine first: the number waits for its coarse
    byte.
    Before the first fine byte only the coarse one counts.
    """

    def __init__(self) -> None:
        self._coarse: int | None = None
        self._fine: int | None = None
        self._number = 0
        self.fine_first = False
        self._fine_came_last: bool | None = None
        self._steps = {order: deque[int](maxlen=STEPS_COMPARED) for order in (True, False)}  # by fine first
        self._completed: dict[bool, int] = {}  # the last number in either order

    @property
    def whole(self) -> bool:
        """Whether both bytes have come."""
        return self._coarse is not None and self._fine is not None

    @property
    def waiting(self) -> bool:
        """Whether the number waits for the coarse byte of the fine one that came."""
        return self.fine_first and self._coarse is not None and self._fine_came_last is True

    @property
    def value(self) -> float:
        """The number as 0..1."""
        return (self._coarse or 0) / BITS_7 if self._fine is None else self._number / BITS_14

    def coarse(self, byte: int) -> float:
        """The upper seven bits came."""
        if self._fine_came_last and self._fine is not None:
            self._compare(True, byte << 7 | self._fine)
        fine = self._fine or 0
        if not self.fine_first and self._coarse is not None and self._fine is not None:
            before = self._number >> 7
            fine = self._number & BITS_7 if byte == before else 0 if byte > before else BITS_7
        self._coarse, self._fine_came_last = byte, False
        self._number = byte << 7 | fine
        return self.value

    def fine(self, byte: int) -> float:
        """The lower seven bits came."""
        if self._fine_came_last is None:
            self.fine_first = True
        elif self._fine_came_last:
            self.fine_first = False
        elif self._coarse is not None:
            self._compare(False, self._coarse << 7 | byte)
        self._fine, self._fine_came_last = byte, True
        if not self.waiting:
            self._number = (self._coarse or 0) << 7 | byte
        return self.value

    def step(self, by: int) -> float:
        """Steps up or down."""
        if self._fine is None:
            self._coarse = min(max((self._coarse or 0) + by, 0), BITS_7)
            return self.value
        self._number = min(max(self._number + by, 0), BITS_14)
        self._coarse, self._fine = self._number >> 7, self._number & BITS_7
        return self.value

    def _compare(self, fine_first: bool, number: int) -> None:
        """A pair of bytes is complete in one of the orders: change the order if the other one is right."""
        before = self._completed.get(fine_first, number)
        self._completed[fine_first] = number
        self._steps[fine_first].append(abs(number - before))
        here, other = self._steps[self.fine_first], self._steps[not self.fine_first]
        if len(here) == len(other) == STEPS_COMPARED and sum(here) > 4 * sum(other) + BITS_7:
            self.fine_first = not self.fine_first


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
        number = self._numbers.setdefault(self._name, TwoByteNumber())
        value = self._set(number, control, byte)
        return None if number.waiting else (self._name, value)

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
