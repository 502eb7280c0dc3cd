"""Text files as people have them: every encoding and line end is read whole, or named."""
# ruff: noqa: RUF001  (letters of many alphabets are what this is about)

import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.encodings import EncodingError, decode

ENGLISH = "Well! said the otter.\nIt was cold -- and wet.\n\nSo he went home.\n"
RUSSIAN = "«Привет», — сказал Ёжик.\nОн шёл по лесу…\n\nА луна молчала!\n"
GERMAN = "„Grüß Gott“, sagte die Bärin.\nSie aß süße Äpfel.\n\nUnd schlief.\n"
GREEK = "Η αρκούδα είπε: «Καλημέρα!»\n\nΚαι ο λαγός γέλασε.\n"
JAPANESE = "「おはよう」とくまが言いました。\nうさぎは笑って、森へ走った！\n"
EMOJI = "Pooh 🐻 loves honey 🍯.\n\nAnd Piglet 🐷?\n"
TEXTS = (ENGLISH, RUSSIAN, GERMAN, GREEK, JAPANESE, EMOJI)
MARKED = {
    "utf-8": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,  # PowerShell's > and Notepad's "Unicode"
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "utf-32-be": codecs.BOM_UTF32_BE,
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", MARKED)
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_a_mark_says_the_encoding(text: str, encoding: str, line_end: str) -> None:
    raw = MARKED[encoding] + text.replace("\n", line_end).encode(encoding)
    assert decode(raw) == (text, ())


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_without_a_mark_it_is_found_out(text: str, encoding: str, line_end: str) -> None:
    found, notes = decode(text.replace("\n", line_end).encode(encoding))
    assert found == text
    assert bool(notes) == (encoding != "utf-8")


@pytest.mark.parametrize("text", [RUSSIAN, GERMAN, JAPANESE, ENGLISH + "café – naïve\n"])
@pytest.mark.parametrize("byte", [b"\xff", b"\xe9", b"\x80", b"\xc3"])
def test_one_bad_byte_does_not_garble_the_rest(text: str, byte: bytes) -> None:
    before, behind = text.encode(), (text + "the end\n").encode()
    found, notes = decode(before + b"here: " + byte + b" gone\n" + behind)
    assert found.startswith(text + "here: ")
    assert found.endswith(" gone\n" + text + "the end\n")
    assert len(found) <= len(2 * text + "here: x gone\nthe end\n")
    assert len(notes) == 1


def test_a_bad_byte_in_a_line_of_another_alphabet_is_left_out_and_said() -> None:
    raw = RUSSIAN.encode()
    at = RUSSIAN[:5].encode()
    assert decode(at + b"\xff" + raw[len(at) :]) == (
        RUSSIAN,
        ("left out 1 byte that no letter has in UTF-8",),
    )


def test_windows_1252_is_read_and_said() -> None:
    found, (note,) = decode(GERMAN.encode("cp1252"))
    assert found == GERMAN
    assert "Windows-1252" in note


def test_joined_files_may_have_several_encodings() -> None:
    found, (note,) = decode((RUSSIAN + GERMAN).encode() + b"Der B\xe4r kam.\n")
    assert found == RUSSIAN + GERMAN + "Der Bär kam.\n"
    assert "1 line " in note


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r", "iso8859-7", "shift_jis", "euc-kr"])
def test_what_cannot_be_told_is_not_guessed(encoding: str) -> None:
    texts = {"iso8859-7": "Η αρκούδα γέλασε.\n", "euc-kr": "곰은 꿀을 좋아한다.\n"}
    texts["shift_jis"] = JAPANESE
    text = texts.get(encoding, "Он шёл по лесу. А луна молчала!\n")
    raw = (text * 20).encode(encoding)
    with pytest.raises(EncodingError, match="--encoding"):
        decode(raw)
    assert decode(raw, encoding) == (text * 20, ())


@pytest.mark.parametrize(
    ("text", "encodings"),
    [
        (GERMAN * 3 + ENGLISH, ["mac_roman", "cp437", "cp850"]),
        ("« Où ? » dit l'ours en été. Ça y est, garçon naïf !\n" * 3, ["mac_roman", "cp850"]),
        ("Był sobie niedźwiedź, który lubił miód i śpiewał pieśni.\n" * 3, ["cp1250", "iso8859-2"]),
    ],
)
def test_signs_in_the_midst_of_words_are_another_encoding(text: str, encodings: list[str]) -> None:
    for encoding in encodings:
        raw = text.encode(encoding, "ignore")
        with pytest.raises(EncodingError, match="mac_roman"):
            decode(raw)
        assert decode(raw, encoding).text == raw.decode(encoding)


def test_signs_that_western_words_have_are_no_doubt() -> None:
    words = "L’ours, l‘été—naïf…ici, zo’n col·legi, £5, 3½, McÉwan, nº 3ª, Tšau, 20°, ‚já‘ ÞÓR\n"
    text, notes = decode((words * 3).encode("cp1252"))
    assert text == words * 3 and len(notes) == 1


@pytest.mark.parametrize(
    ("raw", "what"),
    [
        (b"PK\x03\x04\x14\0" + b"Once upon a time there was a bear.\n" * 90, "zip"),
        (b"%PDF-1.4\n1 0 obj\n(Once upon a time)\n", "PDF"),
        (b"{\\rtf1\\ansi Once upon a time\\par }", "RTF"),
        (b"\n<!DOCTYPE html>\n<p>Once upon a time</p>", "web page"),
        (codecs.BOM_UTF8 + b'<?xml version="1.0"?><p>Once</p>', "XML"),
    ],
)
def test_what_was_written_for_a_program_is_named(raw: bytes, what: str) -> None:
    with pytest.raises(EncodingError, match=what):
        decode(raw)
    assert decode(b"Once <html> was new.\n").text


LONG = "Then it went on and on, as it had done before.\n" * 9


@pytest.mark.parametrize("text", [LONG, RUSSIAN * 3, JAPANESE * 5])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_what_is_half_utf_16_is_not_garbled(text: str, encoding: str) -> None:
    wide = ENGLISH.encode(encoding)
    for raw in (
        MARKED[encoding] + wide + text.encode(),
        text.encode() + MARKED[encoding] + wide,
        *([wide * 3 + text.encode() + b"\n"] if encoding.startswith("utf-16") else []),
    ):
        with pytest.raises(EncodingError, match="save "):
            decode(raw)
    with pytest.raises(EncodingError, match="joined"):
        decode(MARKED[encoding] + wide + text.encode())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_one_letter_over_and_over_is_no_other_encoding(encoding: str) -> None:
    for letter in "\u3042\u4e00\u6c34\uac00\uc2a4\u0416e ":
        scream = letter * 500 + "!\n"
        assert decode(MARKED[encoding] + scream.encode(encoding)) == (scream, ())


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_letters_of_which_half_looks_like_a_line_end_are_letters(encoding: str) -> None:
    for first, last in ((0x0D05, 0x0D39), (0x0A05, 0x0A39), (0x2010, 0x2027)):
        letters = "".join(map(chr, range(first, last + 1)))
        text = f"{letters} {letters}.\n" * 3
        assert decode(MARKED[encoding] + text.encode(encoding)).text.startswith(letters[:9])


def test_a_wrong_encoding_is_named() -> None:
    with pytest.raises(EncodingError, match="utf-9"):
        decode(b"Oh.", "utf-9")
    with pytest.raises(EncodingError, match="ascii"):
        decode(RUSSIAN.encode(), "ascii")


@pytest.mark.parametrize(
    "raw", [b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, bytes(range(32)) * 50]
)
def test_a_file_that_is_no_text_is_refused(raw: bytes) -> None:
    with pytest.raises(EncodingError, match=r"not a text file|UTF-8"):
        decode(raw)


WRAPPED = (
    "The otter went down to the river, as otters do in the\n"
    "morning, and found that it was not there. She looked\n"
    "behind the old mill, and beneath the bridge.\n\n"
    "It was cold, and the wind came from the hills, so that\n"
    "nobody could hear what anybody said to anybody.\n\n"
    "So they went home by the road that the river had been\n"
    "so kind as to leave open for them.\n"
)


@pytest.mark.parametrize("line_end", ["\n\n", "\r\n\r\n", "\r\r", "\r\r\n\r\r\n"])
def test_doubled_line_ends_are_halved_and_said(line_end: str) -> None:
    found, notes = decode(WRAPPED.replace("\n", line_end).encode())
    assert found == WRAPPED
    assert len(notes) == 1


def test_paragraphs_with_an_empty_line_between_are_left_alone() -> None:
    text = "\n\n".join(f"Paragraph {i} is here, and says it." for i in range(20)) + "\n"
    assert decode(text.encode()) == (text, ())


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_any_bytes_are_text_or_one_clear_error(raw: bytes) -> None:
    try:
        text, _ = decode(raw)
    except EncodingError as error:
        assert "\n" not in str(error)
    else:
        assert "\r" not in text
        assert decode(text.encode()).text == decode(decode(text.encode()).text.encode()).text
