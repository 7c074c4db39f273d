"""Address patterns: the rules of the specification one by one, and against a plain definition."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.clock import stopwatch
from perform.inputs.osc.patterns import is_pattern, matching

# "OSC Message Dispatching and Pattern Matching", rule by rule: pattern, what it matches, what it does not.
TABLE = [
    # A plain address matches itself only, and every part of it.
    ("/a/b", ["/a/b"], ["/a", "/a/b/c", "/a/c", "/A/b", "/ab"]),
    # 1. ? matches any single character
    ("/?", ["/a", "/1", "/-"], ["/", "/ab", "/a/b"]),
    ("/f?der/1", ["/fader/1", "/fxder/1"], ["/fder/1", "/faader/1"]),
    # 2. * matches any sequence of zero or more characters
    ("/*", ["/a", "/abc", "/"], ["/a/b"]),
    ("/fader*", ["/fader", "/fader1", "/fader12"], ["/fade", "/fader/1"]),
    ("/*/gain", ["/grade/gain", "/x/gain"], ["/gain", "/a/b/gain", "/grade/gains"]),
    ("/a*b*c", ["/abc", "/aXbYc", "/abbcc"], ["/acb", "/abcd"]),
    # 3. a string of characters in brackets matches any of them
    ("/[abc]", ["/a", "/b", "/c"], ["/d", "/ab", "/"]),
    # ... two with a minus between them match the range of characters from one to the other
    ("/fader[1-3]", ["/fader1", "/fader2", "/fader3"], ["/fader0", "/fader4", "/fader-", "/fader12"]),
    # ... a minus at the end has no special meaning
    ("/[ab-]", ["/a", "/b", "/-"], ["/c"]),
    # ... an exclamation point at the beginning negates the list
    ("/[!ab]", ["/c", "/1"], ["/a", "/b", "/", "/cc"]),
    ("/[!0-9]x", ["/ax"], ["/1x"]),
    # ... and not at the beginning it has no special meaning
    ("/[a!]", ["/a", "/!"], ["/b"]),
    # 4. a comma-separated list of strings in braces matches any of them
    ("/{foo,bar}", ["/foo", "/bar"], ["/fo", "/foobar", "/baz", "/"]),
    ("/{foo,}x", ["/foox", "/x"], ["/ox"]),
    ("/{a,b}/{c,d}1", ["/a/c1", "/a/d1", "/b/c1", "/b/d1"], ["/a/b1", "/c/a1"]),
    # 5. any other character matches only itself
    ("/a.c", ["/a.c"], ["/abc"]),
    ("/a+(b)^$|\\d", ["/a+(b)^$|\\d"], ["/aab", "/a1"]),
    # together
    ("/{layer,clip}[1-2]*/o?", ["/layer1/on", "/clip2x/o1"], ["/layer3/on", "/layer1/o", "/clip2/off"]),
]


@pytest.mark.parametrize(("pattern", "yes", "no"), TABLE)
def test_patterns_match_as_the_specification_says(pattern: str, yes: list[str], no: list[str]) -> None:
    assert matching(pattern, [*yes, *no]) == yes


def test_patterns_are_distinguished_from_addresses() -> None:
    assert all(is_pattern(f"/a/{sign}") for sign in ("*", "?", "[a]", "{a}"))
    assert not any(is_pattern(address) for address in ("/a/b", "/1/fader1", "/a!b-c,d"))


def plainly(pattern: str, text: str) -> bool:
    """Patterns of stars, question marks and letters, matched as a beginner expects."""
    if not pattern:
        return not text
    if pattern[0] == "*":
        return plainly(pattern[1:], text) or bool(text and text[0] != "/" and plainly(pattern, text[1:]))
    if not text:
        return False
    return (pattern[0] == text[0] or (pattern[0] == "?" and text[0] != "/")) and plainly(
        pattern[1:], text[1:]
    )


@given(st.text("ab*?/", max_size=8), st.text("ab/", max_size=8))
def test_a_star_matches_as_a_beginner_expects(pattern: str, address: str) -> None:
    assert bool(matching(f"/{pattern}", [f"/{address}"])) == plainly(f"/{pattern}", f"/{address}")


@given(st.lists(st.lists(st.text("ab", max_size=2), min_size=1, max_size=3), min_size=1, max_size=3))
def test_nested_braces_match_every_reading(choices: list[list[str]]) -> None:
    pattern = "/x" + "".join("{" + ",".join(choice) + "}" for choice in choices)
    ways = {"/x" + "".join(way) for way in product(*choices)}
    others = {"/x" + "a" * n + "b" * m for n in range(4) for m in range(4)}
    assert set(matching(pattern, ways | others)) == ways


@given(st.text("*?[]{}!-,/ab\\^.", max_size=40), st.text("ab/", max_size=12))
def test_no_pattern_raises_an_exception(pattern: str, address: str) -> None:
    matching(pattern, [address])


def test_no_pattern_takes_exponential_time() -> None:
    addresses = ["/" + "a" * 100] * 20
    cruel = ("/" + "*a" * 60 + "b", "/" + "{a,aa}" * 20, "/" + "?*" * 50 + "b", "/" + "[!b]*" * 25 + "b")
    began = stopwatch()
    assert [matching(pattern, addresses) for pattern in cruel] == [[]] * 4
    assert stopwatch() - began < 5  # a matcher that backtracks would need years
