"""Sound files as strangers have them: each sample at its time, whatever the file does on the way."""

from __future__ import annotations

import logging
import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from perform.arrays import Samples
from perform.footage.reel import Reel
from perform.inputs import audio
from perform.inputs.audio import decoding
from perform.inputs.audio.decoding import SAMPLE_RATE as RATE
from perform.inputs.audio.reader import SoundReader
from tests.doubles.sounds import clicks, late_film, onsets, tone, write_sound, write_wave


def heard(path: Path) -> Samples:
    """All samples of a file."""
    reader = SoundReader(path)
    parts = [reader.read(0, RATE)]
    while reader.length is None:
        parts.append(reader.read(len(parts) * RATE, (len(parts) + 1) * RATE))
    return np.concatenate(parts)[: reader.length]


def joined(path: Path, *parts: Path) -> Path:
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize(
    ("name", "codec", "rates", "channels"),
    [
        ("a.mp3", "libmp3lame", (44_100, 48_000), (1, 1)),
        ("a.mp3", "libmp3lame", (48_000, 32_000), (1, 1)),
        ("a.mp3", "libmp3lame", (44_100, 44_100), (1, 2)),
        ("a.mp3", "libmp3lame", (44_100, 48_000), (2, 1)),
        ("a.aac", "aac", (44_100, 48_000), (1, 2)),
        ("a.ac3", "ac3", (48_000, 44_100), (2, 1)),
    ],
)
def test_a_stream_that_changes_its_form_is_heard_to_its_end(
    tmp_path: Path, name: str, codec: str, rates: tuple[int, int], channels: tuple[int, int]
) -> None:
    parts = []
    for number, (rate, count) in enumerate(zip(rates, channels, strict=True)):
        sound = np.repeat(tone(2.0, rate), count, axis=1)
        parts.append(write_sound(tmp_path / f"{number}{name}", sound, rate, codec, bare=True))
    sound = heard(joined(tmp_path / name, *parts))
    assert len(sound) == pytest.approx(4 * RATE, abs=0.1 * RATE)
    for half in (sound[RATE // 2 : RATE * 3 // 2], sound[RATE * 5 // 2 : RATE * 7 // 2]):
        assert np.abs(np.fft.rfft(half[:, 0])).argmax() == 1000
        assert np.abs(half).max() == pytest.approx(0.5, abs=0.05)
        assert np.abs(half[:, 0] - half[:, 1]).max() < 0.01


def test_a_chained_file_is_as_long_as_its_sound(tmp_path: Path) -> None:
    parts = [write_sound(tmp_path / f"{n}.opus", clicks([0.5], n), codec="libopus") for n in (2.0, 3.0)]
    file = joined(tmp_path / "chained.opus", *parts)
    sound = audio.SoundFile(file)
    assert not sound.ends_by(4.999)
    assert sound.ends_by(5.0)
    assert sound.duration == 5.0
    assert onsets(heard(file)) == pytest.approx([0.5, 2.5], abs=0.003)


def test_a_file_that_was_cut_off_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    noise = np.random.default_rng(1).uniform(-0.5, 0.5, (10 * RATE, 1)).astype(np.float32)
    whole = write_sound(tmp_path / "whole.mp3", noise, codec="libmp3lame")
    cut = tmp_path / "cut.mp3"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 3 // 10])
    sound = audio.SoundFile(cut)
    sound.poll(5.0)
    assert sound.finished
    assert sound.duration == pytest.approx(3.0, abs=0.05)
    assert sound.health().state == "ok"
    assert sound.health().detail == "cut.mp3, cut off: 3.0 s of 10.0 s"
    assert caplog.messages == [f"{cut}: cut off: 3.0 s of 10.0 s"]


def test_a_length_that_was_guessed_is_no_claim(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A mono file of half the bits a second before a stereo one: FFmpeg guesses a length that is too long."""
    parts = [
        write_sound(tmp_path / "a.mp3", tone(3.0), codec="libmp3lame", bare=True),
        write_sound(tmp_path / "b.mp3", np.repeat(tone(3.0), 2, axis=1), codec="libmp3lame", bare=True),
    ]
    reader = SoundReader(joined(tmp_path / "joined.mp3", *parts))
    assert reader.duration and reader.duration > 7.5
    reader.read(0, 8 * RATE)
    assert reader.duration == pytest.approx(6.1, abs=0.1)
    assert (reader.note, caplog.messages) == ("", [])


def test_damage_is_silence_with_a_line_and_the_rest_is_in_its_place(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    noise = np.random.default_rng(1).normal(0, 0.01, (6 * RATE, 1)).astype(np.float32)
    file = write_sound(tmp_path / "a.ts", clicks([1.0, 5.0], 6.0) + noise, codec="aac")
    data = bytearray(file.read_bytes())
    middle = len(data) // 2 // 188 * 188
    data[middle : middle + 188 * 20] = np.random.default_rng(0).bytes(188 * 20)
    file.write_bytes(data)
    sound = audio.SoundFile(file)
    sound.poll(6.5)
    first, *_ = caplog.messages
    assert first.startswith(f"{file}: damaged at 0:0")
    assert "Invalid data" in first
    assert sound.health().state == "ok"
    assert sound.health().detail.startswith("a.ts, damaged at 0:0")
    assert onsets(heard(file), 0.3) == pytest.approx([1.0, 5.0], abs=0.025)


def test_damage_in_a_loop_is_logged_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = write_sound(tmp_path / "a.aac", tone(1.0), codec="aac")
    data = bytearray(file.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 300] = bytes(range(100)) * 3
    file.write_bytes(data)
    SoundReader(file, loop=True).read(0, 8 * RATE)
    assert 1 <= len([one for one in caplog.messages if "damaged" in one]) <= 3


def test_samples_that_are_no_numbers_are_silence(tmp_path: Path) -> None:
    sound = np.repeat(tone(1.0), 2, axis=1)
    ill, healed = sound.copy(), sound.copy()
    for value, at in ((np.nan, 1000), (np.inf, 5000), (-np.inf, 9000)):
        ill[at : at + 50, 0] = value
        healed[at : at + 50, 0] = 0
    assert np.array_equal(heard(write_sound(tmp_path / "ill.wav", ill)), healed)
    at_44 = heard(write_sound(tmp_path / "ill44.wav", ill, 44_100))
    assert np.array_equal(at_44, heard(write_sound(tmp_path / "healed44.wav", healed, 44_100)))


@pytest.mark.parametrize(
    ("kind", "scale"), [("u1", 128), ("<i2", 2**15), ("<i4", 2**31), ("<f4", 1), ("<f8", 1)]
)
def test_samples_of_every_kind_have_their_value(tmp_path: Path, kind: str, scale: int) -> None:
    sound = np.array([[0.5, -0.25], [0.0, -1.0]] * 2400)
    assert np.array_equal(heard(write_wave(tmp_path / "a.wav", sound, kind, scale)), sound)


def test_channels_without_names_are_left_and_right_in_turn(tmp_path: Path) -> None:
    for count in (9, 18, 32, 64):
        sound = np.zeros((4800, count))
        sound[:, ::2], sound[:, 1::2] = 0.5, -0.25
        left, right = heard(write_wave(tmp_path / f"{count}.wav", sound)).T
        assert (left == pytest.approx(0.5, abs=1e-6)) and (right == pytest.approx(-0.25, abs=1e-6))


@pytest.mark.parametrize(
    ("channel", "left", "right"),
    [(0, 1, 0), (1, 0, 1), (2, 0.7071, 0.7071), (3, 0.7071, 0.7071), (4, 0.7071, 0), (5, 0, 0.7071)],
)
def test_each_of_six_channels_is_heard_in_its_place(
    tmp_path: Path, channel: int, left: float, right: float
) -> None:
    """Front left and right, the centre, the bass, back left and right."""
    sound = np.zeros((4800, 6), np.float32)
    sound[:, channel] = 0.5
    for file in (write_sound(tmp_path / "named.wav", sound), write_wave(tmp_path / "plain.wav", sound)):
        assert heard(file)[100] == pytest.approx([0.5 * left, 0.5 * right], abs=1e-4)


@pytest.mark.parametrize("late", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_sound_that_begins_after_the_picture_is_in_its_place(
    tmp_path: Path, suffix: str, late: float
) -> None:
    film = late_film(tmp_path / f"film.{suffix}", sound_from=late, click=2.0)
    assert onsets(heard(film)) == pytest.approx([2.0], abs=0.002)


def test_a_hole_in_the_sound_of_a_film_is_silence(tmp_path: Path) -> None:
    film = late_film(tmp_path / "film.mkv", click=3.5, hole=(1.0, 3.0))
    assert onsets(heard(film)) == pytest.approx([3.5], abs=0.002)


def test_sound_alone_begins_with_its_first_sample(tmp_path: Path) -> None:
    """MP3 and AAC encoders begin late by a part of a frame, which the file tells to leave out."""
    sound = clicks([0.5], 1.0)
    for name, codec in (("a.mp3", "libmp3lame"), ("a.m4a", "aac"), ("a.opus", "libopus"), ("a.ts", "aac")):
        assert onsets(heard(write_sound(tmp_path / name, sound, codec=codec))) == pytest.approx(
            [0.5], abs=0.025
        )


def test_stamps_that_tremble_or_fall_back_lose_nothing(tmp_path: Path) -> None:
    path, sound = tmp_path / "a.mka", tone(2.0)
    with av.open(str(path), "w", format="matroska") as file:
        stream = file.add_stream("pcm_f32le", rate=RATE, layout="mono")
        for number in range(20):
            frame = av.AudioFrame.from_ndarray(sound[number * 4800 : (number + 1) * 4800].T, "flt", "mono")
            frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
            frame.pts = number * 4800 + (720 if number % 2 else 0)  # 15 ms late, each second one
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    assert np.array_equal(heard(path)[:, :1], sound)


def test_a_minute_is_a_hole_and_more_is_another_clock() -> None:
    def frame(seconds: float) -> av.AudioFrame:
        one = av.AudioFrame.from_ndarray(np.zeros((1, 480), np.float32), "flt", "mono")
        one.sample_rate, one.time_base, one.pts = RATE, Fraction(1, RATE), round(seconds * RATE)
        return one

    timing = decoding._Timing(None)
    steps = [(7.0, 0), (7.01, 0), (8.0, 47_040), (1000.0, 0), (1000.5, 23_520), (3.0, 0), (3.01, 0)]
    for seconds, missing in steps:
        assert timing.missing(frame(seconds)) == missing
        timing.position += missing / RATE + 0.01


PLAYLISTS = {
    "a.m3u": "#EXTM3U\n#EXTINF:1,x\nhttp://127.0.0.1:9/a.mp3\n",
    "plain.m3u": "a.wav\nb.wav\n",
    "a.m3u8": "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\na.wav\n#EXT-X-ENDLIST\n",
    "a.pls": "[playlist]\nFile1=http://127.0.0.1:9/a.mp3\nNumberOfEntries=1\n",
    "a.cue": 'PERFORMER "x"\nFILE "a.wav" WAVE\n  TRACK 01 AUDIO\n    INDEX 01 00:00:00\n',
    "a.xspf": '<?xml version="1.0"?>\n<playlist version="1"><trackList/></playlist>',
    "a.asx": '<ASX version="3.0"><Entry><Ref href="http://127.0.0.1:9/a"/></Entry></ASX>',
    "a.wpl": '<?wpl version="1.0"?><smil><body/></smil>',
    "renamed.mp3": "#EXTM3U\na.wav\n",
    "concat.wav": "ffconcat version 1.0\nfile 'a.wav'\n",
}


@pytest.mark.parametrize("name", PLAYLISTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_playlist_is_named_so_and_nothing_is_opened(tmp_path: Path, name: str, encoding: str) -> None:
    write_sound(tmp_path / "a.wav", tone(0.5))
    (tmp_path / name).write_text(PLAYLISTS[name], encoding=encoding)
    with pytest.raises(audio.SoundError) as error:
        audio.open_sound(tmp_path / name, lambda: 0.0)
    assert str(error.value) == (
        f"{tmp_path / name}: cannot be read as sound (it is a playlist: give one of the files that it names)"
    )


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"<!DOCTYPE html><html>404", "cannot be read as sound (it is a web page)"),
        (b"a song about rivers " * 500, "cannot be read as sound (it is a text)"),
        ("überall Töne ".encode("latin-1") * 9, "cannot be read as sound (it is a text)"),
        (b"", "cannot be read as sound (it is empty)"),
        (b"\0\1\2" * 500, "cannot be read as sound (Invalid data found when processing input)"),
    ],
)
def test_other_files_given_as_sound_are_a_sentence(tmp_path: Path, data: bytes, why: str) -> None:
    file = tmp_path / "song.mp3"
    file.write_bytes(data)
    with pytest.raises(audio.SoundError) as error:
        SoundReader(file)
    assert str(error.value) == f"{file}: {why}"


@pytest.mark.parametrize("loop", [False, True])
def test_a_sound_without_samples_is_a_sentence(tmp_path: Path, loop: bool) -> None:
    file = write_wave(tmp_path / "empty.wav", np.zeros((0, 2)))
    with pytest.raises(audio.SoundError, match=r"empty.wav: has no samples"):
        SoundReader(file, loop)


def test_ten_milliseconds_play_and_loop(tmp_path: Path) -> None:
    ten = np.random.default_rng(1).uniform(-1, 1, (480, 2)).astype(np.float32)
    file = write_sound(tmp_path / "short.wav", ten)
    assert np.array_equal(heard(file), ten)
    assert np.array_equal(SoundReader(file, loop=True).read(0, 9600), np.tile(ten, (20, 1)))


@pytest.mark.parametrize("name", ["04.23:50.wav", "12:30.wav", "http:x.wav", "a%03d.wav", "50% [x]*?.wav"])
def test_any_name_is_the_name_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    sound = np.repeat(tone(0.2), 2, axis=1)
    write_sound(tmp_path / "a.wav", sound).rename(name)
    assert np.array_equal(heard(Path(name)), sound)
    assert isinstance(audio.open_sound(name, lambda: 0.0, play=False), audio.SoundFile)


@pytest.mark.parametrize(("written", "given"), [("ü.WAV", "u\u0308.wav"), ("u\u0308.wav", "ü.Wav")])
def test_accents_are_found_in_either_form(tmp_path: Path, written: str, given: str) -> None:
    write_sound(tmp_path / "a.wav", tone(0.2)).rename(tmp_path / written)
    assert len(heard(tmp_path / given)) == RATE // 5


def test_tags_in_an_old_encoding_do_not_matter(tmp_path: Path) -> None:
    file = write_sound(tmp_path / "a.mp3", tone(0.5), codec="libmp3lame", bare=True)
    tag = struct.pack("3s30s30s30s4s30sB", b"TAG", "Björk".encode("latin-1"), b"", b"", b"1993", b"", 0)
    file.write_bytes(file.read_bytes() + tag)
    assert np.abs(heard(file)).max() == pytest.approx(0.5, abs=0.05)


def test_a_file_that_breaks_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    file = write_sound(tmp_path / "a.wav", tone(0.2))
    reader = SoundReader(file, loop=True)
    file.unlink()
    reader.read(0, RATE)
    assert caplog.messages[0] == f"{file} stopped: {file}: no such sound file"


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
@pytest.mark.parametrize("late", [0.0, 0.3])
def test_the_sound_of_a_film_loops_with_its_pictures(tmp_path: Path, suffix: str, late: float) -> None:
    """The sound ends 16 ms before the pictures, or as padding of the codec has it."""
    film = late_film(tmp_path / f"film.{suffix}", sound_from=late, click=1.0)
    assert Reel(film).length == pytest.approx(4.0)
    reader = SoundReader(film, loop=True)
    sound = np.concatenate([reader.read(second * RATE, (second + 1) * RATE) for second in range(42)])
    assert onsets(sound) == pytest.approx([1.0 + 4 * turn for turn in range(11)], abs=0.002)


def test_sound_much_longer_than_the_pictures_is_all_heard(tmp_path: Path) -> None:
    film = late_film(tmp_path / "film.mkv", click=3.5, pictures_until=1.0)
    sound = SoundReader(film, loop=True).read(0, 8 * RATE)
    assert onsets(sound) == pytest.approx([3.5, 7.5], abs=0.02)
