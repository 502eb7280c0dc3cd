"""The measures measure what they say, and the command line reports them."""

import json
import math
import os
import subprocess
import sys
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional as F

from model.config import GPTConfig
from model.gpt import GPT
from model.sampling import Sampling
from model.vocab import Vocab
from model.weights import DEFAULT_MODEL, load_decoder, save
from model.writing import generate
from training import evaluate, reports
from training.baselines import word_chain_texts
from training.config import TrainingConfig
from training.corpus import Texts
from training.measures import ReadingList, answer, common_start, losses, qualities, write
from training.recipe import read_recipe
from training.texts import read

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = (ROOT / "data" / "sample.txt").read_text("utf-8")
VOCAB = Vocab.from_text(SAMPLE + "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def random_gpt(context_length: int = 16, seed: int = 0) -> GPT:
    """A small network whose every weight counts."""
    torch.manual_seed(seed)
    gpt = GPT(GPTConfig(len(VOCAB), context_length, n_layer=2, n_head=2, n_embd=16)).eval()
    for parameter in gpt.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    return gpt


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of a small network in a file."""
    path = tmp_path_factory.mktemp("models") / "tiny.safetensors"
    gpt = random_gpt()
    tensors = {name: tensor.numpy() for name, tensor in gpt.state_dict().items()}
    save(path, gpt.config, VOCAB, tensors)
    VOCAB.save(path.with_suffix(".json"))
    return path


@pytest.fixture(scope="module")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a book of ten chapters under the name of the one that has a validation part."""
    paragraphs = [p for p in SAMPLE.strip("\n").split("\n\n") if len(p) > 60]
    size = len(paragraphs) // 10
    numerals = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
    chapters = [
        f"CHAPTER {numeral}\n\n" + "\n\n".join(paragraphs[i * size : (i + 1) * size])
        for i, numeral in enumerate(numerals)
    ]
    path = tmp_path_factory.mktemp("books") / "winnie-the-pooh.txt"
    path.write_text("\n\n".join(chapters) + "\n")
    return path.parent


def nats(gpt: GPT, text: str, end: int, context: int) -> float:
    """The loss of character `end` of a text after the `context` characters before it."""
    ids = torch.tensor(VOCAB.encode(text[end - context : end + 1]))
    return float(F.cross_entropy(gpt(ids[None, :-1])[0, -1], ids[-1]).detach())


def test_a_network_that_knows_nothing_loses_ln_v_at_every_character() -> None:
    gpt = GPT(GPTConfig(len(VOCAB), 16, n_layer=1, n_head=1, n_embd=8)).eval()
    found = losses(gpt, np.array(VOCAB.encode(SAMPLE[:101])))
    np.testing.assert_allclose(found, math.log(len(VOCAB)), rtol=1e-6)


@pytest.mark.parametrize("context_length", [1, 2, 7, 16])
@pytest.mark.parametrize("length", [1, 5, 16, 17, 100])
def test_each_character_is_predicted_with_at_least_half_a_context(
    context_length: int, length: int
) -> None:
    gpt = random_gpt(context_length)
    text = SAMPLE[:length]
    found = losses(gpt, np.array(VOCAB.encode("\n" + text)), batch_size=3)
    assert found.shape == (length,)
    for end, loss in enumerate(found, 1):
        least = min(end, context_length // 2 + 1)
        contexts = range(least, min(end, context_length) + 1)
        assert any(abs(loss - nats(gpt, "\n" + text, end, n)) < 1e-4 for n in contexts), end


def test_texts_written_together_are_those_written_alone(weights: Path) -> None:
    decoder, vocab = load_decoder(weights)
    requests = [
        (prompt, Sampling(length, temperature, seed=length))
        for length, temperature in ((3, 0.0), (40, 0.8), (25, 1.0))
        for prompt in ("", "One day")
    ]
    together = write(decoder, vocab, requests)
    assert together == ["".join(generate(decoder, vocab, *request)) for request in requests]


@given(st.text("ab", max_size=40), st.lists(st.text("ab", max_size=40), max_size=3))
def test_the_library_knows_what_stands_in_it(text: str, books: list[str]) -> None:
    library = ReadingList(books)
    for length in (1, 3, 7):
        windows = [text[i : i + length] for i in range(len(text) - length + 1)]
        (found,) = library.holds([text], length)
        assert found.tolist() == [any(window in book for book in books) for window in windows]
    runs = [text[i:j] for i in range(len(text)) for j in range(i, len(text) + 1)]
    assert library.longest_copy([text]) == max(
        (len(run) for run in runs if any(run in book for book in books)), default=0
    )


def found_friends(texts: list[str]) -> float:
    return qualities([("Piglet", text) for text in texts], ReadingList([])).names_a_friend


def test_what_answers_are_made_of() -> None:
    library = ReadingList(["The bear sat down and had a little something to sustain him. Yes."])
    copied = " sat down and had a little something to sustain him"
    invented = ' xyzzy. "Yes," the bear said. "Yes."'
    assert found_friends(["Roof and Poohs.", "Then Piglet."]) == 0.5
    found = qualities([("The bear", copied), ('"The b', "ear" + invented)], library)
    assert found.answers == 2
    windows = len(copied) - 39
    assert found.copied == pytest.approx(windows / (windows + 0))
    assert found.longest_copy == len(copied)
    # sat ... sustain (him is cut), bear (finished), yes the bear yes are real; xyzzy, said are not.
    assert found.real_words == pytest.approx(14 / 16)
    again = qualities([("", "a bear a bear a bea")], library)  # not "a bea"
    assert again.distinct_2 == 2 / 4
    assert found.balanced_quotes == 0.5
    assert found.ends_sentence == 0.5


def test_an_answer_ends_with_a_sentence_where_one_ends_late_enough() -> None:
    assert answer("It was late. He went home and") == "It was late. He went home"
    assert answer('He said, "I am going home." The') == 'He said, "I am going home."'
    assert answer("no end at all ") == "no end at all"
    speech = 'He looked at it for some time. "I am going," he said. "Or not. Well'
    assert answer(speech) == 'He looked at it for some time. "I am going," he said.'
    longer = 'He looked at it for a long while, and he sat down. "I am. But'
    assert answer(longer) == "He looked at it for a long while, and he sat down."
    assert answer(longer, '"Oh') == 'He looked at it for a long while, and he sat down. "I am.'


def test_common_start() -> None:
    assert common_start("bump, bump", "bump, jump") == 6
    assert common_start("bump", "bump, bump") == 4
    assert common_start("", "bump") == 0


def test_a_chain_over_words_writes_words_of_the_text() -> None:
    first, second = word_chain_texts(SAMPLE, 200, range(1, 3))
    assert [first, second] == word_chain_texts(SAMPLE, 200, range(1, 3))
    assert len(first) == len(second) == 200
    assert first != second
    assert set(first.split()[:-1]) <= set(SAMPLE.split())


def test_recall_counts_what_follows_the_openings() -> None:
    book = "CHAPTER I\n\nOnce there was a bear who lived alone.\n\nCHAPTER II\n\nIt rained all day."

    def writer(requests: list[tuple[str, Sampling]]) -> list[str]:
        assert all(sampling.temperature == 0 for _, sampling in requests)
        return [" who lived in a wood" if "bear" in prompt else "x" for prompt, _ in requests]

    assert reports.recall_report(writer, book) == [
        {"opening": "Once there was a bear", "characters": 11},
        {"opening": "It rained all day.", "characters": 0},
    ]


def test_the_trade_off_counts_who_writes_the_whole_first_sentence() -> None:
    sentence = "Here is Edward Bear, asleep."
    book = f"CHAPTER I\n\n{sentence} He was tired.\n\nCHAPTER II\n\nIt rained all day."
    assert reports.first_sentence(book) == sentence

    def writer(requests: list[tuple[str, Sampling]]) -> list[str]:
        return [
            (", asleep. He was" if sampling.seed % 3 else ", awake. ")[: sampling.length]
            for _, sampling in requests
            if sampling.seed is not None
        ]

    rows = reports.trade_off_report(writer, ReadingList([book]), book)
    assert [row["first_sentence"] for row in rows] == [10] * len(reports.TRADE_OFF)  # of 15


@pytest.mark.parametrize("temperature", [0.0, 0.1, 0.2, 0.3])
def test_the_shipped_model_knows_how_the_book_begins(temperature: float) -> None:
    decoder, vocab = load_decoder(DEFAULT_MODEL)
    known = ", coming downstairs now, bump, bump, bump, on the back of his head, behind"
    requests = [
        (reports.FIRST_WORDS, Sampling(len(known), temperature, seed=seed))
        for seed in reports.SEEDS
    ]
    assert write(decoder, vocab, requests) == [known] * len(reports.SEEDS)


def test_the_shipped_model_invents_in_real_words(library: Texts) -> None:
    decoder, vocab = load_decoder(DEFAULT_MODEL)
    books = ReadingList(library.train.values())
    prompt = "Piglet looked at the telephone"
    requests = [(prompt, Sampling(300, 0.8, seed=seed)) for seed in reports.SEEDS]
    written = write(decoder, vocab, requests)
    found = qualities([(prompt, text) for text in written], books)
    assert found.copied <= 0.10
    assert found.real_words >= 0.97


def test_chapters_add_up_to_the_text() -> None:
    text = "CHAPTER I\n\nIt rained.\n\nCHAPTER II\n\nIt rained again.\n"
    loss = np.where(np.arange(len(text)) < text.index("CHAPTER II"), 1.0, 3.0)
    report = reports.loss_report(loss, text)
    assert report["characters"] == len(text)
    assert report["nats_per_character"] == pytest.approx(loss.mean())
    assert report["bits_per_character"] == pytest.approx(loss.mean() / math.log(2))
    assert [row["title"] for row in report["chapters"]] == ["CHAPTER I", "CHAPTER II"]
    assert [row["nats_per_character"] for row in report["chapters"]] == [1.0, 3.0]


def command(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Call `python -m training.evaluate` as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "training.evaluate", *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_the_command_reports_on_the_book_and_stores_it(
    weights: Path, books: Path, tmp_path: Path
) -> None:
    summary = {
        "history": [
            {"characters": 10, "train": 4.0, "validation": 3.9},
            {"characters": 20, "train": 3.0, "validation": None},
        ]
    }
    weights.with_suffix(".summary.json").write_text(json.dumps(summary))
    assert evaluate.history(str(weights)) == [(10, 3.9)]
    result = command(
        "--model", weights, "--data", books, "--json", "--baselines", "--output", tmp_path
    )
    assert result.returncode == 0, result.stderr
    tiny, guessing, characters, words, itself = json.loads(result.stdout)
    assert tiny["model"] == "tiny"
    inside = sum(chapter["characters"] for chapter in tiny["loss"]["chapters"])
    assert inside <= tiny["loss"]["characters"] <= inside + 4  # newlines between and after
    assert [c["title"] for c in tiny["loss"]["chapters"]] == ["CHAPTER VII", "CHAPTER VIII"]
    assert len(tiny["samples"]) == 9
    assert len(tiny["recall"]) == 6
    assert [row["temperature"] for row in tiny["trade_off"]] == list(reports.TRADE_OFF)
    assert itself["samples"][0]["copied"] == 0.0
    assert guessing["loss"]["nats_per_character"] > characters["loss"]["nats_per_character"]
    assert words["samples"][0]["real_words"] > 0.95
    assert f"without {len(read_recipe()) - 1} books" in result.stderr
    names = {path.name for path in tmp_path.iterdir()}
    stored = {f"tiny.evaluation.{suffix}" for suffix in ("json", "txt", "png")}
    assert names == stored | {"tiny.tradeoff.png"}
    assert json.loads((tmp_path / "tiny.evaluation.json").read_text())[0]["loss"] == tiny["loss"]
    page = (tmp_path / "tiny.evaluation.txt").read_text("utf-8")
    assert "CHAPTER VIII" in page
    stretches = (tiny["loss"]["characters"] - 1024) // 64
    assert tiny["memory"]["context_gain"]["of"] == stretches
    assert f" nats a character ({stretches} stretches)" in page
    assert " ± " in page
    assert matplotlib.image.imread(tmp_path / "tiny.evaluation.png").ndim == 3


def test_models_are_compared_on_what_all_can_say(tmp_path: Path) -> None:
    for name, characters in (("one", "\n .abcdefé"), ("two", "\n .abcdxyz")):
        Vocab(characters).save(tmp_path / f"{name}.json")
    one, two = (str(tmp_path / f"{name}.safetensors") for name in ("one", "two"))
    text, [note] = evaluate.common_text("a cab. bad fez.\n", [one, two])
    assert text == "a cab. bad .\n"
    assert "13 of 16" in note
    assert evaluate.common_text("a cab. bad fez.\n", [one, one]) == ("a cab. bad fez.\n", [])


def test_a_text_that_was_learned_from_is_told(tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_text(SAMPLE)
    config = TrainingConfig.of(text=str(path))
    told = {
        "training": json.loads(config.to_json()),
        "read": {"sha256": read(config).digest},
    }
    name = str(tmp_path / "own.safetensors")
    (tmp_path / "own.summary.json").write_text(json.dumps(told))
    [note] = evaluate.training_text(SAMPLE, path, [name], None)
    assert "own learned from this text" in note
    told["training"] = config.flat()  # as summaries told it before the fields had groups
    (tmp_path / "own.summary.json").write_text(json.dumps(told))
    assert evaluate.training_text(SAMPLE, path, [name], None) == [note]
    [note] = evaluate.training_text(SAMPLE, path, [], ReadingList([SAMPLE]))
    assert "100% of it stands in the books" in note
    path.write_text(SAMPLE[:-500])
    assert evaluate.training_text(SAMPLE, path, [name], ReadingList(["Something else. " * 9])) == []
    for broken in ("", "[]", '{"training": 3}', "{}"):
        (tmp_path / "own.summary.json").write_text(broken)
        assert evaluate.training_text(SAMPLE, path, [name], None) == []


def test_the_command_needs_no_books_to_measure_a_text(weights: Path, tmp_path: Path) -> None:
    text = tmp_path / "story.txt"
    text.write_text("It rained all day, and \u201cBother!\u201d said the bear \u2014 twice.\n")
    result = command("--model", weights, "--data", tmp_path, "--text", text)
    assert result.returncode == 0, result.stderr
    assert "nats/character" in result.stdout
    assert "Recall" not in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--model", "nosuchmodel"), "nosuchmodel"),
        (("--text", "nosuchfile.txt"), "nosuchfile.txt"),
        (("--data", "nosuchfolder"), "nosuchfolder"),
        (("--part", "train"), "--part"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    arguments: tuple[str, ...],
    message: str,
    weights: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    text = () if "--data" in arguments else ("--text", ROOT / "data" / "sample.txt")
    told = [str(word) for word in ("--model", weights, *text, *arguments)]
    try:
        code: object = evaluate.main(told)
    except SystemExit as left:  # the command line itself is wrong
        code = left.code
    out, err = capsys.readouterr()
    assert code == 2
    assert message in err.splitlines()[-1]
    assert out == ""


def test_what_could_not_be_stored_is_told_before_it_is_measured(
    weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = ["--text", str(ROOT / "data" / "sample.txt"), "--data", str(tmp_path)]
    (tmp_path / "file").touch()
    for told, named in (
        (["--model", str(weights), "--output", str(tmp_path / "file" / "x")], "--output: "),
        (["--model", str(weights), str(weights), "--output", str(tmp_path)], "called tiny"),
    ):
        assert evaluate.main([*sample, *told]) == 2
        output, errors = capsys.readouterr()
        assert (output, errors.count("\n")) == ("", 1) and named in errors


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"history": 3}', '{"history": [{}]}', '{"history": [["a", 1]]}']
)
def test_a_summary_made_by_hand_draws_no_curve(content: str, tmp_path: Path) -> None:
    (tmp_path / "x.summary.json").write_text(content)
    assert evaluate.history(str(tmp_path / "x.safetensors")) == []


def test_one_thread_multiplies_unless_the_environment_says_otherwise() -> None:
    code = (
        "import atexit, os, runpy, sys; sys.argv[1:] = ['--help']\n"
        "atexit.register(lambda: print(os.environ['OPENBLAS_NUM_THREADS']))\n"
        "runpy.run_module('training.evaluate', run_name='__main__')"
    )
    clean = {k: v for k, v in os.environ.items() if k != "OPENBLAS_NUM_THREADS"}
    for others, told in (({}, "1\n"), ({"OPENBLAS_NUM_THREADS": "2"}, "2\n")):
        command, env = [sys.executable, "-c", code], {**clean, **others}
        printed = subprocess.check_output(command, cwd=ROOT, env=env, text=True)
        assert printed.endswith(f"\n{told}")
