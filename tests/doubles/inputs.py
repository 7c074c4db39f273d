"""An input that a test plays."""

from perform.faults import Health
from perform.signals import Event


class PlayedInput:
    """An input whose events a test puts in, or that fails."""

    name = "says"

    def __init__(self) -> None:
        self.next: list[tuple[str, float]] = []
        self.fault: Exception | None = None
        self.closed = False
        self.state = Health("ok")

    def poll(self, until: float) -> list[Event]:
        if self.fault:
            raise self.fault
        said, self.next = self.next, []
        return [Event(until, name, value) for name, value in said]

    def health(self) -> Health:
        return self.state

    def close(self) -> None:
        self.closed = True
