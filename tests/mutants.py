"""Faults put in by hand, each of which must make a test fail: python tests/mutants.py [WORD].

A line of the sources is changed in a copy of the repository, and the tests named beside it run
there. A table says which mutants were killed; the exit code is 1 when one survived. With a word,
only the mutants whose names hold it are tried.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("bot", "model", "tests")
LINKED = ("data", "docs", "training", "vocab", "weights")
PATIENCE = 240.0  # seconds: a mutant that hangs the tests is killed, too


@dataclass(frozen=True)
class Mutant:
    """One change.

    Attributes:
        name: what is taken away.
        file: where.
        old: what stands there, once.
        new: what is put there instead.
        test: the test that must fail.
    """

    name: str
    file: str
    old: str
    new: str
    test: str

    def apply(self, root: Path) -> None:
        """Change the file below `root`."""
        path = root / self.file
        path.write_text(path.read_text(encoding="utf-8").replace(self.old, self.new), "utf-8")


DELIVERY, WRITER = "tests/test_delivery.py::", "tests/test_writer.py::"
PAGES = "tests/test_pages.py::"
FORK, VOTES = "tests/test_fork.py::", "tests/test_votes.py::"
MUTANTS = (
    Mutant(
        "a fork's tie is A's",
        "bot/votes.py",
        "return self._votes.of(self._asker)",
        "return Way.A",
        VOTES + "test_everybody_has_one_vote_the_last_and_a_tie_is_the_askers",
    ),
    Mutant(
        "a fork's way is told by each of two presses",
        "bot/fork.py",
        "        if not first:\n",
        "        if False:\n",
        FORK + "test_without_that_the_one_who_asked_chooses",
    ),
    Mutant(
        "a fork's votes are not brought to rest",
        "bot/votes.py",
        "vote.finish(End.CLOSED)",
        "pass",
        FORK + "test_a_bot_that_goes_brings_its_votes_to_rest",
    ),
    Mutant(
        "a fork is one ask",
        "bot/fork.py",
        "ASKS = 2",
        "ASKS = 1",
        FORK + "test_there_is_one_vote_about_a_story_and_each_is_two_asks",
    ),
    Mutant(
        "a card is not awaited when the bot goes",
        "bot/delivery.py",
        "            self.at_work.add(task)\n",
        "",
        "tests/test_leaving.py::test_a_press_that_was_taken_gets_its_answer",
    ),
    Mutant(
        "an edit in between waits for its answer for ever",
        "bot/stories.py",
        "return await self._delivery.send(lambda: target.show(content, buttons), pauses=())",
        "return await target.show(content, buttons)",
        "tests/test_patience.py::test_an_edit_that_is_never_answered_holds_up_no_story",
    ),
    Mutant(
        "a reply has no nonce",
        "bot/targets.py",
        "content, view=view, mention_author=False, nonce=self._message.id",
        "content, view=view, mention_author=False",
        DELIVERY + "test_a_reply_whose_answer_is_lost_is_sent_once",
    ),
    Mutant(
        "the queue is shown all the time",
        "bot/stories.py",
        "QUEUE_PACE = 5.0",
        "QUEUE_PACE = 0.0",
        DELIVERY + "test_a_place_in_the_queue_is_shown_at_most_once_in_its_pace",
    ),
    Mutant(
        "a note goes at once",
        "bot/delivery.py",
        "NOTE_LIFE = 15.0",
        "NOTE_LIFE = 0.0",
        DELIVERY + "test_a_mention_that_automod_blocks_gets_a_note_that_goes_away",
    ),
    Mutant(
        "what was refused once is refused for ever",
        "model/sequence.py",
        "self._refused.clear()",
        "pass",
        WRITER + "test_a_refused_word_forbids_no_other_word_after_it",
    ),
    Mutant(
        "a reply that was sent after all keeps its old words",
        "bot/targets.py",
        "if again:",
        "if again and self._reply is None:",
        DELIVERY + "test_a_reply_whose_answer_was_lost_while_it_grew_shows_its_end",
    ),
    Mutant(
        "40060 is an error",
        "bot/delivery.py",
        "if error.code != ACKNOWLEDGED:",
        "if error.code:",
        DELIVERY + "test_a_first_response_whose_answer_is_lost_is_made_again",
    ),
    Mutant(
        "a private word takes the place of a public promise",
        "bot/targets.py",
        "        if self._promised:\n            # A follow-up",
        "        if False:\n            # A follow-up",
        DELIVERY + "test_what_is_said_after_a_public_promise_is_private_and_the_promise_is_gone",
    ),
    Mutant(
        "a try may take as long as it likes",
        "bot/delivery.py",
        "self._timeout.reschedule(loop.time())",
        "pass",
        DELIVERY + "test_a_first_response_that_is_never_answered_is_made_again",
    ),
    Mutant(
        "the message of a pressed button is not told from the start",
        "bot/stories.py",
        "if job.place is not None:",
        "if False:",
        DELIVERY + "test_a_button_that_is_pressed_twice_tells_one_story",
    ),
    Mutant(
        "a step that hangs holds the bot up",
        "bot/writer.py",
        "await self._all_ended(HALT, Clock())",
        "await self._all_ended(1e6, Clock())",
        WRITER + "test_a_step_that_hangs_does_not_hold_closing_up",
    ),
    Mutant(
        "the bot asks again where it may not write",
        "bot/targets.py",
        "self._mute = True",
        "pass",
        DELIVERY + "test_where_the_bot_may_not_write_the_asker_hears_it_in_private",
    ),
    Mutant(
        "notes outlive the bot",
        "bot/delivery.py",
        "self._closing.set()",
        "pass",
        DELIVERY + "test_a_note_does_not_outlive_the_bot",
    ),
    Mutant(
        "a dead token is the end",
        "bot/targets.py",
        "if error.code not in TOKEN_GONE or (known := self._without_token()) is None:",
        "if (known := self._without_token()) is None or error.code:",
        DELIVERY + "test_a_story_outlives_its_token_where_the_bot_is_at_home",
    ),
    Mutant(
        "only the owner brings to rest what a killed bot left",
        "bot/buttons.py",
        "    if services.stories.is_writing(message.id):\n        check_owner",
        "    if True:\n        check_owner",
        DELIVERY + "test_what_a_killed_bot_left_is_brought_to_rest_by_the_first_press",
    ),
    Mutant(
        "a page is told by whoever writes today",
        "bot/buttons.py",
        "        if pages is None or not ours:",
        "        if pages is None:",
        PAGES + "test_other_weights_say_that_another_pooh_told_it",
    ),
    Mutant(
        "others turn the pages of a story that is not theirs",
        "bot/buttons.py",
        "Place(message, Page(page.prompt), content, state) if may_change else None",
        "Place(message, Page(page.prompt), content, state)",
        PAGES + "test_others_turn_pages_in_a_copy_for_themselves",
    ),
    Mutant(
        "going on loses the other versions",
        "bot/buttons.py",
        "if may_change and is_only and",
        "if may_change and",
        PAGES + "test_it_goes_on_from_the_page_that_is_shown_and_the_pages_stay",
    ),
    Mutant(
        "Delete does not ask",
        "bot/buttons.py",
        "await _ask_to_delete(interaction, response, self.state)",
        "await _delete(interaction, response, self.state)",
        PAGES + "test_delete_asks_once_more_in_every_place",
    ),
    Mutant(
        "what goes on from more than its message shows is told from what it shows",
        "bot/requests.py",
        "_first_page(story, writer) if prompt.context == prompt.text else None",
        "_first_page(story, writer)",
        PAGES + "test_a_story_that_goes_on_from_more_than_its_message_shows_is_kept",
    ),
    Mutant(
        "a card that is somebody else's changes",
        "bot/explanations.py",
        "person == self.state.owner and age < OLD",
        "age < OLD",
        "tests/test_explanations.py::"
        "test_a_cards_buttons_work_after_a_restart_for_owner_and_others",
    ),
    Mutant(
        "a refused word is told as a guess",
        "model/how.py",
        "if not words.refuses(g[0]))",
        "if g[0])",
        "tests/test_explanations.py::test_a_refused_word_is_not_among_the_guesses",
    ),
    Mutant(
        "a name that nobody ticked is shown",
        "bot/keep.py",
        "is_named = self.is_named if shown else not self.is_named",
        "is_named = not self.is_named",
        "tests/test_keep.py::"
        "test_it_is_shown_to_all_with_a_name_only_when_ticked_and_after_a_restart",
    ),
    Mutant(
        "dust of the arithmetic chooses a sentence",
        "model/writing.py",
        "return round(informed - lost, 3)",
        "return informed - lost",
        "tests/test_writing.py::test_where_sentences_are_as_good_rounding_does_not_choose",
    ),
    Mutant(
        "a page does not know how it was written",
        "bot/writer.py",
        "{self.decoder.digest} {candidates} {writing.MANNER}",
        "{self.decoder.digest} {candidates}",
        PAGES + "test_another_manner_of_writing_is_another_pooh",
    ),
    Mutant(
        "a page does not know out of how many it was chosen",
        "bot/requests.py",
        "        candidates = candidates_of(request.pages, writer)\n",
        "",
        PAGES + "test_a_story_told_in_a_crowd_is_told_again_alone_with_as_few_candidates",
    ),
    Mutant(
        "anybody sets a server up",
        "bot/setup.py",
        "interaction.guild_id is None or not interaction.permissions.manage_guild",
        "interaction.guild_id is None",
        "tests/test_setup.py::test_only_who_may_manage_a_server_sets_it_up",
    ),
    Mutant(
        "a story of the day is promised where it cannot be told",
        "bot/setup.py",
        "    if not may.view_channel or not may.send_messages:",
        "    if False:",
        "tests/test_setup.py::test_a_channel_that_pooh_cannot_write_in_is_refused",
    ),
    Mutant(
        "words are used against their author's will",
        "bot/consent.py",
        "if await services_of(interaction).store.refuses(author):",
        "if False:",
        "tests/test_setup.py::test_nobody_uses_the_words_of_who_wants_them_left_alone",
    ),
    Mutant(
        "a second choice counts beside the first",
        "bot/tally.py",
        "self._by_person[person] = choice",
        "self._by_person[len(self)] = choice",
        "tests/test_tally.py::test_the_last_choice_of_the_first_three_counts",
    ),
    Mutant(
        "somebody writes twice running in a circle",
        "bot/circle.py",
        "return person != self.last or self.is_alone or idle >= ALONE",
        "return True",
        "tests/test_circle.py::test_nobody_writes_twice_running_unless_alone",
    ),
    Mutant(
        "two sentences of one moment both stand in a circle",
        "bot/circle_form.py",
        "    if changed or services.circles.is_writing(message.id):",
        "    if changed:",
        "tests/test_circle.py::test_of_two_who_submit_at_once_one_is_given_the_sentence_back",
    ),
    Mutant(
        "what is sent below a message has no nonce",
        "bot/followups.py",
        "**options, nonce=self._nonce, mention_author=False",
        "**options, mention_author=False",
        "tests/test_followups.py::test_what_a_fork_comes_to_is_told_once",
    ),
    Mutant(
        "a circle that two end is told once more by each",
        "bot/circle_turns.py",
        'f"{message} {text}".encode()',
        "repr(response).encode()",
        "tests/test_followups.py::"
        "test_a_circle_that_two_end_at_once_is_told_once_more_and_only_once",
    ),
    Mutant(
        "a circle that may not be told once more stays open",
        "bot/circle_turns.py",
        "        why = why_not_shown(error, language)",
        "        raise",
        "tests/test_circle_end.py::test_whatever_discord_refuses_for_good_it_is_over",
    ),
    Mutant(
        "a story ends where a slur is left of what was innocent",
        "model/sentences.py",
        "    while at and not ends_well(text, at):",
        "    while False:",
        "tests/test_cuts.py::test_a_story_is_gone_on_with_wherever_its_length_cuts_it",
    ),
    Mutant(
        "a story of the day is told before it is recorded",
        "bot/daily.py",
        "            if not await services.store.claim(server.id, day):",
        "            if False:",
        "tests/test_daily.py::test_kill_9_between_the_record_and_the_story_doubles_nothing",
    ),
    Mutant(
        "whatever hangs on an innocent word is innocent",
        "model/words.py",
        'phrase.strip("*"))',
        r'phrase.strip("*")) + r"\w*"',
        "tests/test_words.py::test_what_the_table_refuses_is_refused",
    ),
    Mutant(
        "a press is lost where an id says what cannot be",
        "bot/race.py",
        "{dict(zip(LETTERS, state.counts, strict=False)).get(what, 0)}",
        "{state.counts[LETTERS.index(what)]}",
        "tests/test_ids.py::test_whatever_an_id_says_its_item_is_made",
    ),
    Mutant(
        "any thread draws, and keeps its memory",
        "bot/drawings.py",
        "loop.run_in_executor(self._thread, make)",
        "loop.run_in_executor(None, make)",
        "tests/test_explanations.py::test_all_are_drawn_in_one_thread",
    ),
    Mutant(
        "a device is replaced by a file",
        "model/files.py",
        "        require_replaceable(path)\n",
        "",
        "tests/test_files.py::test_what_is_no_file_is_not_replaced",
    ),
)


def copy(root: Path) -> None:
    """The repository, as far as the tests need it, below `root`."""
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in LINKED:
        (root / name).symlink_to(ROOT / name)
    shutil.copy(ROOT / "pyproject.toml", root)


def failure(root: Path, *tests: str) -> str:
    """What these tests say when one of them fails there; "" when they pass."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=PATIENCE, check=False)
    except subprocess.TimeoutExpired:
        return "out of time"
    output = done.stdout.decode()
    if done.returncode > 1:  # the tests did not run at all
        raise RuntimeError(output)
    return output if done.returncode else ""


def main() -> int:
    """Try them all."""
    word = " ".join(sys.argv[1:])
    mutants = [mutant for mutant in MUTANTS if word in mutant.name]
    if not mutants:  # no test at all would be every test
        print(__doc__, *(f"  {mutant.name}" for mutant in MUTANTS), sep="\n")
        return 2
    survived = 0
    with tempfile.TemporaryDirectory() as folder:
        copy(Path(folder))
        if output := failure(Path(folder), *{mutant.test for mutant in mutants}):
            print(f"the tests fail without a mutant\n{output[-4000:]}")
            return 1
    for mutant in mutants:
        with tempfile.TemporaryDirectory() as folder:
            copy(Path(folder))
            mutant.apply(Path(folder))
            alive = not failure(Path(folder), mutant.test)
        survived += alive
        test = mutant.test.partition("::")[2]
        print(f"{'SURVIVED' if alive else 'killed  '} {mutant.name:55} {test}", flush=True)
    return bool(survived)


if __name__ == "__main__":
    sys.exit(main())
