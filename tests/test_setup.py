"""/setup and /privacy, as people use them: the real bot, through the real discord.py."""

import re
from pathlib import Path

import pytest

from bot.about_texts import AboutText
from bot.languages import Language
from bot.names import Name
from bot.setup import OWN
from bot.setup_texts import SetupText
from bot.shards import ShardRange
from bot.store import Server
from bot.translations import Text
from tests.bot_steps import note, page, refusal, reply_to, told
from tests.fake_discord import (
    MANAGE_GUILD,
    PRIVATE,
    Channel,
    Interaction,
    Message,
    Person,
    RefusedError,
)
from tests.fake_discord.models import VIEW
from tests.fake_discord.rules import COMPONENTS_V2, TEXT_DISPLAYS
from tests.hosting import Stage, stage

ENGLISH = Language.ENGLISH
FIELDS = ["temperature", "length", "mentions", "story_channel", "story_hour"]
ON, OFF = ENGLISH.say(SetupText.SWITCH_ON), ENGLISH.say(SetupText.SWITCH_OFF)


def manager(wood: Stage, name: str = "Owl", locale: str = "en-US") -> Person:
    person = wood.server.person(name, locale=locale)
    person.permissions |= MANAGE_GUILD
    return person


async def shown(wood: Stage, use: Interaction) -> Message:
    card = await use.answer()
    await wood.server.until(lambda: card.menus, "the card")
    assert card.ephemeral and card.flags & COMPONENTS_V2 and not card.content
    assert len(card.text) <= TEXT_DISPLAYS
    assert list(card.menus) == [f"pooh:setup:{field}" for field in FIELDS]
    return card


async def chosen(wood: Stage, person: Person, card: Message, field: str, *values: str) -> None:
    """Chooses in a menu, and waits until the card shows it."""
    edits = len(card.edits)
    person.choose(card, f"pooh:setup:{field}", *values)
    await wood.server.until(lambda: len(card.edits) > edits, f"{field}: {values}")


async def placed(wood: Stage, person: Person, card: Message, field: str, *places: Channel) -> None:
    edits = len(card.edits)
    person.choose(card, f"pooh:setup:{field}", *places)
    await wood.server.until(lambda: len(card.edits) > edits, f"{field}: {places}")


async def pressed(wood: Stage, person: Person, card: Message, label: str) -> None:
    edits = len(card.edits)
    person.press(card, label)
    await wood.server.until(lambda: len(card.edits) > edits, label)


async def test_defaults_count_for_commands_mentions_and_the_menu_and_survive_a_restart(
    wood: Stage,
) -> None:
    owl, roo = manager(wood), wood.server.person("Roo")
    before = await told(wood, roo.command("pooh", prompt="The bee"))
    card = await shown(wood, owl.command("setup"))
    assert "temperature 0.8" in card.text and "300 characters" in card.text
    await chosen(wood, owl, card, "temperature", "1.2")
    await wood.restart()
    await chosen(wood, owl, card, "length", "100")
    assert "temperature 1.2" in card.text and "100 characters" in card.text
    menus = {name: rules_chosen(menu) for name, menu in card.menus.items()}
    assert (menus["pooh:setup:temperature"], menus["pooh:setup:length"]) == (["1.2"], ["100"])
    await wood.restart()
    letter = roo.say("Dear Owl, it rained")
    stories = [
        await told(wood, roo.command("pooh", prompt="The bee")),
        await told(wood, roo.menu("Continue as Pooh", letter)),
        await reply_to(wood, roo.say("@pooh The bee")),
    ]
    for story in stories:
        assert "temperature 1.2" in note(story) and len(page(story).story) < 150
    own = await told(wood, roo.command("pooh", prompt="The bee", temperature=0.3, length=250))
    assert "temperature 0.3" in note(own) and len(page(own).story) > 150
    # Buttons keep what they remember.
    edits = len(before.edits)
    roo.press(before, "Again")
    await wood.server.until(lambda: len(before.edits) > edits and "Again" in before.buttons)
    assert "temperature 0.8" in note(before)
    # Elsewhere nothing has changed: in private, and in another server.
    elsewhere = wood.server.dm(roo)
    assert "temperature 0.8" in note(
        await told(wood, roo.command("pooh", prompt="The bee", where=elsewhere))
    )
    await chosen(wood, owl, card, "temperature", OWN)
    assert "temperature 0.8" in note(await told(wood, roo.command("pooh", prompt="The bee")))


def rules_chosen(menu: dict[str, object]) -> list[str]:
    from tests.fake_discord.menus import chosen as shown_as_chosen

    return shown_as_chosen(menu)


async def test_mentions_are_answered_only_in_the_channels_that_were_chosen(wood: Stage) -> None:
    server = wood.server
    owl, roo = manager(wood), server.person("Roo")
    inside, outside = server.channel, server.add_channel(server.guild)
    thread = server.add_thread(inside, "a thread", str(roo.id))
    await wood.restart()
    card = await shown(wood, owl.command("setup"))
    await placed(wood, owl, card, "mentions", inside)
    assert f"<#{inside.id}>" in card.text
    silent = roo.say("@pooh The bee", outside)
    for where in (inside, thread, server.dm(roo)):
        assert await reply_to(wood, roo.say("@pooh The bee", where))
    assert [m for m in outside.messages.values() if m is not silent] == []
    # What is no mention works there.
    assert await told(wood, roo.command("pooh", prompt="The bee", where=outside))
    await placed(wood, owl, card, "mentions")
    assert ENGLISH.say(SetupText.MENTIONS_EVERYWHERE) in card.text
    assert await reply_to(wood, roo.say("@pooh The bee", outside))


async def test_only_who_may_manage_a_server_sets_it_up(wood: Stage) -> None:
    server = wood.server
    owl, roo = manager(wood), server.person("Roo", moderator=True)
    with pytest.raises(RefusedError):
        roo.command("setup")
    for where in (
        server.dm(owl),
        server.add_channel(None, owl, roo, context=PRIVATE),
        server.add_channel(server.add_guild("Elsewhere", installed=False)),
    ):
        with pytest.raises(RefusedError):
            owl.command("setup", where=where)
    card = await shown(wood, owl.command("setup"))
    # A server's own rules may offer it to others; and who managed it may do so no longer.
    for command in server.commands.values():
        command["default_member_permissions"] = None
    no = ENGLISH.say(SetupText.MAY_NOT_SET_UP)
    assert (await refusal(roo.command("setup"))).content == no
    owl.permissions &= ~MANAGE_GUILD
    assert (await refusal(owl.choose(card, "pooh:setup:length", "100"))).content == no
    assert (await refusal(owl.press(card, custom_id="pooh:setup:on"))).content == no
    assert await wood.bot.services.store.servers() == []


async def test_what_a_menu_does_not_have_is_refused(wood: Stage) -> None:
    owl = manager(wood)
    card = await shown(wood, owl.command("setup"))
    for field, value in (
        *(("temperature", "9"), ("length", "99999"), ("length", "1e2"), ("story_hour", "24")),
        *(("story_hour", OWN), ("story_hour", "-1")),
    ):
        menu = card.menus[f"pooh:setup:{field}"]
        menu["options"].append({"label": "?", "value": value})  # as an old card might
        use = owl.choose(card, f"pooh:setup:{field}", value)
        assert (await refusal(use)).content == ENGLISH.say(Text.OUT_OF_RANGE)
        menu["options"].pop()
    assert ON in card.buttons and card.buttons[ON]["disabled"]
    use = owl.press(card, custom_id="pooh:setup:on")
    assert (await refusal(use)).content == ENGLISH.say(SetupText.CHANNEL_FIRST)
    assert await wood.bot.services.store.servers() == []


async def test_the_story_of_the_day_is_off_until_it_is_switched_on(wood: Stage) -> None:
    server = wood.server
    owl = manager(wood, "Owl_*of*_the @everyone")
    news = server.add_channel(server.guild)
    await wood.restart()
    card = await shown(wood, owl.command("setup"))
    assert ENGLISH.say(SetupText.STORY_OFF) in card.text
    await placed(wood, owl, card, "story_channel", news)
    assert ENGLISH.say(SetupText.STORY_OFF) in card.text
    await chosen(wood, owl, card, "story_hour", "17")
    await pressed(wood, owl, card, ON)
    assert f"on, in <#{news.id}>" in card.text and list(card.buttons) == [OFF]
    (when,) = re.findall(r"<t:(\d+):F>", card.text)
    assert int(when) % 86_400 == 17 * 3600 and 0 < int(when) - wood.clock() <= 86_400
    assert "@everyone" not in card.text and "\\*of\\*" in card.text
    await wood.restart()
    await placed(wood, owl, card, "story_channel", server.channel)
    assert f"on, in <#{server.channel.id}>" in card.text
    await pressed(wood, owl, card, OFF)
    assert ENGLISH.say(SetupText.STORY_OFF) in card.text
    await pressed(wood, owl, card, ON)
    await placed(wood, owl, card, "story_channel")  # none
    assert ENGLISH.say(SetupText.STORY_OFF) in card.text and card.buttons[ON]["disabled"]
    kept = await wood.bot.services.store.server(server.guild.id)
    assert kept.story_by == ""  # the name is kept no longer than it is needed


async def test_a_channel_that_pooh_cannot_write_in_is_refused(wood: Stage) -> None:
    owl = manager(wood)
    hidden = wood.server.add_channel(wood.server.guild)
    hidden.denied = VIEW
    await wood.restart()
    card = await shown(wood, owl.command("setup"))
    use = owl.choose(card, "pooh:setup:story_channel", hidden)
    said = await refusal(use)
    assert said.content == ENGLISH.say(SetupText.CANNOT_WRITE_THERE, channel=f"<#{hidden.id}>")


async def test_a_server_that_the_bot_has_left_is_forgotten(wood: Stage) -> None:
    server, store = wood.server, wood.bot.services.store
    others = [server.add_guild("Other"), server.add_guild("Another")]
    await wood.restart()
    store = wood.bot.services.store
    for guild in (server.guild, *others):
        await store.change(guild.id, length=100)
    server.remove_bot(others[0])
    await wood.server.until(lambda: wood.bot.get_guild(others[0].id) is None, "the bot to leave")

    async def two() -> bool:
        return len(await store.servers()) <= 2

    await wood.until_found(two, "the store to forget one")
    assert {s.id for s in await store.servers()} == {server.guild.id, others[1].id}
    await wood.stop()
    others[1].installed = False  # while the bot is away
    await wood.start()
    store = wood.bot.services.store

    async def one() -> bool:
        return len(await store.servers()) <= 1

    await wood.until_found(one, "the store to forget another")
    assert await store.servers() == [Server(server.guild.id, length=100)]


async def test_servers_of_another_process_are_not_forgotten() -> None:
    async with stage(shards=ShardRange(1, 1, 2)) as theatre:
        guilds = [theatre.server.guild, theatre.server.add_guild("Other")]
        numbers = [(guild.id >> 22) % 2 for guild in guilds]
        assert sorted(numbers) == [0, 1]
        gone = (10**5 << 22, (10**5 + 1) << 22)  # of shard 0, and of shard 1
        for server in (*(guild.id for guild in guilds), *gone):
            await theatre.bot.services.store.change(server, length=100)
        await theatre.restart()
        store = theatre.bot.services.store
        while len(kept := await store.servers()) > 3:
            await theatre.pass_seconds(0.1)
        assert {s.id for s in kept} == {guilds[0].id, guilds[1].id, gone[0]}


@pytest.mark.parametrize("language", [Language.GERMAN, Language.FRENCH, Language.SPANISH])
async def test_the_card_speaks_the_managers_language(wood: Stage, language: Language) -> None:
    locale = {"de": "de", "fr": "fr", "es": "es-ES"}[language.value]
    card = await shown(wood, manager(wood, locale=locale).command("setup"))
    assert language.say(SetupText.STORY_OFF) in card.text
    assert list(card.buttons) == [language.say(SetupText.SWITCH_ON)]


async def test_where_nothing_can_be_kept_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    async with stage(database=Path("/proc/pooh/pooh.db")) as theatre:
        assert caplog.text.count("POOH_DATABASE") == 1
        owl, no = manager(theatre), ENGLISH.say(SetupText.NOT_KEPT)
        card = await shown(theatre, owl.command("setup"))
        assert (await refusal(owl.choose(card, "pooh:setup:length", "100"))).content == no
        privacy = await owl.command("privacy").answer()
        await theatre.server.until(lambda: privacy.text)
        assert ENGLISH.say(SetupText.UNKNOWN) in privacy.text and not privacy.buttons
        assert await told(theatre, owl.command("pooh", prompt="The bee"))
        assert await reply_to(theatre, owl.say("@pooh The bee"))


# /privacy

REFUSE, ALLOW = ENGLISH.say(SetupText.REFUSE), ENGLISH.say(SetupText.ALLOW)


async def test_nobody_uses_the_words_of_who_wants_them_left_alone(wood: Stage) -> None:
    server = wood.server
    roo, kanga = server.person("Roo"), server.person("Kanga", moderator=True)
    letter, other = roo.say("Dear Owl, it rained"), kanga.say("Dear Roo, it did not")
    card = await roo.command("privacy").answer()
    await server.until(lambda: card.buttons, "the card")
    assert card.ephemeral and list(card.buttons) == [REFUSE]
    await pressed(wood, roo, card, REFUSE)
    assert list(card.buttons) == [ALLOW]
    assert ENGLISH.say(SetupText.REFUSED, how_written="How did Pooh write this?") in card.text
    await wood.restart()
    no = ENGLISH.say(SetupText.WORDS_LEFT_ALONE)
    for menu in ("Continue as Pooh", "How did Pooh write this?"):
        assert (await refusal(kanga.menu(menu, letter))).content == no
    story = await told(wood, roo.menu("Continue as Pooh", letter))  # one's own words are one's own
    assert await told(wood, kanga.menu("Continue as Pooh", story))  # and Pooh's are Pooh's
    assert await told(wood, roo.menu("Continue as Pooh", other))
    use = kanga.menu("How did Pooh write this?", story)
    await server.until(lambda: any(m.attachments for m in use.messages), "how Pooh wrote it")
    await pressed(wood, roo, card, ALLOW)
    assert await told(wood, kanga.menu("Continue as Pooh", letter))


async def test_privacy_works_everywhere(wood: Stage) -> None:
    server = wood.server
    roo = server.person("Roo", locale="de")
    group = server.add_channel(None, roo, server.person("Kanga"), context=PRIVATE)
    elsewhere = server.add_channel(server.add_guild("Elsewhere", installed=False))
    letter = roo.say("It rained", group)
    labels = [Language.GERMAN.say(text) for text in (SetupText.REFUSE, SetupText.ALLOW)]
    for where in (group, server.dm(roo), elsewhere):
        card = await roo.command("privacy", where=where).answer()
        await server.until(lambda card=card: card.buttons, "the card")  # type: ignore[misc]
        await pressed(wood, roo, card, labels[0])
        kanga = server.people[1]
        no = ENGLISH.say(SetupText.WORDS_LEFT_ALONE)
        assert (await refusal(kanga.menu("Continue as Pooh", letter))).content == no
        await pressed(wood, roo, card, labels[1])


def test_about_says_what_is_kept() -> None:
    for language in Language:
        kept = language.say(AboutText.KEPT)
        for command in (Name.PRIVACY, Name.SETUP):  # who switched a story of the day on is kept
            assert f"/{language.say(command)}" in kept
