"""What people see of a message, and what a message asks for: through the real discord.py."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from bot.seen import Names, _addressed, spell_out, without_markdown
from tests.bot_steps import continues, note, page, refusal, reply_to, told
from tests.fake_discord import PRIVATE, Message, Schemas
from tests.hosting import Stage, stage

BEAR = "A bear sat on the hill"
NOW = 1_700_000_000  # 14 November 2023, 22:13:20, a Tuesday


@pytest.fixture
async def wood(schemas: Schemas | None) -> AsyncIterator[Stage]:
    async with stage(schemas=schemas) as theatre:
        yield theatre


async def word(wood: Stage, message: Message) -> Message:
    """What the bot says to a message that gets no story."""
    answer = await wood.server.until(
        lambda: next(
            (m for m in message.channel.messages.values() if m.mine and m.reference is message),
            None,
        ),
        "a word",
    )
    assert not answer.buttons and 0 < len(answer.content) < 250
    return answer


def poll(question: str, *answers: str) -> dict[str, Any]:
    media = [{"text": text, "emoji": {"id": None, "name": "x"}} for text in answers]
    return {
        "question": {"text": question},
        "answers": [{"answer_id": i, "poll_media": m} for i, m in enumerate(media, 1)],
        "expiry": "2099-01-01T00:00:00+00:00",
        "allow_multiselect": False,
        "layout_type": 1,
    }


def display(content: str) -> dict[str, Any]:
    return {"type": 10, "id": 1, "content": content}


BUTTON = {"type": 2, "style": 2, "label": "no words", "custom_id": "x"}
NESTED = {
    "type": 17,
    "components": [
        {"type": 9, "components": [display("A bear")], "accessory": BUTTON},
        {"type": 14, "divider": True, "spacing": 1},
        display("sat on the hill"),
        {"type": 1, "components": [BUTTON]},
    ],
}
V2 = 1 << 15

# Whatever it is made of, the words that people read are what the story goes on from.
SEEN: dict[str, tuple[dict[str, Any], str]] = {
    "a title and a text": (
        {"embeds": [{"type": "rich", "title": "A bear", "description": "sat on the hill"}]},
        "A bear\nsat on the hill",
    ),
    "fields, before the small line": (
        {
            "embeds": [
                {
                    "type": "rich",
                    "fields": [{"name": "A bear", "value": "sat", "inline": True}],
                    "footer": {"text": "today"},
                }
            ]
        },
        "A bear\nsat",
    ),
    "nothing but small lines": (
        {"embeds": [{"type": "rich", "author": {"name": BEAR}, "footer": {"text": "today"}}]},
        f"{BEAR}\ntoday",
    ),
    "two embeds": (
        {"embeds": [{"type": "rich", "title": "A bear"}, {"type": "rich", "title": "A mouse"}]},
        "A bear\nA mouse",
    ),
    "text and embed": (
        {"content": "A bear", "embeds": [{"type": "rich", "description": "sat"}]},
        "A bear\nsat",
    ),
    "text with a link's preview": (
        {"content": f"{BEAR} https://x.y", "embeds": [{"type": "article", "title": "News"}]},
        f"{BEAR} https://x.y",
    ),
    "nothing but a link": (
        {"content": "https://x.y/z", "embeds": [{"type": "article", "title": BEAR}]},
        BEAR,
    ),
    "a text display": ({"flags": V2, "components": [display(BEAR)]}, BEAR),
    "nested displays": ({"flags": V2, "components": [NESTED]}, "A bear\nsat on the hill"),
    "a poll": ({"poll": poll("Who sat on the hill?", "A bear", "A mouse")},
               "Who sat on the hill?\nA bear\nA mouse"),
    "a poll's result": (
        {
            "type": 46,
            "embeds": [
                {
                    "type": "poll_result",
                    "fields": [
                        {"name": name, "value": value, "inline": False}
                        for name, value in (
                            ("poll_question_text", "Who sat on the hill?"),
                            ("victor_answer_votes", "3"),
                            ("total_votes", "4"),
                            ("victor_answer_id", "1"),
                            ("victor_answer_text", "A bear"),
                        )
                    ],
                }
            ],
        },
        "Who sat on the hill?\nA bear",
    ),
    "markdown": (
        {"content": "# A **bear** ||__sat__|| on *the* [hill](https://x.y)\n> and `ate` \\! it"},
        "A bear sat on _the_ hill\nand ate ! it",
    ),
}  # fmt: skip


def cleaned(wood: Stage, text: str) -> str:
    return wood.vocab.clean(text).text


@pytest.mark.parametrize("kind", SEEN)
async def test_the_menu_goes_on_from_what_people_see_in_any_message(wood: Stage, kind: str) -> None:
    fields, words = SEEN[kind]
    server, kanga = wood.server, wood.server.person()
    letter = server.post(server.channel, {**kanga.user(), "bot": True}, **fields)
    forwarded = kanga.forward(letter)
    for message in (letter, forwarded, kanga.forward(forwarded)):
        if message is not letter and ("poll" in fields or "type" in fields):
            continue  # Discord forwards no polls
        story = await told(wood, kanga.menu("Continue as Pooh", message))
        assert page(story).prompt == cleaned(wood, words), message.payload()


@pytest.mark.parametrize(
    "fields",
    [
        {"stickers": [{"id": "1", "name": "bear", "format_type": 1}]},
        {"embeds": [{"type": "image", "url": "https://x.y"}]},
        {"embeds": [{"type": "poll_result", "fields": []}]},
        {"flags": 1 << 13},  # a voice message
        {"flags": V2, "components": [{"type": 1, "components": [BUTTON]}]},
        {"content": ""},
    ],
)
async def test_a_message_without_words_is_told_so(wood: Stage, fields: dict[str, Any]) -> None:
    kanga = wood.server.person()
    letter = wood.server.post(wood.server.channel, kanga.user(), **fields)
    assert "no words" in (await refusal(kanga.menu("Continue as Pooh", letter))).content
    private = wood.server.post(wood.server.dm(kanga), kanga.user(), **fields)
    assert "no words" in (await word(wood, private)).content


async def test_a_story_that_is_forwarded_is_read_as_a_story(wood: Stage) -> None:
    server, kanga = wood.server, wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="A bear: sat @home", length=150))
    forwarded = kanga.forward(story)
    again = await told(wood, kanga.menu("Continue as Pooh", forwarded))
    private = await reply_to(wood, kanga.forward(story, server.dm(kanga)))
    for prompt in (page(again).prompt, page(private).prompt):
        assert prompt == page(story).text.strip() and "seed" not in prompt and "**" not in prompt
        assert "left out" not in note(again)


async def test_a_forward_sent_in_private_is_answered(wood: Stage) -> None:
    server, kanga, roo = wood.server, wood.server.person(), wood.server.person("Roo")
    letter = roo.say(BEAR)
    story = await reply_to(wood, kanga.forward(letter, server.dm(kanga)))
    assert page(story).prompt == BEAR
    unseen = kanga.forward(letter)  # in a channel, and it mentions nobody
    await reply_to(wood, kanga.say("@pooh and now?"))
    assert not [m for m in server.channel.messages.values() if m.mine and m.reference is unseen]


async def test_names_stand_in_a_prompt_as_people_read_them_and_never_ids(wood: Stage) -> None:
    server = wood.server
    kanga, roo = server.person("Kanga"), server.person("Roo")
    roo.nick = "Little Roo"
    role = server.snowflake()
    server.guild.roles[role] = "Bees"
    await wood.restart()  # roles come with the guild
    raw = (
        f"<@{roo.id}> and <@!{kanga.id}> of <@&{role}> met <@123456789012345678> in"
        f" <#{server.channel.id}>, not <#123>, with <:bee:1122334455> <a:jar:66> </pooh:77> ."
    )
    words = (
        "Little Roo and Kanga of Bees met somebody in wood, not somewhere, with :bee: :jar: pooh ."
    )
    typed = await told(wood, kanga.command("pooh", prompt=raw))
    menu = await told(wood, kanga.menu("Continue as Pooh", kanga.say(raw)))
    mention = await reply_to(wood, kanga.say(f"@pooh {raw}"))
    forwarded = await told(wood, kanga.menu("Continue as Pooh", kanga.forward(kanga.say(BEAR))))
    for story in (typed, menu, mention):
        assert page(story).prompt == words and "left out" not in note(story), story.content
    assert page(forwarded).prompt == BEAR
    # Where only a person has installed it, no guild is known: Discord names those in the option.
    elsewhere = server.add_channel(server.add_guild("Elsewhere", installed=False))
    there = await told(wood, kanga.command("pooh", prompt=f"<@{roo.id}> sat", where=elsewhere))
    assert page(there).prompt == "Little Roo sat"
    group = server.add_channel(None, kanga, roo, context=PRIVATE)
    there = await told(wood, kanga.command("pooh", prompt=f"<@{roo.id}> sat", where=group))
    assert page(there).prompt == "Roo sat"
    letter = roo.say(f"<@{kanga.id}> sat in <#99>", elsewhere)
    there = await told(wood, kanga.menu("Continue as Pooh", letter))
    assert page(there).prompt == "Kanga sat in somewhere"


async def test_the_mention_that_only_calls_pooh_is_no_part_of_the_prompt(wood: Stage) -> None:
    kanga = wood.server.person()
    for said, prompt in (
        ("@pooh @pooh, A bear", "A bear"),
        ("A bear @pooh", "A bear"),
        ("I and @pooh sat", "I and pooh sat"),
    ):
        assert page(await reply_to(wood, kanga.say(said))).prompt == prompt
    letter = kanga.say("@pooh A bee")
    assert page(await told(wood, kanga.menu("Continue as Pooh", letter))).prompt == "A bee"


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        (f"<t:{NOW}>", "14 November 2023 at 22:13"),
        (f"<t:{NOW}:f>", "14 November 2023 at 22:13"),
        (f"<t:{NOW}:F>", "Tuesday, 14 November 2023 at 22:13"),
        (f"<t:{NOW}:d>", "14 November 2023"),
        (f"<t:{NOW}:D>", "14 November 2023"),
        (f"<t:{NOW}:t>", "22:13"),
        (f"<t:{NOW}:T>", "22:13:20"),
        (f"<t:{NOW}:s>", "14 November 2023 at 22:13"),
        (f"<t:{NOW}:S>", "14 November 2023 at 22:13:20"),
        (f"<t:{NOW}:R>", "just now"),
        (f"<t:{NOW - 3600}:R>", "an hour ago"),
        (f"<t:{NOW - 7300}:R>", "2 hours ago"),
        (f"<t:{NOW + 60}:R>", "in a minute"),
        (f"<t:{NOW + 86400 * 3}:R>", "in 3 days"),
        (f"<t:{NOW - 86400 * 800}:R>", "2 years ago"),
        ("<t:0:D>", "1 January 1970"),
        ("<t:-86400:D>", "31 December 1969"),
        ("<t:99999999999999999:f>", "some day"),
        ("<t:-99999999999999999:f>", "some day"),
        (f"<t:{NOW}:x>", f"<t:{NOW}:x>"),
        ("<id:customize>", "Channels & Roles"),
        ("<id:linked-roles:123>", "Linked Roles"),
        ("</pooh help:123>", "/pooh help"),
        ("<@1><@&2>", "somebodysome friends"),
        ("a < b > c <3 :bee: <b>", "a < b > c <3 :bee: <b>"),
    ],
)
def test_what_discord_draws_is_spelled_out(markup: str, words: str) -> None:
    assert spell_out(markup, Names(None), NOW) == words


@pytest.mark.parametrize(
    ("marked", "words"),
    [
        ("**a** __b__ ~~c~~ ||d|| `e` ``f``", "a b c d e f"),
        ("***a***", "_a_"),
        ("*hugs a bear*", "_hugs a bear_"),
        ("_a_", "_a_"),
        ("2 * 3 * 4 ** 5", "2 * 3 * 4 ** 5"),
        ("```py\nprint(1)\n```", "print(1)\n"),
        ("## a\n-# b\n>>> c\n> d", "a\nb\nc\nd"),
        ("#1 > 2", "#1 > 2"),
        ("[a](https://x.y) [**b**](<https://x.y> 'z') [c]", "a b [c]"),
        ("\\*a\\* \\_", "*a* _"),
    ],
)
def test_markdown_is_read_as_it_looks(marked: str, words: str) -> None:
    assert without_markdown(marked) == words


@pytest.mark.parametrize(
    "mark", ["*", "**", "_", "`", "```", "|", "~~", "[", "[a](", "> ", "\\", "<"]
)
def test_no_flood_of_marks_takes_long(mark: str) -> None:
    # An expression that looked back further and further would take minutes.
    for flood in (mark * 20_000, f"{mark}a" * 20_000, f"{mark} " * 20_000):
        assert isinstance(spell_out(without_markdown(flood), Names(None), NOW), str)


async def test_what_was_cut_off_is_not_counted_as_unknown(wood: Stage) -> None:
    kanga = wood.server.person()
    tail = "A bear sat. " * 30
    for said, left_out in (
        ("🐝" * 9 + "A bee. " * 60 + tail, None),
        ("🐝" * 9 + "A bee. " * 60 + tail + "🍯🍯", 2),
        ("A bear 🐝 sat 🍯🍯 down", 3),
    ):
        story = await told(wood, kanga.menu("Continue as Pooh", kanga.say(said)))
        assert ("left out" in note(story)) is (left_out is not None)
        assert left_out is None or f"{left_out} unknown characters left out" in note(story)
    assert page(story).prompt == "A bear sat down", "a dropped emoji leaves one space"


async def test_a_reply_whose_words_do_not_come_is_told_how_to_go_on(wood: Stage) -> None:
    kanga = wood.server.person()
    story = await told(wood, kanga.command("pooh", prompt="Here is"))
    # Discord's guide leaves open whether the words of a reply to a command's answer come.
    empty = await word(wood, kanga.say("", reply_to=story))
    for way in ("Continue", "Apps > Continue as Pooh", "@"):
        assert way in empty.content
    only_the_name = await reply_to(wood, kanga.say("@pooh", reply_to=story))
    assert continues(page(story).text, page(only_the_name).prompt)
    words = await reply_to(wood, kanga.say("and then", reply_to=story))
    assert page(words).prompt.endswith("and then")


async def test_a_ping_of_the_role_gets_a_word_and_a_webhook_gets_nothing(wood: Stage) -> None:
    server, kanga = wood.server, wood.server.person()
    role = server.guild.bot_role
    assert "/pooh" in (await word(wood, kanga.say(f"<@&{role}> A bear"))).content
    both = await reply_to(wood, kanga.say(f"@pooh <@&{role}> A bear"))
    assert page(both).prompt.endswith("A bear")
    other = server.snowflake()
    silent = [
        kanga.say(f"<@&{other}> A bear"),
        kanga.say("@everyone A bear"),
        server.post(
            server.channel,
            kanga.user(),
            webhook=server.snowflake(),
            content=f"<@{server.application_id}> A bear",
            mentions=[server.bot_user()],
        ),
    ]
    await reply_to(wood, kanga.say("@pooh and now?"))
    assert not {m.reference for m in server.channel.messages.values() if m.mine} & set(silent)
    letter = await told(wood, kanga.menu("Continue as Pooh", silent[2]))
    assert page(letter).prompt == "A bear", "but whoever likes may go on from it"


@pytest.mark.parametrize("space", [" ", "\n", " <@7> "])
def test_no_message_takes_long_to_read(space: str) -> None:
    # These would take minutes if a search looked over the same spaces again and again.
    text = "a" + space * 200_000 + "b"
    assert _addressed(f"<@7>, {text} <@!7> <@7> ", 7) == text
    assert _addressed(text + "<@7>" * 1000, 7) == text
