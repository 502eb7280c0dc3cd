"""The network that writes: the same as the one that learns, alone and in company."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

import model.workspace
from model.config import GPTConfig
from model.decoder import Decoder
from model.gpt import GPT, norm
from model.quantised import dequantise, quantise
from model.sampling import Sampling, next_id
from model.vocab import Vocab
from model.weights import ROOT, load_decoder, load_gpt
from model.writing import generate
from tests.networks import (
    CONFIGS,
    PLAIN,
    SHARED,
    SHARED_TABLE,
    TABLE,
    longer,
    random_gpt,
    tensors,
)

Array = NDArray[np.float32]
SHIPPED = sorted((ROOT / "weights").glob("*.safetensors"))


def decoder_of(gpt: GPT, slots: int = 1) -> Decoder:
    return Decoder(gpt.config, tensors(gpt), slots)


def expected(gpt: GPT, ids: Sequence[int]) -> Array:
    """What the network that learns answers to the whole text, read at once."""
    last: Array = expected_everywhere(gpt, ids)[-1]
    return last


@torch.no_grad()
def expected_everywhere(gpt: GPT, ids: Sequence[int]) -> Array:
    """What it answers to each of a text's beginnings, (T, V)."""
    if len(ids) > gpt.config.context_length:
        gpt = longer(gpt, len(ids))
    array: Array = gpt(torch.tensor([ids]))[0].numpy()
    return array


def assert_close(actual: Array, wanted: Array) -> None:
    np.testing.assert_allclose(actual, wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max())


def texts(config: GPTConfig, count: int, length: int, seed: int = 0) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    rows: list[list[int]] = rng.integers(0, config.vocab_size, (count, length)).tolist()
    return rows


# Equal to GPT


@pytest.mark.parametrize("config", CONFIGS)
def test_step_by_step_far_over_the_context(config: GPTConfig) -> None:
    gpt = longer(random_gpt(config), 4 * config.context_length + 3)
    decoder = Decoder(config, tensors(gpt))
    slot = decoder.join()
    [ids] = texts(config, 1, gpt.config.context_length)
    for t, i in enumerate(ids):
        assert_close(decoder.step([slot], [i])[0], expected(gpt, ids[: t + 1]))


@pytest.mark.parametrize("config", CONFIGS)
def test_read_in_one_pass_at_any_length(config: GPTConfig) -> None:
    gpt = random_gpt(config)
    [ids] = texts(config, 1, 4 * config.context_length + 3)
    decoder = decoder_of(gpt)
    for length in range(1, len(ids) + 1):
        slot = decoder.join()
        last = ids[max(0, length - config.context_length) : length]
        assert_close(decoder.read(slot, ids[:length]), expected(gpt, last))
        decoder.leave(slot)


@pytest.mark.parametrize("config", CONFIGS)
def test_what_follows_each_of_many_ids(config: GPTConfig) -> None:
    gpt = longer(random_gpt(config), 2 * config.context_length + 3)
    decoder = Decoder(config, tensors(gpt))
    slot = decoder.join()
    [ids] = texts(config, 1, gpt.config.context_length)
    halves = [decoder.read_all(slot, part) for part in (ids[:2], ids[2:])]
    for t, logits in enumerate(np.concatenate(halves, axis=1).T):
        assert_close(logits, expected(gpt, ids[: t + 1]))


@pytest.mark.parametrize("config", CONFIGS)
def test_read_in_pieces_is_read_at_once(config: GPTConfig) -> None:
    gpt = random_gpt(config)
    [ids] = texts(config, 1, 5 * config.context_length)
    decoder = decoder_of(gpt)
    slot = decoder.join()
    end = 0
    for size in itertools.cycle((1, 3, 1, 2, config.context_length - 1)):
        size = max(size, 1)
        if end + size > len(ids):
            break
        answer = decoder.read(slot, ids[end : end + size])
        end += size
        assert_close(answer, expected(gpt, ids[:end]))


@pytest.mark.parametrize("config", CONFIGS)
def test_every_block_has_the_same_output(config: GPTConfig) -> None:
    """A decoder cut after a block, with the stream itself as its logits, against GPT's hooks."""
    gpt = random_gpt(config)
    few = GPTConfig(**{**vars(config), "vocab_size": min(config.vocab_size, config.n_embd)})
    [ids] = texts(few, 1, config.context_length)
    streams: list[torch.Tensor] = []
    for block in gpt.blocks:
        block.register_forward_hook(lambda _module, _args, output: streams.append(output))
    expected(gpt, ids)
    assert len(streams) == config.n_layer
    for depth, stream in enumerate(streams, start=1):
        far = tuple(block for block in config.far_blocks if block < depth)
        sizes = {"n_layer": depth, "vocab_size": config.n_embd, "far_blocks": far}
        skips = config.embedding_skips and depth > 1
        cut = GPTConfig(**{**vars(config), **sizes, "embedding_skips": skips})
        weights = {**tensors(gpt), "head.weight": np.eye(config.n_embd, dtype=np.float32)}
        decoder = Decoder(cut, weights)
        slot = decoder.join()
        for t, i in enumerate(ids):
            assert_close(decoder.step([slot], [i])[0], norm(stream[0, t]).detach().numpy())


@pytest.mark.parametrize("config", CONFIGS)
def test_greedy_texts_are_the_same(config: GPTConfig) -> None:
    for seed in range(3):
        gpt = random_gpt(config, seed)
        decoder = decoder_of(gpt)
        slot = decoder.join()
        [ids] = texts(config, 1, 3, seed)
        logits = decoder.read(slot, ids)
        for _ in range(3 * config.context_length):
            i = int(logits.argmax())
            assert i == int(expected(gpt, ids).argmax())
            ids.append(i)
            logits = decoder.step([slot], [i])[0]


# In company


@pytest.mark.parametrize("waste", [model.workspace.WASTE, 0, 40])
@pytest.mark.parametrize("config", [PLAIN, TABLE, SHARED, SHARED_TABLE])
def test_texts_join_and_leave_in_any_order(
    config: GPTConfig, waste: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is grouped."""
    monkeypatch.setattr(model.workspace, "WASTE", waste)
    gpt = random_gpt(config)
    decoder = decoder_of(gpt)
    rng = np.random.default_rng(1)
    held: dict[int, list[int]] = {}
    for _ in range(4 * config.context_length):
        if len(held) < 7 and rng.random() < 0.4:
            slot = decoder.join()
            assert slot not in held
            length = int(rng.integers(1, config.context_length + 1))
            [held[slot]] = texts(config, 1, length, int(rng.integers(1000)))
            assert_close(decoder.read(slot, held[slot]), expected(gpt, held[slot]))
        if len(held) > 2 and rng.random() < 0.1:
            slot = int(rng.choice(list(held)))
            decoder.leave(slot)
            del held[slot]
        if held:
            slots = rng.permutation(list(held))[: int(rng.integers(1, len(held) + 1))].tolist()
            ids = rng.integers(0, config.vocab_size, len(slots)).tolist()
            rows = decoder.step(slots, ids)
            assert rows.shape == (len(slots), config.vocab_size)
            for slot, i, row in zip(slots, ids, rows, strict=True):
                held[slot].append(i)
                assert_close(row, expected(gpt, held[slot]))


def test_rings_are_full_together() -> None:
    gpt = random_gpt(TABLE)
    decoder = decoder_of(gpt, slots=5)
    slots = [decoder.join() for _ in range(5)]
    rows = texts(TABLE, 5, 3 * TABLE.context_length)
    for t in range(3 * TABLE.context_length):
        logits = decoder.step(slots, [row[t] for row in rows])
        for row, answer in zip(rows, logits, strict=True):
            assert_close(answer, expected(gpt, row[: t + 1]))


def write(decoder: Decoder, prompts: list[list[int]], seeds: list[int]) -> list[list[int]]:
    """Texts written together; each joins one step after the one before."""
    sampling = Sampling(temperature=1.0)
    rngs = [np.random.default_rng(seed) for seed in seeds]
    written: list[list[int]] = [[] for _ in prompts]
    slots: list[int] = []
    for step in range(60):
        if slots:
            rows = decoder.step(slots, [written[n][-1] for n in range(len(slots))])
            for n, row in enumerate(rows):
                written[n].append(next_id(row, sampling, rngs[n]))
        if step < len(prompts):
            slots.append(decoder.join())
            logits = decoder.read(slots[-1], prompts[step])
            written[step].append(next_id(logits, sampling, rngs[step]))
    for slot in slots:
        decoder.leave(slot)
    return written


@pytest.mark.parametrize("config", [PLAIN, TABLE, SHARED_TABLE])
def test_a_text_is_the_same_alone_and_in_company(config: GPTConfig) -> None:
    gpt = random_gpt(config)
    decoder = decoder_of(gpt)
    for first in range(0, 60, 6):
        seeds = list(range(first, first + 6))
        prompts = texts(config, 6, 5, seed=first)
        together = write(decoder, prompts, seeds)
        for prompt, seed, text in zip(prompts, seeds, together, strict=True):
            [alone] = write(decoder, [prompt], [seed])
            assert alone[: len(text)] == text


def test_a_late_joiner_takes_part_in_the_very_next_step() -> None:
    gpt = random_gpt(PLAIN)
    decoder = decoder_of(gpt)
    early = decoder.join()
    decoder.read(early, [1, 2, 3])
    decoder.step([early], [4])
    late = decoder.join()
    rows = decoder.step([late, early], [5, 6])
    assert_close(rows[0], expected(gpt, [5]))
    assert_close(rows[1], expected(gpt, [1, 2, 3, 4, 6]))


def test_a_long_text_does_not_hold_up_a_short_one() -> None:
    decoder = decoder_of(random_gpt(PLAIN))
    long, short = decoder.join(), decoder.join()
    decoder.step([long, short], [1, 2])
    for _ in range(40):  # the long one can be left out of any step, and taken up again
        decoder.step([short], [3])
    assert_close(decoder.step([long, short], [4, 5])[0], expected(random_gpt(PLAIN), [1, 4]))


# Going back


@pytest.mark.parametrize("config", CONFIGS)
def test_rewinding_is_reading_what_is_left(config: GPTConfig) -> None:
    gpt = random_gpt(config)
    length = 3 * config.context_length + 3
    [ids] = texts(config, 1, length + 2)
    for count in range(1, length + 1):
        decoder = decoder_of(gpt)
        slot = decoder.join()
        for i in ids[:length]:  # so far that positions are counted anew
            decoder.step([slot], [i])
        decoder.rewind(slot, count)
        kept = ids[max(0, length - count - config.context_length) : length - count]
        for i in ids[length:]:  # other ones than were there
            kept.append(i)
            assert_close(decoder.step([slot], [i])[0], expected(gpt, kept))


def test_rewinding_needs_ids_to_forget() -> None:
    decoder = decoder_of(random_gpt(PLAIN))
    slot = decoder.join()
    decoder.read(slot, [1, 2])
    decoder.rewind(slot, 0)
    for count in (-1, 3):
        with pytest.raises(ValueError, match="holds 2 ids"):
            decoder.rewind(slot, count)


# Slots and memory


def test_slots_are_used_again() -> None:
    decoder = decoder_of(random_gpt(PLAIN))
    slots = [decoder.join() for _ in range(5)]
    assert len(set(slots)) == 5
    decoder.leave(slots[2])
    assert decoder.join() == slots[2]


def test_a_slot_remembers_nothing_of_the_text_before() -> None:
    gpt = random_gpt(TABLE)
    decoder = decoder_of(gpt)
    other = decoder.join()
    slot = decoder.join()
    decoder.read(slot, texts(TABLE, 1, 14)[0])
    decoder.leave(slot)
    assert decoder.join() == slot
    decoder.read(other, [1])
    assert_close(decoder.step([other, slot], [2, 3])[1], expected(gpt, [3]))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda d, s: d.step([s], []), "each"),
        (lambda d, s: d.step([s, s], [1, 1]), "each"),
        (lambda d, s: d.step([], []), "at least one"),
        (lambda d, s: d.step([s + 1], [1]), "no text"),
        (lambda d, s: d.step([-1], [1]), "no text"),
        (lambda d, s: d.step([s], [PLAIN.vocab_size]), "from 0 to 10"),
        (lambda d, s: d.read(s, [0, -1]), "from 0 to 10"),
        (lambda d, s: d.read(s, []), "at least one"),
        (lambda d, s: d.read(s + 1, [1]), "no text"),
        (lambda d, s: d.read_all(s, [0, -1]), "from 0 to 10"),
        (lambda d, s: d.read_all(s, []), "at least one"),
        (lambda d, s: d.read_all(s + 1, [1, 2]), "no text"),
        (lambda d, s: d.leave(s + 1), "no text"),
        (lambda d, s: d.rewind(s + 1, 0), "no text"),
    ],
)
def test_what_cannot_be_done_changes_nothing(
    call: Callable[[Decoder, int], object], message: str
) -> None:
    gpt = random_gpt(PLAIN)
    decoder = decoder_of(gpt)
    slot = decoder.join()
    decoder.read(slot, [1, 2])
    with pytest.raises(ValueError, match=message):
        call(decoder, slot)
    assert_close(decoder.step([slot], [3])[0], expected(gpt, [1, 2, 3]))


def test_scores_stay_in_their_bounds_without_a_maximum() -> None:
    """Weights as large as float32 takes them: q and k still have length 1."""
    gpt = random_gpt(PLAIN)
    with torch.no_grad():
        for block in gpt.blocks:
            block.attention.qkv.weight *= 1e6  # type: ignore[union-attr,operator]
            block.attention.projection.weight *= 1e-6  # type: ignore[union-attr,operator]
    decoder = decoder_of(gpt)
    slot = decoder.join()
    [ids] = texts(PLAIN, 1, 30)
    with np.errstate(all="raise"):
        for t, i in enumerate(ids):
            assert_close(decoder.step([slot], [i])[0], expected(gpt, ids[: t + 1]))


@pytest.mark.parametrize("kind", [np.float16, np.int8, np.uint8])
def test_the_table_may_be_small_numbers(kind: type) -> None:
    gpt = random_gpt(TABLE)
    weights = tensors(gpt)
    rows = weights["ngrams.rows.weight"]
    if kind is np.int8:
        scale = np.abs(rows).max(axis=1) / 127
        weights["ngrams.rows.scale"] = scale
        weights["ngrams.rows.weight"] = np.round(rows / scale[:, None]).astype(np.int8)
        rows = weights["ngrams.rows.weight"] * scale[:, None]
    elif kind is np.uint8:
        packed, scale = quantise(rows)
        weights["ngrams.rows.weight"], weights["ngrams.rows.scale"] = packed, scale
        rows = dequantise(packed, scale)
    else:
        weights["ngrams.rows.weight"] = rows = rows.astype(np.float16)
    assert gpt.ngrams is not None
    gpt.ngrams.rows.weight.data = torch.from_numpy(rows.astype(np.float32))
    decoder = Decoder(TABLE, weights)
    slot = decoder.join()
    [ids] = texts(TABLE, 1, 40)
    for t, i in enumerate(ids):
        assert_close(decoder.step([slot], [i])[0], expected(gpt, ids[: t + 1]))


def test_generating_breaks_nothing_of_other_texts() -> None:
    gpt = random_gpt(PLAIN)
    vocab = Vocab("abcdefghijk")
    decoder = decoder_of(gpt)
    sampling = Sampling(length=50, seed=3)
    alone = "".join(generate(decoder, vocab, "abc", sampling))
    first, second = (generate(decoder, vocab, "abc", sampling) for _ in range(2))
    both = [a + b for a, b in zip(first, second, strict=True)]
    assert "".join(pair[0] for pair in both) == "".join(pair[1] for pair in both) == alone


# What is shipped


def test_a_model_is_shipped() -> None:
    if not SHIPPED:
        pytest.skip("nothing has been trained yet")
    assert {path.stem for path in SHIPPED} & {"classic", "pooh"}


@pytest.fixture(scope="module", params=SHIPPED, ids=lambda path: path.stem)
def shipped(request: pytest.FixtureRequest) -> Iterator[tuple[GPT, Decoder, Vocab]]:
    path: Path = request.param
    gpt, vocab = load_gpt(path)
    decoder, _ = load_decoder(path)
    yield gpt, decoder, vocab


PROMPTS = [
    "Here is Edward Bear",
    "",
    "Piglet looked at the telephone",
    "\n\nOnce upon a time, " * 20,
]


def test_shipped_networks_agree(shipped: tuple[GPT, Decoder, Vocab]) -> None:
    """In company, in the greedy text, and far past the context, where positions count anew."""
    gpt, decoder, vocab = shipped
    context, longest = gpt.config.context_length, gpt.config.longest_window
    ids = [vocab.encode(vocab.clean(prompt).text or "\n")[-context:] for prompt in PROMPTS]
    slots = [decoder.join() for _ in ids]
    logits = [decoder.read(slot, row).copy() for slot, row in zip(slots, ids, strict=True)]
    answers: list[dict[int, Array]] = [{} for _ in ids]  # of each text, by its length

    def write_on(steps: int) -> None:
        for step in range(steps):
            for row, last in zip(ids, logits, strict=True):
                row.append(int(last.argmax()))
            logits[:] = decoder.step(slots, [row[-1] for row in ids]).copy()
            if step % max(20, steps // 4) == 0 or step == steps - 1:
                for row, last, kept in zip(ids, logits, answers, strict=True):
                    kept[len(row)] = last

    def check(texts: Sequence[int]) -> None:
        """Nothing looks ahead: what is answered to a text is answered to its beginnings, too."""
        for number in texts:
            wanted = expected_everywhere(gpt, ids[number])
            for length, answer in answers[number].items():
                assert_close(answer, wanted[length - 1])
                assert answer.argmax() == wanted[length - 1].argmax()

    write_on(longest // 5)
    check(range(len(ids)))
    between = vocab.encode(vocab.clean((ROOT / "data" / "sample.txt").read_text("utf-8")).text)
    shortest = min(map(len, ids))
    for start in range(0, 3 * longest - shortest - 10, longest // 2):  # read, for that is quicker
        piece = between[start : start + longest // 2]
        for number, (slot, row) in enumerate(zip(slots, ids, strict=True)):
            logits[number] = decoder.read(slot, piece).copy()
            row.extend(piece)
            answers[number][len(row)] = logits[number]
    assert min(map(len, ids)) > 3 * longest
    write_on(longest // 5)
    check((1, 3))  # the shortest and the longest
    for slot in slots:
        decoder.leave(slot)


def test_shipped_networks_write_the_same_alone_and_in_company(
    shipped: tuple[GPT, Decoder, Vocab],
) -> None:
    _, decoder, vocab = shipped
    prompts = [vocab.encode(vocab.clean(prompt).text or "\n") for prompt in PROMPTS]
    together = write(decoder, prompts, [1, 2, 3, 4])
    for prompt, seed, text in zip(prompts, [1, 2, 3, 4], together, strict=True):
        assert write(decoder, [prompt], [seed])[0][: len(text)] == text
