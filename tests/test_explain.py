"""How a text was written: each number is the one that the network that learns has."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from model.config import GPTConfig
from model.decoder import Decoder
from model.explain import ARC, LONGEST_TEXT, ExplainError, Explanation, softmax
from model.gpt import GPT, by_place_and_content, norm, rotate
from model.ngrams import find_rows, ngram_keys, ngram_starts
from model.sampling import NotFiniteError
from model.sentences import within_word
from model.sequence import START
from model.vocab import Vocab, VocabError
from model.weights import ROOT, load_decoder, load_gpt
from tests.networks import CONFIGS, FAR_TABLE, PLAIN, TABLE, longer, random_gpt, tensors

SHIPPED = sorted((ROOT / "weights").glob("*.safetensors"))
LETTERS = "\n abcdefghi'"


def assert_close(actual: object, wanted: object, rtol: float = 2e-3, atol: float = 2e-4) -> None:
    np.testing.assert_allclose(np.asarray(actual), np.asarray(wanted), rtol=rtol, atol=atol)


def vocab_of(config: GPTConfig) -> Vocab:
    return Vocab(LETTERS[: config.vocab_size])


def text_of(config: GPTConfig, length: int, seed: int = 0) -> str:
    ids = np.random.default_rng(seed).integers(0, config.vocab_size, length)
    return vocab_of(config).decode(ids.tolist())


@torch.no_grad()
def streams_of(gpt: GPT, ids: list[int]) -> list[Tensor]:
    """The stream before the first block and after each, (1, T, C), as `GPT.forward` has it."""
    found: list[Tensor] = []
    hooks = [
        block.register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].clone()))
        for block in gpt.blocks
    ]
    hooks.append(gpt.blocks[-1].register_forward_hook(lambda _, __, y: found.append(y.clone())))
    gpt(torch.tensor([ids]))
    for hook in hooks:
        hook.remove()
    return found


@torch.no_grad()
def attention_of(gpt: GPT, block: int, x: Tensor) -> Tensor:
    """How much each place of a text takes from each, (H, T, T): the formula, all at once."""
    attention = gpt.blocks[block].attention
    c, T = gpt.config, x.size(1)
    heads = attention.qkv(norm(x)).view(1, T, c.n_head + 2 * c.n_kv_head, c.head_size)  # type: ignore[union-attr,operator]
    q, k, _ = heads.transpose(1, 2).split((c.n_head, c.n_kv_head, c.n_kv_head), dim=1)
    q, k, cos, sin = norm(q), norm(k), gpt.cos[:T], gpt.sin[:T]
    if block in c.far_blocks:
        q, k = by_place_and_content(q, k, cos, sin, c.far_gain)
    else:
        q, k = rotate(q, cos, sin), rotate(k, cos, sin)
    k = k.repeat_interleave(c.n_head // c.n_kv_head, dim=1)
    scores = q @ k.transpose(-2, -1) / c.head_size**0.5
    distance = torch.arange(T)[:, None] - torch.arange(T)
    hidden = (distance < 0) | (distance >= c.window(block))
    weights: Tensor = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)[0]
    return weights


def check_looks(gpt: GPT, explanation: Explanation, streams: list[Tensor], shift: int) -> None:
    """The strongest look of any head of a far block, where it goes back far enough."""
    far = gpt.config.far_blocks
    weights = {block: attention_of(gpt, block, streams[block]) for block in far}
    for place in range(len(explanation.text)):
        looks = [
            (float(row[shift + place].max()), int(row[shift + place].argmax()) - shift)
            for block in far
            for row in weights[block]
        ]
        shares = [share for share, source in looks if share >= ARC and 0 <= source < place]
        share = max(shares, default=0.0)
        look = explanation.look(place)
        if abs(share - ARC) > 0.01:
            assert (look is None) == (share == 0.0)
        if look is not None and share:
            assert_close(look.share, share)
            assert_close(weights[look.block][look.head, shift + place, shift + look.source], share)


def check_against(gpt: GPT, decoder: Decoder, vocab: Vocab, story: str, prompt: str) -> None:
    """Every number of an explanation."""
    explanation = Explanation(decoder, vocab, story, prompt)
    text, before = prompt + story, "" if prompt else START
    ids, shift = vocab.encode(before + text), len(before)
    gpt = longer(gpt, len(ids)) if len(ids) > gpt.config.context_length else gpt
    streams = streams_of(gpt, ids)
    with torch.no_grad():
        said = [gpt.head(norm(x))[0].double().softmax(dim=-1) for x in streams]  # (T, V) each
        logits = gpt(torch.tensor([ids]))[0].double()
    assert len(explanation.probabilities) == len(text)
    assert np.isnan(explanation.probabilities[0]) == bool(prompt)
    for place in range(1 if prompt else 0, len(text)):
        at = shift + place - 1
        chance = said[-1][at, ids[at + 1]]
        assert_close(explanation.probabilities[place], chance)
        for temperature in (0.3, 0.8, 1.0, 1.5):
            wanted = (logits[at] / temperature).softmax(dim=-1)
            assert_close(explanation.after(place, temperature), wanted)
        layers = torch.stack([layer[at] for layer in said])
        assert_close(explanation.layers(place), layers)
        entropy = -(said[-1][at] * said[-1][at].log2()).sum()
        assert_close(explanation.openness(place), entropy, rtol=5e-3, atol=1e-3)
    within = torch.tensor([within_word(c) for c in vocab.characters])
    for word in explanation.words:
        assert word.text == text[word.start : word.stop]
        if word.start or not prompt:
            first = shift + word.start - 1
            taken = [said[-1][first + n, ids[first + n + 1]] for n in range(len(word.text))]
            ends = said[-1][first + len(word.text), ~within].sum()
            wanted = torch.stack([*taken, ends]).prod()
            assert_close(word.probability, wanted, rtol=2e-2, atol=2e-4)
        else:
            assert word.probability is None
    if gpt.ngrams is not None:
        known = ngram_keys(np.array(ids), gpt.config)
        rows = find_rows(known, gpt.ngrams.known.numpy()) < len(gpt.ngrams.known)
        np.testing.assert_array_equal(explanation.known, rows[shift:])
        starts = ngram_starts(np.array(ids), gpt.config)[shift:] - shift
        np.testing.assert_array_equal(explanation.ngram_starts, starts)
    check_looks(gpt, explanation, streams, shift)
    for block in range(gpt.config.n_layer):
        wanted = attention_of(gpt, block, streams[block])
        x = np.ascontiguousarray(streams[block][0].numpy().T)
        for place in {0, len(ids) // 3, len(ids) // 2, len(ids) - 1}:
            weights = decoder.blocks[block].attention(x, place)
            first = place + 1 - weights.shape[1]
            assert_close(weights, wanted[:, place, first : place + 1])
            assert float(wanted[:, place, :first].sum()) == 0.0


@pytest.mark.parametrize("config", [c for c in CONFIGS if c.vocab_size > 2])
def test_every_number_is_that_of_the_network_that_learns(config: GPTConfig) -> None:
    gpt = random_gpt(config)
    decoder, vocab = Decoder(config, tensors(gpt)), vocab_of(config)
    for length in (1, 5, 3 * config.context_length + 2):
        text = text_of(config, length)
        check_against(gpt, decoder, vocab, text, "")
        check_against(gpt, decoder, vocab, text[1:], text[:1])


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda path: path.stem)
def shipped(request: pytest.FixtureRequest) -> Iterator[tuple[GPT, Decoder, Vocab]]:
    path: Path = request.param
    gpt, vocab = load_gpt(path)
    decoder, _ = load_decoder(path)
    yield gpt, decoder, vocab


def test_every_number_of_what_is_shipped(shipped: tuple[GPT, Decoder, Vocab]) -> None:
    gpt, decoder, vocab = shipped
    text = vocab.clean(', who ate the moon. "Oh, Piglet!" said Pooh, and don\'t. ' * 3).text
    check_against(gpt, decoder, vocab, text, "Here is Edward Bear")
    words = Explanation(decoder, vocab, text).words
    assert [word.text for word in words[:6]] == ["who", "ate", "the", "moon", "Oh", "Piglet"]
    assert words[9].text == "don't"


# The likeliest words


@torch.no_grad()
def all_words(gpt: GPT, vocab: Vocab, text: str, longest: int) -> dict[str, float]:
    """Every word up to a length, all of a length together."""
    gpt = longer(gpt, 100)
    letters = [c for c in vocab.characters if within_word(c)]
    within = torch.tensor([within_word(c) for c in vocab.characters])
    found: dict[str, float] = {}
    begun = {"": 1.0}
    for length in range(longest + 1):
        rows = torch.tensor([vocab.encode(text + word) for word in begun])
        after = gpt(rows)[:, -1].double().softmax(dim=-1)  # (words, V)
        ends = after[:, ~within].sum(dim=-1)
        if length:
            found |= {
                word: chance * float(end)
                for (word, chance), end in zip(begun.items(), ends, strict=True)
            }
        begun = {
            word + letter: chance * float(row[vocab.encode(letter)[0]])
            for (word, chance), row in zip(begun.items(), after, strict=True)
            for letter in letters
        }
    return found


@pytest.mark.parametrize("config", [TABLE, FAR_TABLE])
def test_the_likeliest_words_are_those_of_all_words(config: GPTConfig) -> None:
    gpt, vocab = random_gpt(config, 3), vocab_of(config)
    decoder = Decoder(config, tensors(gpt))
    text = text_of(config, 30)
    explanation = Explanation(decoder, vocab, text[1:], text[:1])
    for place in (1, 7, 30):
        found = explanation.next_words(place)
        wanted = all_words(gpt, vocab, text[:place], 5)
        best = sorted(wanted, key=lambda word: -wanted[word])[:4]
        assert [word for word, _ in found] == best
        for word, chance in found:
            assert_close(chance, wanted[word], rtol=1e-3)
    assert decoder.join() == 0, "all slots were given back"


def test_the_likeliest_words_of_what_is_shipped(shipped: tuple[GPT, Decoder, Vocab]) -> None:
    """The chance of a word that is guessed is the one it has where it stands in the text."""
    _, decoder, vocab = shipped
    explanation = Explanation(decoder, vocab, " looked at Pooh and said nothing.", "Piglet")
    for word in explanation.words[1:]:
        guesses = dict(explanation.next_words(word.start))
        assert list(guesses.values()) == sorted(guesses.values(), reverse=True)
        assert len(guesses) == 4
        if word.text in guesses:
            assert_close(guesses[word.text], word.probability, rtol=1e-3)
        else:
            assert word.probability is not None
            assert word.probability <= min(guesses.values()) * 1.001


def test_characters_of_scripts_without_spaces_are_words() -> None:
    vocab = Vocab("\n a\u6a39\u871c\u718a")
    gpt = random_gpt(TABLE)
    explanation = Explanation(Decoder(TABLE, tensors(gpt)), vocab, "\u6a39a\u871c aa")
    assert [word.text for word in explanation.words] == ["\u6a39", "a", "\u871c", "aa"]
    assert explanation.words[0].probability == explanation.probabilities[0]
    guesses = dict(explanation.next_words(0))
    assert_close(
        [guesses[c] for c in "\u6a39\u871c\u718a" if c in guesses],
        [explanation.after(0)[3 + i] for i in range(3) if vocab.characters[3 + i] in guesses],
    )


# Beside what is written


def test_explaining_changes_nothing_of_what_is_written() -> None:
    gpt, vocab = random_gpt(FAR_TABLE), vocab_of(FAR_TABLE)
    alone, decoder = (Decoder(FAR_TABLE, tensors(gpt)) for _ in range(2))
    slots = alone.join(), decoder.join()
    alone.read(slots[0], [1, 2, 3])
    decoder.read(slots[1], [1, 2, 3])
    for step in range(40):
        explanation = Explanation(decoder, vocab, text_of(FAR_TABLE, 20, step))
        explanation.next_words(5)
        rows = alone.step([slots[0]], [step % 5]), decoder.step([slots[1]], [step % 5])
        np.testing.assert_array_equal(*rows)


@pytest.mark.parametrize("config", CONFIGS)
def test_a_forked_text_goes_on_as_the_first_would(config: GPTConfig) -> None:
    decoder = Decoder(config, tensors(random_gpt(config)))
    rng = np.random.default_rng(0)
    for length in (1, 4, 3 * config.longest_window + 1):
        first = decoder.join()
        for i in rng.integers(0, config.vocab_size, length).tolist():
            decoder.step([first], [i])
        second = decoder.fork(first)
        third = decoder.fork(first)
        decoder.step([third], [0])  # which is nothing to the others
        for i in rng.integers(0, config.vocab_size, 3 * config.longest_window).tolist():
            rows = decoder.step([first, second], [i, i])
            assert_close(rows[0], rows[1], rtol=1e-5, atol=1e-5)
        decoder.rewind(second, 1)
        for slot in (first, second, third):
            decoder.leave(slot)
    with pytest.raises(ValueError, match="no text"):
        decoder.fork(7)


def test_a_twin_has_the_weights_and_its_own_slots() -> None:
    decoder = Decoder(FAR_TABLE, tensors(random_gpt(FAR_TABLE)))
    slot = decoder.join()
    decoder.read(slot, [1, 2, 3])
    twin = decoder.twin()
    other = twin.join()
    wanted = twin.read(other, [1, 2, 3, 4]).copy()
    assert_close(decoder.step([slot], [4])[0], wanted, rtol=1e-5, atol=1e-5)
    twin.leave(other)
    assert decoder.step([slot], [5]).shape == (1, FAR_TABLE.vocab_size)


# What cannot be explained


def test_what_cannot_be_explained_is_one_error() -> None:
    decoder = Decoder(PLAIN, tensors(random_gpt(PLAIN)))
    vocab = vocab_of(PLAIN)
    with pytest.raises(ExplainError, match="no text"):
        Explanation(decoder, vocab, "")
    with pytest.raises(ExplainError, match=r"8,001 characters: at most 8,000"):
        Explanation(decoder, vocab, "a" * (LONGEST_TEXT + 1))
    with pytest.raises(VocabError, match="'z'"):
        Explanation(decoder, vocab, "abz")
    explanation = Explanation(decoder, vocab, "b", "a")
    for place in (0, -1, 3):
        with pytest.raises(ValueError, match=f"place = {place}"):
            explanation.after(place)
    with pytest.raises(NotFiniteError):
        softmax(np.full((3, 2), np.nan, np.float32))
    assert decoder.join() == 0
