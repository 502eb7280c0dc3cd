"""How shipped networks would have written a text, and pictures of it: made once, shown to many."""

from dataclasses import replace
from functools import cache
from pathlib import Path

from bot.explanation_texts import wording
from bot.languages import Language
from model.canvas import Canvas
from model.explain import Explanation
from model.how import Arc, CallOut, Excerpt, excerpt
from model.picture import drawn
from model.weights import ROOT, load_decoder
from model.windows import windows
from model.wording import Wording

SHIPPED = sorted((ROOT / "weights").glob("*.safetensors"))
WORDINGS = [wording(language) for language in Language]
TEXT = (
    'Piglet met a Heffalump in the wood.\n\n"Oh, Piglet!" said Pooh, and don\'t ask _why_. He ate '
    "the moon (and some honey). Piglet said nothing at all, and then Piglet went home."
)


@cache
def explanation(weights: Path) -> Explanation:
    """How a network would have written ``TEXT``."""
    decoder, vocab = load_decoder(weights)
    return Explanation(decoder, vocab, vocab.clean(TEXT).text)


@cache
def every_excerpt(explained: Explanation) -> list[Excerpt]:
    return [excerpt(explained, i) for i in range(len(windows(explained)))]


@cache
def full(explained: Explanation) -> Excerpt:
    """As much as can be on a picture: a run, an arc, and twice what was not guessed."""
    shown = max(every_excerpt(explained), key=lambda shown: len(shown.words))
    return replace(
        shown,
        runs=((shown.start, shown.start + 9),),
        arc=Arc(shown.words[-1], shown.words[0], 0.5),
        call_outs=tuple(
            CallOut(call_out.word, tuple((f"{text}x", 0.2) for text, _ in call_out.guesses))
            for call_out in shown.call_outs
        ),
    )


@cache
def pictures(explained: Explanation) -> list[tuple[Excerpt, Wording, Canvas]]:
    """Every excerpt, and one with all there can be, drawn in every language."""
    shown = (*every_excerpt(explained), full(explained))
    return [(part, words, drawn(part, words)) for words in WORDINGS for part in shown]
