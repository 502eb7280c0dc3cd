"""Who chose what, where everybody has one choice and may change it: of so many people at most."""

from collections import Counter
from typing import Generic, TypeVar

from bot.errors import Refusal
from bot.translations import Text

MOST = 1000  # people whose choices are remembered: some 100 kB

Choice = TypeVar("Choice")


class Tally(Generic[Choice]):
    """The choices about one thing, in memory only.

    Attributes:
        most: people who may choose.
    """

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self._by_person: dict[int, Choice] = {}

    def __len__(self) -> int:
        """How many have chosen."""
        return len(self._by_person)

    def cast(self, person: int, choice: Choice) -> bool:
        """Count this choice in place of the person's last one; whether that says anything new.

        Raises:
            Refusal: so many others have chosen that nobody is added any more.
        """
        if person not in self._by_person and len(self) >= self.most:
            raise Refusal(Text.TOO_MANY_TO_COUNT, most=self.most)
        is_new = self._by_person.get(person) != choice
        self._by_person[person] = choice
        return is_new

    def of(self, person: int) -> Choice | None:
        """What somebody has chosen; None for nothing."""
        return self._by_person.get(person)

    @property
    def counts(self) -> Counter[Choice]:
        """How many are for each."""
        return Counter(self._by_person.values())

    def clear(self) -> None:
        """Forget all of it."""
        self._by_person.clear()
