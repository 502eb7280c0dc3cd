"""Sentences chosen among candidates: what is compared, what is taken, the same for a seed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from model.decoder import Decoder
from model.rules import faults
from model.sampling import Sampling
from model.sentences import has_ended, last_sentence
from model.sequence import LONGEST_SENTENCE
from model.vocab import Vocab
from model.weights import load_decoder
from model.words import WordFilter
from model.writing import Draft, advance, generate
from tests.networks import FAR, PLAIN, random_gpt, tensors
from training.measures import losses, write

VOCAB = Vocab('abcd .!?"\n,')
HOW = Sampling(length=150, temperature=1.2, top_p=1.0, seed=3, candidates=4)


def far() -> Decoder:
    return Decoder(FAR, tensors(random_gpt(FAR)))


def test_the_likelihood_of_a_text_is_the_network_s() -> None:
    gpt = random_gpt(FAR)
    decoder = Decoder(FAR, tensors(gpt))
    ids = np.random.default_rng(0).integers(0, FAR.vocab_size, FAR.context_length)
    nats = losses(gpt, ids)
    for parted in (1, 5, len(ids) - 1):
        before, after = ids[:parted].tolist(), ids[parted:].tolist()
        found = decoder.log_likelihoods(before, [after, after[:1], after[:2]])  # one by one
        for likely, end in zip(found, (None, parted, parted + 1), strict=True):
            assert likely == pytest.approx(-nats[parted - 1 : end].sum(), abs=1e-3)
    for before, after in (([], [1]), ([1], []), ([99], [1])):
        with pytest.raises(ValueError, match="ids"):
            decoder.log_likelihoods(before, [[0], after])
    assert not any(decoder._cache.texts)


def test_a_sequence_knows_how_likely_its_sentence_is() -> None:
    decoder = far()
    draft = Draft(decoder, VOCAB, "ab", HOW)
    for _ in range(7):
        advance(decoder, [draft])
    before = VOCAB.encode("ab" + draft.text)
    for sequence in draft.writing:
        if sequence.sentence:
            (likely,) = decoder.log_likelihoods(before, [VOCAB.encode(sequence.sentence)])
            assert sequence.log_likelihood == pytest.approx(likely, abs=1e-3)
    draft.close()


def test_the_same_seed_writes_the_same_alone_and_in_company() -> None:
    wishes = [("ab", HOW), ("", Sampling(90, 1.0, seed=8, candidates=3)), ("c d", Sampling(60, 0))]
    together = write(far(), VOCAB, wishes)
    assert together == ["".join(generate(far(), VOCAB, *wish)) for wish in wishes]
    assert [len(text) for text in together] == [150, 90, 60]
    assert together[0] != write(far(), VOCAB, [("ab", Sampling(150, 1.2, top_p=1.0, seed=3))])[0]


def test_where_sentences_are_as_good_rounding_does_not_choose(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # After so short a prompt the first sentence has no story but the sentence before.
    decoder, vocab = load_decoder("pooh", slots=33)
    wishes = [("One day Pooh ", Sampling(40, seed=seed, candidates=8)) for seed in range(4)]
    told = write(decoder, vocab, wishes)
    exact, random = decoder.log_likelihoods, np.random.default_rng(0)
    monkeypatch.setattr(
        decoder,
        "log_likelihoods",
        lambda *ids: [likely + random.uniform(-1e-4, 1e-4) for likely in exact(*ids)],
    )
    assert write(decoder, vocab, wishes) == told


def test_one_text_at_a_time_chooses_while_the_others_are_written_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    decoder, exact = far(), Decoder.log_likelihoods
    compared: list[int] = []

    def compare(before: list[int], texts: list[list[int]]) -> list[float]:
        compared[-1] += 1
        return exact(decoder, before, texts)

    monkeypatch.setattr(decoder, "log_likelihoods", compare)
    drafts = [Draft(decoder, VOCAB, "ab", HOW) for _ in range(3)]  # all come to an end at once
    waited = 0
    while drafts:
        compared.append(0)
        deciding = [draft for draft in drafts if draft.decides]
        told = [draft.text for draft in deciding]
        advance(decoder, drafts)
        assert compared[-1] <= 1
        waited += sum(draft.decides for draft in deciding)
        for draft, text in zip(deciding, told, strict=True):
            assert not draft.decides or (draft.text == text and not draft.writing)
        for draft in [draft for draft in drafts if draft.over]:
            assert draft.text == "".join(generate(far(), VOCAB, "ab", HOW))
            draft.close()
            drafts.remove(draft)
    assert max(compared) == 1 and waited > 0


def test_every_slot_is_given_back() -> None:
    decoder = far()
    text = generate(decoder, VOCAB, "ab", HOW)
    next(text)
    text.close()  # type: ignore[attr-defined]
    assert "".join(generate(decoder, VOCAB, "ab", HOW))
    assert decoder.join() == 0


class Scarce:
    """The numpy of a machine that has memory for so many arrays more."""

    def __init__(self, arrays: int) -> None:
        self.arrays = arrays

    def __getattr__(self, name: str) -> object:
        return getattr(np, name)

    def zeros(self, shape: tuple[int, ...], dtype: type[np.float32]) -> NDArray[np.float32]:
        if not self.arrays:
            raise MemoryError
        self.arrays -= 1
        return np.zeros(shape, dtype)


@pytest.mark.parametrize("arrays", range(2 * FAR.n_layer + 1))  # keys, values, content
def test_a_draft_for_which_there_is_no_memory_keeps_no_slot(
    arrays: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = Decoder(FAR, tensors(random_gpt(FAR)), slots=2)
    other = decoder.join()
    decoder.read(other, [1, 2, 3])
    with monkeypatch.context() as patch:
        patch.setattr("model.cache.np", Scarce(arrays))
        with pytest.raises(MemoryError):
            Draft(decoder, VOCAB, "ab", HOW)
    text = "".join(generate(decoder, VOCAB, "ab", HOW))  # there is memory again
    assert text == "".join(generate(far(), VOCAB, "ab", HOW))
    assert [slot for slot, text in enumerate(decoder._cache.texts) if text] == [other]


@pytest.mark.parametrize(("config", "temperature"), [(PLAIN, 1.2), (FAR, 0.5), (FAR, 0.0)])
def test_where_there_is_nothing_to_choose_by_one_candidate_is_written(
    config: object, temperature: float
) -> None:
    network = Decoder(config, tensors(random_gpt(config)))  # type: ignore[arg-type]
    sampling = Sampling(80, temperature, seed=5, candidates=8)
    draft = Draft(network, VOCAB, "ab", sampling)
    assert len(draft.writing) == 1
    draft.close()
    plain = Sampling(80, temperature, seed=5)
    assert write(network, VOCAB, [("ab", sampling), ("ab", plain)])[0] == "".join(
        generate(network, VOCAB, "ab", plain)
    )


def test_what_is_told_only_grows_and_holds_no_word_that_is_refused() -> None:
    words = WordFilter(refused={"ab", "da", "cc"})
    for seed in range(5):
        how = Sampling(200, 1.5, top_p=1.0, seed=seed, candidates=4)
        text = "".join(generate(far(), VOCAB, "c", how, words))
        assert len(text) == 200 and not words.refuses("c" + text)


def test_a_sentence_is_ended_by_what_parts_it_from_the_next() -> None:
    for whole in ("He came. ", '"Oh!" ', 'He said "Oh."\n\n', "\u6765\u305f\u3002"):
        assert has_ended(whole)
    for begun in ("He came.", "He came.\n", "Mr. ", "He came. S", '"Oh," ', "", " ", "\n\n"):
        assert not has_ended(begun)
    assert last_sentence("He came. She went") == "She went"
    assert last_sentence("He came. She went. ") == "She went. "
    assert last_sentence("He came") == "He came" and last_sentence("") == ""


@pytest.mark.parametrize(
    ("before", "sentence", "count"),
    [
        ("", '"Hallo, Pooh," said Owl.\n\n', 0),
        ("", '"Hallo, Pooh," Pooh said.\n\n', 1),
        ("", '"Hallo, Pooh.\n\n', 1),  # nobody ends his speech
        ('"Oh, ', 'bother!"\n\n', 0),  # begun before
        ("It rained and rained. ", "It rained and rained. ", 1),
        ('"Oh!"\n\n', '"Oh!"\n\n', 0),  # short enough to be said twice
        ('"Hallo, Pooh.', ' It rained," Pooh said.\n\n', 1),
        ("", "CHAPTER II\n\n", 1),
        ("", "IN WHICH _Pooh goes home.\n\n", 1),
        ("", "There was a notice: TRESPASSERS W.\n\n", 0),
    ],
)
def test_faults_of_a_sentence(before: str, sentence: str, count: int) -> None:
    assert faults(before, sentence) == count


def test_a_sentence_without_an_end_is_long_enough_some_time() -> None:
    decoder = Decoder(FAR, tensors(random_gpt(FAR)))
    vocab = Vocab("abcdefghijk")  # nothing in it ends a sentence
    draft = Draft(decoder, vocab, "ab", Sampling(400, 1.0, seed=1, candidates=2))
    lengths = set()
    while not draft.over:
        advance(decoder, [draft])
        lengths.add(len(draft.text))
    draft.close()
    assert lengths == {0, LONGEST_SENTENCE, 2 * LONGEST_SENTENCE, 400}
