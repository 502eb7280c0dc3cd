"""`TrainingConfig`: everything a training can be told; the command line is made from its fields."""

import json
import re
from collections.abc import Iterator
from dataclasses import Field, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

_LONGEST_NAME = 200  # bytes: with endings it has to stay below the 255 of most file systems
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.I)  # on Windows: devices


def setting(  # a field has the type of its default, as `dataclasses.field` says too
    default: Any,  # noqa: ANN401
    text: str,
    least: float = 0,
    most: float = float("inf"),
    *,
    choices: tuple[str, ...] = (),
) -> Any:  # noqa: ANN401
    """A field: its default, its `--help` text, and what it may be."""
    metadata = {"help": text, "least": least, "most": most, "choices": choices}
    return field(default=default, metadata=metadata)


@dataclass(frozen=True)
class _Settings:
    """Fields that are checked when they are made."""

    def __post_init__(self) -> None:
        """Raise ValueError naming the field, its value and what is allowed."""
        check_types(self)
        for each in fields(self):
            value = getattr(self, each.name)
            least, most, choices = (each.metadata[key] for key in ("least", "most", "choices"))
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, int | float) and not least <= number <= most:
                    limits = f"at least {least:g}" + (
                        f", at most {most:g}" if most < float("inf") else ""
                    )
                    raise ValueError(f"{each.name} = {value!r}: must be {limits}")
            if choices and value not in choices:
                raise ValueError(f"{each.name} = {value!r}: must be one of {', '.join(choices)}")


@dataclass(frozen=True)
class DataConfig(_Settings):
    """What is read."""

    text: str = setting("", "train on this text file instead of the books of data/books.toml")
    encoding: str = setting(
        "", "encoding of --text: utf-8, cp1251, shift_jis, ... (default: found out)"
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

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        for name in ("voice", "renamed", "made_up"):
            if not getattr(self, name):
                raise ValueError(f"{name} = (): must be one number or more")


@dataclass(frozen=True)
class NetworkConfig(_Settings):
    """The network: what of it is in its own `model.config.GPTConfig` has the same name there."""

    init: str = setting(
        "", "learn on from these weights: the name of a shipped model, or a .safetensors file"
    )
    context_length: int = setting(256, "characters read at once", 1)
    attention_window: int = setting(0, "characters a place attends to (0: all that are read)", 0)
    far_blocks: tuple[int, ...] = setting((), "blocks, from 0, that attend to --far-window")
    far_window: int = setting(0, "characters that far blocks attend to (0: all that are read)")
    far_gain: float = setting(2.0, "what their scores are multiplied by", 0.1, 8)
    n_layer: int = setting(6, "blocks", 1)
    n_head: int = setting(5, "attention heads in each block", 1)
    n_kv_head: int = setting(0, "heads of keys and values, shared by the others (0: --n-head)")
    n_embd: int = setting(320, "width of the stream", 1)
    embedding_skips: bool = setting(
        False, "add the stream before the first block again before each later one"
    )
    dropout: float = setting(0.0, "share of each block's output dropped in training", 0, 0.99)
    ngram_orders: tuple[int, ...] = setting((), "n-grams of so many characters in the table", 1)
    ngram_words: tuple[int, ...] = setting((), "n-grams of so many words in the table", 1)
    ngram_rows: int = setting(0, "most n-grams the table may know")
    ngram_width: int = setting(0, "numbers for each n-gram")
    ngram_least: int = setting(4, "an n-gram is known when it occurs so many times", 1)
    ngram_dropout: float = setting(0.1, "share of known n-grams hidden in training", 0, 0.99)


@dataclass(frozen=True)
class OptimisationConfig(_Settings):
    """How the weights move, and for how long."""

    steps: int = setting(0, "steps to train (0: as --epochs says)", 0, 10**9)
    epochs: float = setting(
        1.0, "passes over the text: in one, each character is a target once", 0, 1e4
    )
    batch_size: int = setting(32, "texts in a step, over all processes", 1, 10**5)
    matrix_lr: float = setting(0.02, "learning rate of the matrices (Muon)", 0, 1e3)
    vector_lr: float = setting(
        0.02, "learning rate of embedding, head, library vector, skips (AdamW)", 0, 1e3
    )
    table_lr: float = setting(0.03, "learning rate of the n-gram table (SparseAdam)", 0, 1e3)
    weight_decay: float = setting(0.0, "weight decay of the matrices", 0, 1e3)
    warmup: float = setting(0.01, "share of the steps in which the rates rise from 0", 0, 1)
    cooldown: float = setting(0.6, "share of the steps in which they fall to 0 again", 0, 1)
    average: float = setting(0.0, "share of the steps, the last, whose weights are averaged", 0, 1)
    seed: int = setting(1, "of everything random", 0, 2**63 - 1)


@dataclass(frozen=True)
class RunConfig(_Settings):
    """The machine, what is watched and kept, and where the files go."""

    name: str = setting("pooh", "name of the model: weights/<name>.safetensors")
    device: str = setting(
        "auto",
        "cpu, cuda, mps, or auto: the fastest there is",
        choices=("auto", "cpu", "cuda", "mps"),
    )
    dtype: str = setting(
        "auto",
        "float32, bfloat16, or auto: bfloat16 where it is fast",
        choices=("auto", "float32", "bfloat16"),
    )
    threads: int = setting(0, "threads of the processor (0: all)", 0, 2**12)
    compile: bool = setting(True, "compile the blocks, where a compiler is there")
    evaluate_every: int = setting(0, "steps between validations (0: twenty in all)")
    save_every: float = setting(300.0, "seconds between checkpoints")
    keep: str = setting(
        "best", "ship the best weights by validation, or the last", choices=("best", "last")
    )
    writing_gain: float = setting(
        0.0, "far_gain of what is shipped, the lower the fewer repetitions (0: as learned)", 0, 8
    )
    patience: int = setting(0, "stop after so many validations without a better one (0: never)")
    output: str = setting("", "folder for weights/ and vocab/ (default: this project's own)")
    checkpoints: str = setting("checkpoints", "folder for what --resume goes on from")

    def __post_init__(self) -> None:
        """Check every field."""
        super().__post_init__()
        if not self.name or plain_name(self.name) != self.name or _RESERVED.fullmatch(self.name):
            raise ValueError(f"name = {self.name!r}: must be a plain file name, on Windows too")


def plain_name(text: str) -> str:
    """A name without what some file system does not take; "" if nothing is left."""
    name = re.sub(r"""[\s<>:"/\\|?*\x00-\x1f\x7f\ud800-\udfff]+""", "-", text)
    while len(name.encode("utf-8", "replace")) > _LONGEST_NAME:
        name = name[:-1]
    return name.rstrip(".")


@dataclass(frozen=True)
class TrainingConfig:
    """How to train one network. See `python -m training.train --help` for the fields' meaning.

    No two groups have a field of the same name, so that a flag needs no group: `of` and `replace`
    take the fields of all groups by name.

    Raises:
        ValueError: a field is out of range; the message names it, its value and what is allowed.
    """

    data: DataConfig = field(default_factory=DataConfig)
    network: NetworkConfig = field(default_factory=NetworkConfig)
    optimisation: OptimisationConfig = field(default_factory=OptimisationConfig)
    run: RunConfig = field(default_factory=RunConfig)

    @classmethod
    def of(cls, **settings: object) -> "TrainingConfig":
        """The config with these fields, all others as they are by default."""
        return cls().replace(**settings)

    def replace(self, **settings: object) -> "TrainingConfig":
        """The same config but for these fields. Raises TypeError for one that there is not."""
        groups = {
            group: type(held)(**{name: settings.get(name, was) for name, was in vars(held).items()})
            for group, held in vars(self).items()
        }
        if unknown := settings.keys() - self.flat().keys():
            raise TypeError(f"{min(unknown)}: not a field of a training")
        return TrainingConfig(**groups)

    def flat(self) -> dict[str, object]:
        """All fields by name, whatever their group."""
        return {name: value for group in vars(self).values() for name, value in vars(group).items()}

    def to_json(self) -> str:
        """The config as one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "TrainingConfig":
        """The config that `to_json` wrote, or wrote before the fields had groups.

        Raises:
            ValueError: not JSON, a field that is unknown or missing, or a value out of range.
        """
        values = _SINCE | flat_settings(json.loads(text))
        names = {each.name for _, each in all_fields()}
        if odd := sorted(names ^ values.keys()):
            raise ValueError(f"{odd[0]}: {'missing' if odd[0] in names else 'unknown'}")
        return cls.of(**{k: tuple(v) if isinstance(v, list) else v for k, v in values.items()})

    def path(self, folder: str, suffix: str) -> Path:
        """Where a product goes: `path("weights", ".safetensors")`."""
        from model.weights import ROOT

        root = Path(self.run.output) if self.run.output else ROOT
        return root / folder / f"{self.run.name}{suffix}"

    def checkpoint(self, what: str = "checkpoint") -> Path:
        """Where the checkpoint of this training is, or its "best" weights so far."""
        return Path(self.run.checkpoints) / f"{self.run.name}.{what}.safetensors"


GROUPS: dict[str, type[_Settings]] = {
    "data": DataConfig,
    "network": NetworkConfig,
    "optimisation": OptimisationConfig,
    "run": RunConfig,
}
_SINCE: dict[str, object] = {"embedding_skips": False}  # what checkpoints of before do not name
_FORMER = {"matrix_rate": "matrix_lr", "vector_rate": "vector_lr", "table_rate": "table_lr"}


def all_fields() -> Iterator[tuple[str, Field[Any]]]:
    """Every field of a config, with the name of its group."""
    for group, kind in GROUPS.items():
        for each in fields(kind):
            yield group, each


def element(group: str, name: str) -> tuple[type, bool]:
    """The type of a field, or of its elements, and whether it has several."""
    hint = get_type_hints(GROUPS[group])[name]
    return (get_args(hint)[0], True) if get_origin(hint) is tuple else (hint, False)


def flat_settings(told: object) -> dict[str, Any]:
    """The fields by name of a config that came out of JSON: in groups, or flat as they once were.

    Raises:
        ValueError: this is no config.
    """
    if not isinstance(told, dict):
        raise ValueError("not a JSON object")
    flat: dict[str, Any] = {}
    for name, value in told.items():
        flat |= value if name in GROUPS and isinstance(value, dict) else {name: value}
    return {_FORMER.get(name, name): value for name, value in flat.items()}


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


PRESETS = {
    # The dimensions of the project this one started from, and its six chapters, by heart.
    "classic": TrainingConfig.of(
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
    "finetune": TrainingConfig.of(
        name="finetune",
        batch_size=8,
        epochs=3,
        matrix_lr=0.01,
        vector_lr=0.01,
        table_lr=0.05,
        warmup=0.05,
        cooldown=0.9,
    ),
    # English from a library, then the voice.
    "pooh": TrainingConfig.of(
        voice=(1.0,) * 16 + (3.0,) * 21 + (20.0,) * 3,
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
        writing_gain=1.65,
    ),
}
"""Trainings by name. A text of one's own (`--text`) is learned as `classic` is, unless told;
from the weights of another network (`--init`), as `finetune` says."""
