"""How long a netCDF classic file must be.

The netCDF library reads zeros beyond the end of a truncated classic file without a word, so its
length is checked against its header before it is trusted. Files in netCDF-4 carry their own check.

Source: NetCDF Users Guide, "File Format Specifications", classic, 64-bit offset and 64-bit data.
"""

from __future__ import annotations

from math import prod
from pathlib import Path
from typing import BinaryIO, Final

_TYPE_BYTES: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 4, 6: 8, 7: 1, 8: 2, 9: 4, 10: 8, 11: 8}


def promised_bytes(path: Path) -> int | None:
    """Return the bytes a classic file must have; None when the file is of another format.

    A header that ends too early promises one byte more than there is.

    Raises
    ------
    OSError
        When the file cannot be read.
    """
    with path.open("rb") as file:
        magic = file.read(4)
        if magic[:3] != b"CDF" or magic[3:] not in (b"\x01", b"\x02", b"\x05"):
            return None
        try:
            return _Header(file, magic[3]).promised()
        except EOFError:
            return path.stat().st_size + 1


class _Header:
    def __init__(self, file: BinaryIO, version: int) -> None:
        self.file = file
        self.count_bytes = 8 if version == 5 else 4
        self.offset_bytes = 4 if version == 1 else 8

    def number(self, size: int = 4) -> int:
        data = self.file.read(size)
        if len(data) < size:
            raise EOFError
        return int.from_bytes(data, "big")

    def count(self) -> int:
        return self.number(self.count_bytes)

    def skip(self, size: int) -> None:
        # Names and attribute values are padded to four bytes.
        self.file.seek(size + -size % 4, 1)

    def length_of_list(self) -> int:
        self.number()  # the tag; an absent list is a list of none
        return self.count()

    def skip_attributes(self) -> None:
        for _ in range(self.length_of_list()):
            self.skip(self.count())
            size = _TYPE_BYTES.get(self.number(), 1)
            self.skip(size * self.count())

    def promised(self) -> int:
        records = self.count()
        unknown = records == 256**self.count_bytes - 1  # written as a stream, never counted
        lengths = []
        for _ in range(self.length_of_list()):
            self.skip(self.count())
            lengths.append(self.count())
        self.skip_attributes()
        fixed: list[int] = []
        recorded: list[tuple[int, int]] = []
        for _ in range(self.length_of_list()):
            self.skip(self.count())
            shape = [lengths[self.count()] for _ in range(self.count())]
            self.skip_attributes()
            item = _TYPE_BYTES.get(self.number(), 1)
            self.count()  # the size again, which is wrong for large variables
            begin = self.number(self.offset_bytes)
            if shape and shape[0] == 0:
                recorded.append((begin, item * prod(shape[1:])))
            else:
                fixed.append(begin + item * prod(shape))
        ends = [self.file.tell(), *fixed]
        if records and not unknown:
            # One record variable alone is stored without padding.
            step = sum(size + (-size % 4 if len(recorded) > 1 else 0) for _, size in recorded)
            ends += [begin + (records - 1) * step + size for begin, size in recorded]
        return max(ends)
