"""No text of anybody comes alive in a message, and every text comes back out of it."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import messages
from bot.messages import BREAK, LIMIT, Page, build, escape, parse, plain, trim, unescape
from tests.fake_discord.markdown import read

HOSTILE = [
    "@everyone",
    "@here",
    "<@1234>",
    "<@!1234>",
    "<@&1234>",
    "<#1234>",
    "</pooh:1234>",
    "<t:1234:R>",
    "<id:customize>",
    ":smile:",
    "<:pooh:1234>",
    "<a:pooh:1234>",
    "https://example.com/a?b=c",
    "http://x.y",
    "HTTPS://X.Y",
    "<https://x.y>",
    "www.example.com",
    "mailto:a@b.c",
    "discord.gg/pooh",
    "https://discord.com/invite/pooh",
    "discordapp.com/invite/x",
    "[a](https://x.y)",
    "[b]( <https://x.y> 'title')",
    "# heading",
    "### heading",
    "- item",
    "* item",
    "1. item",
    "> quote",
    ">>> quote",
    "-# small",
    "||spoiler||",
    "```\ncode\n```",
    "`code`",
    "**bold**",
    "*italic*",
    "_italic_",
    "__under__",
    "***all***",
    "~~gone~~",
    "\\",
    "\\*",
    "\n",
    "\n\n",
    " ",
    "  ",
    "a",
    "b_c",
    "_",
    "Mr.",
    "\u202e",  # what follows is written from the right
    "\u200b",
    "\u200d",
    "Z" + "\u0300" * 30,
    "\ufe0f",
    "\U0001f43b",
    "\ufb01",
    "\u2028",
    "\x00",
    "\ud800",
]
hostile = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=6), max_size=12).map("".join)
ascii_text = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=80)
stories = st.one_of(hostile, ascii_text).map(lambda text: plain(text).strip())


@given(hostile)
def test_what_is_escaped_is_seen_as_it_was_typed_and_nothing_in_it_is_active(text: str) -> None:
    assert read(escape(text)) == (set(), plain(text))


@given(hostile)
def test_with_italics_only_italics_are_active(text: str) -> None:
    active, seen = read(escape(text, italics=True))
    assert active <= {"italic _"}
    assert seen.replace("_", "") == plain(text).replace("_", "")


@pytest.mark.parametrize("text", HOSTILE)
def test_each_hostile_text_is_harmless_alone(text: str) -> None:
    for content in (escape(text), escape(text, italics=True), build(Page(text, text), "")):
        assert read(content)[0] <= {"italic _", "bold", "subtext"}


@pytest.mark.parametrize(
    "text", [text for text in HOSTILE[: HOSTILE.index("~~gone~~") + 1] if text != "<https://x.y>"]
)
def test_the_reader_of_these_tests_sees_what_is_active(text: str) -> None:
    assert read(text)[0], text
    assert not read(escape(text))[0], text


def test_masked_links_are_broken_wherever_they_stand() -> None:
    active, seen = read(escape("[a](https://x.y) and [b](https://v.w)"))
    assert (active, seen) == (set(), "[a](https://x.y) and [b](https://v.w)")


def test_italics_of_the_book_are_kept() -> None:
    assert escape("You _know_ it.", italics=True) == "You _know_ it."
    assert escape("You _know_ it.") == "You \\_know\\_ it."


@given(hostile)
def test_plain_text_hides_nothing(text: str) -> None:
    clean = plain(text)
    assert plain(clean) == clean
    assert not [c for c in clean if unicodedata.category(c)[0] == "C" and c != "\n"]
    assert not re.search(r"[\u0300-\u036f]{3}", clean)


@given(hostile, st.booleans())
def test_escaping_can_be_undone(text: str, italics: bool) -> None:
    assert unescape(escape(text, italics=italics)) == plain(text)


@given(stories, stories, st.booleans())
def test_a_page_comes_back_out_of_its_message(prompt: str, story: str, cut: bool) -> None:
    page = Page(prompt, story, cut)
    content = build(page, "pooh · temperature 0.8 · seed 1")
    assert parse(content) == page
    # Discord takes white space off both ends of a message.
    assert parse(content.strip()) == page


@given(stories, stories, st.booleans())
def test_in_a_message_only_the_prompt_is_bold_and_the_last_line_small(
    prompt: str, story: str, cut: bool
) -> None:
    active, seen = read(build(Page(prompt, story, cut), "pooh · seed 1"))
    assert active - {"italic _"} == {"subtext"} | ({"bold"} if prompt else set())
    end = "..." if cut else ""
    shown = f"{prompt}{story}{end}".replace("_", "")
    assert seen.replace("_", "").lstrip("\n") == f"{shown}\n-# pooh · seed 1".lstrip("\n")


@given(
    st.text(max_size=500), st.text(max_size=3000), st.sampled_from(["*", "@a", "x ", "\U0001f43b"])
)
def test_a_message_is_never_too_long(prompt: str, story: str, filler: str) -> None:
    content = build(Page(plain(prompt), plain(story) + filler * 900), "n" * messages.ROOM)
    assert len(content.encode("utf-16-le")) // 2 <= LIMIT
    assert build(Page("*" * 3000), "").endswith("\n-# ")


def test_a_story_that_is_too_long_is_cut_after_a_sentence() -> None:
    story = "The bear sat down. " * 150
    page = parse(build(Page("Once", story), "note"))
    assert page.story.endswith("sat down.")
    assert LIMIT - 40 < len(page.text) < LIMIT
    assert not page.cut


def test_room_is_what_is_left() -> None:
    page = Page("Once", "x" * 1000)
    left = messages.room(page)
    assert len(build(Page("Once", "x" * (1000 + left)), "n" * messages.ROOM)) <= LIMIT
    assert 750 < left < 850


def test_messages_of_others_are_no_pages() -> None:
    assert parse("hello **you**") == Page()
    assert parse("") == Page()
    assert parse("-# writing ...") == Page()


@pytest.mark.parametrize(
    ("story", "length", "shown"),
    [
        ("He sat. He ate it all up. Then", 30, "He sat. He ate it all up."),
        ('He sat. "Oh, help!" said he, and', 24, 'He sat. "Oh, help!"'),
        ("He sat. Then he went to the for", 31, "He sat. Then he went to the..."),
        ("He sat. Then he went to the for ", 31, "He sat. Then he went to the for..."),
        ("He sat down with dear old Mr. Woo", 33, "He sat down with dear old Mr...."),
        ("One two three. Four five six seven", 17, "One two three."),
        ("Bumpbumpbump", 12, "Bumpbumpbump..."),
        ('"No," said he. "I do not. Well', 28, '"No," said he. "I do not.'),  # too early
        ('He sat. "Oh!" he said. "I am. I', 31, 'He sat. "Oh!" he said. "I am.'),
        ("He went to", 300, "He went..."),
        ("He went to ", 300, "He went to..."),
        ("", 300, "..."),
    ],
)
def test_a_story_ends_with_a_sentence_or_is_marked_as_cut(
    story: str, length: int, shown: str
) -> None:
    page = trim(story, length)
    assert page.story + "..." * page.cut == shown


def test_a_forgotten_quote_does_not_cost_the_story() -> None:
    page = parse(build(Page("Hello", 'He sat. "' + "I am here, you see. " * 120), ""))
    assert len(page.story) > 1300


def test_written_dots_are_told_from_a_cut() -> None:
    assert parse(build(Page("", "And then ..."), "")) == Page("", "And then ...")
    assert parse(build(Page("", "And so:..."), "")) == Page("", "And so:...")
    assert parse(build(Page("", "And then", cut=True), "")) == Page("", "And then", cut=True)


@pytest.mark.parametrize(
    ("text", "length", "end"),
    [
        ("  short  ", 20, "short"),
        ("One two. Three four. Five", 20, "Three four. Five"),
        ("one two three four", 12, "... four"),
        ("one two three four", 14, "... three four"),
        ("x" * 30, 20, "... " + "x" * 16),
        ("abcdef", 3, "def"),
        ("A chapter\n\nabout a bear", 16, "about a bear"),
        (
            'He said, "Why?" and, "Who?" said Piglet to Pooh.',
            40,
            '... and, "Who?" said Piglet to Pooh.',
        ),
        ('"What?" he said. "I see," said Owl. He sat.', 36, '"I see," said Owl. He sat.'),
        # In the midst of speaking:
        ('He sat. "I am. It is so," said he, and sat.', 32, '... It is so," said he, and sat.'),
        # A sentence that begins late would leave little.
        ("one two three four five six seven. Eight", 30, "... four five six seven. Eight"),
    ],
)
def test_the_end_of_a_text_is_whole_sentences_or_says_that_it_goes_on(
    text: str, length: int, end: str
) -> None:
    assert messages.last_words(text, length) == end
    assert len(end) <= length


@given(
    st.lists(st.sampled_from(['"', " ", ". ", "? ", "\n\n", "Pooh", "said", "."])),
    st.integers(1, 40),
)
def test_the_end_of_a_text_is_its_end_and_never_too_long(parts: list[str], length: int) -> None:
    text = "".join(parts).strip()
    end = messages.last_words(text, length)
    assert len(end) <= length
    assert text.endswith(end) or text.endswith(end.removeprefix(messages.GOES_ON))
    assert end == text or len(end) >= min(length // 2, 5) or "\n" in text or " " in text


@given(
    st.sampled_from(["*", "_a", "@a", "a.b", "x ", "He sat. ", "\U0001f43b", "He *sat*, "]),
    st.integers(1000, 4000),
    st.sampled_from(["", "Once", "*" * 400]),
)
def test_no_more_is_cut_than_must_be(part: str, length: int, prompt: str) -> None:
    story = (part * length)[:length]
    content = build(Page(prompt, story), "n" * messages.ROOM)
    kept = parse(content).story
    assert story.startswith(kept)
    left = LIMIT - len(content.encode("utf-16-le")) // 2
    assert left >= 0
    if kept != story.rstrip():
        assert left <= 16, "at most a sentence or a word of these"


def test_a_prompt_that_is_too_long_keeps_all_that_fits() -> None:
    content = build(Page("*" * 3000), "note")
    assert LIMIT - 8 < len(content) <= LIMIT


@pytest.mark.parametrize("note", ["n" * 5000, "\U0001f43b" * 5000, "\u00b7" * messages.ROOM])
def test_a_note_takes_no_more_than_its_room(note: str) -> None:
    story = "The bear sat down. " * 150
    content = build(Page("Once", story), note)
    shown = content.rpartition("\n-# ")[2]
    assert len(shown.encode("utf-16-le")) // 2 <= messages.ROOM
    assert len(parse(content).story) > LIMIT - messages.ROOM - 60


def test_accents_without_end_take_no_time() -> None:
    # To sort them all would take minutes.
    assert plain("a" + "\u0301\u0316" * 200_000) == plain("a" + "\u0301\u0316" * 15)
    assert plain("\ufdfa" * 3) == plain(plain("\ufdfa" * 3))


@pytest.mark.parametrize(
    "text", ["_" * 6000, "_a" * 3000, "**" * 3000, "." * 6000, '."' * 3000, "a." * 3000, " " * 6000]
)
def test_no_text_takes_long(text: str) -> None:
    # These would take minutes if an expression looked back further and further.
    content = build(Page(text[:500], text), "note")
    assert parse(content).text.strip() or not text.strip()
    assert messages.last_words(text + "x", 500)
    assert escape(text, italics=True).replace("\\", "").replace(BREAK, "") == text
