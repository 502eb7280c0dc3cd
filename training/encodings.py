"""From the bytes of a text file, as people have them, to text with plain line ends.

Nothing is dropped or guessed in silence: whatever was not plain UTF-8 becomes a note, one line that
says what was done and why.
"""

import codecs
import re
import unicodedata
from typing import NamedTuple

_MARKS = (  # the longest first: the mark of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = 0.02  # share of control characters above which bytes are no text in this encoding
_FOREIGN = 0.35  # share of accented letters above which Windows-1252 is the wrong guess
_TORN = 0.3  # share of lines going on in small letters after an empty one: it is between all lines
_STRANGE = 0.1  # share of signs in mid-word among all above ASCII: of MacRoman, DOS, Latin-2, ...
_SMALL = "[a-z\xdf-\xff\u0153\u0161\u017e]"
_IN_WORD = re.compile(
    rf"(?<={_SMALL})(?:[^\w\s\x00-\x7f\xad\xb7\u2013\u2014\u2018\u2019\u2026]"
    rf"|[\xb2\xb3\xb9\xbc-\xbe\xc0-\xd6\xd8-\xde\u0152\u0160\u0178\u017d])+(?={_SMALL})"
)
_OTHERS = (  # what begins so was written for a program, even where all of it is letters
    (re.compile(rb"PK\x03\x04"), "a zip archive, as .docx and .epub are"),
    (re.compile(rb"%PDF-"), "a PDF"),
    (re.compile(rb"\{\\rtf"), "RTF"),
    (re.compile(rb"\s*<(?:!doctype\s+html|html|\?xml)\b", re.I), "a web page, or XML"),
)
_JOINED = "joined of files in UTF-16 and in another encoding; save each as UTF-8, then join them"
_CONTROLS = re.compile("[\x00-\x08\x0e-\x19\x1b-\x1f\x7f-\x84\x86-\x9f\ufffe\uffff]")
# Eight words of ASCII, or 32 letters of UTF-8, which UTF-16 as good as never spells. No line end
# parts the words: it is half of each letter of Malayalam and of Punjabi.
_UTF_8 = re.compile(rb"(?:[!-~]{1,40} {1,4}){8}|(?:[\xc2-\xf4][\x80-\xbf]{1,3}[ -~\r\n]{0,3}){32}")
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")


class EncodingError(ValueError):
    """Bytes that are no text, or of an encoding that cannot be told; the message says which."""


class Decoded(NamedTuple):
    """A text, its line ends plain newlines, and what is to be said about how it was read."""

    text: str
    notes: tuple[str, ...]


def decode(raw: bytes, encoding: str = "") -> Decoded:
    """The text of a file.

    Without an `encoding`: by its byte order mark; UTF-8; UTF-16 without a mark; else line by line,
    UTF-8 where a line is that, a stray byte left out where it nearly is, and Windows-1252.

    Raises:
        EncodingError: no text, or of another encoding; the message says what to do.
    """
    notes: list[str] = []
    begins = raw[:100].removeprefix(codecs.BOM_UTF8)
    for form, name in _OTHERS:
        if form.match(begins):
            raise EncodingError(f"{name}, not a text file; save it as plain text in UTF-8")
    if encoding:
        text = _decode_as(raw, encoding)
    elif found := next((name for mark, name in _MARKS if raw.startswith(mark)), None):
        text = _with_mark(raw, found, notes)
    else:
        text = _without_mark(raw, notes)
    if _is_binary(text):
        if _goes_over(raw):
            raise EncodingError(_JOINED)
        raise EncodingError("not a text file; save it as plain text in UTF-8")
    return Decoded(_plain_line_ends(text, notes), tuple(notes))


def _is_binary(text: str) -> bool:
    """Whether there are too many control characters for a text."""
    return len(_CONTROLS.findall(text)) > _NO_TEXT * len(text) + 8


def _decode_as(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except LookupError:
        raise EncodingError(f"--encoding {encoding}: Python knows no such encoding") from None
    except UnicodeError as error:
        raise EncodingError(f"not in the encoding {encoding}: {error}") from None


def _with_mark(raw: bytes, name: str, notes: list[str]) -> str:
    if name == "utf-8":
        return _lines(raw.removeprefix(codecs.BOM_UTF8), notes)
    if _holds_utf_8(raw):
        raise EncodingError(_JOINED)
    text = raw.decode(name, "replace")
    if bad := text.count("\ufffd") - raw.decode(name, "ignore").count("\ufffd"):
        notes.append(f"left out {bad} places that are no {name.upper()}")
    return text.replace("\ufffd", "")


def _without_mark(raw: bytes, notes: list[str]) -> str:
    # Text has hardly any control characters; as UTF-16 every Latin or Cyrillic letter brings one.
    controls = sum(raw.count(byte) for byte in (*range(9), *range(14, 26), *range(27, 32)))
    if controls > _NO_TEXT * len(raw) and len(raw) % 2 == 0:
        for name in sorted(
            ("utf-16-le", "utf-16-be"), key=lambda name: _blanks(raw, name), reverse=True
        ):
            text = raw.decode(name, "replace")
            strange = sum(unicodedata.category(c) in ("Cn", "Co", "Cs") for c in text)
            strange += text.count("\ufffd") + len(_CONTROLS.findall(text))
            if _blanks(raw, name) and strange <= _NO_TEXT * len(text):
                if _holds_utf_8(raw):
                    raise EncodingError(_JOINED)
                notes.append(f"read as {name.upper()}, as its bytes look like that")
                return text.replace("\ufffd", "")
    return _lines(raw, notes)


def _holds_utf_8(raw: bytes) -> bool:
    """Whether a part of what is UTF-16 is UTF-8; one letter over and over may look like it."""
    return any(len(set(match[0])) > 8 for match in _UTF_8.finditer(raw))


def _goes_over(raw: bytes) -> bool:
    """Whether what begins as UTF-8 goes on as UTF-16 with its mark."""
    for mark in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        before, found, _ = raw.partition(mark)
        if before and found and before.decode("utf-8", "replace").count("\ufffd") == 0:
            return True
    return False


def _blanks(raw: bytes, name: str) -> int:
    """How many spaces and newlines there are: in the wrong byte order there are hardly any."""
    text = raw.decode(name, "ignore")
    return sum(map(text.count, " \n\r\u3000\u3001\u3002"))


def _lines(raw: bytes, notes: list[str]) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    # Files of several encodings may have been joined: each line is looked at on its own.
    parts: list[str] = []
    dropped, western, strange, high = 0, 0, 0, 0
    whole_is_utf8 = _good(raw)
    sure = set(raw.decode("utf-8", "ignore"))
    for line in re.split(rb"(?<=[\r\n])", raw):
        try:
            parts.append(line.decode())
            continue
        except UnicodeDecodeError:
            pass
        if _good(line) or (whole_is_utf8 and not sure.issuperset(line.decode("cp1252", "replace"))):
            text = line.decode("utf-8", "replace")
            kept = line.decode("utf-8", "ignore")
            dropped += text.count("\ufffd") - kept.count("\ufffd")
        else:
            kept = line.decode("cp1252", "ignore")
            dropped += (lost := len(line) - len(kept))
            strange += lost + len(_IN_WORD.findall(kept))
            high += sum(byte > 127 for byte in line)
            western += 1
        parts.append(kept)
    text = "".join(parts)
    letters = [c for c in text if c.isalpha()]
    accented = sum(not c.isascii() for c in letters)
    foreign = accented > _FOREIGN * len(letters) or 2 < strange > _STRANGE * high
    if western and not whole_is_utf8 and foreign and not _is_binary(text):
        raise EncodingError(
            "neither UTF-8 nor UTF-16, and no Western European text; save it as UTF-8 "
            "(a training can also be told: --encoding cp1251, mac_roman, ...)"
        )
    if western:
        notes.append(f"read {_count(western, 'line')} as Windows-1252: no UTF-8")
    if dropped:
        notes.append(f"left out {_count(dropped, 'byte')} that no letter has in UTF-8")
    return text


def _good(raw: bytes) -> bool:
    """Whether these bytes are UTF-8 but for a few."""
    bad = raw.decode("utf-8", "replace").count("\ufffd")
    return len(_MULTIBYTE.findall(raw.decode("utf-8", "ignore").encode())) >= bad


def _plain_line_ends(text: str, notes: list[str]) -> str:
    # "\r\r\n" is what Windows makes of "\r\n" that is written as text once more.
    text = re.sub("(?<!\r)\r+\n", "\n", text)
    text = re.sub("[\r\v\f\x1c-\x1e\x85\u2028\u2029]", "\n", text)
    text = re.sub("(?<![ \t])[ \t]+\n", "\n", text)
    runs = re.findall("(?<=[^\n])(\n+)(?=(.))", text.strip("\n"))
    pairs = [following for run, following in runs if len(run) == 2]
    even = sum(len(run) % 2 == 0 for run, _ in runs)
    torn = sum(first.islower() for first in pairs)
    if len(pairs) > 3 and even >= 0.98 * len(runs) and torn >= _TORN * len(pairs):
        notes.append("left out every second line end: each line was followed by an empty one")
        text = re.sub("\n\n?", "\n", text)
    return text


def _count(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'s' * (number != 1)}"
