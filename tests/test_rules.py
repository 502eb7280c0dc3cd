"""Nothing is said twice, and nobody answers himself."""

import pytest

from model.decoder import Decoder
from model.rules import (
    GREEDY_RUN,
    answering_himself,
    echo,
    repeating,
    speaker,
    speaking_twice,
    stutter,
)
from model.sampling import Sampling
from model.vocab import Vocab
from model.writing import generate
from tests.networks import PLAIN, random_gpt, tensors
from training.memory import repeated


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("he went to bed and he went to ", "b"),
        ("he went to bed and he went to b", ""),  # a word that has begun goes on
        ("he went to bed. He went, to ", "b"),  # whatever stands between, large or small
        ("he went to Bed. he went to bed. And he went to ", "Bb"),
        ("he went to bed and she went to ", ""),
        ("bump, bump, bump, bump, ", "b"),
        ("bump, bump, bump, ", ""),
        ("don't you see it, don't you see ", "i"),
        ("one two ", ""),
        ("I will come to-day. And I will come to-", ""),  # half a word
        ("he saw you to-day and he saw you ", "t"),
        ("", ""),
    ],
)
def test_a_run_of_four_words_is_not_begun_again(text: str, letters: str) -> None:
    assert repeating(text) == set(letters)


def test_at_temperature_0_a_text_is_recited_and_circles_are_still_left() -> None:
    once = "and the tree was in the middle of the wood, and he was in the middle "
    assert repeating(once) == {"o"} and not repeating(once, GREEDY_RUN)
    assert repeating("he went to bed and then he woke, " * 2, GREEDY_RUN) == {"h"}
    vocab = Vocab("ab .,;:!?/=")
    network = Decoder(PLAIN, tensors(random_gpt(PLAIN)))
    greedy, free = (
        "".join(generate(network, vocab, "b a", Sampling(300, 0.0, rules=rules)))
        for rules in (True, False)
    )
    assert greedy.count("b") == GREEDY_RUN < free.count("b") / 2  # "b" is its only word


SAID = '"Hallo," said Pooh.\n\n'


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        (SAID + '"Hallo!" said ', "P"),
        (SAID + '"Hallo!" said P', "o"),  # Piglet may
        ("Then Piglet came. " + SAID + '"Hallo!" said ', ""),  # the second letter tells
        ("Then Piglet came. " + SAID + '"Hallo!" said P', "o"),
        (SAID + '"Hallo!" said Po', ""),
        ('"Oh," said Owl.\n\n"Oh, yes!" said ', "O"),  # nobody is called Oh
        ('"Oh," Christopher Robin said.\n\n"Oh!" said ', "C"),
        (SAID + "And so said ", ""),  # no speech
        ('"Hallo," said Pooh. "What?" said ', ""),  # the same paragraph
        (SAID + "It rained.\n\n" + '"Hallo!" said ', ""),
        ('"Hallo," Owl said.\n\n"Hallo!" cried ', "O"),
        ("said ", ""),
        ('They met Pooh.\n\n"Hallo, Pooh," said ', "P"),  # who is called does not call
        ('They met Pooh and Piglet.\n\n"Hallo, Pooh," said ', ""),
        ('They met Pooh and Piglet.\n\n"Hallo, Pooh," said P', "o"),
        ('They met Pooh.\n\n"Pooh!" cried ', "P"),
        ('They met Owl.\n\n"Oh, bother!" said ', ""),  # nobody is called Oh
        ('They met Pooh.\n\n"Pooh is here," said ', ""),  # spoken of
        ('"Hallo, Pooh," said Piglet. "And you, Piglet?" asked ', ""),
        ('"Hallo, Pooh," said Piglet. "And you, Piglet?" asked P', "i"),
        (SAID + '"I know what he said ', ""),  # in the midst of speech
        (SAID + '"Well, Owl," said ', "PO"),
    ],
)
def test_who_spoke_is_not_named_next(text: str, letters: str) -> None:
    assert answering_himself(text) == set(letters)


def test_a_speech_is_not_followed_by_another_in_its_paragraph() -> None:
    for text in ('"Oh!" ', 'He came. "Well, well." '):
        assert speaking_twice(text) == {'"'}
    for text in ('"Oh," ', '"Oh!"\n\n', '"Oh!" he said. ', "He came. ", '"He said, _oh_." "'):
        assert speaking_twice(text) == set()


def test_the_speaker_is_the_first_that_is_named() -> None:
    assert speaker('"I," said Owl, and Pooh asked why.') == "Owl"
    assert speaker('"I," Pooh said.') == "Pooh"
    assert speaker("Pooh said nothing.") is None
    assert speaker('"Oh!"') is None


def test_a_network_that_goes_in_circles_is_led_out_of_them() -> None:
    vocab = Vocab("ab .,;:!?/=")
    network = Decoder(PLAIN, tensors(random_gpt(PLAIN)))
    with_rules, free = (
        [
            "".join(generate(network, vocab, "a", Sampling(300, 1.5, seed=seed, rules=rules)))
            for seed in range(10)
        ]
        for rules in (True, False)
    )
    # Of two words alone some runs must come again, where both would begin one.
    assert repeated(with_rules) < repeated(free)


def test_repeated_words_are_counted() -> None:
    assert repeated(["a b c d a b c d"]) == pytest.approx(1 / 5)
    assert repeated(["a b c d e f"]) == 0
    assert repeated([""]) == 0


@pytest.mark.parametrize(
    ("sentence", "share"),
    [
        ("The bank stood by the river. ", 0),
        ("There was a bank of the bank of the bank. ", 2 / 4),
        ('"Hallo!" said Pooh. "Hallo, hallo, Pooh!"\n\n', 3 / 6),
        ("He was as big as he was old. ", 0),  # short words come again in every sentence
        ("", 0),
    ],
)
def test_a_sentence_stutters_whose_longer_words_come_again(sentence: str, share: float) -> None:
    assert stutter(sentence) == pytest.approx(share)


def test_a_sentence_is_an_echo_whose_longer_words_stood_twice_before() -> None:
    before = "The balloon went up. Oh, balloon! "
    assert echo(before, "A balloon was coming. ") == pytest.approx(1 / 2)
    assert echo(before, "Somebody went home. ") == 0  # once is no echo
    assert echo("", "A balloon. ") == 0
