"""What a training reads: the books of the recipe, or a text of one's own in its own characters."""

import hashlib
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from model.vocab import Vocab, fold
from training.chapters import chapters, story
from training.config import TrainingConfig
from training.corpus import load_texts, read_file
from training.own_text import own_text
from training.recipe import Book, CorpusError, books_folder, read_recipe
from training.text import ALPHABET, book_text

NEAR = "voice"  # the stage of the books whose weight follows --voice
MOST_CHARACTERS = 4096
"""A vocabulary has no more; of a text with more the rarest are left out."""


@dataclass(frozen=True)
class TrainingTexts:
    """All texts of a training, as characters.

    Attributes:
        near: (text, weight) of the books whose weight follows `voice`.
        library: (text, weight) of the others.
        validation: a text to validate on, or "".
        openings: (text, weight) of the chapters' openings, which the books of `near` hold too.
        notes: lines that say what was left out of a text of one's own, or guessed, and why.
    """

    near: tuple[tuple[str, float], ...]
    library: tuple[tuple[str, float], ...]
    validation: str
    openings: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """SHA-256 of all of it, in hex."""
        whole = hashlib.sha256()
        for part in (self.near, self.openings, self.library, ((self.validation, 0.0),)):
            whole.update(f"{len(part)} ".encode())
            for text, weight in part:
                whole.update(f"{len(text)} {weight} {text}".encode())
        return whole.hexdigest()

    def vocab(self, known: Vocab | None = None) -> Vocab:
        """The characters that occur; behind those that are `known` already, if any are."""
        texts = (*(t for t, _ in self.near), *(t for t, _ in self.library), self.validation)
        occurring = "".join(sorted(set().union(*texts)))
        return Vocab(occurring) if known is None else known.grown(occurring)


def read(config: TrainingConfig, known: Vocab | None = None) -> TrainingTexts:
    """The texts that a config names: its --text, or the books of the recipe.

    Args:
        config: which.
        known: the characters of a network that is to learn on. Quotes, dashes and other marks that
            it lacks are put in those that it knows; letters that it lacks are kept.

    Raises:
        CorpusError: a file is missing or cannot be read, or no book is there.
    """
    data, validation = config.data, ""
    notes: list[str] = []
    if data.validation_text:
        validation, notes = _own(Path(data.validation_text), data.encoding)
        _require(data.validation_text, validation, notes)
    if data.text:
        text, said = _own(Path(data.text), data.encoding)
        notes = said + notes
        _require(data.text, text, said)
        (text, validation), fitted = fit((text, validation), known)
        notes += [f"{data.text}: {note}" for note in fitted]
        if not validation and data.validation_fraction:
            cut = round(len(text) * (1 - data.validation_fraction))
            text, validation = text[:cut], text[cut:]
        return TrainingTexts((), ((text, 1.0),), validation, notes=tuple(notes))
    folder = Path(data.books) if data.books else books_folder()
    chosen = choose(config)
    texts = load_texts(folder, chosen)
    if texts.missing:
        raise CorpusError(
            f"{folder}: {len(texts.missing)} of {len(chosen)} books are missing "
            f"({', '.join(texts.missing[:3])} ...); fetch them: python -m training.corpus"
        )
    near: list[tuple[str, float]] = []
    library: list[tuple[str, float]] = []
    begun: list[tuple[str, float]] = []
    for book in chosen:
        text = texts.train[book.slug]
        weight = 1.0 if data.only else book.weight  # it weighs against the rest of the list
        (near if book.stage == NEAR else library).append((text, weight))
        if book.train and data.openings:
            begun += [(o, data.openings) for o in openings(text, config.network.context_length + 1)]
    validation = validation or texts.validation
    return TrainingTexts(tuple(near), tuple(library), validation, tuple(begun), tuple(notes))


def read_for(path: Path, vocab: Vocab) -> tuple[str, list[str]]:
    """A text as a network was taught to read: like the books, or in its own characters.

    Args:
        path: the file.
        vocab: the characters of the network.

    Returns:
        The text, and what is to be said about it, in at most one line.

    Raises:
        CorpusError: it cannot be read.
    """
    if not set(vocab.characters) <= set(ALPHABET):
        return _own(path, "")
    raw, notes = read_file(path)
    said = [*notes]
    if dropped := fold(raw)[1]:
        count = sum(map(raw.count, dropped))
        said.append(f"left out {count:,} characters that plain ASCII lacks: {dropped[:20]}")
    return book_text(raw), _line(path, said)


def _own(path: Path, encoding: str) -> tuple[str, list[str]]:
    """A text of one's own, clean, and what is to be said about it, in at most one line."""
    decoded = read_file(path, encoding)
    text, notes = own_text(decoded.text)
    return text, _line(path, [*decoded.notes, *notes])


def _line(path: Path, said: list[str]) -> list[str]:
    return [f"{path}: {'; '.join(said)}"] if said else []


def _require(path: str, text: str, notes: list[str]) -> None:
    """Raise CorpusError if nothing of a file was left."""
    if not text.strip():
        raise CorpusError(f"{path}: no text in it" + "".join(f"; {note}" for note in notes))


def fit(
    texts: tuple[str, ...], known: Vocab | None, most: int = MOST_CHARACTERS
) -> tuple[tuple[str, ...], list[str]]:
    """Texts of one's own in no more than `most` characters, and what is to be said about that.

    What is too much, the rarest, is put in other characters if there is a way, else left out.

    Args:
        texts: clean.
        known: see `read`.
        most: how many characters a vocabulary may have.
    """
    counts = Counter("".join(texts))
    common = (c for c, _ in counts.most_common() if known is None or not _is_put(c, known))
    room = most - (0 if known is None else len(known))
    new = [c for c in common if known is None or c not in known]
    new.sort(key="\n".__ne__)  # without an end of the line nothing can begin
    kept = "".join(new[:room])
    vocab = Vocab.from_text(kept) if known is None else known.grown(kept)
    fitted = tuple(vocab.clean(text).text for text in texts)
    rare = new[room:]
    shown = "".join(rare[:20])
    notes = [f"left out the rarest {len(rare):,} characters: {shown} ..."] if rare else []
    if put := "".join(c for c in counts if known is not None and _is_put(c, known)):
        notes.append(f"put in characters that the network knows: {put[:20]}")
    return fitted, notes


def _is_put(character: str, known: Vocab) -> bool:
    """Whether a mark is put in characters that are known; letters and figures never are."""
    if character in known or unicodedata.category(character)[0] in "LMN":
        return False
    cleaned = known.clean(character)
    return bool(cleaned.text) and not cleaned.dropped


def choose(config: TrainingConfig) -> list[Book]:
    """The books of the recipe that a config names. Raises CorpusError for one that is not there."""
    recipe = read_recipe()
    if unknown := set(config.data.only) - {book.slug for book in recipe}:
        raise CorpusError(f"only = {', '.join(sorted(unknown))}: not in data/books.toml")
    return [book for book in recipe if not config.data.only or book.slug in config.data.only]


def openings(text: str, length: int) -> list[str]:
    """The first `length` characters of each chapter's story, headings left out."""
    return [story(chapter)[:length] for chapter in chapters(text)]
