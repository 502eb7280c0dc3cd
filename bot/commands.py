"""What people type and choose: the commands, what each does, and the tree that holds them."""

import discord
from discord import app_commands
from discord.app_commands import Range

from bot import circle_command, circle_writers, explanations, seen
from bot.about import about
from bot.circle import SENTENCE
from bot.consent import check_consent
from bot.errors import Refusal, explain
from bot.languages import named
from bot.names import Name
from bot.openings import suggestions
from bot.options import DEFAULTS, MAX_LENGTH, MAX_PROMPT, MAX_SEED, MAX_TOP_K, MIN_TOP_P
from bot.privacy import privacy_command
from bot.race import PROMPT, race
from bot.requests import Request
from bot.services import response_to, services_of
from bot.setup import setup_command
from bot.translations import Text
from model.sampling import MAX_TEMPERATURE, Sampling


class Tree(app_commands.CommandTree[discord.Client]):
    """The commands, with one door and one handler of errors."""

    async def interaction_check(self, interaction: discord.Interaction, /) -> bool:
        """Let in who is in a server that the host allows."""
        allowed = services_of(interaction).settings.is_allowed(interaction.guild_id)
        if interaction.type is not discord.InteractionType.autocomplete:
            response = response_to(interaction)  # who was heard is answered before the bot goes
            if not allowed:
                await response.say(response.language.say(Text.NOT_AT_HOME))
        return allowed

    async def on_error(
        self, interaction: discord.Interaction, error: app_commands.AppCommandError, /
    ) -> None:
        """Explain what went wrong."""
        cause = error.original if isinstance(error, app_commands.CommandInvokeError) else error
        await explain(response_to(interaction), cause)


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
    tree.add_command(_how)
    tree.add_command(_race)
    tree.add_command(_circle)
    tree.add_command(_about)
    tree.add_command(_help)
    tree.add_command(privacy_command)
    tree.add_command(setup_command)
    tree.add_command(app_commands.ContextMenu(name=named(Name.CONTINUE_AS), callback=_continue))
    tree.add_command(
        app_commands.ContextMenu(
            name=named(Name.HOW_WRITTEN), callback=explanations.explain_message
        )
    )
    tree.add_command(circle_writers.MENU)
    return tree


@app_commands.command(name="pooh", description=named(Name.ON_POOH))
@app_commands.describe(
    prompt=named(Name.ON_PROMPT),
    temperature=named(Name.ON_TEMPERATURE),
    length=named(Name.ON_LENGTH),
    top_k=named(Name.ON_TOP_K),
    top_p=named(Name.ON_TOP_P),
    seed=named(Name.ON_SEED),
)
async def _pooh(
    interaction: discord.Interaction,
    prompt: Range[str, 1, MAX_PROMPT] = "",
    temperature: Range[float, 0.0, MAX_TEMPERATURE] | None = None,
    length: Range[int, 1, MAX_LENGTH] | None = None,
    top_k: Range[int, 0, MAX_TOP_K] = DEFAULTS.top_k,
    top_p: Range[float, MIN_TOP_P, 1.0] = DEFAULTS.top_p,
    seed: Range[int, 0, MAX_SEED] | None = None,
) -> None:
    services = services_of(interaction)
    own = (await services.store.server(interaction.guild_id)).sampling  # what this server decided
    try:  # an old client may still hold the ranges of an older bot
        sampling = Sampling(
            length=own.length if length is None else length,
            temperature=own.temperature if temperature is None else temperature,
            top_k=top_k,
            top_p=round(top_p, 4),  # as the buttons remember it
            seed=seed,
        )
    except ValueError:
        raise Refusal(Text.OUT_OF_RANGE) from None
    text = seen.spell_out(prompt, seen.names_for(interaction), services.clock.now())
    request = Request(interaction.user.id, sampling, text)
    await services.stories.respond(request, response_to(interaction))


@_pooh.autocomplete("prompt")
async def _suggest(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
    return [app_commands.Choice(name=text, value=text) for text in suggestions(typed)]


async def _continue(interaction: discord.Interaction, message: discord.Message) -> None:
    """The menu "Continue as Pooh"."""
    services = services_of(interaction)
    me = interaction.client.user
    assert me is not None
    await check_consent(interaction, message)
    text = seen.read(message, me.id, services.clock.now())
    if not text.strip():
        raise Refusal(Text.NO_WORDS)
    ours = message.author.id == me.id
    text, before = ("", text) if ours else (text, "")
    own = (await services.store.server(interaction.guild_id)).sampling
    request = Request(interaction.user.id, own, text, before)
    await services.stories.respond(request, response_to(interaction))


@app_commands.command(name=named(Name.HOW_COMMAND), description=named(Name.ON_HOW))
@app_commands.rename(text=named(Name.HOW_TEXT))
@app_commands.describe(text=named(Name.ON_HOW_TEXT))
async def _how(interaction: discord.Interaction, text: Range[str, 1, MAX_PROMPT]) -> None:
    await explanations.explain_text(interaction, text)


@app_commands.command(name=named(Name.RACE), description=named(Name.ON_RACE))
@app_commands.describe(prompt=named(Name.ON_PROMPT))
async def _race(interaction: discord.Interaction, prompt: Range[str, 1, PROMPT] = "") -> None:
    await race(interaction, prompt)


_race.autocomplete("prompt")(_suggest)


@app_commands.command(name=named(Name.CIRCLE), description=named(Name.ON_CIRCLE))
@app_commands.rename(sentence=named(Name.FIRST_SENTENCE))
@app_commands.describe(sentence=named(Name.ON_FIRST_SENTENCE))
async def _circle(interaction: discord.Interaction, sentence: Range[str, 1, SENTENCE] = "") -> None:
    await circle_command.begin(interaction, sentence)


@app_commands.command(
    name=named(Name.ABOUT),
    description=named(Name.ON_ABOUT),
)
async def _about(interaction: discord.Interaction) -> None:
    await about(interaction)


@app_commands.command(name=named(Name.HELP), description=named(Name.ON_HELP))
async def _help(interaction: discord.Interaction) -> None:
    response = response_to(interaction)
    await response.say(response.language.say(Text.HELP_PAGE))
