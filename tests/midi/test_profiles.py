"""Profiles of controllers: each against bytes as its device sends them (written down from the facts in
docs/controllers.md, not recorded from a device), and the faults of user profiles."""

from __future__ import annotations

import logging
from pathlib import Path

import mido
import pytest
from typer.testing import CliRunner

from perform import show
from perform.cli import app
from perform.commands.check import check_all
from perform.documents import SceneError
from perform.inputs.midi.device import MidiDevice
from perform.inputs.midi.parser import MidiParser
from perform.library import Library
from perform.midi import profiles
from perform.midi.profiles import LIGHT_STATES, Profile
from tests.folders import ROOT

FILES = sorted((ROOT / "profiles").glob("*.toml"))

# What comes from the device, and what its profile makes of it
GOLDEN = {
    "midimix": [
        ("B0 13 7F", "fader1 = 1"),
        ("B0 3D 40", "fader8 = 64/127"),
        ("B0 3E 00", "master = 0"),
        ("B0 10 01 B0 11 02 B0 12 03", "knob1 = 1/127, knob9 = 2/127, knob17 = 3/127"),
        ("B0 3A 7F B0 3B 7F B0 3C 7F", "knob8 = 1, knob16 = 1, knob24 = 1"),
        ("90 01 7F 80 01 7F", "mute1 = 1, scene = 1, scene = 0, mute1 = 0"),
        ("90 16 7F", "mute8 = 1, scene = 8, scene = 0"),
        ("90 03 7F 80 03 7F 90 18 7F", "record1 = 1, record1 = 0, record8 = 1"),
        ("90 19 7F 90 1A 7F 90 1B 7F", "bank_left = 1, bank_right = 1, solo = 1"),
    ],
    "nanokontrol2": [
        ("B0 00 7F B0 07 00", "fader1 = 1, fader8 = 0"),
        ("B0 10 40 B0 17 7F", "knob1 = 64/127, knob8 = 1"),
        ("B0 20 7F B0 20 00", "s1 = 1, scene = 1, scene = 0, s1 = 0"),
        ("B0 27 7F B0 30 7F B0 37 7F B0 40 7F B0 47 7F",
         "s8 = 1, scene = 8, scene = 0, m1 = 1, m8 = 1, r1 = 1, r8 = 1"),
        ("B0 29 7F B0 2A 7F B0 2B 7F B0 2C 7F B0 2D 7F B0 2E 7F",
         "play = 1, stop = 1, rewind = 1, forward = 1, record = 1, cycle = 1"),
        ("B0 3A 7F B0 3B 7F B0 3C 7F B0 3D 7F B0 3E 7F",
         "track_left = 1, track_right = 1, marker_set = 1, marker_left = 1, marker_right = 1"),
    ],
    "apcmini2": [
        ("90 38 7F 80 38 00", "pad1 = 1, scene = 1, scene = 0, pad1 = 0"),
        ("90 3F 7F 90 30 7F 90 07 7F",
         "pad8 = 1, scene = 8, scene = 0, pad9 = 1, scene = 9, scene = 0, pad64 = 1, scene = 64, scene = 0"),
        ("B0 30 7F B0 37 01 B0 38 00", "fader1 = 1, fader8 = 1/127, master = 0"),
        ("90 64 7F 90 6B 7F 90 70 7F 90 77 7F 90 7A 7F",
         "track1 = 1, track8 = 1, launch1 = 1, launch8 = 1, shift = 1"),
    ],
    "apc40": [
        ("90 20 7F 80 20 7F 90 00 7F",
         "pad1 = 1, scene = 1, scene = 0, pad1 = 0, pad33 = 1, scene = 33, scene = 0"),
        ("90 52 7F 90 56 7F 90 63 7F", "launch1 = 1, launch5 = 1, tap = 1"),
        ("B0 07 7F B7 07 40 B0 0E 7F B0 0F 40", "fader1 = 1, fader8 = 64/127, master = 1, crossfader = 64/127"),  # noqa: E501
        ("B0 30 01 B0 37 02 B0 10 03 B0 17 04",
         "knob1 = 1/127, knob8 = 2/127, knob9 = 3/127, knob16 = 4/127"),
        ("B0 0D 02 B0 0D 7F B0 2F 01 B0 2F 7F B0 2F 7F",
         "tempo = 2/127, tempo = 1/127, cue = 1/127, cue = 0, cue = 0"),
        ("90 30 7F 97 31 7F 92 32 7F 91 33 7F 95 34 7F",
         "arm1 = 1, solo8 = 1, activator3 = 1, select2 = 1, clipstop6 = 1"),
        ("90 5B 7F 90 5D 7F 90 66 7F 90 62 7F", "play = 1, record = 1, session = 1, shift = 1"),
    ],
    "launchpad": [
        ("90 51 7F 90 51 00", "pad1 = 1, scene = 1, scene = 0, pad1 = 0"),
        ("90 58 7F 90 47 7F 90 12 7F",
         "pad8 = 1, scene = 8, scene = 0, pad9 = 1, scene = 9, scene = 0, pad64 = 1, scene = 64, scene = 0"),
        ("B0 5B 7F B0 62 7F B0 59 7F B0 13 7F B0 13 00", "top1 = 1, top8 = 1, side1 = 1, side8 = 1, side8 = 0"),  # noqa: E501
    ],
}  # fmt: skip

# What the lights are sent for each state, at the first control that stands for a scene
LIGHTS = {
    "midimix": ["90 01 00", "90 01 7F", "90 01 00", "90 01 00", "90 01 7F", "90 01 7F blink"],
    "nanokontrol2": ["B0 20 00", "B0 20 7F", "B0 20 00", "B0 20 00", "B0 20 7F", "B0 20 7F blink"],
    "apcmini2": ["96 38 00", "96 38 03", "96 38 00", "92 38 2D", "96 38 15", "9E 38 0D"],
    "apc40": ["90 20 00", "90 20 03", "90 20 00", "90 20 01", "90 20 15", "9E 20 0D"],
    "launchpad": ["90 51 00", "90 51 03", "90 51 00", "90 51 01", "92 51 15", "91 51 0D"],
}
PORTS = {
    "midimix": ["MIDI Mix:MIDI Mix MIDI 1 20:0", "MIDI Mix", "MIDI Mix 1", "MIDI Mix (2)"],
    "nanokontrol2": ["nanoKONTROL2:nanoKONTROL2 MIDI 1 20:0", "nanoKONTROL2 SLIDER/KNOB"],
    "apcmini2": ["APC mini mk2:APC mini mk2 APC mini mk2 Contr 24:0", "APC mini mk2 Control"],
    "apc40": ["APC40 mkII:APC40 mkII MIDI 1 28:0", "APC40 mkII"],
    "launchpad": ["Launchpad Mini MK3:Launchpad Mini MK3 LPMiniMK3 MI 24:1", "LPMiniMK3 MIDI Out"],
}  # fmt: skip
OTHERS = (
    "APC mini mk2:APC mini mk2 APC mini mk2 Notes 24:1",
    "Launchpad Mini MK3:Launchpad Mini MK3 LPMiniMK3 DA 24:0",
    "Midi Through:Midi Through Port-0 14:0",
    "APC40",
)


def profile(name: str) -> Profile:
    return profiles.read_profile(ROOT / "profiles" / f"{name}.toml")


def number(text: str) -> float:
    above, _, below = text.partition("/")
    return float(above) / float(below or 1)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_bytes_of_a_device_play_its_controls(file: Path) -> None:
    device, stream = MidiDevice(file.stem, profiles.read_profile(file)), MidiParser()
    for bytes_, expected in GOLDEN[file.stem]:
        said = []
        for message in stream.feed(bytes.fromhex(bytes_)):
            said += device.values(mido.Message.from_bytes(message))[1:]  # without its number
        named = [(name.rpartition(".")[2], value) for name, value in said if ".fine" not in name]
        words = [one.split(" = ") for one in expected.split(", ")]
        assert named == [(name, pytest.approx(number(value))) for name, value in words], bytes_
    assert stream.garbage == 0


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_states_set_lights(file: Path) -> None:
    one = profiles.read_profile(file)
    lights = [one.light(one.scenes[0], state) for state in LIGHT_STATES]
    told = [f"{light.message.hex(' ').upper()}{' blink' * light.blink}" for light in lights if light]
    assert told == LIGHTS[file.stem]
    assert [message.hex(" ").upper() for message in one.dark][0:1] != []
    for message in (*one.enter, *one.leave, *one.dark):
        mido.Message.from_bytes(message)


def test_modes_are_entered_and_left() -> None:
    assert profile("launchpad").enter == (bytes.fromhex("F0 00 20 29 02 0D 0E 01 F7"),)
    assert profile("launchpad").leave == (bytes.fromhex("F0 00 20 29 02 0D 0E 00 F7"),)
    assert profile("apc40").enter == (bytes.fromhex("F0 47 7F 29 60 00 04 41 01 00 00 F7"),)
    assert profile("midimix").enter == profile("midimix").leave == ()


def test_led_rings_show_values() -> None:
    one = profile("apc40")
    assert [one.ring("knob1", value) for value in (0.0, 0.5, 2.0)] == [
        bytes((0xB0, 48, 0)),
        bytes((0xB0, 48, 64)),
        bytes((0xB0, 48, 127)),
    ]
    assert one.ring("fader1", 0.5) is None
    assert one.light("fader1", "on") is None


def test_ports_find_their_profile_by_name() -> None:
    known = [profiles.read_profile(file) for file in FILES]
    assert [one.name for one in known] == sorted(PORTS)
    for name, ports in PORTS.items():
        for port in ports:
            assert [one.name for one in known if one.matches(port)] == [name], port
    assert not [(one.name, port) for one in known for port in OTHERS if one.matches(port)]


def test_the_docs_describe_every_profile() -> None:
    page = (ROOT / "docs/controllers.md").read_text(encoding="utf-8")
    for file in FILES:
        one = profiles.read_profile(file)
        assert f"`{one.name}`" in page
        assert one.title in page
    assert "on paper" in page


BOX = 'title = "Box"\nports = ["box"]\n'


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("!controls.a = {cc = 1}", ["title is missing", "ports is missing"]),
        ("!controls.a = {cc = 128}", ["title is missing", "ports is missing", "controls.a.cc = 128,"]),
        ("", ["controls is missing"]),
        ("knobs = 3\ncontrols.a = {cc = 1}", ["knobs is unknown; there are: title, ports"]),
        ("controls.a = {cc = 128}", ["controls.a.cc = 128, must be 0..127"]),
        ('controls.a = {cc = ["1-200"]}', ["controls.a.cc = 128, must be 0..127"]),
        ('controls.a = {cc = "x"}', ["controls.a.cc = 'x', must be a whole number or a list"]),
        ("controls.a = {cc = 1.5}", ["controls.a.cc = 1.5, must be a whole number or a list"]),
        ("controls.a = {cc = true}", ["controls.a.cc = True, must be a whole number or a list"]),
        ('controls.a = {cc = ["9-1"]}', ["controls.a.cc = ['9-1'], must have 1 to 512 numbers"]),
        ('controls.a = {nrpn = ["0-600"]}', ["must have 1 to 512 numbers"]),
        ("controls.a = {nrpn = 16384}", ["controls.a.nrpn = 16384, must be 0..16383"]),
        ("controls.a = {note = 1, channel = 17}", ["controls.a.channel = 17, must be 1..16"]),
        ("controls.a = {}", ["controls.a, must have one of cc, note, nrpn, pitch"]),
        ("controls.a = {cc = 1, note = 1}", ["controls.a, must have one of cc, note, nrpn, pitch"]),
        ("controls.a = {cc = [1, 2], channel = [1, 2]}", ["cc and channel, only one of them can be"]),
        ("controls.a = {c = 1}", ["controls.a.c is unknown; did you mean cc?"]),
        ('controls.a = {cc = 1, encoding = "relative"}',
         ["controls.a.encoding = 'relative', must be 'absolute', '14-bit', 'twos complement', "]),
        ('controls.a = {note = 1, encoding = "14-bit"}', ["controls.a.encoding = '14-bit', must be"]),
        ('controls.a = {cc = 40, encoding = "14-bit"}', ["controls.a.cc = 40, must be 0..31 for 14"]),
        ('controls.a = {note = 1, mode = "latch"}', ["controls.a.mode = 'latch', must be"]),
        ("controls.A = {cc = 1}", ["controls.A, must be a word of small letters"]),
        ("controls.cc5 = {cc = 1}", ["controls.cc5, must be a word of small letters, and none that"]),
        ("controls.a = {cc = [1, 2]}\ncontrols.a1 = {cc = 3}", ["controls.a1, a1 exists already"]),
        ('scenes = "pad"\ncontrols.a = {cc = 1}', ["scenes = 'pad', must be one of a"]),
        ('enter = ["F0 00"]\ncontrols.a = {cc = 1}', ["enter[0] = 'F0 00', must be a MIDI message in"]),
        ('leave = ["90 ZZ"]\ncontrols.a = {cc = 1}', ["leave[0] = '90 ZZ', must be a MIDI message"]),
        ("A\nlights.b = {}", ["lights.b, must be one of a"]),
        ("A\nlights.a = {lit = {value = 1}}", ["lights.a.lit is unknown; there are: off"]),
        ("A\nlights.a = {on = {value = 128}}", ["lights.a.on.value = 128, must"]),
        ("A\nlights.a = {on = 5}", ["lights.a.on must have a value"]),
        ("A\nlights.a = {ring = 5}", ["lights.a.ring = 5, must be true or false"]),
        ("controls.a = {nrpn = 1}\nlights.a = {ring = true}", ["lights.a, must be of a cc, a note"]),
        ("controls.a = {cc = 128}\ncontrols.b = {note = 200}", ["a.cc = 128", "b.note = 200"]),
        ("!controls = 3 =", ["not valid TOML"]),
        ('!titel = "B"\nports = ["b"]\nscenes = "pad"\n[controls]\na = {cc = 128}\nb = {cc = 1}', [
            "title is missing", "titel is unknown; did you mean title?", "controls.a.cc = 128",
            "scenes = 'pad', must be one of b",
        ]),
    ],
)  # fmt: skip
def test_faults_of_a_profile_are_reported(tmp_path: Path, text: str, faults: list[str]) -> None:
    file = tmp_path / "box.toml"
    text = text.replace("A\n", "controls.a = {cc = 1}\n")
    file.write_text(text[1:] if text.startswith("!") else BOX + text)
    with pytest.raises(SceneError) as error:
        profiles.read_profile(file)
    assert len(error.value.faults) == len(faults)
    for said, expected in zip(error.value.faults, faults, strict=True):
        assert said.startswith(f"{file}: ")
        assert expected in said


@pytest.mark.parametrize("name", ["Box", "box_2", "ch1", "my box"])
def test_the_file_name_of_a_profile_is_one_word(tmp_path: Path, name: str) -> None:
    file = tmp_path / f"{name}.toml"
    file.write_text(f"{BOX}controls.a = {{cc = 1}}")
    with pytest.raises(SceneError, match="its name must be a word"):
        profiles.read_profile(file)


def test_check_reports_faults_of_profiles(tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "box.toml").write_text(f"{BOX}controls.a = {{cc = 200}}")
    (folder / "good.toml").write_text(f"{BOX}controls.a = {{cc = 2}}")
    assert check_all([folder]) == (2, [f"{folder / 'box.toml'}: controls.a.cc = 200, must be 0..127"])
    result = CliRunner().invoke(app, ["check", str(folder)])
    assert result.exit_code == 1
    assert check_all([ROOT / "profiles"]) == (len(FILES), [])


def test_user_profiles_come_before_shipped_ones(tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "midimix.toml").write_text(f"{BOX}controls.a = {{cc = 2}}")
    (folder / "broken.toml").write_text("title = 3")
    faults: list[str] = []
    known = {one.name: one for one in Library(tmp_path, ROOT).profiles(faults.append)}
    assert known["midimix"].title == "Box"
    assert known["apc40"].title == "Akai APC40 mkII"
    assert "broken" not in known
    assert any("broken.toml: ports is missing" in fault for fault in faults)


@pytest.mark.parametrize(
    ("formula", "fault"),
    [
        ("midi.midimix.fader1 + midi.midimix_2.cc3 + midi.ch2.cc3 + midi.knob3 + midi.scene", ""),
        ("midi.my_synth.cc3 + midi.my_synth_2.ch3.nrpn300", ""),
        ("midi.midimix.fader9", "midi.midimix.fader9: "),
        ("midi.midimix_2.fadr1", "did you mean fader"),
        ("midi.launchpd.pad1", "there is no profile launchpd; did you mean launchpad?"),
        ("midi.zzz.pad1", "there is no profile zzz; there are: apc40, apcmini2, launchpad, midimix"),
    ],
)  # fmt: skip
def test_presets_use_controls_that_exist(tmp_path: Path, formula: str, fault: str) -> None:
    file = tmp_path / "test.toml"
    shader = next(iter(sorted((ROOT / "shaders/generators").glob("*.fs")))).stem
    library = Library(ROOT)
    parameter = library.shader(shader, "generator")[0].name
    file.write_text(f'title = "Test"\n[generator]\nshader = "{shader}"\n{parameter} = "{formula}"\n')
    if not fault:
        assert show.load(file, library).signal_names
        return
    with pytest.raises(SceneError) as error:
        show.load(file, library)
    assert fault in str(error.value)


def test_a_broken_profile_does_not_stop_the_show(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles/box.toml").write_text("title = 3")
    monkeypatch.chdir(tmp_path)
    from perform.clock import OfflineClock

    with caplog.at_level(logging.ERROR, "perform"):
        options = show.Options(osc_port=0, midi="no such port")
        inputs = show.control_inputs(
            options, OfflineClock(60), Library().profiles(logging.getLogger("perform").error)
        )
    for one in inputs:
        one.close()
    assert "profiles/box.toml: ports is missing" in caplog.text
