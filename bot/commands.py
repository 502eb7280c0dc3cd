"""What people type and choose: the commands, and the tree that holds them."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import Range

from bot.answers import PROMPT
from bot.buttons import MAX_LENGTH, MAX_TOP_K, MIN_TOP_P
from bot.errors import Refusal, explain
from bot.surfaces import response_to
from bot.translations import Text, Translations, named
from model.sampling import MAX_TEMPERATURE, Sampling

LENGTH = 300
TEMPERATURE = Sampling().temperature
TOP_P = Sampling().top_p
MAX_SEED = 2**53 - 1  # Discord's largest whole number
CHOICES = 25  # that Discord shows

OPENINGS = (
    "Here is Edward Bear",
    "Once upon a time, a very long time ago now,",
    "One fine day",
    "One day, when the sun had come back over the Forest,",
    "It rained and it rained and it rained.",
    '"Hallo!" said Piglet, "what are you doing?"',
    '"Hallo, Rabbit," said Pooh,',
    '"Good morning, Eeyore," said Pooh.',
    '"Good morning, Pooh Bear," said Eeyore gloomily.',
    "Christopher Robin was sitting outside his door,",
    "Winnie-the-Pooh sat down at the foot of the tree,",
    "The Piglet lived in a very grand house",
    "Eeyore, the old grey Donkey, stood by the side of the stream,",
    "Owl lived at The Chestnuts,",
    "Nobody seemed to know where Kanga came from,",
    "Rabbit brushed his whiskers and said",
    "Little Roo was washing his face",
    "Tigger had come to the Forest",
    "Pooh went back to his own house",
    "If I know anything about anything,",
    "The more he looked for it",
    "Pooh",
    "Piglet",
    "Eeyore",
    "Rabbit",
    "Owl",
    "Kanga",
    "Roo",
    "Tigger",
    "Alexander Beetle",
    "Christopher Robin",
    "Heffalump",
    "Woozle",
)


_log = logging.getLogger(__name__)


class Tree(app_commands.CommandTree[Any]):
    """The commands, with one door and one handler of errors."""

    async def interaction_check(self, interaction: discord.Interaction[Any], /) -> bool:
        """Let in who is in a server that the host allows."""
        if interaction.client.welcomes(interaction.guild_id):
            return True
        if interaction.type is not discord.InteractionType.autocomplete:
            await interaction.client.turn_away(interaction)
        return False

    async def on_error(
        self, interaction: discord.Interaction[Any], error: app_commands.AppCommandError, /
    ) -> None:
        """Explain what went wrong."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        await explain(response_to(interaction), cause)

    async def is_current(self) -> bool:
        """Whether Discord has exactly these commands."""
        await self.set_translator(Translations())
        route = discord.http.Route(
            "GET",
            "/applications/{application_id}/commands",
            application_id=self.client.application_id,
        )
        theirs = await self.client.http.request(route, params={"with_localizations": "true"})
        assert self.translator is not None
        ours = [
            await command.get_translated_payload(self, self.translator)
            for command in self._get_all_commands()
        ]
        return not differ(ours, theirs)

    async def send_if_new(self) -> bool:
        """Send the commands to Discord if it has others; whether they were sent."""
        try:
            if await self.is_current():
                return False
        except Exception as error:
            # To compare is only polite: sending what Discord has changes nothing.
            _log.warning("the commands could not be compared (%s)", type(error).__name__)
        await self.sync()
        return True


def make_tree(client: discord.Client) -> Tree:
    """The tree with all commands: for servers and users, in servers, DMs and group DMs."""
    tree = Tree(
        client,
        allowed_installs=app_commands.AppInstallationType(guild=True, user=True),
        allowed_contexts=app_commands.AppCommandContext(
            guild=True, dm_channel=True, private_channel=True
        ),
    )
    tree.add_command(_pooh)
    tree.add_command(_about)
    tree.add_command(_help)
    tree.add_command(app_commands.ContextMenu(name=named(Text.CONTINUE_AS), callback=_continue))
    return tree


@app_commands.command(name="pooh", description=named(Text.ON_POOH))
@app_commands.describe(
    prompt=named(Text.ON_PROMPT),
    temperature=named(Text.ON_TEMPERATURE),
    length=named(Text.ON_LENGTH),
    top_k=named(Text.ON_TOP_K),
    top_p=named(Text.ON_TOP_P),
    seed=named(Text.ON_SEED),
)
async def _pooh(
    interaction: discord.Interaction[Any],
    prompt: Range[str, 1, PROMPT] = "",
    temperature: Range[float, 0.0, MAX_TEMPERATURE] = TEMPERATURE,
    length: Range[int, 1, MAX_LENGTH] = LENGTH,
    top_k: Range[int, 0, MAX_TOP_K] = 0,
    top_p: Range[float, MIN_TOP_P, 1.0] = TOP_P,
    seed: Range[int, 0, MAX_SEED] | None = None,
) -> None:
    try:  # an old client may still hold the ranges of an older bot
        sampling = Sampling(
            length=length,
            temperature=temperature,
            top_k=top_k,
            top_p=round(top_p, 4),  # as the buttons remember it
            seed=seed,
        )
    except ValueError:
        raise Refusal(Text.OUT_OF_RANGE) from None
    await interaction.client.answer(interaction, prompt, sampling)


@_pooh.autocomplete("prompt")
async def _suggest(
    interaction: discord.Interaction[Any], typed: str
) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=text, value=text) for text in suggestions(typed)]


def suggestions(typed: str) -> list[str]:
    """Openings that lead to good stories, for what is typed so far: where it begins one first."""
    wanted = _letters(typed[:PROMPT])
    if typed.strip() and not wanted:
        return []
    matching = [text for text in OPENINGS if wanted in _letters(text)]
    return sorted(matching, key=lambda text: not _letters(text).startswith(wanted))[:CHOICES]


def _letters(text: str) -> str:
    """Words alone: nobody types "Winnie-the-Pooh" with its hyphens to find it."""
    return " ".join(re.findall(r"\w+", text.casefold().replace("'", "")))


async def _continue(interaction: discord.Interaction[Any], message: discord.Message) -> None:
    await interaction.client.continue_message(interaction, message)


@app_commands.command(
    name=named(Text.ABOUT),
    description=named(Text.ON_ABOUT),
)
async def _about(interaction: discord.Interaction[Any]) -> None:
    await interaction.client.about(interaction)


@app_commands.command(name=named(Text.HELP), description=named(Text.ON_HELP))
async def _help(interaction: discord.Interaction[Any]) -> None:
    await interaction.client.help(interaction)


def differ(ours: Sequence[Mapping[str, Any]], theirs: Sequence[Mapping[str, Any]]) -> bool:
    """Whether Discord has other commands than we do.

    Args:
        ours: as they are sent.
        theirs: as Discord sends them, with ids and with its defaults filled in.
    """

    def by_name(commands: Sequence[Mapping[str, Any]]) -> dict[tuple[int, str], Any]:
        return {(c.get("type", 1), c["name"]): _essence(c) for c in commands}

    return len(ours) != len(theirs) or by_name(ours) != by_name(theirs)


_COMPARED = frozenset(
    {"name", "description", "type", "options", "required", "autocomplete", "choices", "value"}
    | {"min_value", "max_value", "min_length", "max_length", "nsfw", "contexts"}
    | {"integration_types", "default_member_permissions", "dm_permission"}
    | {"name_localizations", "description_localizations"}
)


def _essence(part: Any) -> Any:  # noqa: ANN401  (JSON)
    """What we say of a command, without what says nothing: None, False, and what is empty."""
    if isinstance(part, Mapping):
        kept = {key: part[key] for key in part if key in _COMPARED}
        for key in ("name_localizations", "description_localizations"):
            if key in kept:
                kept[key] = tuple(sorted((kept[key] or {}).items()))
        for key in ("contexts", "integration_types"):
            if key in kept:
                kept[key] = sorted(kept[key] or ())
        if kept.get("dm_permission") is not False:
            kept.pop("dm_permission", None)
        cleaned = {key: _essence(value) for key, value in kept.items()}
        return {
            key: value
            for key, value in cleaned.items()
            if value is not None and value is not False and value not in ("", [], ())
        }
    if isinstance(part, list):
        return [_essence(value) for value in part]
    return part
