"""The table of mutants fits the sources: what each changes stands there once, and so its test."""

import re
from pathlib import Path

import pytest

from tests.mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_can_be_made_and_its_test_be_run(mutant: Mutant, root: Path) -> None:
    assert (root / mutant.file).read_text(encoding="utf-8").count(mutant.old) == 1
    file, _, name = mutant.test.partition("::")
    source = (root / file).read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name}\(", source, re.M)
