"""Zip files, read in place: what torch and numpy put their arrays in.

Python's zipfile copies stored members, and reads a directory of any size before it can be bounded; here
stored members are views and every entry counts as a step. Layout: PKWARE's APPNOTE 6.3.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from perform.networks.checkpoints.limits import CheckpointError, ReadLimits, shown

END_RECORD, END64_RECORD, END64_LOCATOR = b"PK\5\6", b"PK\6\6", b"PK\6\7"
DIRECTORY_ENTRY, LOCAL_HEADER = b"PK\1\2", b"PK\3\4"
MOST_COMMENT = 1 << 16
STORED, DEFLATED = 0, 8
ENCRYPTED, UTF8_NAME = 1, 1 << 11
SEE_EXTRA = 0xFFFFFFFF  # the number is in the extra field


@dataclass(frozen=True, slots=True)
class ZipMember:
    """One file in a zip: how it is packed, its sizes packed and unpacked, and where its header is."""

    method: int
    check: int
    packed: int
    size: int
    header: int


class ZipView:
    """A zip file in memory, `members` by name. CheckpointError for a damaged or forged one."""

    def __init__(self, data: memoryview, limits: ReadLimits) -> None:
        self.data, self.limits = data, limits
        self.members: dict[str, ZipMember] = {}
        self._left = len(data)  # bytes that members may still have: they must not overlap
        at, count, end = self._directory()
        for _ in range(count):
            limits.step()
            at = self._entry(at, end)

    def read(self, name: str) -> memoryview:
        """The content of a member: a view if it is stored without compression."""
        member, start = self.members[name], self.place(name)
        packed = self.data[start : start + member.packed]
        content = packed if member.method == STORED else self._inflated(packed, member, name)
        if len(packed) != member.packed or len(content) != member.size:
            raise CheckpointError(f"its member {shown(name)} is cut off or larger than declared")
        if member.check and zlib.crc32(content) != member.check:  # torch has an option that writes 0
            raise CheckpointError(f"its member {shown(name)} is damaged")
        return content

    def place(self, name: str) -> int:
        """Where in the file a member's bytes begin."""
        at = self.members[name].header
        if bytes(self.data[at : at + 4]) != LOCAL_HEADER or at + 30 > len(self.data):
            raise CheckpointError(f"its member {shown(name)} is not where the zip's directory says")
        named, extra = struct.unpack_from("<HH", self.data, at + 26)
        return at + 30 + int(named) + int(extra)

    def _inflated(self, packed: memoryview, member: ZipMember, name: str) -> memoryview:
        self.limits.spend(member.size, f"its member {shown(name)}")
        try:
            return memoryview(zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, member.size + 1))
        except zlib.error as error:
            raise CheckpointError(f"its member {shown(name)} is damaged") from error

    def _directory(self) -> tuple[int, int, int]:
        """Where the directory begins, of how many entries, and where it ends."""
        tail = bytes(self.data[-MOST_COMMENT - 22 :])
        at = len(self.data) - len(tail) + tail.rfind(END_RECORD)
        if END_RECORD not in tail or at + 22 > len(self.data):
            raise CheckpointError("the file is cut off: it is a zip without its directory")
        count, size, start = struct.unpack_from("<HII", self.data, at + 10)
        if bytes(self.data[max(at - 20, 0) :][:4]) == END64_LOCATOR:
            (at,) = struct.unpack_from("<Q", self.data, at - 12)
            if bytes(self.data[at : at + 4]) != END64_RECORD or at + 56 > len(self.data):
                raise CheckpointError("the zip's directory is not where it says")
            count, size, start = struct.unpack_from("<QQQ", self.data, at + 32)
        if start + size > at:
            raise CheckpointError("the zip's directory is not where it says")
        return start, count, start + size

    def _entry(self, at: int, end: int) -> int:
        """Add the entry at a place; returns the place of the next."""
        if at + 46 > end or bytes(self.data[at : at + 4]) != DIRECTORY_ENTRY:
            raise CheckpointError("the zip's directory is damaged or not where it says")
        flags, method, check, packed, size, named, extra, comment = struct.unpack_from(
            "<8xHH4xIIIHHH", self.data, at
        )
        (header,) = struct.unpack_from("<I", self.data, at + 42)
        text = self.data[at + 46 : at + 46 + named]
        name = str(text, "utf-8", "replace") if flags & UTF8_NAME else str(text, "latin-1")
        if name in self.members:
            raise CheckpointError(f"the zip has {shown(name)} twice")
        if flags & ENCRYPTED or method not in (STORED, DEFLATED):
            raise CheckpointError(
                f"its member {shown(name)} is packed or encrypted in a way that is not read"
            )
        first = at + 46 + named
        size, packed, header = self._large(self.data[first : first + extra], size, packed, header)
        self._left -= packed
        if self._left < 0:
            raise CheckpointError("the zip's members lie over each other, or outside of the file")
        self.members[name] = ZipMember(method, check, packed, size, header)
        return int(first + extra + comment)

    def _large(self, extra: memoryview, *numbers: int) -> list[int]:
        """Numbers that are too large for the entry, from its extra fields (tag 1: 8 bytes for each)."""
        wide: list[int] = []
        while len(extra) >= 4:
            self.limits.step()
            tag, length = struct.unpack_from("<HH", extra)
            if tag == 1:
                wide = list(struct.unpack_from(f"<{min(length, len(extra) - 4) // 8}Q", extra, 4))
            extra = extra[4 + length :]
        return [wide.pop(0) if one == SEE_EXTRA and wide else one for one in numbers]
