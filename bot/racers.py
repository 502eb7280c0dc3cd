"""Who races against Pooh: other writers that are shipped, each with a queue and a thread.

They are read when somebody first asks for a race, once, in a thread. What the host's folder lacks,
or what cannot be used, does not race.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.clock import Clock
from bot.writer import Writer
from model.chain import Chain, ChainError
from model.fingerprint import Fingerprint, FingerprintError
from model.network import Network
from model.vocab import Vocab
from model.weights import ROOT, WeightsError, load_decoder
from model.words import WordFilter

SHIPPED = ROOT / "weights"
WAITING = 8  # who may wait for one of them; it writes one text at a time
UNSEEN = ("CHAPTER VII", "CHAPTER VIII")  # what losses are told of: what nobody has read
MAX_REPORT = 2**20  # bytes

POOH, CLASSIC, MARKOV = "p", "c", "m"  # as they stand in buttons' ids

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Racer:
    """One who writes in a race.

    Attributes:
        code: its letter in buttons' ids.
        writer: takes its texts on.
    """

    code: str
    writer: Writer


class Racers:
    """Pooh himself and the others. Used on one event loop."""

    def __init__(
        self,
        writer: Writer,
        words: WordFilter,
        weights: Path,
        *,
        deadline: float,
        clock: Clock,
        shipped: Path = SHIPPED,
    ) -> None:
        """Who writes as Pooh, and where the others lie.

        Args:
            writer: Pooh's.
            words: what is never written.
            weights: Pooh's, beside which his report lies.
            deadline: the seconds that a text may take.
            clock: the time.
            shipped: the folder of the others.
        """
        self._pooh = Racer(POOH, writer)
        self._words = words
        self._deadline = deadline
        self._clock = clock
        self._files = {CLASSIC: shipped / "classic.safetensors"}
        self._files[MARKOV] = shipped / "race" / "markov.safetensors"
        self._reports = {POOH: weights, **self._files}
        self._books = shipped / "race" / "books.safetensors"
        self._loading = asyncio.Lock()
        self._others: list[Racer] | None = None
        self._closed = False

    @property
    def can_race(self) -> bool:
        """Whether there is anybody to race against, as far as is known before they are read."""
        if self._others is not None:
            return bool(self._others)
        return any(path.is_file() for path in self._files.values())

    async def enter(self) -> list[Racer]:
        """All who race, Pooh first."""
        async with self._loading:
            if self._others is None:
                found = await asyncio.to_thread(lambda: list(self._read()))
                self._others = []
                for code, network, vocab in found:
                    writer = Writer(
                        network,
                        vocab,
                        self._words,
                        slots=1,
                        capacity=WAITING,
                        deadline=self._deadline,
                        clock=self._clock,
                    )
                    writer.start()
                    self._others.append(Racer(code, writer))
                if self._closed:
                    await self.close(0.0)
        return [self._pooh, *self._others]

    def _read(self) -> Iterator[tuple[str, Network, Vocab]]:
        loads: dict[str, Callable[[Path], tuple[Network, Vocab]]] = {
            CLASSIC: load_decoder,
            MARKOV: _load_chain,
        }
        digests = {self._pooh.writer.decoder.digest}
        for code, path in self._files.items():
            if not path.is_file():
                continue
            try:
                network, vocab = loads[code](path)
            except (WeightsError, ChainError) as error:
                _log.error("%s does not race: %s", path.name, error)
                continue
            if network.digest not in digests:  # nobody races against himself
                digests.add(network.digest)
                yield code, network, vocab

    async def close(self, grace: float) -> None:
        """Let what the others write end, for that many seconds; then stop them."""
        self._closed = True
        await asyncio.gather(*(racer.writer.close(grace) for racer in self._others or ()))

    def loss(self, code: str) -> float | None:
        """Nats a character on the chapters that nobody has read; reads a file.

        Returns:
            What the report beside the weights says; None where it is of something else, or there is
            none.
        """
        try:
            path = self._reports[code].with_suffix(".evaluation.json")
            if path.stat().st_size > MAX_REPORT:
                return None
            report: Any = json.loads(path.read_bytes())[0]["loss"]
            titles = tuple(chapter["title"] for chapter in report["chapters"])
            nats = report["nats_per_character"]
        except (OSError, ValueError, LookupError, TypeError, RecursionError):
            return None
        known = titles == UNSEEN and type(nats) is float and 0 <= nats < 100
        return nats if known else None

    def read_books(self) -> Fingerprint | None:
        """What tells which words stand in the books; reads a file. None where it cannot be used."""
        if not self._books.is_file():
            return None
        try:
            return Fingerprint.load(self._books)
        except FingerprintError as error:
            _log.error("nothing is known of the books: %s", error)
            return None


def _load_chain(path: Path) -> tuple[Network, Vocab]:
    chain = Chain.load(path)
    return chain, chain.vocab
