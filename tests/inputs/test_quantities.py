"""Numbers as people and devices write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.inputs.quantities import number_of


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("23.5", 23.5),
        ("23,5", 23.5),
        (" +3 ", 3.0),
        ("-2e3\r", -2000.0),
        ("1,5E-1", 0.15),
        (".5", 0.5),
        ("5.", 5.0),
        ("1,234.5", 1234.5),
        ("1.234,5", 1234.5),
        ("1,234,567", 1234567.0),
        ("1 234,5", 1234.5),
        ("1\u202f234\u2009567", 1234567.0),
        ("1'234.5", 1234.5),
        ("\u22123", -3.0),
    ],
)
def test_a_number_in_the_spelling_of_any_country(text: str, number: float) -> None:
    assert number_of(text) == number_of(text, units=False) == number


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("49W", 49.0),
        ("23.5°C", 23.5),
        ("23,5 C", 23.5),
        ("49\u2009W", 49.0),
        ("40 %", 40.0),
        ("65%RH", 65.0),
        ("3 m³/h", 3.0),
        ("12m/s", 12.0),
        ("1e3 W", 1000.0),
        ("12,50 €", 12.5),
        ("ON", 1.0),
        ("true", 1.0),
        ("Yes", 1.0),
        ("off", 0.0),
        ("FALSE", 0.0),
        ("no", 0.0),
    ],
)
def test_units_and_switches(text: str, number: float) -> None:
    assert number_of(text) == number
    assert number_of(text, units=False) is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "hello", "NaN", "inf", "1e400", "0x1F", "3f9a2b", "2026-11-21", "09:30", "1.2.3", "1,5,3"),
        *("192.168.100.200", "--5", "1_000", "12 people waiting", "9" * 65, "unavailable", "W"),
    ],
)
def test_what_is_no_number(text: str) -> None:
    assert number_of(text) is None


@given(st.text() | st.from_regex(r"[+-]?[\d., ']{0,40}[eE]?\d{0,5} ?[a-z%/]{0,9}", fullmatch=True))
def test_any_text_is_a_finite_number_or_none(text: str) -> None:
    number = number_of(text)
    assert number is None or abs(number) < 1e30
