"""What the decoder does not do, beside what it does: `python tests/benchmarks/candidates.py`.

All rows of a network run in turn in one process, again and again; medians are shown. Windows are
full. `numba` and `threadpoolctl` are optional: without them their rows are left out, with a note.
`--check` shows by simulation that the rule of speculative sampling keeps the distribution.
"""

# ruff: noqa: ANN401
import argparse
import copy
import importlib
import math
import statistics
import sys
import time
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from model.block import EPSILON  # noqa: E402
from model.cache import Cache  # noqa: E402
from model.decoder import Decoder  # noqa: E402
from model.ngrams import MIX, signed  # noqa: E402
from model.quantised import dequantise  # noqa: E402
from model.sampling import Sampling, next_id, probabilities  # noqa: E402
from model.sequence import START  # noqa: E402
from model.vocab import Vocab  # noqa: E402
from model.weights import _expected, load_decoder  # noqa: E402
from tests.benchmarks.sampling import SIZES, machine  # noqa: E402

RANDOM = replace(SIZES["pooh"], vocab_size=77)
SAMPLING = Sampling(temperature=0.8)
ORDER = 5  # characters that the draft of speculative sampling looks back
READERS = 32
MATRICES = "qkv", "projection", "up", "down"  # of a block
Floats = NDArray[np.float64]
Run = Callable[[int], None]  # do so many steps


def optional(name: str) -> Any:
    """A module that need not be installed, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


# What is shipped


def random_decoder() -> Decoder:
    """A network of the size of `pooh` with random weights; its table knows none of its runs."""
    rng = np.random.default_rng(0)
    weights: dict[str, NDArray[Any]] = {}
    for name, (shape, kinds) in _expected(RANDOM, "int8").items():
        if name == "ngrams.known":
            weights[name] = np.sort(rng.integers(-(2**31), 2**31, shape).astype(np.int32))
        elif "int8" in kinds:
            weights[name] = rng.integers(-127, 128, shape, np.int8)
        else:
            weights[name] = rng.normal(0, 0.5 * shape[-1] ** -0.5, shape).astype(np.float32)
    return Decoder(RANDOM, weights)


def twin(decoder: Decoder, slots: int = 1, threads: int = 1) -> Decoder:
    """Another decoder with the same weights and slots of its own."""
    other = decoder.twin()
    other._threads = threads
    other._cache = Cache(decoder.config, decoder.blocks, copy.copy(decoder._cache.table), slots)
    return other


def stepping(
    decoder: Decoder, readers: int, ids: Sequence[int], half: bool = False, threads: int = 1
) -> Run:
    """Steps of so many readers whose windows are full; `half` keeps the cache in float16."""
    decoder = twin(decoder, readers, threads)
    A = decoder.config.attention_window
    slots = [decoder.join() for _ in range(readers)]
    columns = [[ids[(t + 37 * r) % len(ids)] for r in range(readers)] for t in range(2 * A)]
    if half:
        scratch = np.empty_like(decoder._cache.keys[0])
        for caches in (decoder._cache.keys, decoder._cache.values):
            held: list[Any] = [Half(cache, scratch) for cache in caches]
            caches[:] = held

    def run(count: int) -> None:
        for text in decoder._cache.texts:
            if text is not None and text.position > A:
                text.position = A  # so that nothing is counted anew meanwhile
        for column in columns[:count]:
            decoder.step(slots, column)

    run(A)
    return run


# Other numbers


class Narrow:
    """A matrix in float16, or in int8 with a scale for each row; float32 at each product."""

    scratch = np.empty(0, np.float32)

    def __init__(self, matrix: NDArray[np.float32], kind: str) -> None:
        self.scale: NDArray[np.float32] | None = None
        self.held: NDArray[Any] = matrix.astype(np.float16)
        if kind == "int8":
            self.held, self.scale = int8(matrix)
        if matrix.size > Narrow.scratch.size:
            Narrow.scratch = np.empty(matrix.size, np.float32)

    def __array_function__(
        self,
        function: object,
        types: object,
        arguments: Any,
        options: Any,
    ) -> NDArray[np.float32]:
        """`np.dot` comes here."""
        assert function is np.dot
        matrix = self.scratch[: self.held.size].reshape(self.held.shape)
        np.copyto(matrix, self.held)
        y: NDArray[np.float32] = np.dot(matrix, arguments[1], **options)
        if self.scale is not None:
            y *= self.scale
        return y


def int8(matrix: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """Whole numbers of -127 .. 127 and what each row of them is multiplied by."""
    scale = np.abs(matrix).max(axis=-1) / np.float32(127)
    return np.rint(matrix / scale[..., None]).astype(np.int8), scale


def narrow(decoder: Decoder, kind: str) -> Decoder:
    """A decoder, for one reader, with `Narrow` matrices."""
    other = twin(decoder)
    forward: Any = copy.copy(decoder._forward)
    forward.blocks = []
    for block in decoder.blocks:
        narrowed: Any = {name: Narrow(getattr(block, name), kind) for name in MATRICES}
        forward.blocks.append(replace(block, **narrowed))
    forward.head = Narrow(decoder._forward.head, kind)
    other._forward, other.blocks = forward, forward.blocks
    return other


class Half:
    """Keys or values of a block in float16; float32 where they are looked at."""

    def __init__(self, cache: NDArray[np.float32], scratch: NDArray[np.float32]) -> None:
        self.held, self.scratch = cache.astype(np.float16), scratch

    def __getitem__(self, places: Any) -> NDArray[np.float32]:
        part: NDArray[np.float32] = self.scratch[places]
        np.copyto(part, self.held[places])
        return part

    def __setitem__(self, places: Any, new: NDArray[np.float32]) -> None:
        self.held[places] = new


# Compiled by numba


# What a compiled step reads; a kind of matrix is (L, rows, columns) and (L, rows) of scales.
Matrices = namedtuple("Matrices", "embedding turns qkv projection up down head keys values")
Table = namedtuple(
    "Table",
    "orders in_words is_break powers inverses known rows scale projection projection_scale "
    "sums words",
)


def compiled(numba: Any, parallel: bool) -> Any:
    """The step of one reader as one compiled function; `parallel` shares out rows of a product."""
    njit, prange = numba.njit(fastmath=True), numba.prange
    one, epsilon, mix, kinds = np.float32(1), np.float32(EPSILON), signed(MIX), signed(MIX * MIX)

    def product_(matrix: Any, scale: Any, x: Any, y: Any) -> None:
        for i in prange(len(y)):
            total = np.float32(0)
            for j in range(len(x)):
                total += np.float32(matrix[i, j]) * x[j]
            y[i] = total * scale[i]

    product, alone = numba.njit(fastmath=True, parallel=parallel)(product_), njit(product_)

    def norm_(x: Any, y: Any) -> None:
        total = np.float32(0)
        for j in range(len(x)):
            total += x[j] * x[j]
        scale = one / np.sqrt(total / np.float32(len(x)) + epsilon)
        for j in range(len(x)):
            y[j] = x[j] * scale

    def look_up_(i: int, p: int, A: int, t: Any, x: Any) -> None:
        end, W = p + 1, t.rows.shape[1]
        t.sums[end] = t.sums[p] + (i + 1) * t.powers[p]
        t.words[end] = end if t.is_break[i] else t.words[p]
        starts = np.empty(t.projection.shape[1] // W, np.int64)
        starts[: len(t.orders)] = end - t.orders
        start, k = t.words[p], len(t.orders)
        for n in range(len(t.in_words)):
            if n:
                start = t.words[start - 1] if start > 0 else 0
            if t.in_words[n]:
                starts[k] = start
                k += 1
        found = np.empty(len(starts) * W, np.float32)
        for k in range(len(starts)):
            start = max(starts[k], end - A, 0)
            mixed = (t.sums[end] - t.sums[start]) * t.inverses[start]
            mixed = (mixed ^ (mixed >> 29)) * mix + (k + 1) * kinds
            key = np.int32(((mixed ^ (mixed >> 32)) * mix) >> 32)
            row = int(np.searchsorted(t.known, key))
            if row == len(t.known) or t.known[row] != key:
                row = len(t.known)
            for j in range(W):
                found[k * W + j] = t.rows[row, j] * t.scale[row]
        change = np.empty_like(x)
        product(t.projection, t.projection_scale, found, change)
        x += change

    norm, look_up = njit(norm_), njit(look_up_)

    def step(i: int, p: int, m: Any, t: Any) -> Any:
        L, G, A, D = m.keys.shape
        C = m.embedding.shape[1]
        H, T = C // D, min(p + 1, A)
        x, normed, y = m.embedding[i].copy(), np.empty(C, np.float32), np.empty(C, np.float32)
        heads, hidden = np.empty((H + 2 * G, D), np.float32), np.empty(4 * C, np.float32)
        scores, ones = np.empty(T, np.float32), np.ones(T, np.float32)
        logits = np.empty(len(m.embedding), np.float32)
        if t is not None:
            look_up(i, p, A, t, x)
            norm(x, x)
        for block in range(L):
            norm(x, normed)
            product(m.qkv[0][block], m.qkv[1][block], normed, heads.reshape(-1))
            for h in range(H + G):
                norm(heads[h], heads[h])
                scale = one / np.sqrt(np.float32(D))
                for d in range(0, D, 2):
                    a, b = heads[h, d] * scale, heads[h, d + 1] * scale
                    cos, sin = m.turns[p, h, d], m.turns[p, h, d + 1]
                    heads[h, d], heads[h, d + 1] = a * cos - b * sin, a * sin + b * cos
            m.keys[block, :, p % A] = heads[H : H + G]
            m.values[block, :, p % A] = heads[H + G :]
            y[:] = 0
            for h in range(H):
                g, total = h // (H // G), np.float32(0)
                alone(m.keys[block, g], ones, heads[h], scores)
                for s in range(T):
                    scores[s] = np.exp(scores[s])
                    total += scores[s]
                for s in range(T):
                    for d in range(D):
                        y[h * D + d] += scores[s] * m.values[block, g, s, d]
                y[h * D : h * D + D] /= total
            product(m.projection[0][block], m.projection[1][block], y, normed)
            x += normed
            norm(x, normed)
            product(m.up[0][block], m.up[1][block], normed, hidden)
            for j in range(len(hidden)):
                hidden[j] = max(hidden[j], np.float32(0)) * hidden[j]
            product(m.down[0][block], m.down[1][block], hidden, normed)
            x += normed
        norm(x, normed)
        product(m.head[0][0], m.head[1][0], normed, logits)
        return logits

    return njit(step)


def compiled_steps(
    decoder: Decoder, numba: Any, ids: Sequence[int], parallel: bool, narrowed: bool = False
) -> tuple[Run, str]:
    """Compiled steps of one reader with a full window; how long compiling took, as a note."""
    c, A, t = decoder.config, decoder.config.attention_window, decoder._cache.table

    def pack(matrix: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        return int8(matrix) if narrowed else (matrix, np.ones(matrix.shape[:-1], np.float32))

    qkv, projection, up, down = (
        pack(np.stack([getattr(block, name) for block in decoder.blocks])) for name in MATRICES
    )
    keys, values = np.zeros((2, c.n_layer, c.n_kv_head, A, c.head_size), np.float32)
    turns, head = decoder.blocks[0].rotations.view(np.float32), pack(decoder._forward.head[None])
    matrices = Matrices(
        decoder._forward.embedding, turns, qkv, projection, up, down, head, keys, values
    )
    table = None
    if t is not None:
        in_words = np.isin(np.arange(max(c.ngram_words, default=0)) + 1, c.ngram_words)
        rows, scale = dequantise(t.rows, t.scale), np.ones(len(t.rows), np.float32)
        if t.rows.dtype == np.int8 and t.scale is not None:
            rows, scale = t.rows, t.scale.astype(np.float32)
        keyed = t.orders, in_words, t.is_break, t.powers, t.inverses, t.known
        projected = t.projection, np.ones(c.n_embd, np.float32)
        table = Table(*keyed, rows, scale, *projected, *np.zeros((2, 3 * A + 1), np.int64))
    step = compiled(numba, parallel)
    start = time.perf_counter()
    step(ids[0], 0, matrices, table)
    seconds = time.perf_counter() - start
    beside, gap = twin(decoder), 0.0
    slot = beside.join()
    for p, i in enumerate(ids[: 2 * A]):
        difference = step(i, p, matrices, table) - beside.step([slot], [i])[0]
        gap = max(gap, float(np.abs(difference).max()))
    assert narrowed or gap < 1e-3, f"the compiled step is wrong by {gap}"

    def run(count: int) -> None:
        for p, i in enumerate(ids[:count], start=A):
            step(i, p, matrices, table)

    return run, f"compiled in {seconds:.1f} s; logits within {gap:.2g}"


# Speculative sampling


def draw(weights: Floats, rng: np.random.Generator) -> int:
    """An id, each as often as its weight says."""
    sums = weights.cumsum()
    return min(int(sums.searchsorted(rng.random() * sums[-1], "right")), len(sums) - 1)


def accept(
    draft_probabilities: Iterable[Floats],
    network_probabilities: Iterable[Floats],
    drawn: Sequence[int],
    rng: np.random.Generator,
) -> list[int]:
    """Which characters come of a draft (Leviathan et al., 2023; Chen et al., 2023).

    Args:
        draft_probabilities: (k, V) what each of `drawn` was drawn from.
        network_probabilities: (k + 1, V) of the network at the same places and the one after them;
            no more is asked for than is needed.
        drawn: (k,) ids.
        rng: draws.

    Returns:
        Those accepted, and one of the network's own: 1 to k + 1 ids, distributed as if the network
        alone had drawn them.
    """
    ids: list[int] = []
    network = iter(network_probabilities)
    for q, i in zip(draft_probabilities, drawn, strict=True):
        p = next(network)
        if rng.random() * q[i] >= p[i]:
            rest = np.maximum(p - q, 0.0)
            return [*ids, draw(rest if rest.any() else p, rng)]
        ids.append(i)
    return [*ids, draw(next(network), rng)]


def check(draws: int = 20_000, V: int = 4) -> None:
    """Two drafted characters and the network's own against what the network alone would write."""
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(V), (2, V))  # of each character after each
    expected = p[0][:, None, None] * p[:, :, None] * p[None]  # of three, after the character 0

    def statistic(rule: Callable[..., list[int]]) -> float:
        """Chi-square of the triples that come of a rule."""
        counts = np.zeros((V, V, V))
        for _ in range(draws):
            drawn = [draw(q[0], rng)]
            drawn.append(draw(q[drawn[0]], rng))
            path = [0, *drawn]
            ids = rule([q[i] for i in path[:2]], [p[i] for i in path], drawn, rng)
            while len(ids) < 3:  # the network goes on alone
                ids.append(draw(p[ids[-1]], rng))
            counts[tuple(ids)] += 1
        return float(((counts - draws * expected) ** 2 / (draws * expected)).sum())

    def careless(*given: Any) -> list[int]:
        """Draws from p, not from what is left of it, where a character is rejected."""
        ids = accept(*given)
        return ids if len(ids) == 3 else [*ids[:-1], draw(given[1][len(ids) - 1], rng)]

    freedom = V**3 - 1
    bound = freedom + 5 * math.sqrt(2 * freedom)
    right, wrong = statistic(accept), statistic(careless)
    print(f"chi-square {right:.0f}, at most {bound:.0f}; of a wrong rule {wrong:.0f}")
    assert right < bound < wrong


class Draft:
    """What follows the last few characters in a text, smoothed (Witten and Bell, 1991)."""

    def __init__(self, ids: Sequence[int], V: int) -> None:
        self.V = V
        self.known: dict[tuple[int, ...], Floats] = {}  # what was asked for is kept
        text, keys = np.array(ids), np.zeros(len(ids), np.int64)
        self.counts = []
        for n in range(ORDER + 1):  # runs of n characters and the one after
            pairs = keys * V + text[n:]
            self.counts.append(np.unique(pairs, return_counts=True))
            keys = pairs[:-1]

    def __call__(self, context: Sequence[int]) -> Floats:
        """(V,) the probabilities of the next character, at the temperature of `SAMPLING`."""
        last = tuple(context[-ORDER:])
        if last not in self.known:
            p = np.full(self.V, 1 / self.V)
            for n in range(len(last) + 1):
                key = 0
                for i in last[len(last) - n :]:
                    key = key * self.V + i
                runs, counts = self.counts[n]
                low, high = runs.searchsorted([key * self.V, (key + 1) * self.V])
                if low == high:
                    break
                p *= high - low
                p[runs[low:high] - key * self.V] += counts[low:high]
                p /= p.sum()
            p **= 1 / SAMPLING.temperature
            self.known[last] = p / p.sum()
        return self.known[last]


class Speculation(NamedTuple):
    """What speculative sampling came to, but for the network's own time."""

    accepted: float  # of the drafted characters that were looked at
    characters: float  # of a pass
    ms: float  # of a pass: drafting, probabilities, accepting


def speculate(decoder: Decoder, draft: Draft, start: int, k: int, length: int) -> Speculation:
    """Write with drafts of k characters.

    A step for each accepted character stands in for the one pass over all: so nothing that is
    rejected is ever read, and the network need not go back. Its time is taken off.
    """
    slot, rng = decoder.join(), np.random.default_rng(0)
    text, away, looked_at, passes = [start], 0.0, 0, 0

    def following(i: int) -> Floats:
        nonlocal away
        since = time.perf_counter()
        logits = decoder.step([slot], [i])[0]
        away += time.perf_counter() - since
        weights: Floats = probabilities(logits, SAMPLING)
        weights /= weights.sum()
        return weights

    p = following(start)
    begin, away = time.perf_counter(), 0.0
    while len(text) <= length:
        q: list[Floats] = []
        drawn: list[int] = []
        for _ in range(k):
            q.append(draft([*text[-ORDER:], *drawn]))
            drawn.append(draw(q[-1], rng))
        ids = accept(q, (following(i) if n else p for n, i in enumerate([0, *drawn])), drawn, rng)
        text += ids
        p = following(ids[-1])
        looked_at, passes = looked_at + min(len(ids), k), passes + 1
    decoder.leave(slot)
    written = len(text) - 1
    ms = 1000 * (time.perf_counter() - begin - away) / passes
    return Speculation((written - passes) / looked_at, written / passes, ms)


# The tables


class Way(NamedTuple):
    """Something to measure."""

    run: Run
    threads: int | None = None  # of BLAS; None: as it started
    beside: str = ""  # the name of ours
    note: str = ""


def ways_of(
    decoder: Decoder, ids: Sequence[int], controller: Any, drafts: Sequence[int]
) -> Iterator[tuple[str, Way]]:
    """All that is measured of one network, by name; what is ours has nothing beside it."""
    one, many = stepping(decoder, 1, ids), stepping(decoder, READERS, ids)
    alone, crowd = "ours, 1 reader", f"ours, {READERS} readers"
    yield alone, Way(one)
    yield crowd, Way(many)
    for threads in (1, 2) if controller else ():
        yield f"1 reader, BLAS threads: {threads}", Way(one, threads, alone)
        yield f"{READERS} readers, BLAS threads: {threads}", Way(many, threads, crowd)
    for kind in ("float16", "int8"):
        narrowed = narrow(decoder, kind)
        slot, beside = narrowed.join(), twin(decoder)
        other = beside.join()
        gap = max(
            float(np.abs(narrowed.step([slot], [i]) - beside.step([other], [i])).max())
            for i in ids[:50]
        )
        way = Way(stepping(narrowed, 1, ids), None, alone, f"logits within {gap:.2g}")
        yield f"1 reader, weights in {kind}", way
    if (numba := optional("numba")) is not None:
        for title, parallel, narrowed_too in (
            ("one thread", False, False),
            ("all cores", True, False),
            ("one thread, weights in int8", False, True),
        ):
            run, note = compiled_steps(decoder, numba, ids, parallel, narrowed_too)
            yield f"1 reader, compiled by numba, {title}", Way(run, None, alone, note)
    for k in drafts:  # as many columns as a pass over a draft has
        yield f"pass {k}", Way(stepping(decoder, k + 1, ids))
    half = stepping(decoder, READERS, ids, half=True)
    yield f"{READERS} readers, keys and values in float16", Way(half, None, crowd)
    both = stepping(decoder, READERS, ids, threads=2)
    for blas in (None, 1) if controller else (None,):
        title = f"{READERS} readers, two Python threads, BLAS threads: {blas or 'as started'}"
        yield title, Way(both, blas, crowd)


def measure(ways: dict[str, Way], rounds: int, count: int, controller: Any) -> dict[str, float]:
    """Milliseconds of a step, medians; the rounds go through all ways."""
    found: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            limit = controller.limit(limits=way.threads) if way.threads else nullcontext()
            with limit:
                way.run(3)
                start = time.perf_counter()
                way.run(count)
                found[name].append(1000 * (time.perf_counter() - start) / count)
            time.sleep(0.03)  # threads of BLAS and numba wait awake for a while
    return {name: statistics.median(values) for name, values in found.items()}


def row(title: str, ours: float, candidate: float, note: str) -> None:
    """Print a row."""
    print(f"| {title} | {ours:.3f} | {candidate:.3f} | {candidate / ours:.2f} | {note} |")


def compare(
    decoder: Decoder, vocab: Vocab, text: str, options: argparse.Namespace, controller: Any
) -> None:
    """Measure one network and print its table."""
    ids, drafts = vocab.encode(vocab.clean(text).text), (2, 4)
    count = min(options.steps, 2 * decoder.config.attention_window)
    ways = dict(ways_of(decoder, ids, controller, drafts))
    found = measure(ways, options.rounds, count, controller)
    print("| candidate | ours, ms | candidate, ms | candidate / ours | |\n|---|---|---|---|---|")
    for name, way in ways.items():
        if way.beside:
            row(name, found[way.beside], found[name], way.note)
    for module, titles in (("threadpoolctl", "threads of BLAS"), ("numba", "a compiled step")):
        if optional(module) is None:
            print(f"| {titles} | | | | left out: {module} is not installed |")
    logits = twin(decoder)
    example, rng = logits.step([logits.join()], ids[:1])[0], np.random.default_rng(0)
    start = time.perf_counter()
    for _ in range(1000):
        next_id(example, SAMPLING, rng)
    one = found["ours, 1 reader"] + time.perf_counter() - start  # ms of 1 = s of 1000
    draft, first = Draft(ids, len(vocab)), vocab.encode(START)[0]
    for k in drafts:
        speculate(logits, draft, first, k, options.characters)  # fills what the draft keeps
        done = speculate(logits, draft, first, k, options.characters)
        passed = found[f"pass {k}"]
        row(
            f"1 reader, speculative sampling, {k} drafted; ms per character, choosing included",
            one,
            (passed + done.ms) / done.characters,
            f"accepted {done.accepted:.0%}; {done.characters:.2f} characters in a pass of "
            f"{passed:.3f} ms and {done.ms:.3f} ms beside; {1000 / one:,.0f} characters/s become "
            f"{1000 * done.characters / (passed + done.ms):,.0f}",
        )


def main() -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--random", action="store_true", help="random weights for pooh")
    parser.add_argument("--rounds", type=int, default=9, help="default: %(default)s")
    parser.add_argument("--steps", type=int, default=100, help="at once; default: %(default)s")
    parser.add_argument("--characters", type=int, default=2000, help="written with drafts")
    parser.add_argument("--text", type=Path, default=ROOT / "data" / "sample.txt", metavar="FILE")
    parser.add_argument("--check", action="store_true", help="only check the rule of acceptance")
    options = parser.parse_args()
    if options.check:
        check()
        return
    threadpoolctl = optional("threadpoolctl")
    controller = threadpoolctl and threadpoolctl.ThreadpoolController().select(user_api="blas")
    pools = controller.info() if controller else []
    threads = ", ".join(f"{pool['internal_api']} {pool['num_threads']}" for pool in pools)
    print(f"{options.rounds} rounds in turn, medians; BLAS threads as started: {threads or '?'}")
    for name in options.sizes:
        decoder, vocab = load_decoder(name)
        if name == "pooh" and options.random:
            decoder = random_decoder()
        print(f"\n## {name}{', random weights' * (name == 'pooh' and options.random)}\n")
        compare(decoder, vocab, options.text.read_text("utf-8"), options, controller)
    print(f"\n{machine()}.")


if __name__ == "__main__":
    main()
