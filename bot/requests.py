"""A story that somebody asks for, and what the writer is asked to write."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from bot import messages
from bot.actions import ButtonState
from bot.errors import Refusal
from bot.messages import Page
from bot.pages import Pages, as_remembered, short_digest
from bot.prompts import read_prompt
from bot.translations import Text
from bot.worker import Story
from bot.writer import BusyError, ClosingError, Writer
from model.sampling import MAX_CANDIDATES, Sampling
from model.words import WordFilter


@dataclass(frozen=True)
class Place:
    """A message of the bot that a story is written into.

    Attributes:
        message: its id.
        page: what stays of it: the prompt, and the story so far if it goes on.
        content: what the message says, to go back to if nothing at all is written ...
        state: ... and what its buttons remember.
    """

    message: int
    page: Page
    content: str
    state: ButtonState


@dataclass(frozen=True)
class Request:
    """A story that somebody asks for.

    Attributes:
        person: who.
        sampling: how it is to be written, its first version if it is one of several.
        text: how it begins, as it was typed.
        before: the earlier story that it goes on from, in a new message; "" for none.
        place: the message that it is written into, if it is not a new one; its page then says how
            the story begins.
        pages: its versions, the wanted one shown, if it is written anew. Without a place, it is a
            copy in a new message, for this person alone, and begins with `text` as it stands.
        note: what else the small line says, safe to show.
    """

    person: int
    sampling: Sampling
    text: str = ""
    before: str = ""
    place: Place | None = None
    pages: Pages | None = None
    note: str = ""

    @property
    def is_private(self) -> bool:
        """Whether it is for the one who asks alone."""
        return self.pages is not None and self.place is None


@dataclass(frozen=True)
class Job:
    """A story that is being written, and what its message shows beside it.

    Attributes:
        story: from the writer.
        state: what its buttons remember.
        page: what stands before it.
        place: the message that it is written into, if there is one.
        dropped: how many characters of the prompt are unknown.
        note: what else the small line says.
    """

    story: Story
    state: ButtonState
    page: Page
    place: Place | None = None
    dropped: int = 0
    note: str = ""


def submit(writer: Writer, words: WordFilter, request: Request) -> Job:
    """Ask the writer for the story.

    Raises:
        Refusal: there is nothing that can be a prompt, or a word that is refused; too many wait, or
            the bot goes to sleep.
    """
    if request.place is None and request.pages is None:
        return _submit_new(writer, words, request)
    page = request.place.page if request.place else Page(request.text)
    if words.refuses(page.text):  # the list may have grown since it was written
        raise Refusal(Text.RATHER_NOT)
    sampling = as_remembered(request.sampling)
    state = ButtonState(request.person, sampling, request.pages is None, request.pages)
    candidates = None
    if request.pages is not None:
        sampling = request.pages.sampling(sampling)
        candidates = candidates_of(request.pages, writer)
    else:  # it goes on: only the prompt's last word was to, perhaps, and there is less room
        length = min(sampling.length, max(messages.room(page), 1))
        sampling = replace(sampling, length=length, whole_word=True)
    # What an old message holds may come from a network that knew other characters.
    context = writer.vocab.clean(page.text).text
    story = ask_writer(writer, request.person, context, sampling, candidates)
    return Job(story, state, page, request.place)


def _submit_new(writer: Writer, words: WordFilter, request: Request) -> Job:
    """A story in a message of its own, that nobody has told before."""
    prompt = read_prompt(request.text, writer.vocab, words, before=request.before)
    sampling = prompt.applied_to(as_remembered(request.sampling))
    story = ask_writer(writer, request.person, prompt.context, sampling)
    # What was read beyond the prompt is not in the message, to be told from again.
    pages = _first_page(story, writer) if prompt.context == prompt.text else None
    state = ButtonState(request.person, sampling, pages=pages)
    return Job(story, state, Page(prompt.text), dropped=prompt.dropped, note=request.note)


def _first_page(story: Story, writer: Writer) -> Pages:
    assert story.sampling.seed is not None
    digest = writer.digest(story.sampling.candidates)
    return Pages.first(story.sampling.seed, short_digest(digest))


def candidates_of(pages: Pages, writer: Writer) -> int | None:
    """In how many candidates these versions were told; None: by other weights than today's."""
    for count in range(1, MAX_CANDIDATES + 1):
        if short_digest(writer.digest(count)) == pages.weights:
            return count
    return None


def submit_together(
    writer: Writer, person: int, context: str, samplings: Sequence[Sampling], candidates: int
) -> list[Story]:
    """Ask for several stories at once, which are written side by side where there is room.

    Whoever asks watches over them: they are in no message yet.

    Args:
        writer: who writes them.
        person: who asks.
        context: what all go on from, checked.
        samplings: of each.
        candidates: of each.

    Raises:
        Refusal: the writer does not take all of them, and so none.
    """
    stories: list[Story] = []
    try:
        for sampling in samplings:
            stories.append(ask_writer(writer, person, context, sampling, candidates))
    except Refusal:
        for story in stories:
            writer.stop(story)
        raise
    return stories


def ask_writer(
    writer: Writer, person: int, context: str, sampling: Sampling, candidates: int | None = None
) -> Story:
    """Have a writer take a story on.

    Raises:
        Refusal: too many wait, or the bot goes to sleep.
    """
    try:
        return writer.submit(person, context, sampling, candidates)
    except ClosingError:
        raise Refusal(Text.GOING_TO_SLEEP) from None
    except BusyError as error:
        raise Refusal(Text.OWN_QUEUE_FULL if error.own else Text.QUEUE_FULL) from None
