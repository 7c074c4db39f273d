"""Feeds: their files, the numbers of a message, and how a value ages."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.documents import SceneError
from perform.inputs.feeds import document as feeds
from perform.inputs.feeds.document import FeedText, Reading, read_feed
from perform.inputs.feeds.messages import chosen, fields, numbers
from perform.library import Library


def text(**given: object) -> FeedText:
    return FeedText.model_validate({"kind": "x", **given})


def said(reading: Reading, now: float) -> dict[str, float]:
    return {
        event.name.removeprefix("feed.a").lstrip("."): float(event.value) for event in reading.events(now)
    }  # type: ignore[arg-type]


def written(folder: Path, content: str, name: str = "price") -> Path:
    file = folder / "feeds" / f"{name}.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(content)
    return file


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("3.5", {"": 3.5}),
        (" -2e3\r", {"": -2000}),
        ("1,2;x,4", {"0": 1, "1": 2, "3": 4}),
        ("light=0.5 heat: 21.5,name=a", {"light": 0.5, "heat": 21.5}),
        ('{"a": {"b": [1, "2.5", null, true]}, "c": "x"}', {"a.b.0": 1, "a.b.1": 2.5, "a.b.3": 1}),
        ("[4, 5]", {"0": 4, "1": 5}),
        ("true", {"": 1}),
        ("", {}),
        ("hello", {}),
        ("NaN", {}),
        ('{"a": 1e400, "b": Infinity}', {}),
        ("[" * 3000, {}),
        ("[999999999999999949515880660992, 999999999999999800000000000000]", {"1": 9.999999999999998e29}),
    ],
)
def test_the_numbers_of_a_message_are_found(message: str, found: dict[str, float]) -> None:
    assert numbers(message) == found


@given(st.text() | st.binary().map(lambda some: some.decode(errors="replace")))
def test_any_message_gives_only_finite_numbers(message: str) -> None:
    assert all(abs(value) < 1e30 for value in numbers(message).values())


@given(
    st.recursive(
        st.floats() | st.text() | st.none(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)
    )
)
def test_any_json_gives_only_finite_numbers(value: object) -> None:
    assert all(abs(number) < 1e30 for number in numbers(json.dumps(value)).values())


def test_the_requested_value_or_the_first_is_used() -> None:
    found = {"a": 1.0, "b": 2.0}
    assert (chosen(found, ""), chosen(found, "b"), chosen(found, "c"), chosen({}, "")) == (1, 2, None, None)


def test_a_value_has_its_range_age_and_quality() -> None:
    reading = Reading("feed.a", text(low=10.0, high=20.0, stale=4.0))
    assert reading.events(1.0) == []
    reading.take(2.0, 15)
    assert said(reading, 2.0) == {"": 0.5, "raw": 15, "age": 0, "quality": 1}
    assert said(reading, 8.0) == {"": 0.5, "raw": 15, "age": 6, "quality": 0.5}
    assert said(reading, 20.0)["quality"] == 0
    reading.take(21.0, 99)
    assert said(reading, 21.0)[""] == 1


@pytest.mark.parametrize(
    ("otherwise", "after"), [("hold", 1.0), ("default", 0.25), ("decay", 0.25 + 0.75 * 0.36787944)]
)
def test_a_stale_value_holds_decays_or_falls_back(otherwise: str, after: float) -> None:
    given = {"low": 0.0, "high": 1.0, "stale": 3.0, "decay": 2.0, "default": 0.25, "otherwise": otherwise}
    reading = Reading("feed.a", text(**given))
    reading.take(0.0, 1)
    assert said(reading, 3.0)[""] == 1
    assert said(reading, 5.0)[""] == pytest.approx(after)
    reading.take(6.0, 1)
    assert said(reading, 6.0)[""] == 1


def test_the_range_is_learned_and_forgotten() -> None:
    reading = Reading("feed.a", text(window=80.0))
    reading.take(0.0, 100)
    assert said(reading, 0.0)[""] == 0.5
    for second, value in enumerate((100, 200, 150), 1):
        reading.take(float(second), value)
    assert said(reading, 3.0)[""] == 0.5
    for second in range(4, 100):
        reading.take(float(second), 140 + second % 2 * 20)
    assert said(reading, 99.0)[""] == 1
    reading.take(100.0, 145)
    assert said(reading, 100.0)[""] == pytest.approx(0.25)


def test_a_file_of_every_kind_is_read(tmp_path: Path) -> None:
    assert read_feed(written(tmp_path, 'kind = "csv"\nfile = "a.csv"')).values == {"feed.price": ""}
    feed = read_feed(
        written(tmp_path, 'kind = "http"\nurl = "http://127.0.0.1/x"\nvalues = {a = "b.c", d = "e"}')
    )
    assert feed.values == {"feed.price.a": "b.c", "feed.price.d": "e"}
    assert feed.has("feed.price.a") and feed.has("feed.price.d.age") and not feed.has("feed.price")
    for line in (
        'kind = "mqtt"\ntopic = "a/#"',
        'kind = "serial"\ndevice = "ttyUSB0"',
        'kind = "artnet"',
        'kind = "sacn"\nuniverse = 3',
    ):
        assert read_feed(written(tmp_path, line)).text.kind in line


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "kind = None, must be one of csv, http, mqtt, serial, artnet, sacn"),
        ('kind = "modem"', "kind = 'modem', must be one of"),
        ('kind = "csv"', "file is missing"),
        ('kind = "csv"\nfile = "a"\nspeedy = 2', "speedy is unknown; did you mean speed?"),
        ('kind = "csv"\nfile = "a"\nspeed = -1', "speed = -1"),
        ('kind = "http"\nurl = "ftp://x"', "url = 'ftp://x'"),
        ('kind = "mqtt"\ntopic = "a"\nport = 0', "port = 0"),
        ('kind = "artnet"\nlow = 3', "low and high, must both be given"),
        ('kind = "artnet"\nvalue = "1"\nvalues = {a = "1"}', "value and values, must be one of them"),
        ('kind = "artnet"\nvalues = {age = "1"}', "values.age, must be a word"),
        ('kind = "artnet"\notherwise = "panic"', "otherwise = 'panic'"),
        ("kind = ", "not valid TOML"),
    ],
)
def test_a_wrong_value_is_reported(content: str, fault: str, tmp_path: Path) -> None:
    file = written(tmp_path, content)
    with pytest.raises(SceneError) as said:
        read_feed(file)
    assert any(line.startswith(f"{file}: ") and fault in line for line in said.value.faults), (
        said.value.faults
    )


def test_a_missing_key_does_not_hide_other_faults(tmp_path: Path) -> None:
    for kind, key in (("csv", "file"), ("http", "url"), ("mqtt", "topic"), ("serial", "device")):
        file = written(tmp_path, f'kind = "{kind}"\nlow = 3\nvalues = {{age = "1"}}')
        with pytest.raises(SceneError) as said:
            read_feed(file)
        found = [fault.removeprefix(f"{file}: ") for fault in said.value.faults]
        assert found[0] == f"{key} is missing"
        assert found[1].startswith("values.age, must be") and found[2].startswith("low and high, must")
        assert len(found) == 3


def test_every_fault_of_a_feed_in_one_run(tmp_path: Path) -> None:
    file = written(tmp_path, 'kind = "artnet"\nlow = 3.0\nspeedy = 2\nport = -1\nvalues = {age = "1"}')
    with pytest.raises(SceneError) as told:
        read_feed(file)
    said = [fault.removeprefix(f"{file}: ") for fault in told.value.faults]
    assert [fault.split(",")[0].split(" is")[0] for fault in said] == [
        "port = -1",
        "speedy",
        "values.age",
        "low and high",
    ]


def test_the_library_finds_the_feeds_of_signals(tmp_path: Path) -> None:
    written(tmp_path, 'kind = "artnet"\nvalues = {dim = "1"}', "desk")
    library = Library(tmp_path)
    assert [feed.name for feed in library.feeds({"feed.desk.dim", "feed.desk.dim.age", "audio.low"})] == [
        "desk"
    ]
    with pytest.raises(LookupError, match=r"such feed feeb.*did you mean|no such feed"):
        library.feeds({"feed.dask"})
    with pytest.raises(LookupError, match=r"feed\.desk\.red: .*has feed\.desk\.dim"):
        library.feeds({"feed.desk.red"})
    assert feeds.FEED_KINDS.keys() == {"csv", "http", "mqtt", "serial", "artnet", "sacn"}


@pytest.mark.parametrize(
    ("message", "found"),
    [
        ("Power:0.52,State:49W", {"Power": 0.52, "State": 49}),
        ("23.5C", {"0": 23.5}),
        ("23.5 C", {"0": 23.5}),
        ("23,5 °C", {"0": 23.5}),
        ("23,5", {"0": 23, "1": 5}),  # two columns, as documented
        ("0;1,5", {"0": 0, "1": 1.5}),
        ("1,5\t2,5\t+3e1", {"0": 1.5, "1": 2.5, "2": 30}),
        ("1,,3", {"0": 1, "2": 3}),
        ("t=23,5 h=40%", {"t": 23.5, "h": 40}),
        ("t=23,5,h=40", {"t": 23.5, "h": 40}),
        ("t=1\u202f023,5", {"t": 1023.5}),
        ('{"value": "23,5"}', {"value": 23.5}),
        ('{"value": "49\u2009W"}', {"value": 49}),
        ('"23,5"', {"": 23.5}),
        ('{"state": "ON"}', {"state": 1}),
        ('{"state": "ON", "power": 5}', {"power": 5, "state": 1}),
        ("OFF", {"0": 0}),
        ("open=yes;lamp=false", {"open": 1, "lamp": 0}),
    ],
)
def test_numbers_as_sensors_of_any_country_send_them(message: str, found: dict[str, float]) -> None:
    assert list(numbers(message).items()) == list(found.items())


def test_what_is_no_number_is_kept_as_text() -> None:
    assert fields('{"a": "unavailable", "b": null, "c": [1, "x"]}') == {
        "a": "unavailable",
        "b": "null",
        "c.0": 1.0,
        "c.1": "x",
    }
    assert fields("temp=abc, 5") == {"temp": "abc"}
