"""Makes what the pages show anew: python scripts/refresh_docs.py [--no-picture] [--check].

Help texts and other output of commands (`$ python -m ...` in a console block), tables of figures
(between `<!-- made: NAME -->` and `<!-- end -->`) from the reports beside the weights, the samples,
and the pictures of an answer and of how it was written. To be run when the weights, a report, or a
command's help changed.
`tests/test_readme.py` says when that was forgotten. Speeds are measured by tests/benchmarks/ and
written down by hand, with their machine.
"""

import argparse
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from model.sampling import Sampling  # noqa: E402
from model.weights import resolve  # noqa: E402

MODELS = ("classic", "pooh")
SAMPLES = ROOT / "docs" / "samples.md"
PICTURE = ROOT / "docs" / "answer.png"
HOW = ROOT / "docs" / "how.png"
HOW_PAGE = ROOT / "docs" / "how.md"
HOW_COMMAND = re.compile(r'^python (-m model --how ".*") --picture how\.png$', re.M)
SEEDS = range(1, 16)
PROMPTS = (
    "Piglet looked at the telephone",
    "The robot opened its eyes",
    "On Tuesday Pooh learned to swim",
    "Rabbit had written a very long letter",
    "Nobody had ever seen so much snow",
)
"""In no book; those of training.reports."""
MISSING = "-"
EXAMPLE = re.compile(r"^\$ (.*)\n((?:(?!\$ |```).*\n)*)", re.M)
CONSOLE = re.compile(r"^```console\n(.*?)^```", re.M | re.S)
MADE = re.compile(r"(?<=<!-- made: )(.+?) -->\n.*?(?=<!-- end -->)", re.S)


def pages() -> list[Path]:
    """The pages that people read: README and what it points to."""
    own = [ROOT / name for name in ("README.md", "CONTRIBUTING.md") if (ROOT / name).exists()]
    return own + sorted((ROOT / "docs").glob("*.md"))


def run(arguments: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run Python in the repository, in a window of 80 columns."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "80", "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


@cache
def output(command: str) -> str:
    """What a command of a console block, `python ...`, prints.

    Raises:
        RuntimeError: it failed.
    """
    name, *arguments = shlex.split(command)
    done = run(arguments)
    if name != "python" or done.returncode:
        raise RuntimeError(f"{command}: exit code {done.returncode}\n{done.stderr}")
    return done.stdout


def report(model: str, kind: str) -> Any:  # noqa: ANN401  (JSON)
    """A report beside the weights, summary or evaluation."""
    path = resolve(model)[0].with_suffix(f".{kind}.json")
    return json.loads(path.read_text("utf-8"))


def evaluations() -> dict[str, dict[str, Any]]:
    """Our models' reports, and those of what they are compared with, by name."""
    found: dict[str, dict[str, Any]] = {}
    for model in MODELS:
        first, *others = report(model, "evaluation")
        found[first["model"]] = first
        found |= {each["model"]: each for each in others}
    return found


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def network_table() -> str:
    """The networks' sizes, as the weights' summaries tell them."""
    summaries = [report(model, "summary") for model in MODELS]
    nets = [summary["network"] for summary in summaries]

    def row(title: str, value: Callable[[dict[str, Any]], str]) -> list[str]:
        return [title, *map(value, nets)]

    def far(net: dict[str, Any]) -> str:
        blocks = ", ".join(str(block + 1) for block in net.get("far_blocks", ()))
        window = net.get("far_window") or net["context_length"]
        return f"{window:,} (blocks {blocks})" if blocks else MISSING

    rows = [
        ["numbers learned", *(f"{each['parameters']:,}" for each in summaries)],
        ["... of these in the n-gram table", *(_in_table(each) for each in summaries)],
        row("blocks", lambda net: str(net["n_layer"])),
        row("width", lambda net: str(net["n_embd"])),
        row("attention heads in each block", lambda net: str(net["n_head"])),
        row("... which share so many heads of keys", lambda net: str(net["n_kv_head"])),
        row("characters that a place attends to", lambda net: f"{net['attention_window']:,}"),
        row("... in far blocks", far),
        row("characters read at once in training", lambda net: f"{net['context_length']:,}"),
        row("n-grams in the table", lambda net: f"{net['ngram_rows']:,}"),
        row("different characters", lambda net: str(net["vocab_size"])),
    ]
    return table(["", *(f"`{model}`" for model in MODELS)], rows)


def _in_table(summary: dict[str, Any]) -> str:
    return f"{summary.get('parameters_in_table', 0):,}"


def training_table() -> str:
    """How the shipped weights came about."""
    summaries = [report(model, "summary") for model in MODELS]

    def row(title: str, value: Callable[[dict[str, Any]], str]) -> list[str]:
        return [title, *map(value, summaries)]

    def loss(key: str) -> Callable[[dict[str, Any]], str]:
        return lambda each: f"{each[key]['nats']:.3f}" if each.get(key) else MISSING

    def machine(each: dict[str, Any]) -> str:
        had = each["machine"]
        cores = f"{had['threads']} of {had['cores']} cores, {had['dtype']}"
        return f"{had['device']}, {cores} ({had['processor']})"

    rows = [
        row("characters of text", lambda each: f"{each['read']['characters']:,}"),
        row("texts", lambda each: str(each["read"]["texts"])),
        row("steps", lambda each: f"{each['steps']:,}"),
        row("characters seen", lambda each: f"{each['characters_seen']:,}"),
        row("minutes", lambda each: f"{each['seconds'] / 60:.1f}"),
        row("characters a second", lambda each: f"{each['characters_per_second']:,.0f}"),
        row("training loss, nats a character", loss("train_loss")),
        row("validation loss, nats a character", loss("validation_loss")),
        row("machine", machine),
        row("date", lambda each: str(each["date"])),
    ]
    return table(["", *(f"`{model}`" for model in MODELS)], rows)


def nats(name: str) -> str:
    """The loss on VII-VIII of one of the evaluation's rows."""
    found = evaluations()[name].get("loss")
    return f"{found['nats_per_character']:.3f}" if found else MISSING


# What was measured once, and has not to be again: neither these programs nor the chapters change.
COMPARED = (
    ("the original project's model", "I-VI", "3.84"),
    ("7-Zip PPMd, order 6", "I-VI", "1.33"),
    ("zpaq -m5 (context mixing)", "I-VI", "1.26"),
    ("7-Zip PPMd, order 6", "I-VI and *The House at Pooh Corner*", "1.24"),
    ("zpaq -m5", "I-VI and *The House at Pooh Corner*", "1.17"),
)


def loss_table() -> str:
    """Nats a character, of our models and of what they are compared with."""
    uniform = nats("uniform guessing")
    rows = [
        ["uniform guessing", MISSING, uniform, uniform],
        ["Markov chain, 4 characters", "I-VI", nats("Markov chain, 4 characters"), MISSING],
        ["`classic` (it knows I-VI by heart)", "I-VI", nats("classic"), MISSING],
        *([name, text, MISSING, value] for name, text, value in COMPARED),
        ["**`pooh`**", "the reading list", f"**{nats('pooh')}**", "not measured here"],
    ]
    return table(["", "trained on", "VII-VIII (validation)", "IX-X (test)"], rows)


def answers_table(temperature: float = Sampling().temperature) -> str:
    """What answers to prompts that are in no book are made of."""
    rows = []
    for name, found in evaluations().items():
        for each in found.get("samples", []):
            if (each.get("prompts", "unseen"), each.get("temperature", temperature)) == (
                "unseen",
                temperature,
            ):
                rows.append(
                    [
                        f"**`{name}`**" if name in MODELS else name,
                        f"{each['real_words']:.1%}",
                        f"{each['copied']:.1%}",
                        str(each["longest_copy"]),
                        f"{each['distinct_2']:.2f}",
                        f"{each['balanced_quotes']:.0%}",
                        f"{each['ends_sentence']:.0%}",
                        f"{each['names_a_friend']:.0%}",
                    ]
                )
    rows.sort(key=lambda row: ("`" in row[0], "itself" in row[0]))
    return table(
        [
            *("", "real words", "copied", "longest copy", "distinct-2"),
            *("quotes balanced", "ends a sentence", "names a friend"),
        ],
        rows,
    )


def recall_table() -> str:
    """Characters of the book that follow each chapter's first five words."""
    found = {model: evaluations()[model].get("recall", []) for model in MODELS}
    chapters = ("I", "II", "III", "IV", "V", "VI")
    return table(
        ["", *chapters],
        [[f"`{m}`", *(str(each["characters"]) for each in rows)] for m, rows in found.items()],
    )


def memory_table(reports: dict[str, dict[str, Any]] | None = None) -> str:
    """The probes of memory, for the models whose report (default: beside the weights) has them."""
    from training.tables import memory_rows

    columns: dict[str, dict[str, str]] = {}
    for model in MODELS:
        found = (reports or evaluations())[model]
        probes = {**found.get("memory", {}), **found.get("stories", {})}
        if probes:
            columns[model] = dict(memory_rows(probes))
    if not columns:
        return "The report of these weights is older than the probes.\n"
    titles = list(dict.fromkeys(title for rows in columns.values() for title in rows))
    return table(
        ["probe", *(f"`{model}`" for model in columns)],
        [[title, *(rows.get(title, MISSING) for rows in columns.values())] for title in titles],
    )


def in_short() -> str:
    """The few figures that README has."""
    summary = report("pooh", "summary")
    minutes, had = summary["seconds"] / 60, summary["machine"]
    samples = evaluations()["pooh"].get("samples", [])
    default = Sampling().temperature
    copied = [
        f"{each['copied']:.1%}"
        for each in samples
        if (each["prompts"], each["temperature"]) == ("unseen", default)
    ]
    return table(
        ["`pooh`", ""],
        [
            ["numbers learned", f"{summary['parameters']:,}, {_in_table(summary)} in a table"],
            ["learned from", f"{summary['read']['texts']} texts in the public domain"],
            ["trained in", f"{minutes:.0f} minutes ({had['processor']})"],
            ["loss on chapters it never read", f"{nats('pooh')} nats a character"],
            ["the same, Markov chain", f"{nats('Markov chain, 4 characters')}"],
            ["of what it writes, stands in a book", *(copied or [MISSING])],
        ],
    )


TABLES: dict[str, Callable[[], str]] = {
    "in short": in_short,
    "networks": network_table,
    "trainings": training_table,
    "losses": loss_table,
    "answers": answers_table,
    "recall": recall_table,
    "memory": memory_table,
}
"""What stands between `<!-- made: NAME -->` and `<!-- end -->`."""


def digest(model: str) -> str:
    """SHA-256 of a weights file."""
    with resolve(model)[0].open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def story(model: str, prompt: str, seed: int) -> str:
    """What `python -m model PROMPT --seed N` prints."""
    done = run(["-m", "model", prompt, "--model", model, "--seed", str(seed)])
    done.check_returncode()
    return done.stdout.rstrip("\n")


def samples_page() -> str:
    """docs/samples.md: stories chosen by number, not by taste."""
    lines = [
        "# Samples\n",
        "Chosen by number, not by taste: the first seeds there are, at the default settings. Made",
        "by `python scripts/refresh_docs.py`; a test compares these digests with the weights.\n",
        *(f"- `weights/{model}.safetensors`: SHA-256 `{digest(model)}`" for model in MODELS),
        "",
    ]

    def add(title: str, model: str, asked: Iterable[tuple[str, int]]) -> None:
        lines.append(f"## {title}\n")
        for prompt, seed in asked:
            text = escape(story(model, prompt, seed))
            quoted = "\n".join(f"> {line}".rstrip() for line in text.split("\n"))
            name = f"Seed {seed}" + f", *{prompt}*" * bool(prompt)
            lines.append(f"**{name}**\n\n{quoted}\n")

    begun = f'`python -m model "" --seed N`, N from 1 to {SEEDS[-1]}'
    add(f"Begun by `pooh`: {begun}", "pooh", (("", seed) for seed in SEEDS))
    add("To words that are in no book", "pooh", ((prompt, 1) for prompt in PROMPTS))
    add("The same words, `classic`", "classic", ((prompt, 1) for prompt in PROMPTS[:2]))
    return "\n".join(lines)


def escape(text: str) -> str:
    """Characters as they are where Markdown would take them for its own."""
    return re.sub(r"([\\*_`<>#\[\]|~])", r"\\\1", text)


def draw_how() -> None:
    """docs/how.png, by the command that its page shows; the file says which weights it is of."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from model.weights import DEFAULT_MODEL

    shown = HOW_COMMAND.search(HOW_PAGE.read_text("utf-8"))
    if shown is None:
        raise RuntimeError(f"{HOW_PAGE.name} shows no command that draws {HOW.name}")
    run([*shlex.split(shown[1]), "--picture", str(HOW)]).check_returncode()
    written = PngInfo()
    written.add_text("weights", digest(DEFAULT_MODEL))
    with Image.open(HOW) as picture:
        drawn = picture.convert("RGB").quantize(64, dither=Image.Dither.NONE)
    drawn.save(HOW, optimize=True, pnginfo=written)


def refreshed(page: str) -> str:
    """A page with its tables and outputs of commands made anew.

    Raises:
        KeyError: it asks for a table that there is not.
    """
    page = MADE.sub(lambda m: f"{m[1]} -->\n\n{TABLES[m[1]]()}\n", page)
    return CONSOLE.sub(
        lambda block: EXAMPLE.sub(lambda m: f"$ {m[1]}\n{output(m[1])}", block[0]), page
    )


def main() -> int:
    """Make everything anew; with --check, say only which pages are old."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--no-picture", action="store_true", help="leave the pictures as they are")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if it would")
    options = parser.parse_args()
    old = []
    for path in pages():
        before = path.read_text("utf-8")
        if path == SAMPLES:
            known = options.check and all(digest(model) in before for model in MODELS)
            new = before if known else samples_page()  # the rules of writing change, too
        else:
            new = refreshed(before)
        if new != before:
            old.append(path)
            print(path.relative_to(ROOT))
            if not options.check:
                path.write_text(new, "utf-8")
    if not options.check and not options.no_picture:
        draw_how()
        done = run(["tests/benchmarks/picture.py", str(PICTURE)])
        print(done.stdout, done.stderr, sep="")
        return done.returncode
    return 1 if old and options.check else 0


if __name__ == "__main__":
    sys.exit(main())
