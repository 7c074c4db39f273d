"""Every bridge from a card to a texture keeps the contract, on a double of CUDA and real OpenGL."""

from __future__ import annotations

import ctypes
import logging
from collections.abc import Callable, Iterator
from typing import Any

import moderngl
import numpy as np
import pytest
import torch

from perform.arrays import DevicePixels, Pixels
from perform.clock import Moment
from perform.networks.runtimes.torch.picture import DevicePicture
from perform.render import egl
from perform.render.bridges import Bridge, BridgeError, Bridges
from perform.render.bridges.copied import PinnedBridge, PlainBridge
from perform.render.bridges.opening import OPENERS, PROBED, open_bridges
from perform.render.bridges.registered import BufferBridge, CudaRuntime, TextureBridge
from perform.render.pictures import Pictures
from perform.render.readback import Readback
from tests.doubles import cuda_runtime as double
from tests.doubles.cuda_runtime import on_device

MOMENT = Moment(0, 0, 1 / 60, 0, 0, 120)


@pytest.fixture
def cudart(context: moderngl.Context) -> double.CudaRuntime:
    return double.CudaRuntime(context)


Openers = dict[str, Callable[[moderngl.Context], Bridge]]


@pytest.fixture
def openers(cudart: double.CudaRuntime) -> Openers:
    class Known:
        """The context, whose buffers the double knows."""

        buffer = cudart.buffer

    return {
        "texture": lambda context: TextureBridge(context, CudaRuntime(cudart)),
        "buffer": lambda _context: BufferBridge(Known(), CudaRuntime(cudart)),  # type: ignore[arg-type]
        "pinned": lambda context: PinnedBridge(context, lock=False),
        "plain": PlainBridge,
    }


@pytest.fixture(params=["texture", "buffer", "pinned", "plain"])
def bridge(request: pytest.FixtureRequest, openers: Openers, context: moderngl.Context) -> Iterator[Bridge]:
    opened = openers[request.param](context)
    yield opened
    opened.close()


def picture(width: int, height: int, seed: int = 0) -> Pixels:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 4), np.uint8)


def test_every_bridge_is_in_this_suite(openers: Openers) -> None:
    assert [*openers] == [*OPENERS]
    for name, opener in OPENERS.items():
        assert opener.name == name  # type: ignore[attr-defined]


@pytest.mark.parametrize("size", [(8, 4), (5, 3), (256, 256), (1, 1)])
def test_every_byte_arrives(bridge: Bridge, context: moderngl.Context, size: tuple[int, int]) -> None:
    texture = context.texture(size, 4, alignment=1)
    for seed in range(3):
        sent = picture(*size, seed)
        bridge.upload(texture, on_device(sent))
        assert texture.read(alignment=1) == sent.tobytes()
    bridge.forget(texture)
    texture.release()


def test_two_textures_in_turn_and_another_size(bridge: Bridge, context: moderngl.Context) -> None:
    textures = [context.texture(size, 4) for size in ((8, 4), (8, 4), (16, 8))]
    for seed in range(2):
        for texture in textures:
            sent = picture(texture.width, texture.height, seed)
            bridge.upload(texture, on_device(sent))
            assert texture.read() == sent.tobytes()
    for texture in textures:
        bridge.forget(texture)
        bridge.forget(texture)
        texture.release()


def test_mipmaps_of_a_texture_follow_its_picture(bridge: Bridge, context: moderngl.Context) -> None:
    texture = context.texture((8, 8), 4)
    for value in (200, 40):
        bridge.upload(texture, on_device(np.full((8, 8, 4), value, np.uint8)))
        texture.build_mipmaps(max_level=2)
        assert set(texture.read(level=2)) == {value}
    bridge.forget(texture)
    texture.release()


def test_closing_twice_releases_everything(bridge: Bridge, context: moderngl.Context, cudart: Any) -> None:
    texture = context.texture((8, 4), 4)
    bridge.upload(texture, on_device(PROBED))
    bridge.close()
    bridge.close()
    assert cudart.resources == []
    assert cudart.streams == 0
    texture.release()


@pytest.mark.parametrize("name", ["texture", "buffer"])
def test_a_picture_of_another_size_is_refused_before_it_is_copied(
    name: str, openers: Openers, context: moderngl.Context, cudart: double.CudaRuntime
) -> None:
    bridge, done = openers[name](context), [*cudart.done]
    for size, components in (((4, 4), 4), ((8, 4), 3)):
        texture = context.texture(size, components, alignment=1)
        with pytest.raises(BridgeError, match="a picture of 8x4 with 4 channels for a texture of"):
            bridge.upload(texture, on_device(PROBED))
        texture.release()
    assert cudart.done == done
    bridge.close()


def test_the_best_comes_first_and_the_others_wait(openers: Openers, context: moderngl.Context) -> None:
    opened = open_bridges(context, on_device, openers)
    assert (opened.best, opened.direct, opened.reasons) == ("texture", True, {})
    opened.close()


FAULTS = {
    "cudaGraphicsGLRegisterImage": ["buffer", {"texture"}],
    "cudaMemcpy2DToArrayAsync": ["buffer", {"texture"}],
    "cudaGraphicsMapResources": ["pinned", {"texture", "buffer"}],
    "cudaStreamCreateWithPriority": ["pinned", {"texture", "buffer"}],
    "cudaGLGetDevices": ["pinned", {"texture", "buffer"}],
}


@pytest.mark.parametrize("name", FAULTS)
def test_what_does_not_work_here_is_left_out_with_its_reason(
    name: str, openers: Openers, context: moderngl.Context, cudart: double.CudaRuntime
) -> None:
    cudart.fails[name] = double.cudaError_t.cudaErrorOperatingSystem
    opened = open_bridges(context, on_device, openers)
    best, without = FAULTS[name]
    assert (opened.best, set(opened.reasons)) == (best, without)
    assert set(opened.reasons.values()) == {f"{name}: cudaErrorOperatingSystem"}
    assert opened.direct is (best == "buffer")
    opened.close()
    cudart.fails.clear()
    assert cudart.streams == 0


def test_a_card_that_does_not_draw_the_picture_is_left_out(
    openers: Openers, context: moderngl.Context, cudart: double.CudaRuntime
) -> None:
    cudart.device, cudart.drawing = 1, [0]
    opened = open_bridges(context, on_device, openers)
    assert opened.best == "pinned"
    assert opened.reasons["texture"] == "CUDA device 1 does not draw the picture, another one does"
    cudart.drawing = [0, 1]
    assert open_bridges(context, on_device, openers).best == "texture"


def test_a_bridge_that_brings_another_picture_is_left_out(context: moderngl.Context) -> None:
    class Liar(PlainBridge):
        def upload(self, texture: moderngl.Texture, picture: DevicePixels) -> None:
            texture.write(bytes(texture.width * texture.height * 4))

    opened = open_bridges(context, on_device, {"liar": Liar, "plain": PlainBridge})
    assert (opened.best, opened.reasons) == ("plain", {"liar": "another picture arrives"})
    with pytest.raises(BridgeError, match="liar: another picture arrives"):
        open_bridges(context, on_device, {"liar": Liar})


def test_without_the_library_a_picture_takes_the_machines_memory(
    context: moderngl.Context, monkeypatch: pytest.MonkeyPatch, openers: Openers
) -> None:
    def missing(_name: str) -> Any:
        raise ModuleNotFoundError("No module named 'cuda'")

    monkeypatch.setattr("perform.render.bridges.registered.import_module", missing)
    opened = open_bridges(context, on_device, {**OPENERS, "pinned": openers["pinned"]})
    assert opened.best == "pinned"
    assert opened.reasons == dict.fromkeys(("texture", "buffer"), "No module named 'cuda'")


def shown(pictures: Pictures, context: moderngl.Context) -> Pixels:
    values = {"fit": "fill", "sharpness": 0.0}
    image = pictures.render(MOMENT, values)
    return Readback(context, pictures.size).read(image)


def test_a_bridge_that_fails_in_a_show_leaves_no_frame_without_its_picture(
    openers: Openers, context: moderngl.Context, cudart: double.CudaRuntime, caplog: pytest.LogCaptureFixture
) -> None:
    opened = open_bridges(context, on_device, openers)
    pictures = Pictures(context, (8, 8), bridges=opened)
    grey = np.full((8, 8, 4), 255, np.uint8)
    for number, (fails, best) in enumerate(
        (
            (None, "texture"),
            ("cudaMemcpy2DToArrayAsync", "buffer"),
            ("cudaGraphicsResourceGetMappedPointer", "pinned"),
        )
    ):
        if fails:
            cudart.fails[fails] = double.UNKNOWN
        grey[..., :3] = 60 + 60 * number
        pictures.upload(on_device(grey))
        assert opened.best == best
        assert abs(int(shown(pictures, context)[4, 4, 0]) - (60 + 60 * number)) <= 1
    assert cudart.resources == []
    assert not opened.direct
    assert [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR] == [
        "pictures take the bridge buffer: texture failed (cudaMemcpy2DToArrayAsync: cudaErrorUnknown)",
        "pictures take the bridge pinned: buffer failed (cudaGraphicsResourceGetMappedPointer: "
        "cudaErrorUnknown)",
    ]
    pictures.release()
    opened.close()


def test_the_last_bridge_raises_what_it_meets(context: moderngl.Context) -> None:
    class Broken(PlainBridge):
        def upload(self, texture: moderngl.Texture, picture: DevicePixels) -> None:
            raise RuntimeError("the card is gone")

    texture = context.texture((8, 4), 4)
    with pytest.raises(RuntimeError, match="the card is gone"):
        Bridges([Broken(context)]).upload(texture, on_device(PROBED))
    texture.release()


def test_pictures_of_the_card_and_of_memory_are_shown_alike(
    openers: Openers, context: moderngl.Context
) -> None:
    opened = open_bridges(context, on_device, openers)
    pixels = picture(32, 32, 5)
    pixels[..., 3] = 255
    frames = []
    for one in (pixels[..., :3], on_device(pixels)):
        pictures = Pictures(context, (24, 24), bridges=opened)  # smaller: with mipmaps
        for _ in range(3):
            pictures.upload(one)
        frames.append(shown(pictures, context))
        pictures.release()
    assert (frames[0] == frames[1]).all()
    opened.close()


def test_textures_are_unregistered_before_they_are_released(
    openers: Openers, context: moderngl.Context, cudart: double.CudaRuntime
) -> None:
    opened = open_bridges(context, on_device, openers)
    pictures = Pictures(context, (8, 8), bridges=opened)
    for size in ((8, 8), (8, 8), (16, 16)):
        pictures.upload(on_device(picture(*size)))
    assert len(cudart.resources) == 2  # the newest texture's, and the buffer of the trial
    pictures.release()
    assert len(cudart.resources) == 1
    opened.close()
    assert cudart.resources == []


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_networks_output_becomes_a_picture_of_its_own(channels: int) -> None:
    output = torch.arange(2 * 3 * channels, dtype=torch.uint8).reshape(2, 3, channels)
    made = DevicePicture.of(output)
    expected = np.full((2, 3, 4), 255, np.uint8)
    expected[..., : max(channels, 3)] = output.numpy()
    output.zero_()
    assert made.shape == (2, 3, 4)
    assert (made.pixels() == expected).all()
    assert made.copy() is made
    assert ctypes.string_at(made.pointer, 24) == expected.tobytes()


class Egl:
    """libEGL with devices, of which some are CUDA's; None: an extension is missing."""

    def __init__(self, cuda: list[int | None] | None) -> None:
        devices = cuda or []

        @ctypes.CFUNCTYPE(
            ctypes.c_uint, ctypes.c_int, ctypes.POINTER(ctypes.c_void_p), ctypes.POINTER(ctypes.c_int)
        )
        def query(most: int, found: Any, count: Any) -> int:
            for number in range(len(devices)):
                found[number] = 1000 + number
            count[0] = len(devices)
            return 1

        @ctypes.CFUNCTYPE(ctypes.c_uint, ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(ctypes.c_ssize_t))
        def attribute(device: int, name: int, value: Any) -> int:
            number = devices[device - 1000]
            if name != 0x323A or number is None:
                return 0
            value[0] = number
            return 1

        self._kept = {b"eglQueryDevicesEXT": query, b"eglQueryDeviceAttribEXT": attribute}
        self._there = cuda is not None

        def find(name: bytes) -> int | None:
            return ctypes.cast(self._kept[name], ctypes.c_void_p).value if self._there else None

        self.eglGetProcAddress = find


def test_the_device_of_egl_is_found_that_is_the_card_of_cuda() -> None:
    assert egl.cuda_devices(Egl([None, 1, 0])) == [None, 1, 0]
    assert [egl.device_of(cuda, Egl([None, 1, 0])) for cuda in (0, 1, 2)] == [2, 1, None]
    assert egl.cuda_devices(Egl(None)) == egl.cuda_devices(Egl([])) == []
    assert egl.device_of(0, Egl([None])) is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_bridges_on_a_gpu() -> None:
    from perform.render.context import headless

    context = headless(torch.cuda.current_device())
    opened = open_bridges(context)
    assert opened.direct, opened.reasons
    texture = context.texture((1920, 1080), 4)
    for seed in range(3):
        sent = picture(1920, 1080, seed)
        opened.upload(texture, DevicePicture.of(torch.from_numpy(sent).cuda()))
        assert texture.read() == sent.tobytes()
    opened.forget(texture)
    opened.close()
    context.release()
