"""The small line under a story: who wrote it, how, and what kept it from its length."""

from collections.abc import Mapping

from bot.languages import Language
from bot.translations import Text
from bot.worker import Outcome, Story
from model.sampling import Sampling

ENDINGS: Mapping[Outcome, Text] = {
    Outcome.STOPPED: Text.STOPPED,
    Outcome.LATE: Text.LATE,
    Outcome.FAILED: Text.FAILED,
    Outcome.CLOSED: Text.CLOSED,
}


def facts(model: str, story: Story, dropped: int, language: Language) -> list[str]:
    """The model, and the settings with which anybody gets this story again.

    Args:
        model: its name, safe to show.
        story: whose settings.
        dropped: how many characters of the prompt are unknown.
        language: to say it in.
    """
    sampling = story.sampling
    said = [
        model,
        language.say(Text.AT_TEMPERATURE, number=language.number(sampling.temperature)),
    ]
    if sampling.top_k:
        said.append(language.say(Text.AT_TOP_K, number=sampling.top_k))
    if sampling.top_p != Sampling().top_p:
        said.append(language.say(Text.AT_TOP_P, number=language.number(sampling.top_p)))
    said.append(language.say(Text.AT_SEED, number=sampling.seed))
    if story.unusual_candidates is not None:
        said.append(candidates(story.unusual_candidates, language))
    if dropped:
        left_out = Text.LEFT_OUT_ONE if dropped == 1 else Text.LEFT_OUT
        said.append(language.say(left_out, number=dropped))
    return said


def candidates(number: int, language: Language) -> str:
    """Of how many each sentence is the best."""
    text = Text.OF_CANDIDATE if number == 1 else Text.OF_CANDIDATES
    return language.say(text, number=number)


def ending(story: Story, language: Language) -> str:
    """What kept a story from its length, "" if nothing did."""
    assert story.outcome is not None, "it has ended"
    text = ENDINGS.get(story.outcome)
    return language.say(text, reference=story.reference) if text else ""
