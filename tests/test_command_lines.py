"""What is wrong with a command line is one line on stderr, whichever program it is."""

from collections.abc import Callable, Sequence

import pytest

import bot.__main__
import training.corpus
import training.evaluate
import training.train


@pytest.mark.parametrize(
    ("main", "arguments", "message"),
    [
        (bot.__main__.main, ["terminl"], "argument COMMAND: invalid choice: 'terminl'"),
        (bot.__main__.main, ["check", "--ofline"], "unrecognized arguments: --ofline"),
        (bot.__main__.main, ["terminal", "--length", "99999"], "99999 is not from 1 to 1500"),
        (training.train.main, ["--preset", "huge"], "argument --preset: invalid choice: 'huge'"),
        (training.train.main, ["--steps", "many"], "argument --steps: "),
        (training.evaluate.main, ["--modle", "pooh"], "unrecognized arguments: --modle pooh"),
        (training.corpus.main, ["--list", "all"], "unrecognized arguments: all"),
    ],
)
def test_a_wrong_command_line_is_one_line(
    main: Callable[[Sequence[str]], int],
    arguments: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    captured = capsys.readouterr()
    assert (ended.value.code, captured.out, captured.err.count("\n")) == (2, "", 1)
    assert captured.err.startswith("python -m ") and captured.err.endswith("; see --help\n")
    assert message in captured.err
