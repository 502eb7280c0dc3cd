"""How fast stories are written, beside other ways: `python tests/benchmarks/sampling.py`.

All rows run in turn in one process, again and again, so that whatever else the machine does falls
on all of them; medians are shown, and how far the rounds lay apart. Networks that are shipped are
measured as they are; a size that is not has random weights.
"""

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from torch import Tensor  # noqa: E402

from model.config import GPTConfig  # noqa: E402
from model.cores import usable_cores  # noqa: E402
from model.decoder import Decoder  # noqa: E402
from model.gpt import GPT, norm, rotate  # noqa: E402
from model.sampling import Sampling, next_id, next_ids  # noqa: E402
from model.vocab import Vocab  # noqa: E402
from model.weights import load_gpt, save  # noqa: E402
from tests.benchmarks.plain import PlainGPT  # noqa: E402
from tests.benchmarks.plain import write as write_plainly  # noqa: E402

SIZES = {
    "classic": GPTConfig(vocab_size=66, attention_window=48),
    "pooh": GPTConfig(
        vocab_size=80,
        context_length=256,
        attention_window=128,
        n_layer=6,
        n_head=5,
        n_kv_head=1,
        n_embd=320,
        ngram_orders=(2, 3, 4, 5, 6, 8),
        ngram_words=(1, 2, 3),
        ngram_rows=1_000_000,
        ngram_width=32,
        word_breaks=(0, 1),
    ),
}
SAMPLING = Sampling(temperature=0.8)
PROMPT = 20  # characters
Write = Callable[[int], int]  # about how many characters to write -> how many were written


def network(name: str) -> GPT:
    """The shipped network of this name, or one of its size with random weights."""
    if (ROOT / "weights" / f"{name}.safetensors").is_file():
        return load_gpt(name)[0]
    gpt = GPT(SIZES[name]).eval()
    with torch.no_grad():
        for parameter in gpt.parameters():
            parameter.normal_(std=0.5 * parameter.size(-1) ** -0.5)
    return gpt


def ids_of(config: GPTConfig, count: int, seed: int = 0) -> list[int]:
    """A text without meaning."""
    return np.random.default_rng(seed).integers(0, config.vocab_size, count).tolist()  # type: ignore[no-any-return]


def ours(decoder: Decoder, readers: int) -> Write:
    """This project's way."""

    def write(length: int) -> int:
        prompt = ids_of(decoder.config, PROMPT)
        slots = [decoder.join() for _ in range(readers)]
        rngs = [np.random.default_rng(slot) for slot in slots]
        samplings = [SAMPLING] * readers
        ids = [
            next_id(decoder.read(slot, prompt), SAMPLING, rng)
            for slot, rng in zip(slots, rngs, strict=True)
        ]
        for _ in range(length - 1):
            logits = decoder.step(slots, ids)
            if readers == 1:
                ids = [next_id(logits[0], SAMPLING, rngs[0])]
            else:
                ids = next_ids(logits, samplings, rngs)
        for slot in slots:
            decoder.leave(slot)
        return readers * length

    return write


def chosen(logits: Tensor) -> Tensor:
    """The next character as loops in PyTorch choose it: (B, V) -> (B, 1)."""
    return torch.multinomial((logits / SAMPLING.temperature).softmax(dim=-1), 1)


def original(config: GPTConfig) -> Write:
    """The original project's way, with a plain network of this size."""
    gpt = PlainGPT(config).eval()

    def write(length: int) -> int:
        start = ids_of(config, config.context_length)  # a full window, as after the first few words
        return len(write_plainly(gpt, start, max(length // 20, 5), SAMPLING.temperature))

    return write


def cached_torch(gpt: GPT, readers: int) -> Write:
    """One character at a time in PyTorch, keys and values kept; full windows are halved."""
    c = gpt.config
    H, G, D, T = c.n_head, c.n_kv_head, c.head_size, c.context_length

    def forward(ids: Tensor, new: int, cache: Tensor) -> Tensor:
        """The last `new` of ids (B, t): their keys and values go into cache (L, 2, B, G, T, D)."""
        B, end = ids.shape
        start = end - new
        x = gpt.embedding(ids[:, start:])
        if gpt.ngrams is not None:
            x = x + gpt.ngrams(ids)[:, start:]
        x = norm(x)
        first = max(0, end - new - c.attention_window + 1)  # nobody looks further back
        everywhere = torch.ones(new, end - first, dtype=torch.bool)
        hidden = everywhere.triu(start - first + 1)
        hidden |= everywhere.tril(start - first - c.attention_window)
        for i, block in enumerate(gpt.blocks):
            qkv = block.attention.qkv(norm(x)).view(B, new, H + 2 * G, D)  # type: ignore[union-attr,operator]
            q, k, v = qkv.transpose(1, 2).split((H, G, G), dim=1)
            q = rotate(norm(q), gpt.cos[start:end], gpt.sin[start:end])
            cache[i, 0, :, :, start:end] = rotate(norm(k), gpt.cos[start:end], gpt.sin[start:end])
            cache[i, 1, :, :, start:end] = v
            keys, values = cache[i, :, :, :, first:end]
            # The heads that share keys stand one under the other: one product for each G.
            q = q.reshape(B, G, H // G * new, D)
            scores = (q @ keys.transpose(-2, -1) / D**0.5).view(B, H, new, -1)
            scores = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)
            y = (scores.view(B, G, H // G * new, -1) @ values).view(B, H, new, D)
            x = x + block.attention.projection(y.transpose(1, 2).reshape(B, new, -1))  # type: ignore[union-attr,operator]
            x = x + block.feed_forward(norm(x))  # type: ignore[operator]
        return gpt.head(norm(x[:, -1]))  # type: ignore[no-any-return]

    @torch.inference_mode()
    def write(length: int) -> int:
        length = length // 2
        cache = torch.zeros(c.n_layer, 2, readers, G, T, D)
        ids = torch.tensor([ids_of(c, PROMPT)] * readers)
        logits = forward(ids, PROMPT, cache)
        for _ in range(length - 1):
            full = ids.size(1) == T
            ids = torch.cat((ids[:, T - T // 2 :] if full else ids, chosen(logits)), dim=1)
            logits = forward(ids, ids.size(1) if full else 1, cache)
        return readers * length

    return write


def hugging_face(config: GPTConfig) -> Write | None:
    """GPT-2 of the same size with its own cache, if `transformers` is installed (extra bench)."""
    try:
        from transformers import GPT2Config, GPT2LMHeadModel
    except ImportError:
        return None
    C, T = config.n_embd, config.context_length
    gpt2 = GPT2LMHeadModel(
        GPT2Config(
            vocab_size=config.vocab_size,
            n_positions=T,
            n_embd=C,
            n_layer=config.n_layer,
            n_head=config.n_head,
            bos_token_id=0,
            eos_token_id=None,
        )
    ).eval()

    @torch.inference_mode()
    def write(length: int) -> int:
        length = length // 5
        ids = torch.tensor([ids_of(config, PROMPT)])
        written = 0
        while written < length:  # `generate` stops at a full window: halve it, and go on
            ids = ids[:, -(T // 2) :]
            more = min(length - written, T - ids.size(1))
            ids = gpt2.generate(
                ids,
                attention_mask=torch.ones_like(ids),
                max_new_tokens=more,
                do_sample=True,
                temperature=SAMPLING.temperature,
                use_cache=True,
                pad_token_id=0,
            )
            written += more
        return written

    return write


def matrices(gpt: GPT) -> list[Tensor]:
    """Every matrix that is multiplied for a character."""
    held = {name: tensor.detach() for name, tensor in gpt.named_parameters()}
    return [m for name, m in held.items() if name not in ("embedding.weight", "ngrams.rows.weight")]


def numpy_floor(gpt: GPT) -> Write:
    """One pass of bare matrix-vector products over all weights, in numpy."""
    held = [m.numpy().copy() for m in matrices(gpt)]
    places = [(m, np.ones(m.shape[1], np.float32), np.empty(m.shape[0], np.float32)) for m in held]

    def write(length: int) -> int:
        for _ in range(length):
            for matrix, x, y in places:
                np.dot(matrix, x, out=y)
        return length

    return write


def torch_floor(gpt: GPT) -> Write:
    """The same in PyTorch."""
    places = [(m.clone(), torch.ones(m.size(1)), torch.empty(m.size(0))) for m in matrices(gpt)]

    @torch.inference_mode()
    def write(length: int) -> int:
        for _ in range(length):
            for matrix, x, y in places:
                torch.mv(matrix, x, out=y)
        return length

    return write


def speeds(
    rows: dict[str, Write], rounds: int, length: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Characters a second of each row in each round; the rounds go through all rows."""
    found: dict[str, list[float]] = {name: [] for name in rows}
    for write in rows.values():  # the first time is for caches and allocations
        write(5)
    for _ in range(rounds):
        for name, write in rows.items():
            start = clock()
            count = write(length)
            found[name].append(count / (clock() - start))
    return found


def table(name: str, found: dict[str, list[float]]) -> None:
    """Print a table, each row beside one reader of ours."""
    one = statistics.median(found["ours, 1 reader"])
    times = one / statistics.median(found["the original's way"])
    print(
        f"\n## {name}\n\n{times:.1f} times the original's way.\n\n"
        "| | characters a second, median | lowest to highest | ours, 1 reader = 1 |"
    )
    print("|---|---|---|---|")
    for row, values in found.items():
        middle = statistics.median(values)
        print(
            f"| {row} | {middle:,.0f} | {min(values):,.0f} to {max(values):,.0f} "
            f"| {middle / one:.3g} |"
        )


def growth(decoder: Decoder, rounds: int) -> dict[str, dict[int, float]]:
    """Milliseconds, medians: a story by its length, a first character by its prompt, a step."""

    def first(count: int) -> None:
        slot = decoder.join()
        decoder.read(slot, ids_of(decoder.config, count))
        decoder.leave(slot)

    one = ours(decoder, 1)
    found: dict[str, dict[int, list[float]]] = {}
    tasks: list[tuple[str, int, Callable[[], object], int]] = [
        *(("a story of so many characters", n, lambda n=n: one(n), 1) for n in (100, 300, 1000)),
        *(("the first after a prompt of", n, lambda n=n: first(n), 1) for n in (10, 100, 1000)),
        *(
            ("a step of so many readers", n, lambda n=n: ours(decoder, n)(60), 60)
            for n in (1, 2, 4, 8, 16, 32, 64, 128)
        ),
    ]
    for _ in range(rounds):
        for title, n, task, parts in tasks:
            start = time.perf_counter()
            task()
            seconds = (time.perf_counter() - start) / parts
            found.setdefault(title, {}).setdefault(n, []).append(1000 * seconds)
    return {
        title: {n: statistics.median(values) for n, values in rows.items()}
        for title, rows in found.items()
    }


def started(command: list[str]) -> tuple[float, float]:
    """Seconds until a program writes its first byte, and its memory then in MB."""
    start = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout is not None
        if not process.stdout.read(1):
            raise SystemExit(f"{' '.join(command)}: ended without a word")
        seconds = time.perf_counter() - start
        memory = resident(process.pid)
        process.kill()
    return seconds, memory


def resident(pid: int) -> float:
    """Resident memory of a running process in MB; 0 where /proc does not tell."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.is_file() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


def idle_bot(seconds: float = 20.0) -> float:
    """Resident memory in MB of the bot in a terminal, waiting for somebody."""
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "terminal"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        memory, end = 0.0, time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < end:
            memory = resident(process.pid)
            time.sleep(0.5)
        process.kill()
    return memory


def cold_starts(model: Path, rounds: int) -> None:
    """Print how long programs take to say anything, and what memory they hold."""
    say = "print('x', flush=True); input()"
    python = [sys.executable, "-c"]
    programs = {
        "import discord, numpy": [*python, f"import discord, numpy; {say}"],
        "import torch": [*python, f"import torch; {say}"],
        "python -m model --candidates 1 (first character)": [
            *(sys.executable, "-m", "model", "", "--candidates", "1"),
            *("--length", "100000", "--model", str(model)),
        ],
    }
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in programs}
    for _ in range(rounds):
        for name, command in programs.items():
            found[name].append(started(command))
    print("\n## Cold start\n\n| | seconds, median | lowest to highest | MB resident |")
    print("|---|---|---|---|")
    for name, pairs in found.items():
        times, memory = zip(*pairs, strict=True)
        print(
            f"| {name} | {statistics.median(times):.2f} | {min(times):.2f} to {max(times):.2f} "
            f"| {statistics.median(memory):.0f} |"
        )
    if (ROOT / "weights" / "pooh.safetensors").is_file():
        print(f"| python -m bot terminal, idle | | | {idle_bot():.0f} |")


def machine() -> str:
    """What all this ran on, without its name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    names_of_blas = "OPENBLAS_CORETYPE", "OPENBLAS_NUM_THREADS"
    told = [f"{name}={os.environ[name]}, " for name in names_of_blas if name in os.environ]
    return (
        f"{os.cpu_count()} x {names[0] if names else platform.machine()}, "
        f"{platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"numpy {np.__version__}, torch {torch.__version__} ({torch.get_num_threads()} threads), "
        f"{''.join(told)}"
        f"load {load:.1f} at the start"
    )


def picture(
    found: dict[str, dict[str, list[float]]], grown: dict[str, dict[str, dict[int, float]]]
) -> Figure:
    """Speeds as bars, and how time grows."""
    figure = Figure(figsize=(14, 4 + 3 * len(found)), layout="constrained")
    panels = figure.subplots(len(found), 2, squeeze=False)
    for (name, rows), (bars, lines) in zip(found.items(), panels, strict=True):
        middles = [statistics.median(values) for values in rows.values()]
        ends = [
            [m - min(v) for m, v in zip(middles, rows.values(), strict=True)],
            [max(v) - m for m, v in zip(middles, rows.values(), strict=True)],
        ]
        bars.barh(list(rows), middles, xerr=ends, color="#0072B2", ecolor="#D55E00")
        bars.invert_yaxis()
        bars.set_xscale("log")
        bars.set_title(f"{name}: characters a second")
        for title, curve in grown[name].items():
            lines.plot(list(curve), list(curve.values()), marker="o", label=title)
        lines.set_xscale("log")
        lines.set_yscale("log")
        lines.set_ylabel("milliseconds")
        lines.set_title(f"{name}: how time grows")
        lines.legend()
    return figure


def rows_of(gpt: GPT, decoder: Decoder, crowd: Decoder) -> Iterator[tuple[str, Write]]:
    """All ways to write with one size of network; `crowd` has more threads, or is the same."""
    for readers in (1, 8, 32, 128):
        yield f"ours, {readers} reader{'s' * (readers > 1)}", ours(decoder, readers)
        if crowd is not decoder and readers >= 2 * crowd.texts_per_thread:
            yield f"ours, {readers} readers, two threads", ours(crowd, readers)
    yield "the original's way", original(gpt.config)
    for readers in (1, 32):
        name = f"a cached loop in PyTorch, {readers} reader{'s' * (readers > 1)}"
        yield name, cached_torch(gpt, readers)
    if (gpt2 := hugging_face(gpt.config)) is not None:
        yield "transformers GPT-2 with its cache", gpt2
    yield "floor: matrix-vector products in numpy", numpy_floor(gpt)
    yield "floor: matrix-vector products in PyTorch", torch_floor(gpt)


def main() -> None:
    """Measure, print the tables, draw the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--sizes", nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--length", type=int, default=300, help="characters; default: %(default)s")
    parser.add_argument("--picture", type=Path, default=Path("sampling.png"), metavar="PNG")
    parser.add_argument(
        "--busy",
        action="store_true",
        help="for a machine with other work: speeds are those of one thread, and seconds are "
        "those that it had the processor (set OPENBLAS_NUM_THREADS=1 too)",
    )
    options = parser.parse_args()
    torch.manual_seed(0)
    if options.busy:
        torch.set_num_threads(1)
    print(f"{machine()}; {options.rounds} rounds in turn, stories of {options.length} characters.")
    found: dict[str, dict[str, list[float]]] = {}
    grown: dict[str, dict[str, dict[int, float]]] = {}
    for name in options.sizes:
        gpt = network(name)
        weights: dict[str, Any] = {k: v.numpy().copy() for k, v in gpt.state_dict().items()}
        decoder = crowd = Decoder(gpt.config, weights)
        clock = time.process_time if options.busy else time.perf_counter
        if not options.busy and usable_cores() > 1:  # processor time says nothing of two
            crowd = Decoder(gpt.config, weights, threads=2)
        rows = dict(rows_of(gpt, decoder, crowd))
        found[name] = speeds(rows, options.rounds, options.length, clock)
        table(name, found[name])
        grown[name] = growth(decoder, options.rounds)
        for title, curve in grown[name].items():
            steps = ", ".join(f"{n}: {ms:.3g} ms" for n, ms in curve.items())
            print(f"\n{title} -- {steps}")
    with tempfile.TemporaryDirectory() as folder:
        path = ROOT / "weights" / f"{options.sizes[-1]}.safetensors"
        if not path.is_file():
            path = Path(folder) / "random.safetensors"
            vocab = Vocab("\n" + "".join(map(chr, range(32, 31 + gpt.config.vocab_size))))
            vocab.save(path.with_suffix(".json"))
            save(path, gpt.config, vocab, weights)
        cold_starts(path, options.rounds)
    picture(found, grown).savefig(options.picture)
    print(f"\n{options.picture}: the same as a picture")


if __name__ == "__main__":
    main()
