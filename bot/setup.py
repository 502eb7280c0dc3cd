"""/setup: the card on which whoever may manage a server decides how the bot behaves there.

Each choice is kept at once, and the card shows what is kept. It needs no memory: its menus work
after a restart.
"""

import re
from typing import Self

import discord
from discord import app_commands

from bot import cards, daily, messages
from bot.database import StoreError
from bot.errors import Refusal
from bot.items import PersistentItem
from bot.languages import Language, named
from bot.names import Name
from bot.options import DEFAULTS
from bot.services import Services, response_to, services_of
from bot.setup_texts import SetupText
from bot.store import Server, Stopped
from bot.targets import Response
from bot.translations import Text

TEMPERATURES = (0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2, 1.5, 2.0)
LENGTHS = (100, 200, 300, 400, 500, 700, 1000, 1500)
OWN = "own"  # the value of what Pooh has by himself
MOST_CHANNELS = 25  # that a menu can choose
LONGEST_NAME = 32  # characters: Discord's names have no more

_FOR_MENTIONS = [
    *(discord.ChannelType.text, discord.ChannelType.news, discord.ChannelType.forum),
    *(discord.ChannelType.voice, discord.ChannelType.stage_voice),
]
_FOR_STORIES = [discord.ChannelType.text, discord.ChannelType.news]


class ChoiceMenu(
    PersistentItem[discord.ui.Select[discord.ui.LayoutView]],
    template=r"pooh:setup:(?P<field>temperature|length|story_hour)",
):
    """A menu of values."""

    def __init__(
        self, field: str, server: Server | None = None, language: Language = Language.ENGLISH
    ) -> None:
        placeholder = {
            "temperature": SetupText.CHOOSE_TEMPERATURE,
            "length": SetupText.CHOOSE_LENGTH,
            "story_hour": SetupText.CHOOSE_HOUR,
        }[field]
        super().__init__(
            discord.ui.Select(
                custom_id=f"pooh:setup:{field}",
                placeholder=language.say(placeholder),
                options=_options(field, server or Server(), language),
            )
        )
        self.field = field

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from its id."""
        return cls(match["field"])

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """Keep the choice."""
        await _decide(interaction, response, self.field, self.item.values)


class ChannelMenu(
    PersistentItem[discord.ui.ChannelSelect[discord.ui.LayoutView]],
    template=r"pooh:setup:(?P<field>mentions|story_channel)",
):
    """A menu of channels; none may be chosen, too."""

    def __init__(
        self,
        field: str,
        chosen: frozenset[int] = frozenset(),
        language: Language = Language.ENGLISH,
    ) -> None:
        several = field == "mentions"
        text = SetupText.CHOOSE_MENTIONS if several else SetupText.CHOOSE_CHANNEL
        super().__init__(
            discord.ui.ChannelSelect(
                custom_id=f"pooh:setup:{field}",
                placeholder=language.say(text),
                channel_types=_FOR_MENTIONS if several else _FOR_STORIES,
                min_values=0,
                max_values=MOST_CHANNELS if several else 1,
                default_values=[
                    discord.SelectDefaultValue(
                        id=channel, type=discord.SelectDefaultValueType.channel
                    )
                    for channel in sorted(chosen)
                ],
            )
        )
        self.field = field

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from its id."""
        return cls(match["field"])

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """Keep the choice."""
        channels = [str(channel.id) for channel in self.item.values]
        await _decide(interaction, response, self.field, channels)


class StorySwitch(
    PersistentItem[discord.ui.Button[discord.ui.LayoutView]],
    template=r"pooh:setup:(?P<turn>on|off)",
):
    """Switches the story of the day on or off."""

    def __init__(
        self, turn: str, language: Language = Language.ENGLISH, *, disabled: bool = False
    ) -> None:
        on = turn == "on"
        super().__init__(
            discord.ui.Button(
                label=language.say(SetupText.SWITCH_ON if on else SetupText.SWITCH_OFF),
                style=discord.ButtonStyle.success if on else discord.ButtonStyle.secondary,
                custom_id=f"pooh:setup:{turn}",
                disabled=disabled,
            )
        )
        self.turn = turn

    @classmethod
    def of(cls, match: re.Match[str]) -> Self:
        """Read from its id."""
        return cls(match["turn"])

    async def press(self, interaction: discord.Interaction, response: Response) -> None:
        """Keep the choice."""
        await _decide(interaction, response, self.turn, [])


@app_commands.command(name=named(Name.SETUP), description=named(Name.ON_SETUP))
@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_installs(guilds=True, users=False)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
async def setup_command(interaction: discord.Interaction) -> None:
    """The card, for the one who asked alone."""
    server = _server_of(interaction)
    services, response = services_of(interaction), response_to(interaction)
    response.is_private = True
    await response.open()
    view = card(services, await services.store.server(server), interaction.guild, response.language)
    await services.delivery.send(lambda: response.show(view=view))


async def _decide(
    interaction: discord.Interaction, response: Response, field: str, values: list[str]
) -> None:
    """Keep a choice, and show it.

    Raises:
        Refusal: it cannot be, or cannot be kept.
    """
    services, number = services_of(interaction), _server_of(interaction)
    server = await services.store.server(number)
    try:
        await services.store.change(number, **_decided(interaction, server, field, values))
    except StoreError:
        raise Refusal(SetupText.NOT_KEPT) from None
    view = card(services, await services.store.server(number), interaction.guild, response.language)
    await response.change_buttons(view)


def _server_of(interaction: discord.Interaction) -> int:
    """The server that somebody may manage, and is in.

    Raises:
        Refusal: they may not. Discord offers the command to nobody else, unless a server's own
            rules for commands do.
    """
    if interaction.guild_id is None or not interaction.permissions.manage_guild:
        raise Refusal(SetupText.MAY_NOT_SET_UP)
    return interaction.guild_id


def _decided(
    interaction: discord.Interaction, server: Server, field: str, values: list[str]
) -> dict[str, object]:
    """What a choice changes.

    Raises:
        Refusal: it cannot be.
    """
    now = services_of(interaction).clock.now()
    match field:
        case "temperature" | "length":
            return {field: _value(field, values)}
        case "mentions":
            return {field: frozenset(map(int, values))}
        case "story_hour":
            hour = int(_value(field, values) or 0)
            # Not in the past: the hour that was chosen comes first.
            return {field: hour, "story_day": daily.day_of(now, hour)}
        case "story_channel" if values:
            _check_writable(interaction, int(values[0]))
            return {field: int(values[0]), "story_stopped": None}
        case "story_channel":
            return {field: None, "story_by": "", "story_stopped": None}
        case "off":
            return {"story_by": "", "story_stopped": None}
    if server.story_channel is None:
        raise Refusal(SetupText.CHANNEL_FIRST)
    _check_writable(interaction, server.story_channel)
    name = " ".join(messages.plain(interaction.user.display_name).split())[:LONGEST_NAME] or "?"
    day = daily.day_of(now, server.story_hour)
    return {"story_by": name, "story_stopped": None, "story_day": day}


def _value(field: str, values: list[str]) -> float | int | None:
    """A value of a menu; None for Pooh's own.

    Raises:
        Refusal: the menu does not have it: it is of another version of the bot.
    """
    if values == [OWN] and field != "story_hour":
        return None
    known: tuple[float | int, ...] = {
        "temperature": TEMPERATURES,
        "length": LENGTHS,
        "story_hour": tuple(range(24)),
    }[field]
    found = [value for value in known if [str(value)] == values]
    if not found:
        raise Refusal(Text.OUT_OF_RANGE)
    return found[0]


def _check_writable(interaction: discord.Interaction, number: int) -> None:
    """Check what Discord tells of the bot's permissions there.

    Raises:
        Refusal: the bot could not tell its story there.
    """
    channel = interaction.guild.get_channel(number) if interaction.guild else None
    if channel is None or interaction.guild is None:
        return  # Discord may know more; when the time comes it says so
    may = channel.permissions_for(interaction.guild.me)
    if not may.view_channel or not may.send_messages:
        raise Refusal(SetupText.CANNOT_WRITE_THERE, channel=channel.mention)


def _options(field: str, server: Server, language: Language) -> list[discord.SelectOption]:
    if field == "story_hour":
        return [
            discord.SelectOption(
                label=language.say(SetupText.AT_HOUR, hour=f"{hour:02}:00"),
                value=str(hour),
                default=hour == server.story_hour,
            )
            for hour in range(24)
        ]
    own: float | int
    known: tuple[float | int, ...]
    if field == "temperature":
        text, own, known = SetupText.OF_TEMPERATURE, DEFAULTS.temperature, TEMPERATURES
        chosen = server.sampling.temperature
    else:
        text, own, known = SetupText.OF_LENGTH, DEFAULTS.length, LENGTHS
        chosen = server.sampling.length
    return [
        discord.SelectOption(
            label=language.say(text, number=language.number(value)),
            value=OWN if value == own else str(value),
            description=language.say(SetupText.DEFAULT) if value == own else None,
            default=value == chosen,
        )
        for value in sorted({*known, own, chosen})
    ]


def card(
    services: Services, server: Server, guild: discord.Guild | None, language: Language
) -> discord.ui.LayoutView:
    """The card with what is kept; its menus of channels show those that are still there."""
    sampling = server.sampling
    stories = language.say(
        SetupText.STORIES,
        temperature=language.number(sampling.temperature),
        length=language.number(sampling.length),
        model=services.weights.stem.replace("`", "'"),
    )
    mentions = language.say(SetupText.MENTIONS_EVERYWHERE)
    if server.mentions:
        channels = ", ".join(f"<#{channel}>" for channel in sorted(server.mentions))
        mentions = language.say(SetupText.MENTIONS_IN, channels=channels)
    there = frozenset(channel.id for channel in guild.channels) if guild else frozenset()
    place = frozenset([server.story_channel] if server.story_channel is not None else [])
    switch = StorySwitch(
        "off" if server.story_by else "on", language, disabled=server.story_channel is None
    )
    return cards.card(
        cards.text(f"### {language.say(SetupText.TITLE)}"),
        cards.text(stories),
        cards.row([ChoiceMenu("temperature", server, language)]),
        cards.row([ChoiceMenu("length", server, language)]),
        cards.text(mentions),
        cards.row([ChannelMenu("mentions", server.mentions & there, language)]),
        discord.ui.Separator(),
        cards.text(_story_of_the_day(services, server, language)),
        cards.row([ChannelMenu("story_channel", place & there, language)]),
        cards.row([ChoiceMenu("story_hour", server, language)]),
        cards.row([switch]),
    )


def _story_of_the_day(services: Services, server: Server, language: Language) -> str:
    channel = f"<#{server.story_channel}>"
    if server.story_by:
        return language.say(
            SetupText.STORY_ON,
            channel=channel,
            time=f"<t:{daily.next_time(server, services.clock.now())}:F>",
            name=daily.shown_name(server, services.words, language),
        )
    match server.story_stopped:
        case Stopped.GONE:
            return language.say(SetupText.STORY_GONE)
        case Stopped.FORBIDDEN:
            return language.say(SetupText.STORY_FORBIDDEN, channel=channel)
    return language.say(SetupText.STORY_OFF)
