"""Options: which show, how it looks, and its devices."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from perform import paths
from perform.clock import Lead
from perform.inputs.camera import View
from perform.networks import Device, Precision
from perform.scenes.look import FlashMode
from perform.scenes.show import KEY_HELP
from perform.sharing import Share, lacking
from perform.venue import Venue

DEMO = "demo"  # the default setlist


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a show. `setlist` is a setlist or a preset, by name or file; `sound` a file, a
    device, or None for silence; `size` is (width, height) in pixels. Scenes are
    drawn at `scale` (0.1..1) times that size and enlarged at the end. If `fps` or `scale` is None, it
    suits the machine; where the processor draws, `adapt` lowers it while the processor is busy. Beats are
    shown `offset` seconds early, mid-tones lighter for a `gamma` above 1."""

    setlist: str = DEMO
    sound: str | None = None
    size: tuple[int, int] = (1280, 720)
    fps: float | None = None
    scale: float | None = None
    adapt: bool = True
    offset: float = 0.0
    gamma: float = 1.0
    flashes: FlashMode = "off"
    model: str | None = None
    precision: Precision = "auto"
    device: Device = "auto"
    record: Path | None = None
    codec: str = "h264"  # of the recording
    quality: str | None = None
    headless: bool = False
    fullscreen: bool = False
    display: str | None = None
    midi: str | None = None
    lights: bool = True  # of controllers
    osc_port: int = 9000  # UDP, and TCP for queries; 0: none
    osc_host: str = "127.0.0.1"
    osc_feedback: tuple[tuple[str, int], ...] = ()  # they receive changes, as the last senders do
    clock: Lead | None = None  # what leads the beat; None: as in the setlist
    link: bool = False
    clock_out: str | None = None  # a MIDI port
    shares: tuple[Share, ...] = ()  # where the picture also goes
    camera: str = ""  # by name, number or path; the first
    view: View | None = None  # of the camera, for hands
    memory: float = 0.0  # bytes that all open models may take, 0: most of what is free
    keep_state: bool = False  # what hands change, in a file
    resume: bool = False  # with what that file has
    loop: bool = True
    watch: bool = True
    venue: Venue | None = None  # its displays, its operator's window, and its file, which is watched
    keys: tuple[tuple[str, str], ...] = KEY_HELP  # what the window's help lists

    def __post_init__(self) -> None:
        """Raises RuntimeError if Link, or a way to share pictures, cannot be used here, ValueError for a
        recording or a share that cannot be made."""
        from perform.inputs import link
        from perform.outputs.codecs import check_size, encoding

        encoding(self.record, self.codec, self.quality)
        if self.record:
            check_size(self.size)
        if (self.link or self.clock == "link") and not link.installed():
            raise RuntimeError(f"link: {link.not_installed()}")
        self._check_shares()

    def _check_shares(self) -> None:
        for number, share in enumerate(self.shares):
            if share in self.shares[:number]:
                raise ValueError(f"share {share} is given twice")
            if why := lacking(share.kind):
                raise RuntimeError(f"share {share}: {why}")
        if any(share.kind == "v4l2" for share in self.shares) and self.size[0] % 2:
            raise ValueError(f"size {self.size[0]}x{self.size[1]}, must have an even width for v4l2")


def demo_track() -> Path | None:
    """The demo track, None if it is not installed."""
    return next((file for file in sorted(paths.demo().glob("track.*")) if file.suffix != ".json"), None)


def sound_option(audio: str | None) -> str | None:
    """The sound of an option --audio: None for "none", and the demo track if it is not given."""
    if audio is not None:
        return None if audio == "none" else audio
    track = demo_track()
    return str(track) if track else None
