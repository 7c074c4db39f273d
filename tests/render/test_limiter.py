"""The flash limiter, with real pictures: what flashes is softened, and nothing else is touched."""

import moderngl
import numpy as np
import pytest

from perform.arrays import Floats
from perform.render.flashes import FlashMeter
from perform.render.limiter import FlashLimiter
from perform.scenes.look import FlashMode, Look

SIZE = (64, 36)
LOOK = Look()


def texture(context: moderngl.Context, *rgb: int, width: int = SIZE[0]) -> moderngl.Texture:
    """A flat colour over `width` pixels, black over the rest."""
    pixels = np.zeros((SIZE[1], SIZE[0], 4), np.uint8)
    pixels[:, :width, :3] = rgb
    pixels[..., 3] = 255
    return context.texture(SIZE, 4, pixels.tobytes())


def mean(image: moderngl.Texture) -> Floats:
    pixels = np.frombuffer(image.read(), np.uint8).reshape(SIZE[1], SIZE[0], 4)
    return np.asarray(pixels[..., :3].mean((0, 1)) / 255, np.float32)


def played(
    context: moderngl.Context, mode: FlashMode, rate: float, bright: moderngl.Texture, seconds: float = 2.0
) -> tuple[list[Floats], FlashLimiter]:
    """Black and a picture in turn; what is shown of each frame."""
    limiter, black, shown = FlashLimiter(context, mode), texture(context, 0, 0, 0), []
    for frame in range(int(60 * seconds)):
        image = bright if int(2 * rate * frame / 60) % 2 else black
        shown.append(mean(limiter.limited(frame / 60, image, LOOK)))
    return shown, limiter


def worst(shown: list[Floats]) -> int:
    """The most flashes a second in what was shown."""
    meter = FlashMeter()
    readings = [meter.show(frame / 60, np.tile(one, (4, 4, 1))) for frame, one in enumerate(shown)]
    return max(max(reading.general, reading.red) for reading in readings)


@pytest.mark.parametrize("rate", [5, 25])
@pytest.mark.parametrize("colour", [(255, 255, 255), (255, 0, 0), (60, 180, 255)])
def test_a_strobe_is_softened(context: moderngl.Context, rate: float, colour: tuple[int, int, int]) -> None:
    bright = texture(context, *colour)
    assert worst(played(context, "warn", rate, bright)[0]) > 3
    shown, _ = played(context, "on", rate, bright)
    assert worst(shown) <= 3
    late = [one.max() for one in shown[60:]]
    assert max(late) > 0.15  # softened, not cut off
    assert max(late) - min(late) > 0.02


@pytest.mark.parametrize("rate", [1, 2, 3])
def test_what_is_allowed_is_as_it_is(context: moderngl.Context, rate: float) -> None:
    shown, limiter = played(context, "on", rate, texture(context, 255, 255, 255))
    assert {round(float(one.max()), 3) for one in shown} == {0.0, 1.0}
    assert limiter.share == 0


def test_a_small_flash_is_as_it_is(context: moderngl.Context) -> None:
    shown, _ = played(context, "on", 10, texture(context, 255, 255, 255, width=14))  # 22 % of the picture
    assert {round(float(one.max()), 2) for one in shown} == {0.0, 0.22}


@pytest.mark.parametrize("left", [0.0, 0.22, 0.75])
def test_what_is_small_on_the_canvas_is_softened_where_it_fills_a_display(
    context: moderngl.Context, left: float
) -> None:
    """A strobe of 10 Hz over 22 % of the canvas, at its left, and a display that shows a fifth of it."""
    white, black = texture(context, 255, 255, 255, width=14), texture(context, 0, 0, 0)
    limiter, shown = FlashLimiter(context, "on", parts=[(left, 0, 0.2, 1)]), []
    for frame in range(120):
        shown.append(mean(limiter.limited(frame / 60, white if frame // 3 % 2 else black, LOOK)) * 64 / 14)
    assert (worst(shown) <= 3) == (left == 0), "only where the display shows it"


def test_master_and_blackout_are_seen(context: moderngl.Context) -> None:
    white = texture(context, 255, 255, 255)
    for dark in (Look(blackout=True), Look(master=0.1)):
        limiter = FlashLimiter(context, "warn")
        worst = 0
        for frame in range(120):
            limiter.limited(frame / 60, white, dark if frame // 6 % 2 else LOOK)
            worst = max(worst, limiter.flashing.general)
        assert worst in (5, 6)


def test_flashes_of_the_blackout_count_though_they_cannot_be_softened(
    context: moderngl.Context, caplog: pytest.LogCaptureFixture
) -> None:
    white, limiter, counts = texture(context, 255, 255, 255), FlashLimiter(context, "on"), []
    for frame in range(120):
        limiter.limited(frame / 60, white, Look(blackout=bool(frame // 6 % 2)))
        counts.append(limiter.flashing.general)
    assert max(counts) == 5
    assert [one.message.split("; ")[1] for one in caplog.records] == [
        "they can hurt people: master or blackout makes them, and is not softened"
    ]


def test_what_a_display_shows_after_a_blackout_is_softened_where_it_is_late(
    context: moderngl.Context,
) -> None:
    """A strobe of 10 Hz; the blackout ends after two seconds, and the display is half a second late."""
    white, black, delay = texture(context, 255, 255, 255), texture(context, 0, 0, 0), 30
    counts = []
    for later in (False, True):
        limiter, images, seen = FlashLimiter(context, "on", later), [], []
        for frame in range(180):
            look = Look(blackout=frame < 120)
            image = limiter.limited(frame / 60, white if frame // 3 % 2 else black, look)
            images.append(mean(image))
            seen.append(images[max(frame - delay, 0)] * (not look.blackout))
        counts.append(worst(seen))
    assert counts[0] > 3 and counts[1] <= 3


def test_a_picture_of_another_size_is_mixed_with_the_one_before(context: moderngl.Context) -> None:
    white = texture(context, 255, 255, 255)
    small = context.texture((32, 18), 4, bytes(32 * 18 * 4))
    _, limiter = played(context, "on", 10, white, seconds=1.0)
    shown = limiter.limited(1.0, white, LOOK)
    before = mean(shown).max()
    image = limiter.limited(61 / 60, small, LOOK)
    assert image.size == (32, 18)
    after = np.frombuffer(image.read(), np.uint8).reshape(-1, 4)[:, :3].mean() / 255
    assert after == pytest.approx(limiter.share * before, abs=2 / 255)
    assert limiter.share > 0


def test_it_warns_once(context: moderngl.Context, caplog: pytest.LogCaptureFixture) -> None:
    white = texture(context, 255, 255, 255)
    played(context, "warn", 10, white)
    (record,) = caplog.records
    assert record.message == (
        "more than 3 flashes a second over a quarter of the picture; they can hurt people: "
        "--flashes on softens them"
    )
    caplog.clear()
    played(context, "off", 10, white)
    assert not caplog.records


def test_other_sizes_and_floats(context: moderngl.Context) -> None:
    limiter = FlashLimiter(context, "on")
    for size, dtype in (((8, 8), "f1"), ((16, 9), "f2"), ((1, 1), "f1")):
        image = context.texture(size, 4, dtype=dtype)
        assert limiter.limited(0.0, image, LOOK).size == size
    limiter.release()
    limiter.release()
