"""A text of one's own: read in its own characters, and nothing is lost in silence."""
# ruff: noqa: RUF001  (letters of many alphabets are what this is about)

import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.vocab import Vocab
from training.config import TrainingConfig
from training.encodings import decode
from training.measures import ReadingList
from training.own_text import own_text
from training.recipe import CorpusError
from training.setup import ids
from training.texts import fit, read, read_for

ASCII = Vocab.load(Path(__file__).resolve().parents[1] / "vocab" / "pooh.json")
STORIES = {
    "Russian": "«Привет», — сказал Ёжик. Он шёл по лесу и думал о луне… А она молчала!",
    "German": "„Grüß Gott“, sagte die Bärin. Sie aß süße Äpfel, während es schneite.",
    "Greek": "Η αρκούδα είπε: «Καλημέρα!» Και ο λαγός γέλασε· όλα άνθιζαν.",
    "Japanese": "「おはよう」とくまが言いました。うさぎは笑って、森へ走った！",
    "emoji": "Pooh 🐻 loves honey 🍯, and so does 👨\u200d👩\u200d👧. ❤️ said Piglet 🐷!",
    "Hindi": "भालू ने कहा: नमस्ते! और खरगोश हँसा।",
}


@pytest.mark.parametrize("story", STORIES)
def test_it_is_learned_in_its_own_characters(story: str, tmp_path: Path) -> None:
    text = unicodedata.normalize("NFC", STORIES[story])
    path = tmp_path / "own.txt"
    path.write_text(unicodedata.normalize("NFD", f"{text}\n\n" * 40), "utf-8")
    texts = read(TrainingConfig.of(text=str(path)))
    assert set(texts.vocab().characters) == set(text) | {"\n"}
    assert texts.library[0][0].startswith(text + "\n\n" + text)
    assert texts.notes == ()
    # What is typed is cleaned to the same characters, however it is composed.
    assert texts.vocab().clean(unicodedata.normalize("NFD", text)) == (text, "")
    assert ids(text, texts.vocab()).tolist() == texts.vocab().encode(text)


@pytest.mark.parametrize("story", STORIES)
def test_a_network_that_learns_on_keeps_its_ids_and_gets_new_letters(
    story: str, tmp_path: Path
) -> None:
    path = tmp_path / "own.txt"
    path.write_text(f"{STORIES[story]}\n\n" * 40, "utf-8")
    texts = read(TrainingConfig.of(text=str(path)), ASCII)
    vocab = texts.vocab(ASCII)
    assert vocab.characters.startswith(ASCII.characters)
    letters = {c for c in unicodedata.normalize("NFC", STORIES[story]) if c.isalnum()}
    assert letters <= set(vocab.characters)
    text = texts.library[0][0]
    assert vocab.clean(STORIES[story]).text == text[: text.index("\n")]
    # Resumed, it is known already, and reads the same.
    assert read(TrainingConfig.of(text=str(path)), vocab).digest == texts.digest
    assert read(TrainingConfig.of(text=str(path)), vocab).vocab(vocab) == vocab


def test_quotes_and_dashes_are_put_as_the_network_knows_them_and_it_is_said(
    tmp_path: Path,
) -> None:
    path = tmp_path / "own.txt"
    path.write_text("“Oh!” said Zoé — and … ran.\n" * 30, "utf-8")
    texts = read(TrainingConfig.of(text=str(path)), ASCII)
    assert texts.library[0][0].startswith('"Oh!" said Zoé -- and ... ran.\n')
    assert texts.vocab(ASCII).characters == ASCII.characters + "é"
    (note,) = texts.notes
    assert "“”—…" in note


def test_what_shapes_its_neighbours_is_kept(tmp_path: Path) -> None:
    written = "\u0642\u0627\u0644 \u06dd\u0661\n"  # the end of a verse, of which 1 is the number
    written += "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f\n"  # a flag
    written += "\U0001f469\u200d\U0001f680 \u0915\u094d\u200c\u0937\n"
    assert own_text("\ufeff\u200e" + written) == (written, ())


def test_the_rarest_characters_are_left_out_and_said() -> None:
    text = "aaa bbb ccc éé я\n\n"
    (fitted,), (note,) = fit((text,), None, most=6)
    assert fitted == "aaa bbb ccc éé\n\n"
    assert "rarest 1 character" in note
    (fitted,), (note,) = fit((text,), None, most=5)
    assert fitted == "aaa bbb ccc \n\n"
    (fitted,), _ = fit(("eee " + text,), None, most=6)
    assert fitted == "eee aaa bbb ccc ee\n\n"  # an accent is worth less than a letter


def test_a_whole_alphabet_of_thousands_has_ids() -> None:
    letters = "".join(map(chr, range(0x4E00, 0x4E00 + 3000)))
    vocab = Vocab.from_text(letters + "\n")
    assert ids(letters, vocab).tolist() == vocab.encode(letters)
    with pytest.raises(ValueError, match="'x'"):
        ids("x", vocab)


def test_a_text_to_predict_is_read_as_the_network_learned_to_read(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text("„Größe“ & [more] – said Zoé.\n", "utf-8")
    assert read_for(path, ASCII) == ('"Grosse" and (more) -- said Zoe.\n', [])
    own = read(TrainingConfig.of(text=str(path), validation_fraction=0.0)).vocab()
    assert read_for(path, own) == ("„Größe“ & [more] – said Zoé.\n", [])
    path.write_bytes("Zoé saw Ёж.\nЁж\n".encode() + b"\xff\n")
    text, (line,) = read_for(path, ASCII)
    assert text == "Zoe saw .\n" and "own.txt" in line and "1 byte" in line
    assert "4 characters" in line and line.endswith("Ёж")
    _, (line,) = read_for(path, Vocab.from_text("Ёж\n"))
    assert "1 byte" in line and "characters" not in line


def test_copies_and_words_are_found_in_any_alphabet() -> None:
    text = STORIES["Russian"]
    library = ReadingList([text, "plain"])
    assert "ёжик" in library.words
    copied, other = library.holds([text, text.replace("луне", "мёде")], 10)
    assert copied.all()
    assert not other.all()
    assert library.longest_copy([text]) == len(text)


def test_nothing_to_read_says_what_was_left_out(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_bytes(b"\0\1\2")
    with pytest.raises(CorpusError, match=r"own\.txt: no text in it; .*left out 3 characters"):
        read(TrainingConfig.of(text=str(path)))


def test_lines_stay_where_nothing_was_broken_to_fit() -> None:
    for text in (
        "「おはよう」\nとくまが言いました。\nうさぎは笑って、森へ走っていきました。\n",
        "Roses are red\nViolets are blue\n\nAnd bears like\nA pot or two\n",
        "<Anna> Are you there, or did you go to the shop already?\n<Bert> Hm.\n" * 9,
        "One paragraph a line, as many write. " * 5 + "\n" + "And the next. " * 9 + "\n",
        "    if pooh[1]:\n        eat({2})\n",
        "\u0e41\u0e21\u0e27\u0e19\u0e2d\u0e19 \u0e41\u0e25\u0e30\u0e19\u0e01\u0e1a\u0e34\u0e19 " * 4
        + "\n"
        + "\u0e1b\u0e25\u0e32\u0e27\u0e48\u0e32\u0e22 " * 9
        + "\n",
        "\u092d\u093e\u0932\u0942 \u0928\u0926\u0940 \u092a\u0930 \u0917\u092f\u093e " * 4
        + "\u0925\u093e\u0964\n"
        + "\u0935\u0939 \u0939\u0901\u0938\u093e " * 7
        + "\u0965\n",
        "Prologue\n\nIt was night.\n\nChapter One\n\nIt was day, and " + "so on, " * 30 + "\n",
    ):
        kept, notes = own_text(text)
        assert kept.split() == text.split()
        assert kept.count("\n") == text.rstrip().count("\n") + 1
        assert notes == ()


def test_lines_that_were_broken_to_fit_are_joined() -> None:
    text, notes = own_text(
        "Die Bärin ging hinunter zum Fluss, so wie es alle Bä-\n"
        "rinnen am Morgen tun, und fand zu ihrer Überraschung,\n"
        "dass er nicht da war. Die Bärinnen wunderten sich.\n\n"
        "Das war alles, und niemand sagte etwas dazu, denn so\n"
        "etwas war in dieser Gegend noch nie vorgekommen.\n"
    )
    assert text == (
        "Die Bärin ging hinunter zum Fluss, so wie es alle Bärinnen am Morgen tun, und fand zu "
        "ihrer Überraschung, dass er nicht da war. Die Bärinnen wunderten sich.\n\n"
        "Das war alles, und niemand sagte etwas dazu, denn so etwas war in dieser Gegend noch nie "
        "vorgekommen.\n"
    )
    assert notes == ()


@settings(max_examples=100)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_any_text_is_read_and_what_was_read_stays(raw: str) -> None:
    text, _ = own_text(raw)
    assert own_text(text).text == text


# Headers and licences, as Project Gutenberg put them around its books over the years.
LICENCE = (
    "\nSection 1. General Terms of Use and Redistributing Project Gutenberg works\n\n"
    "This website includes information about Project Gutenberg, including how to\n"
    "subscribe to our email newsletter to hear about new eBooks.\n"
)


def modern(name: str, body: str) -> str:
    return (
        f"The Project Gutenberg eBook of {name}\n\nThis ebook is for the use of anyone.\n\n"
        f"Title: {name}\n\n*** START OF THE PROJECT GUTENBERG EBOOK {name.upper()} ***\n\n\n"
        f"{body}\n\n*** END OF THE PROJECT GUTENBERG EBOOK {name.upper()} ***\n{LICENCE}"
    )


def of_2005(name: str, body: str) -> str:
    return (
        f"Project Gutenberg's {name}, by A. Bear\n\nThis eBook is for anyone.\n\n"
        f"***START OF THIS PROJECT GUTENBERG EBOOK {name.upper()}***\n\nProduced by nobody\n\n"
        f"{body}\n\nEnd of Project Gutenberg's {name}, by A. Bear\n\n"
        f"***END OF THIS PROJECT GUTENBERG EBOOK {name.upper()}***\n{LICENCE}"
    )


def of_1993(name: str, body: str) -> str:
    return (
        f"**The Project Gutenberg Etext of {name}**\n\nPlease take a look at the header.\n\n"
        "***START**THE SMALL PRINT!**FOR PUBLIC DOMAIN ETEXTS**START***\n"
        "Why is this Small Print statement here?\n"
        "*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*\n\n\n"
        f"{body}\n\nEnd of The Project Gutenberg Etext of {name}\n\n"
    )


Age = Callable[[str, str], str]
AGES = (modern, of_2005, of_1993)
FIRST = "The otter went out, and it was morning.\n\nThen it rained."
SECOND = "A bear came by, „grüßte“ and went on.\n\nThat was all."


def body(text: str) -> str:
    """A text without what the producers add in front."""
    return text.replace("Produced by nobody\n\n", "")


@pytest.mark.parametrize("age", AGES)
def test_headers_of_all_ages_are_cut_off_and_it_is_said(age: Age) -> None:
    text, notes = own_text(age("Otters", FIRST))
    assert body(text) == FIRST + "\n"
    assert any("Project Gutenberg" in note for note in notes)


@pytest.mark.parametrize("second", AGES)
@pytest.mark.parametrize("first", AGES)
def test_of_joined_books_each_is_read(first: Age, second: Age) -> None:
    text, notes = own_text(first("Otters", FIRST) + second("Bears", SECOND))
    assert body(text) == f"{FIRST}\n\n{SECOND}\n"
    assert "Project Gutenberg" in notes[0]


@pytest.mark.parametrize("age", AGES)
def test_a_story_of_one_s_own_before_a_book_is_read_too(age: Age) -> None:
    text, _ = own_text(SECOND + "\n\n\n" + age("Otters", FIRST))
    assert body(text) == f"{SECOND}\n\n{FIRST}\n"


def test_a_story_of_one_s_own_behind_a_book_is_read_too() -> None:
    for around in (modern("Otters", FIRST), modern("Otters", FIRST).replace(LICENCE, "")):
        text, _ = own_text(around + "\n\n" + SECOND)
        assert text == f"{FIRST}\n\n{SECOND}\n"


@pytest.mark.parametrize(
    "unit", ["\n", " \n", "\r", "\t", ".\n", "* * *\n", "-----\n", "\U0001f600\n"]
)
def test_a_long_run_of_what_is_no_word_takes_no_longer_than_other_text(unit: str) -> None:
    # Where the time grew with the square of the length, each of these took hours.
    raw = "a" + unit * (300_000 // len(unit)) + "b\n"
    text, notes = own_text(decode(raw.encode()).text)
    assert (text[0], text[-2:], notes) == ("a", "b\n", ())
    assert not unit.strip() or text.count(unit.strip()) > 30_000


def test_paragraphs_of_many_parts_are_mended_in_no_longer_time() -> None:
    parts = "and on it went,\n\n" * 20_000
    text, _ = own_text(f"[Illustration]\n\nIt began\n\n{parts}to the end.\n")
    assert text.count("\n") == 1 and text.count("went") == 20_000


@pytest.mark.parametrize("tail", ["", "AND MORE\nOTTERS "])
def test_a_mark_may_go_on_in_the_next_line(tail: str) -> None:
    marked = modern("Otters", FIRST).replace("OTTERS ***", f"OTTERS {tail}***")
    assert own_text(marked).text == FIRST + "\n"
    unmarked = modern("Otters", FIRST).replace("OTTERS ***", "OTTERS")
    assert own_text(unmarked).text == FIRST + "\n"


def test_a_mark_in_a_text_of_one_endless_line() -> None:
    endless = "*** START OF THE PROJECT GUTENBERG EBOOK " + "otters and " * 20_000
    assert own_text(f"{endless}\n\n{FIRST}").text == FIRST + "\n"


def test_a_story_that_only_speaks_of_gutenberg_is_left_alone() -> None:
    story = "I read the Project Gutenberg eBook of Alice.\n\nIt was long.\n"
    assert own_text(story) == (story, ())
