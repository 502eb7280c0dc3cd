"""Nobody walks into a story who is only in the library."""

from pathlib import Path

import numpy as np
import pytest

from model.decoder import Decoder
from model.sampling import Sampling
from model.strangers import NOBODY, Strangers, part
from model.vocab import Vocab
from model.weights import WeightsError, load_decoder, save
from model.writing import generate
from tests.networks import PLAIN, random_gpt, tensors
from training.names import strangers, strangers_left

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz \n'."
AWAY = Strangers(["Wig|gily", "Ann|", "Wi|"])


def barred(prompt: str, written: str) -> str:
    return "".join(LETTERS[i] for i in AWAY.barred(prompt, written, LETTERS))


def test_a_name_is_left_where_no_other_word_goes_on() -> None:
    assert barred("", "said Wi") == "g \n'."  # Wi itself is a stranger, too
    assert barred("", "said Win") == ""
    assert barred("", "said An") == ""
    assert barred("said An", "n") == " \n'."
    assert barred("", "McWi") == barred("", "wi") == ""  # no word that begins so


def test_whoever_is_in_the_prompt_is_no_stranger() -> None:
    assert "g" not in barred("Wiggily sat down. ", "Wi")
    assert "g" in barred("Wiggilyish people. ", "Wi")
    assert barred("Ann and Wi ", "Ann") == ""


def test_letters_are_shared_as_far_as_words_allow() -> None:
    allowed = frozenset({"W", "Wi", "Wit", "With", "A", "An", "Ann", "Anno"})
    assert part("Wiggily", allowed) == "Wig|gily"
    assert part("Ann", allowed) == "Ann|"
    assert part("Xerxes", allowed) == "Xe|rxes"
    assert part("Wita", allowed) == "Wita"  # told by its last letter: With may be written


def test_a_name_told_by_its_last_letter_is_left_there() -> None:
    away = Strangers(["Betty", "Al|"])
    places = away.barred("", "said Bett", LETTERS)
    assert [LETTERS[i] for i in places] == ["y"]
    assert away.barred("", "said Betty", LETTERS) == []


@pytest.mark.parametrize("prompt", ["_Ann", "3Ann", "where is ann", "ANN went. Ann"])
def test_whoever_is_in_the_prompt_in_any_spelling_may_be_written(prompt: str) -> None:
    assert AWAY.barred(prompt, " and Ann", LETTERS) == []


def test_strangers_are_people_of_the_library_alone() -> None:
    library = "I met Wiggily, said Wiggily. In old London, said Peter, said Piglet. " * 20
    found = strangers([library], ["Then Piglet met Peter. With a wig."])
    assert found.names == ("Wigg|ily",)


def test_whoever_is_in_a_text_of_ones_own_is_no_stranger_to_it_and_its_words_may_be_written() -> (
    None
):
    away = Strangers(["Wig|gily", "Ann|", "Pe|ter", "Sa|mmy"])
    left = strangers_left(away, ["Peter had a wiggle, and so had SAM."])
    assert left.names == ("Ann|", "Samm|y", "Wiggi|ly")
    assert strangers_left(left, []).names == left.names


def test_no_story_holds_one() -> None:
    """A network that writes nothing but A, B and C finds its way round a name."""
    vocab = Vocab("ABCDEabcde ")
    gpt = random_gpt(PLAIN)
    away = Strangers(["Ab|c"])
    writes = Decoder(PLAIN, tensors(gpt), strangers=away)
    free = Decoder(PLAIN, tensors(gpt))
    texts = {
        name: "".join(
            character
            for seed in range(40)
            for character in generate(network, vocab, "D", Sampling(200, 1.5, top_p=1.0, seed=seed))
        )
        for name, network in (("away", writes), ("free", free))
    }
    assert " Ab" in texts["free"]
    assert " Ab" not in texts["away"]


def test_they_come_with_the_weights(tmp_path: Path) -> None:
    path, vocab = tmp_path / "x.safetensors", Vocab("abcdefghijk")
    vocab.save(path.with_suffix(".json"))
    held = {name: np.array(tensor) for name, tensor in tensors(random_gpt(PLAIN)).items()}
    for away in (AWAY, NOBODY):
        save(path, PLAIN, vocab, held, away)
        assert load_decoder(path)[0].strangers.names == away.names


@pytest.mark.parametrize(
    "name", ["wig|gily", "Wig|gi|ly", "|Wig", "W" * 99 + "|", "Wig|gi-ly", "Ä|b"]
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is no name"):
        Strangers([name])


def test_weights_with_a_name_that_is_none_cannot_be_used(tmp_path: Path) -> None:
    path, vocab = tmp_path / "x.safetensors", Vocab("abcdefghijk")
    vocab.save(path.with_suffix(".json"))
    broken = Strangers()
    broken.names = ("nobody",)
    save(path, PLAIN, vocab, tensors(random_gpt(PLAIN)), broken)
    with pytest.raises(WeightsError, match="'nobody' is no name"):
        load_decoder(path)
