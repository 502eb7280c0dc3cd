"""`TrainingConfig`: everything a training can be told; the command line is made from its fields."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints


def setting(  # a field has the type of its default, as `dataclasses.field` says too
    default: Any,  # noqa: ANN401
    text: str,
    least: float = 0,
    most: float = float("inf"),
) -> Any:  # noqa: ANN401
    """A field of `TrainingConfig`: its default, its `--help` text, and the range it may have."""
    return field(default=default, metadata={"help": text, "least": least, "most": most})


@dataclass(frozen=True)
class TrainingConfig:
    """How to train one network. See `python -m training.train --help` for the fields' meaning.

    Raises:
        ValueError: a field is out of range; the message names it, its value and what is allowed.
    """

    name: str = setting("pooh", "name of the model: weights/<name>.safetensors")
    # What is read.
    text: str = setting("", "train on this text file instead of the books of data/books.toml")
    encoding: str = setting(
        "", "encoding of --text: utf-8, cp1251, shift_jis, ... (default: found out)"
    )
    init: str = setting(
        "", "learn on from these weights: the name of a shipped model, or a .safetensors file"
    )
    books: str = setting(
        "", "folder of the books (default: data/books, where missing ones are fetched)"
    )
    only: tuple[str, ...] = setting((), "read only these books (their slugs, parted by commas)")
    validation_text: str = setting("", "a text file to validate on")
    validation_fraction: float = setting(
        0.1, "share of --text kept for validation: its end", 0, 0.9
    )
    voice: tuple[float, ...] = setting(
        (1.0,), "weight of the nearest books in each of so many equal parts of the training", 0, 1e4
    )
    openings: float = setting(
        0.0, "passes over the chapters' openings in each pass of the text", 0, 1e4
    )
    renamed: tuple[float, ...] = setting(
        (0.0,),
        "share of the library's windows whose people get other names, in so many equal parts",
        0,
        1,
    )
    made_up: tuple[float, ...] = setting(
        (0.0,), "share of its windows that are made up about two names, in so many parts", 0, 1
    )
    # The network.
    context_length: int = setting(256, "characters read at once", 1)
    attention_window: int = setting(0, "characters a place attends to (0: all that are read)", 0)
    far_blocks: tuple[int, ...] = setting((), "blocks, from 0, that attend to --far-window")
    far_window: int = setting(0, "characters that far blocks attend to (0: all that are read)")
    n_layer: int = setting(6, "blocks", 1)
    n_head: int = setting(5, "attention heads in each block", 1)
    n_kv_head: int = setting(0, "heads of keys and values, shared by the others (0: --n-head)")
    n_embd: int = setting(320, "width of the stream", 1)
    dropout: float = setting(0.0, "share of each block's output dropped in training", 0, 0.99)
    ngram_orders: tuple[int, ...] = setting((), "runs of so many characters in the n-gram table", 1)
    ngram_words: tuple[int, ...] = setting((), "runs of so many words in the n-gram table", 1)
    ngram_rows: int = setting(0, "most runs the table may know")
    ngram_width: int = setting(0, "numbers for each run")
    ngram_least: int = setting(4, "a run is known when it occurs so many times", 1)
    ngram_dropout: float = setting(0.1, "share of known runs hidden in training", 0, 0.99)
    # The training.
    steps: int = setting(0, "steps to train (0: as --epochs says)", 0, 10**9)
    epochs: float = setting(
        1.0, "passes over the text: in one, each character is a target once", 0, 1e4
    )
    batch_size: int = setting(32, "texts in a step, over all processes", 1, 10**5)
    matrix_rate: float = setting(0.02, "learning rate of the matrices (Muon)", 0, 1e3)
    vector_rate: float = setting(
        0.02, "learning rate of embedding, head, library vector (AdamW)", 0, 1e3
    )
    table_rate: float = setting(0.03, "learning rate of the n-gram table (SparseAdam)", 0, 1e3)
    weight_decay: float = setting(0.0, "weight decay of the matrices", 0, 1e3)
    warmup: float = setting(0.01, "share of the steps in which the rates rise from 0", 0, 1)
    cooldown: float = setting(0.6, "share of the steps in which they fall to 0 again", 0, 1)
    average: float = setting(0.0, "share of the steps, the last, whose weights are averaged", 0, 1)
    seed: int = setting(1, "of everything random")
    # The machine.
    device: str = setting("auto", "cpu, cuda, mps, or auto: the fastest there is")
    dtype: str = setting("auto", "float32, bfloat16, or auto: bfloat16 where it is fast")
    threads: int = setting(0, "threads of the processor (0: all)")
    compile: bool = setting(True, "compile the blocks, where a compiler is there")
    # Watching and stopping.
    evaluate_every: int = setting(0, "steps between validations (0: twenty in all)")
    save_every: float = setting(300.0, "seconds between checkpoints")
    keep: str = setting("best", "ship the best weights by validation, or the last")
    patience: int = setting(0, "stop after so many validations without a better one (0: never)")
    output: str = setting("", "folder for weights/ and vocab/ (default: this project's own)")
    checkpoints: str = setting("checkpoints", "folder for what --resume goes on from")

    def __post_init__(self) -> None:
        """Check every field."""
        check_types(self)
        for each in fields(self):
            value, least, most = getattr(self, each.name), *(each.metadata[k] for k in _RANGE)
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, int | float) and not least <= number <= most:
                    limits = f"at least {least:g}" + (f", at most {most:g}" if most < 1e9 else "")
                    raise ValueError(f"{each.name} = {value!r}: must be {limits}")
        for name in ("voice", "renamed", "made_up"):
            if not getattr(self, name):
                raise ValueError(f"{name} = (): must be one number or more")
        if self.name in ("", ".", "..") or any(c in "/\\\0" or c.isspace() for c in self.name):
            raise ValueError(f"name = {self.name!r}: must be a plain file name")
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name} = {getattr(self, name)!r}: must be one of {', '.join(allowed)}"
                )

    def to_json(self) -> str:
        """The config as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "TrainingConfig":
        """The config that `to_json` wrote.

        Raises:
            ValueError: not JSON, a field that is unknown or missing, or a value out of range.
        """
        values: dict[str, Any] = json.loads(text)
        if not isinstance(values, dict):
            raise ValueError("not a JSON object")
        names = {each.name for each in fields(cls)}
        if odd := sorted(names ^ values.keys()):
            raise ValueError(f"{odd[0]}: {'missing' if odd[0] in names else 'unknown'}")
        values |= {k: tuple(v) for k, v in values.items() if isinstance(v, list)}
        return cls(**values)

    def path(self, folder: str, suffix: str) -> Path:
        """Where a product goes: `path("weights", ".safetensors")`."""
        from model.weights import ROOT

        return (Path(self.output) if self.output else ROOT) / folder / f"{self.name}{suffix}"

    def checkpoint(self, what: str = "checkpoint") -> Path:
        """Where the checkpoint of this training is, or its "best" weights so far."""
        return Path(self.checkpoints) / f"{self.name}.{what}.safetensors"


def check_types(instance: object) -> None:
    """Raise ValueError, with its name, for a field of a dataclass that is not of its type."""
    for name, wanted in get_type_hints(type(instance)).items():
        value = getattr(instance, name)
        if not _is_a(value, wanted):
            raise ValueError(f"{name} = {value!r}: must be {getattr(wanted, '__name__', wanted)}")


def _is_a(value: object, wanted: Any) -> bool:  # noqa: ANN401  (a type, however it is put)
    if get_origin(wanted) is tuple:
        return isinstance(value, tuple) and all(_is_a(v, get_args(wanted)[0]) for v in value)
    if get_args(wanted):
        return any(_is_a(value, each) for each in get_args(wanted))
    return type(value) in ((int, float) if wanted is float else (wanted,))


_RANGE = ("least", "most")
_CHOICES = {
    "keep": ("best", "last"),
    "device": ("auto", "cpu", "cuda", "mps"),
    "dtype": ("auto", "float32", "bfloat16"),
}

PRESETS = {
    # The dimensions of the project this one started from, and its six chapters, by heart.
    "classic": TrainingConfig(
        name="classic",
        only=("winnie-the-pooh",),
        keep="last",
        context_length=64,
        attention_window=48,
        n_layer=4,
        n_head=4,
        n_embd=128,
        batch_size=64,
        epochs=150,
        cooldown=0.6,
    ),
    # A text of one's own, by a network that knows its English already (--init).
    "finetune": TrainingConfig(
        name="finetune",
        batch_size=8,
        epochs=3,
        matrix_rate=0.01,
        vector_rate=0.01,
        table_rate=0.05,
        warmup=0.05,
        cooldown=0.9,
    ),
    # English from a library, then the voice.
    "pooh": TrainingConfig(
        voice=(1.0,) * 8 + (3.0,) * 12,
        renamed=(0.6,) * 9 + (0.0,),
        made_up=(0.03,) * 5 + (0.0,) * 5,
        openings=40.0,
        context_length=1024,
        attention_window=64,
        far_blocks=(2, 5),
        batch_size=4,
        n_kv_head=1,
        ngram_orders=(2, 3, 4, 5, 6, 8),
        ngram_words=(1, 2, 3),
        ngram_rows=1_000_000,
        ngram_width=32,
        steps=7600,
        average=0.2,
        evaluate_every=200,
        keep="last",
    ),
}
"""Trainings by name. A text of one's own (`--text`) is learned as `classic` is, unless told;
from the weights of another network (`--init`), as `finetune` says."""
