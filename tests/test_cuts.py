"""Wherever a text is cut, no slur is made of what is innocent as a whole."""

import itertools

import pytest

from bot import circle, messages
from bot.keep import title_of
from bot.messages import Page
from model.decoder import Decoder
from model.explain import Explanation
from model.sampling import Sampling
from model.sentences import certain, ending, first_sentences, first_words, shown
from model.vocab import Vocab
from model.windows import fitting, windows
from model.wordlist import read_word_list
from model.words import WordFilter
from model.writing import generate
from tests.bot_steps import page, told
from tests.hosting import CHARACTERS, Stage, small_weights
from tests.test_writer import Reciter

FILTER = WordFilter()
PHRASES = [phrase.strip("*") for phrase in read_word_list()["allowed"]]
SPIC = "It was all spic and span, so he sat down on it and sang."
SAY = "Here is a song of the wing tip the spick and so on it goes, said he, and sat down on a bun."


def refused(texts: list[str]) -> list[str]:
    return [text for text in texts if FILTER.refuses(text)]


AROUND = ("They saw {}, and", 'Oh! "{}", he said and', "It was {} and", "He sang: {}. Then he")


def test_no_cut_makes_a_slur_of_what_is_allowed() -> None:
    for phrase, around in zip(PHRASES, itertools.cycle(AROUND), strict=False):
        text = f"He sat. {around.format(phrase)} went"
        if FILTER.refuses(text):  # "not retard" may go on with letters, and then it must
            continue
        begin = text.index(phrase)
        lengths = range(begin + 1, begin + len(phrase) + 3)
        assert refused([ending(text, length)[0] for length in lengths]) == [], phrase
        assert refused([first_words(text, length + 3) for length in lengths]) == [], phrase
        assert refused([text[: certain(text, length)] for length in lengths]) == [], phrase
        ends = [messages.last_words(text, len(text) - at + 4) for at in lengths]
        assert refused(ends) == [], phrase
        assert refused([title_of(Page(story=text))]) == [], phrase


@pytest.mark.parametrize(
    ("text", "length", "kept"),
    [
        ("It was all spic and span, so", 23, "It was all"),
        ("It was all spic and span, so", 20, "It was all"),
        ("It was all spic and span, so", 25, "It was all spic and span,"),
        ("It was all spick-and-span, so", 17, "It was all"),
        ("Oh! They saw blue\n\ntits and", 20, "Oh! They saw blue"),
        ("They saw titty and tatty and titty, so", 26, "They saw titty and tatty"),
        ("They saw titty and tatty and titty, so", 20, "They saw"),
        ("spic and span", 9, ""),
        ("He is a spic and so", 14, "He is a spic"),  # that is one, cut or not
    ],
)
def test_a_text_ends_before_the_phrase_that_there_is_no_room_for(
    text: str, length: int, kept: str
) -> None:
    assert ending(text, length) == (kept, True)


def test_a_text_begins_after_the_phrase_that_is_cut() -> None:
    rest = "and so on it goes, said he, and sat down on a bun."
    for length in range(len(rest) + 4, len(rest) + 16):
        assert messages.last_words(SAY, length) == messages.GOES_ON + rest
    assert messages.last_words("x" * 30 + " a flock of tits", 12) == messages.GOES_ON
    assert messages.last_words("He went.\n\nHe saw blue\n\ntits on a bun, and sat.", 31) == (
        "... on a bun, and sat."
    )


def test_what_is_shown_on_the_way_is_what_is_shown_at_the_end() -> None:
    words = ["It ", "was ", "all ", "spic and span ", "there"]  # as a list of words lets it come
    for length in range(1, 40):
        text = "".join(words)[:length]
        so_far = list(itertools.accumulate(shown(words, length)))
        kept, cut = ending("".join(words), length)
        assert so_far[-1] == kept + "..." * cut and refused(so_far) == [], text


def test_a_circle_s_sentence_and_the_parts_of_its_story_are_whole() -> None:
    # Two dots in one part words, and end a sentence.
    assert first_sentences("All was spic\u2026 And span it was. Oh", 1)[0].startswith(
        "All was spic"
    )
    most = messages.LIMIT - messages.ROOM
    for fill in range(most - 24, most + 1, 5):
        for phrase in ("spic and span", "wing tip the spick", "a flock of tits"):
            text = "a " * (fill // 2) + "b" * (fill % 2) + f" {phrase} on " + "and on " * 30
            parts = list(circle.pieces(text))
            assert len(parts) > 1 and refused(parts) == []
            assert " ".join(parts).split() == text.split()
            assert refused([messages.build(Page(story=text), "note")]) == []


def test_no_excerpt_of_a_text_shows_half_a_phrase() -> None:
    decoder = Decoder(*small_weights(Vocab(CHARACTERS)))
    for before in range(14):
        for phrase in ("spic and span", "wing tip the spick", "flock of tits"):
            text = "on " * before + f"{phrase} " + "and on " * 9
            read = Explanation(decoder, Vocab(CHARACTERS), text.strip())
            texts = [
                read.text[read.words[at].start : read.words[at + fitting(read, at) - 1].stop]
                for at in windows(read)
            ]
            assert refused(texts) == [], texts


@pytest.mark.parametrize("length", range(18, len(SPIC)))
def test_what_a_network_writes_is_innocent_at_any_length(length: int) -> None:
    vocab, words = Vocab(CHARACTERS), WordFilter()
    sampling = Sampling(length=length, temperature=0.0, whole_word=False)
    network = Reciter(SPIC, vocab)
    told_so_far = list(
        itertools.accumulate(shown(generate(network, vocab, "I", sampling, words), length, "I"))
    )
    assert refused(["I" + text for text in told_so_far]) == []
    assert ("I" + told_so_far[-1]).startswith("It was all")


class Telling(Reciter):
    """A reciter for a bot, which may be held up, but never is."""

    def open(self) -> None:
        pass


@pytest.mark.parametrize("length", [22, 23, 24, 25])
async def test_a_story_is_gone_on_with_wherever_its_length_cuts_it(
    wood: Stage, length: int
) -> None:
    wood.decoder = Telling(SPIC, wood.vocab)  # type: ignore[assignment]
    await wood.restart()
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    use = kanga.command("pooh", prompt="I-", length=length, temperature=0.0)
    story = await told(wood, use)
    assert page(story).text.startswith("It was all") and not FILTER.refuses(page(story).text)
    sequel = await told(wood, roo.press(story, "Continue"))
    assert page(sequel).prompt.startswith("It was all") and sequel is not story


async def test_a_long_story_is_gone_on_with_wherever_its_end_begins(wood: Stage) -> None:
    kanga, roo = wood.server.person("Kanga"), wood.server.person("Roo")
    story = await told(wood, kanga.command("pooh", prompt="The bee"))
    for length in (178, 184, 187, 190):  # of what stands behind it: of 200, four are dots
        text = f"He sat and sang of the wing tip the spick{(' and on' * 30)[:length]}."
        _, note = messages.split_note(story.content)
        story.content = messages.build(Page(story=text), note)
        sequel = await told(wood, roo.press(story, "Continue"))
        prompt = page(sequel).prompt
        assert text.endswith(prompt.removeprefix(messages.GOES_ON)) and "the spick" not in prompt
