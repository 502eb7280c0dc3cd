"""The Markov chain of the race: its arithmetic, what can be read out of it, and its file."""

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from model.chain import MAX_ORDER, SAFE, Chain, ChainError
from model.network import Network
from model.sampling import Sampling
from model.sequence import START
from model.tensors import open_tensors, read_header, read_tensors, write
from model.weights import WeightsError, load_decoder, resolve
from model.writing import generate
from training.chain import main as make
from training.chain import read_back

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = (ROOT / "data" / "sample.txt").read_text("utf-8")
SHIPPED = ROOT / "weights" / "race" / "markov.safetensors"


def slowly(text: str, order: int, least: int, context: str, following: str) -> float:
    """The same probability, by the formula and with counts of strings."""
    chance = 1 / len(set(text))
    for length in range(min(order, len(context)) + 1):
        before = context[len(context) - length :]
        counts = Counter(
            text[i + length] for i in range(len(text) - length) if text.startswith(before, i)
        )
        keep = least if length > SAFE else 1
        kept = {c: n for c, n in counts.items() if n >= keep}
        if not kept:
            break
        rest = len(kept) + sum(n for n in counts.values() if n < keep)
        chance = (kept.get(following, 0) + rest * chance) / (sum(kept.values()) + rest)
    return chance


@pytest.mark.parametrize(("order", "least"), [(0, 1), (1, 1), (4, 1), (4, 2), (6, 3)])
def test_probabilities_are_those_of_witten_and_bell(order: int, least: int) -> None:
    text = SAMPLE[:2000]
    chain = Chain.learn(text, order, least)
    for context in ("", "q", text[:10], "\n\n", "the ", "zzzz", text[-4:]):
        chances = chain.probabilities(chain.vocab.encode(chain.vocab.clean(context).text))
        assert chances.sum() == pytest.approx(1)
        for following in "e t":
            wanted = slowly(text, order, least, chain.vocab.clean(context).text, following)
            assert chances[chain.vocab.encode(following)[0]] == pytest.approx(wanted)


def test_it_learns() -> None:
    chain = Chain.learn(SAMPLE[:15000], 4)
    unseen = chain.vocab.clean(SAMPLE[15000:17000]).text
    known = chain.losses(SAMPLE[:2000]).mean()
    assert known < chain.losses(unseen).mean() < math.log(len(chain.vocab))


def test_what_stands_in_the_text_once_is_not_in_a_pruned_chain() -> None:
    text = "abcdefgh" + "abcdabcd"
    whole, pruned = Chain.learn(text, 4, 1), Chain.learn(text, 4, 2)
    assert read_back(whole, text)["in_runs_of"]["20"] == 0.0
    ids = whole.vocab.encode("cdef")
    following = whole.vocab.encode("g")[0]
    assert whole.probabilities(ids)[following] > 1.2 * pruned.probabilities(ids)[following]


def test_read_back_finds_a_text_that_is_known_by_heart() -> None:
    text = "Once there was a bear, who lived in the old mill by himself and ate jam."
    found = read_back(Chain.learn(text, 8), text)
    assert found["longest"] > 40 and found["in_runs_of"]["40"] > 0.5
    assert read_back(Chain.learn(text, 1), text)["in_runs_of"]["20"] == 0.0


def test_as_a_network_it_writes_side_by_side_and_steps_back() -> None:
    chain = Chain.learn(SAMPLE, 4)
    network: Network = chain
    alone = "".join(generate(network, chain.vocab, "The ", Sampling(80, seed=3)))
    assert alone == "".join(generate(network, chain.vocab, "The ", Sampling(80, seed=3)))
    assert alone != "".join(generate(network, chain.vocab, "The ", Sampling(80, seed=4)))
    one, two = network.join(), network.join()
    assert one != two
    first = network.read(one, chain.vocab.encode(START)).copy()
    network.read(two, chain.vocab.encode("The bea"))
    rows = network.step([one, two], chain.vocab.encode("Ir"))
    network.rewind(one, 1)
    assert (network.read(one, []) == first).all() and (rows[0] != first).any()
    network.rewind(one, 0)
    assert (network.read(one, []) == first).all()
    other = network.fork(one)
    assert (network.read(other, []) == first).all()
    network.read(other, chain.vocab.encode("The"))
    assert (network.read(one, []) == first).all(), "they part"
    ids = chain.vocab.encode(SAMPLE[:60])
    nats = chain.losses(SAMPLE[:60])[20:]
    assert network.log_likelihoods(ids[:20], [ids[20:], ids[20:23]]) == pytest.approx(
        [-nats.sum(), -nats[:3].sum()]
    )
    network.leave(one)
    assert network.join() == one


def test_a_file_gives_back_the_same_chain(tmp_path: Path) -> None:
    path = tmp_path / "chain.safetensors"
    chain = Chain.learn(SAMPLE, 4, 2)
    chain.save(path)
    again = Chain.load(path)
    assert (again.order, again.vocab) == (chain.order, chain.vocab) and len(again.digest) == 64
    assert (again.losses(SAMPLE) == chain.losses(SAMPLE)).all()


def test_what_is_damaged_or_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "chain.safetensors"
    Chain.learn(SAMPLE[:3000], 2).save(path)
    good = path.read_bytes()
    with open_tensors(path) as file:
        header = read_header(file)
        tensors = read_tensors(file, header)

    def refused(why: str) -> None:
        with pytest.raises(ChainError, match=why) as found:
            Chain.load(path)
        assert str(path) in str(found.value) and "\n" not in str(found.value)

    for content in (good[:-1], good[:50], b"", good[:-9] + b"\xff" + good[-8:]):
        path.write_bytes(content)
        refused("damaged")
    path.unlink()
    refused("cannot read")
    for name, value in (
        ("1.ids", 255), ("1.sizes", 0), ("2.contexts", 0), ("1.counts", 0), ("2.rests", 0),
        ("1.contexts", 9999),
    ):  # fmt: skip
        changed = {**tensors, name: tensors[name].astype(np.int32)}
        changed[name][-1] = value
        write(path, changed, header.about)
        refused("none of a chain")
    for name, numbers in tensors.items():
        write(path, {**tensors, name: numbers[:, np.newaxis]}, header.about)
        refused("none of a chain")
    write(path, {n: t for n, t in tensors.items() if n != "1.ids"}, header.about)
    refused("none of a chain")
    for about in ({}, {"format": "other"}, {**header.about, "characters": "[[["},
                  {**header.about, "characters": "[1, 2]"}):  # fmt: skip
        write(path, tensors, about)
        refused("chain")
    many = {
        f"{i}.{n.partition('.')[2]}": t for i in range(MAX_ORDER + 2) for n, t in tensors.items()
    }
    write(path, many, header.about)
    refused("none of a chain")


def test_the_shipped_chain_is_no_copy_of_its_book() -> None:
    import json

    chain = Chain.load(SHIPPED)
    told = json.loads(SHIPPED.with_suffix(".summary.json").read_text())
    assert told["read_back"]["in_runs_of"]["30"] == 0.0
    assert told["bytes"] == SHIPPED.stat().st_size < 300_000
    text = "".join(generate(chain, chain.vocab, "", Sampling(400, seed=1)))
    assert "Pooh" in text or "said" in text


def test_it_is_no_model_and_is_listed_with_none() -> None:
    with pytest.raises(WeightsError) as found:
        resolve("nobody")
    assert "there is classic, pooh;" in str(found.value)
    with pytest.raises(WeightsError, match="not the weights of this program"):
        load_decoder(SHIPPED)
    with pytest.raises(ChainError, match="not a chain of this program"):
        Chain.load(ROOT / "weights" / "classic.safetensors")


def test_without_the_book_it_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert make(["--books", str(tmp_path), "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert "winnie-the-pooh is not there" in error and error.count("\n") == 1
    assert not (tmp_path / "out").exists()
