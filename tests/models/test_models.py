"""`perform models`, and models of other projects as they are played."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from perform import generators, show
from perform.bench.models import loading, write_pickle
from perform.generators.dcgan import untrained
from perform.generators.load import load_weights
from perform.generators.model import Model
from perform.latent.space import z_of
from perform.library import Library
from perform.models import store
from perform.networks.modelfiles import read_weights, write_weights
from perform.networks.runtimes.torch.eager import Eager
from perform.networks.runtimes.torch.network import to_pixels
from perform.sampling.pictures import SampleRequest, Sampling, encode_png, image_pixels
from scripts.reference_table import CONTAINERS, differences
from tests.doubles.command import run
from tests.doubles.library import save, write_library
from tests.folders import DATA, FOREIGN

HERE = [(file, file) for name in ("biggan", "dcgan", "sg") for file in sorted(DATA.glob(f"{name}*.npz"))]
HERE.append((FOREIGN, FOREIGN.with_name("rosinality-64-narrow_outputs.npz")))
REFERENCE = Path(os.environ.get("PERFORM_REFERENCE", "none"))
GENERATORS = [file for file in sorted(REFERENCE.glob("*.npz")) if file.name[:3] not in ("pix", "fas")]
WHOLE = [
    (model, arrays)
    for arrays in GENERATORS
    for model in sorted(REFERENCE.glob(f"{arrays.stem}*"))
    if model.suffix in (".npz", *CONTAINERS)
]


@pytest.mark.parametrize(
    ("model", "arrays"), HERE + WHOLE, ids=lambda path: f"{path.parent.name}/{path.name}"
)
def test_samples_equal_those_of_the_original_code(model: Path, arrays: Path) -> None:
    found = list(differences(model, arrays))
    assert [one for one in found if not one.value <= one.allowed] == []
    assert {one.kind for one in found} >= {"images"}


def test_a_wrong_weight_or_latent_changes_the_picture(folder: Path) -> None:
    model = DATA / "sg2ada-r32-clamp-gray.npz"
    content = dict(np.load(model))
    content["param/synthesis.b8.conv0.weight"][0, 0] += 0.1
    np.savez(folder / "other.npz", **content)
    wrong = [one.name for one in differences(folder / "other.npz", model) if one.value > one.allowed]
    assert wrong and all("img" in name for name in wrong)


def test_a_model_is_imported_listed_sampled_and_removed(folder: Path) -> None:
    kept = folder / "home/perform/models/flora.safetensors"
    assert f"flora is imported: {kept}" in run("models", "import", FOREIGN, "flora")
    first = kept.stat().st_mtime_ns
    assert "flora was imported before" in run("models", "import", FOREIGN, "flora")
    assert kept.stat().st_mtime_ns == first
    assert [path.name for path in kept.parent.iterdir()] == ["flora.safetensors"]

    rows = {row["name"]: row for row in json.loads(run("models", "list", "--json"))}
    flora = rows["flora"]
    assert (flora["origin"], flora["family"], flora["size"]) == ("imported", "stylegan2", [64, 64])
    assert rows["untrained"]["origin"] == "built-in"
    assert "imported" in run("models", "list")

    told = json.loads(run("models", "info", "flora", "--json"))
    assert (told["width"], told["num_ws"], told["w_dim"], told["classes"]) == (64, 10, 32, 0)
    assert told["pictures_per_second"] > 1
    assert told["parameters"] == sum(array.size for array in load_weights(kept).arrays.values())
    shown = run("models", "info", FOREIGN, "--no-measure")
    assert "state dict of rosinality's layout" in shown and "licence" in shown
    assert "the same as when it was written" in run("models", "verify", "flora")


def test_an_imported_model_equals_its_file(folder: Path) -> None:
    run("models", "import", FOREIGN, "flora")
    one, other = load_weights(FOREIGN), read_weights(store.models_folder() / "flora.safetensors")
    assert one.config == other.config
    assert all(np.array_equal(other.arrays[name], array) for name, array in one.arrays.items())


def test_a_model_name_is_unique(folder: Path) -> None:
    write_weights(folder / "a.safetensors", untrained(16, 8, 4))
    write_weights(folder / "b.safetensors", untrained(16, 8, 5))
    run("models", "import", "a.safetensors", "flora")
    assert "flora is another model already" in run("models", "import", "b.safetensors", "flora", expect=1)
    assert Model.read(store.models_folder() / "flora.safetensors").space.z_dim == 4
    run("models", "import", "b.safetensors", "flora", "--force")
    assert Model.read(store.models_folder() / "flora.safetensors").space.z_dim == 5


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("untrained", "built-in model"),
        ("../a", "cannot be a model's name"),
        (".a", "cannot be"),
        ("", "cannot be"),
    ],
)
def test_some_model_names_are_rejected(name: str, sentence: str) -> None:
    assert sentence in run("models", "import", FOREIGN, name, expect=1)
    assert not store.models_folder().exists()


def test_a_killed_import_leaves_no_partial_file(folder: Path) -> None:
    code = (
        "import os, sys, safetensors.numpy\n"
        "from pathlib import Path\n"
        "from perform.models import store\n"
        "def killed(arrays, path, metadata):\n"
        "    Path(path).write_bytes(b'half of it')\n"
        "    os._exit(9)\n"
        "safetensors.numpy.save_file = killed\n"
        "store.import_model(Path(sys.argv[1]), 'fauna')"
    )
    done = subprocess.run([sys.executable, "-c", code, str(FOREIGN)], check=False)
    assert done.returncode == 9
    assert "fauna" not in run("models", "list")
    assert "no such model" in run("models", "verify", "fauna", expect=1)
    assert "fauna is imported" in run("models", "import", FOREIGN, "fauna")
    assert [path.name for path in store.models_folder().iterdir()] == ["fauna.safetensors"]


def test_progress_is_reported_in_steps() -> None:
    steps: list[tuple[str, float | None]] = []
    store.import_model(FOREIGN, "flora", progress=lambda step, share: steps.append((step, share)))
    assert [step for step, _ in steps] == ["hashing", "reading", "writing"]
    assert steps[0][1] == 1.0


def test_verifying_finds_changed_files(folder: Path) -> None:
    run("models", "import", FOREIGN, "flora")
    file = store.models_folder() / "flora.safetensors"
    found = read_weights(file)
    name = "synthesis.b8.conv0.weight"
    write_weights(file, replace(found, arrays={**found.arrays, name: found.arrays[name] + 1e-6}))
    assert "changed after it was written" in run("models", "verify", "flora", expect=1)
    whole = bytearray(FOREIGN.read_bytes())
    file.write_bytes(whole[: len(whole) // 2])
    assert str(file) in run("models", "verify", "flora", expect=1)
    loud = {**found.arrays, "synthesis.b64.torgb.bias": np.full(3, 3e38, np.float32)}
    loud["synthesis.b32.torgb.bias"] = loud["synthesis.b64.torgb.bias"]
    write_weights(folder / "loud.safetensors", replace(found, arrays=loud, notes={}))
    assert "not finite" in run("models", "verify", "loud.safetensors", expect=1)


def test_seeds_give_the_latents_and_pictures_of_the_network(folder: Path) -> None:
    run("models", "sample", FOREIGN, "--seeds", "3,5-6", "--psi", "0.5", "--cutoff", "2", "--out", "a.npz")
    made = np.load("a.npz")
    assert set(made.files) == {"ws", "images"}
    assert (made["ws"].shape, made["images"].shape) == ((3, 10, 32), (3, 3, 64, 64))
    assert made["ws"].dtype == made["images"].dtype == np.float32
    unit = Eager(load_weights(FOREIGN))
    w = unit.map(np.random.RandomState(5).randn(1, 32).astype(np.float32))[0]
    mean = unit.mean()
    assert np.abs(made["ws"][1, :2] - (mean + np.float32(0.5) * (w - mean))).max() < 1e-6
    assert np.array_equal(made["ws"][1, 2:], np.repeat(w[None], 8, 0))
    assert np.array_equal(made["images"][1], unit.draw(made["ws"][1]))


def test_latents_are_used_unchanged(folder: Path) -> None:
    ws = np.random.default_rng(0).standard_normal((2, 10, 32)).astype(np.float32)
    np.save("ws.npy", ws)
    run("models", "sample", FOREIGN, "--ws", "ws.npy", "--out", "a.npz")
    assert np.array_equal(np.load("a.npz")["ws"], ws)
    run("models", "sample", FOREIGN, "--ws", "ws.npy", "--psi", "0", "--out", "a.npz", "--force")
    mean = Eager(load_weights(FOREIGN)).mean()
    assert np.array_equal(np.load("a.npz")["ws"], np.broadcast_to(mean, ws.shape))
    np.savez("z.npz", z=np.stack([z_of(4, 32)]))
    run("models", "sample", FOREIGN, "--z", "z.npz", "--out", "b.npz")
    run("models", "sample", FOREIGN, "--seeds", "4", "--out", "c.npz")
    assert np.array_equal(np.load("b.npz")["images"], np.load("c.npz")["images"])


def test_the_noise_mode_is_used() -> None:
    def drawn(noise: str) -> Any:
        return next(iter(Sampling(str(FOREIGN), SampleRequest(noise=noise)))).image

    made = [drawn(noise) for noise in ("const", "none", "7", "8")]
    assert len({image.tobytes() for image in made}) == 4
    assert np.array_equal(drawn("7"), made[2])


@pytest.mark.parametrize("model", [FOREIGN, DATA / "sg3t-64.npz", DATA / "biggan-tiny-32.npz"])
def test_the_fast_form_also_gives_floats(model: Path) -> None:
    exact, fast = (list(Sampling(str(model), SampleRequest("0-1", precision=p))) for p in ("float32", "fast"))
    for one, other in zip(exact, fast, strict=True):
        assert np.array_equal(one.ws, other.ws)
        assert np.sqrt(np.square(one.image - other.image).mean()) < 2 * 10 ** (-store.LEAST_PSNR / 20)
    assert not np.array_equal(fast[0].image, fast[1].image)


def test_pictures_in_a_folder_are_named_by_seed(folder: Path) -> None:
    run("models", "sample", DATA / "sg2ada-r32-clamp-gray.npz", "--seeds", "0,12", "--out", "grey")
    assert sorted(path.name for path in (folder / "grey").iterdir()) == ["seed0000.png", "seed0012.png"]
    run("models", "sample", FOREIGN, "--seeds", "12", "--set", "noise=0.5", "--out", "colour")
    sampling = Sampling(str(FOREIGN), SampleRequest("12", controls={"noise": 0.5}))
    (expected,) = (pictures(one.image) for one in sampling)
    assert np.array_equal(decoded((folder / "colour/seed0012.png").read_bytes(), "rgb24"), expected)


def pictures(image: Any) -> Any:
    import torch

    return to_pixels(torch.from_numpy(image)[None])[0].numpy()


def decoded(text: bytes, kind: str) -> Any:
    with av.open(BytesIO(text)) as file:
        return next(file.decode(video=0)).to_ndarray(format=kind)


def test_pngs_have_one_three_or_four_channels() -> None:
    image = np.linspace(-1.2, 1.2, 4 * 5 * 6, dtype=np.float32).reshape(4, 5, 6)
    for channels, kind in ((1, "gray"), (3, "rgb24"), (4, "rgba")):
        file = encode_png(image_pixels(image[:channels]))
        found = decoded(file, kind).reshape(5, 6, channels)
        assert np.array_equal(found, pictures(image[:channels]))


def wrong(folder: Path) -> None:
    """Files that are not of the requested kind."""
    np.save(folder / "short.npy", np.zeros((2, 5), np.float32))
    np.save(folder / "nan.npy", np.full((2, 32), np.nan, np.float32))
    np.save(folder / "objects.npy", np.array([{}], object), allow_pickle=True)
    np.savez(folder / "projected_w.npz", w=np.zeros((1, 10, 32), np.float32))
    np.savez(folder / "directions.npz", lat_comp=np.zeros((2, 1, 32), np.float32))
    (folder / "cut.pt").write_bytes(FOREIGN.read_bytes()[:300_000])
    (folder / "text.pkl").write_text("<!DOCTYPE html>")
    (folder / "empty.pkl").write_bytes(b"")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["info", "nowhere"], "nowhere: there is no such model"),
        (["info", "cut.pt"], "cut.pt"),
        (["info", "text.pkl"], "a page of the web"),
        (["info", "empty.pkl"], "it has 0 bytes"),
        (["info", "projected_w.npz"], "latents, not a network"),
        (["verify", "directions.npz"], "directions (GANSpace), not a network"),
        (["import", "short.npy", "flora"], "array of shape (2, 5) (latents, perhaps)"),
        (["import", "nowhere.pkl", "flora"], "nowhere.pkl: there is no such file"),
        (["import", "cut.pt", "flora"], "cut.pt"),
        (["sample", FOREIGN, "--out", "a.png"], "a.png, must be an .npz, a .gif or .webp, or a folder"),
        (["sample", FOREIGN, "--out", "a.mp4"], "a.mp4, must be an .npz, a .gif or .webp, or a folder"),
        (["sample", FOREIGN, "--seeds", "5-1", "--out", "a.npz"], "must rise"),
        (["sample", FOREIGN, "--seeds", "1", "--z", "short.npy", "--out", "a.npz"], "give one of"),
        (["sample", FOREIGN, "--z", "short.npy", "--out", "a.npz"], "must be [n, 32]"),
        (["sample", FOREIGN, "--z", "nan.npy", "--out", "a.npz"], "finite numbers"),
        (["sample", FOREIGN, "--z", "objects.npy", "--out", "a.npz"], "objects.npy"),
        (["sample", FOREIGN, "--ws", "short.npy", "--out", "a.npz"], "short.npy: latents have shape (2, 5)"),
        (["sample", FOREIGN, "--ws", "nowhere.npy", "--out", "a.npz"], "nowhere.npy"),
        (["sample", FOREIGN, "--labels", "short.npy", "--out", "a.npz"], "must be [1 or 1, 0]"),
        (["sample", FOREIGN, "--psi", "nan", "--out", "a.npz"], "psi = nan"),
        (["sample", FOREIGN, "--psi", "1e30", "--out", "a.npz"], "must be within 1000.0 of 0"),
        (["sample", FOREIGN, "--seeds", "", "--out", "a.npz"], "seeds '', must be numbers"),
        (["sample", FOREIGN, "--cutoff", "-2", "--out", "a.npz"], "cutoff = -2"),
        (["sample", FOREIGN, "--noise", "loud", "--out", "a.npz"], "const, none or a seed"),
        (["sample", FOREIGN, "--precision", "int4", "--out", "a.npz"], "must be one of float32, fast"),
        (["sample", FOREIGN, "--set", "rotate=1", "--out", "a.npz"], "rotate is unknown; this model has"),
        (["sample", FOREIGN, "--set", "noise=9", "--out", "a.npz"], "noise = 9, must be 0..4"),
        (["sample", FOREIGN, "--set", "noise", "--out", "a.npz"], "must be NAME=NUMBER"),
    ],
)  # fmt: skip
def test_impossible_requests_give_clear_errors(folder: Path, words: list[Any], sentence: str) -> None:
    wrong(folder)
    told = " ".join(run("models", *words, expect=1).split())
    assert sentence in told
    assert told.count("perform: ") == 1
    assert not (folder / "a.npz").exists() and not (folder / "home").exists()


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_an_animation_shows_the_pictures_in_order(folder: Path, suffix: str) -> None:
    run("models", "sample", FOREIGN, "--seeds", "3-5", "--out", "drawn")
    run("models", "sample", FOREIGN, "--seeds", "3-5", "--out", f"o.{suffix}")
    with Image.open(folder / f"o.{suffix}") as film:
        assert (film.n_frames, film.info["loop"]) == (3, 0)  # type: ignore[attr-defined]
        for number, file in enumerate(sorted((folder / "drawn").iterdir())):
            film.seek(number)
            film.load()
            assert film.info["duration"] == 100
            difference = np.subtract(film.convert("RGB"), Image.open(file).convert("RGB"), dtype=float)
            assert np.abs(difference).mean() < 8, number


def test_a_folder_of_pictures_can_have_a_number_as_its_suffix(folder: Path) -> None:
    run("models", "sample", FOREIGN, "--out", "psi-0.7")
    assert [file.name for file in (folder / "psi-0.7").iterdir()] == ["seed0000.png"]


@pytest.fixture
def library(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library whose models are other projects' files; terminals are wide."""
    monkeypatch.setenv("COLUMNS", "250")
    write_library(folder)
    (folder / "models").mkdir()
    (folder / "models/flora.pt").write_bytes(FOREIGN.read_bytes())
    (folder / "presets/mine.bin").write_bytes(FOREIGN.read_bytes())
    return folder


def test_names_with_brackets_are_printed_unchanged(library: Path) -> None:
    (library / "models/a[b].pt").write_bytes(FOREIGN.read_bytes())
    (library / "models/[red]c.pkl").write_bytes(pickle.dumps({"[/red]": 1}))
    told = run("models", "list")
    assert "a[b]" in told and "[red]c" in told and "'[/red]'" in told
    assert "a[b].pt" in run("models", "info", "a[b]", "--no-measure")


def test_models_are_found_by_name_with_any_suffix(library: Path) -> None:
    found = Library(library)
    assert found.model_place("flora") == found.model_place("flora.pt") == str(library / "models/flora.pt")
    assert found.models() == {"flora": library / "models/flora.pt"}
    assert found.model_place("models/flora.pt") == "models/flora.pt"
    for name in ("../presets/mine", "fauna"):
        with pytest.raises(LookupError, match=r"there is no such model.*flora"):
            found.model_place(name)


def test_a_preset_plays_the_model_next_to_it(library: Path) -> None:
    preset = 'title = "Own"\n[generator]\nmodel = "mine.bin"\ntruncation = 0.3\n[latent]\npath = "hold"\n'
    save(library / "presets/own.toml", preset)
    setlist = show.load(library / "presets/own.toml", Library(library))
    (cue,) = setlist.cues
    assert cue.scene.models == (str(library / "presets/mine.bin"),)
    told = run("check", library / "presets/own.toml", library / "models/flora.pt")
    assert "2 checked, 0 faults" in told
    save(library / "presets/own.toml", preset.replace("0.3", "9"))
    assert "generator.truncation = 9" in run("check", library / "presets/own.toml", expect=1)
    with generators_closing(str(library / "presets/mine.bin")) as unit:
        assert unit.synthesise(np.repeat(unit.mean()[None], 10, 0)).shape == (64, 64, 3)


def generators_closing(model: str) -> Any:
    from contextlib import closing

    return closing(generators.open(model, "cpu", "float32", threads=1))


def test_a_header_is_read_once_while_the_file_is_unchanged(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from perform.generators import load as loading

    read: list[Path] = []

    def counted(path: Path) -> Any:
        read.append(path)
        return load_weights(path)

    monkeypatch.setattr(loading, "load_weights", counted)
    file = folder / "a.pt"
    file.write_bytes(FOREIGN.read_bytes())
    for _ in range(3):
        assert Model.read(file).size == (64, 64)
    assert len(read) == 1
    os.utime(file, (1, 1))
    Model.read(file)
    assert len(read) == 2
    write_weights(folder / "b.safetensors", load_weights(FOREIGN))
    Model.read(folder / "b.safetensors")
    assert len(read) == 2


def test_the_bench_loads_a_pickle(folder: Path) -> None:
    file = write_pickle(folder / "network.pkl", 400_000, 16, 8)
    found = load_weights(file)
    assert abs(file.stat().st_size - 400_000) < 100_000
    assert (found.config.size, found.config.clamp) == ((16, 16), 256.0)
    assert found.notes["source"].startswith("pickle of StyleGAN2-ADA's layout, class Generator")
    size, seconds, memory = loading(file)
    assert size.value == file.stat().st_size / 1e6
    assert seconds.value > 0 and memory.value > 1


def test_play_accepts_a_memory_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[show.Options] = []

    def play(options: show.Options) -> None:
        asked.append(options)
        raise ValueError("enough")

    monkeypatch.setattr(show, "play", play)
    run("play", "--headless", "--audio", "none", "--memory", "1.5", expect=1)
    assert asked[0].memory == 1.5 * 2**30
