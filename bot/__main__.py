"""Pooh on Discord, and what a host needs around it.

python -m bot            run the bot
python -m bot terminal   talk to Pooh in the terminal, without Discord
python -m bot check      say what is right and what is wrong
python -m bot sync       send the commands to Discord, if it has others
python -m bot invite     print the links that bring Pooh to a server or to a person
"""

import argparse
import asyncio
import logging
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import discord

from bot import checks
from bot.buttons import MAX_LENGTH, MAX_TOP_K
from bot.client import Pooh, serve, use_server
from bot.commands import LENGTH, MAX_SEED, TEMPERATURE, make_tree
from bot.errors import UNREACHABLE
from bot.settings import TOKEN_HELP, Settings, SettingsError, application_id, read_settings
from bot.terminal import converse
from bot.words import WordFilter
from bot.writer import Writer
from model.sampling import MAX_TEMPERATURE, Sampling
from model.weights import WeightsError, load_decoder, resolve

PERMISSIONS = discord.Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    attach_files=True,
    read_message_history=True,  # without it no message can be replied to (error 160002)
)
REFUSED = f"DISCORD_TOKEN: Discord does not accept it; {TOKEN_HELP}"
BAD_TOKEN = 4004  # the gateway's code
INVALID = 2  # exit code: what was asked for cannot be done as it was asked


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    options = _parser().parse_args(arguments)
    try:
        settings = read_settings(os.environ, Path.cwd())
        if settings.api_base:
            use_server(settings.api_base, settings.gateway)
        return int(options.do(settings, options))
    except (SettingsError, WeightsError) as error:
        return _fail(str(error))
    except discord.LoginFailure:
        return _fail(REFUSED)
    except discord.ConnectionClosed as error:
        refused = error.code == BAD_TOKEN  # it was reset while the bot was running
        return _fail(REFUSED if refused else f"Discord closed the connection, code {error.code}")
    except BrokenPipeError:  # who read the output has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (discord.GatewayNotFound, *UNREACHABLE) as error:
        return _fail(f"Discord cannot be reached ({type(error).__name__}); see its status page")
    except KeyboardInterrupt:
        return 130  # as shells have it


def _fail(reason: str) -> int:
    print(f"python -m bot: {reason}", file=sys.stderr)
    return INVALID


def _run(settings: Settings, options: argparse.Namespace) -> bool:
    token = settings.require_token()
    _set_up_logging(settings)

    async def run() -> None:
        await serve(_client(settings), token)

    asyncio.run(run())
    return False


def _client(settings: Settings) -> Pooh:
    """The client, with all that it needs."""
    words = _words(settings)
    return Pooh(settings, _writer(settings, words), words, weights=resolve(settings.model)[0])


def _words(settings: Settings) -> WordFilter:
    return WordFilter(
        active=settings.word_filter,
        refused=settings.words_refused,
        allowed=settings.words_allowed,
    )


def _writer(settings: Settings, words: WordFilter) -> Writer:
    decoder, vocab = load_decoder(settings.model, slots=settings.slots)
    return Writer(
        decoder,
        vocab,
        words,
        slots=settings.slots,
        capacity=settings.queue,
        deadline=settings.deadline,
    )


def _set_up_logging(settings: Settings) -> None:
    handler = logging.StreamHandler()
    level = logging.getLevelName(settings.log_level)
    # The libraries' DEBUG is out of bounds: discord.py's holds every event, stories and all.
    discord.utils.setup_logging(handler=handler, level=max(level, logging.INFO))
    logging.getLogger("bot").setLevel(level)
    handler.setFormatter(Discreet(handler.formatter or logging.Formatter()))


class Discreet(logging.Formatter):
    """Takes the tokens of bots and interactions out of what anybody logs, tracebacks too."""

    def __init__(self, inner: logging.Formatter) -> None:
        super().__init__()
        self._inner = inner

    def format(self, record: logging.LogRecord) -> str:
        """What the other formatter makes of it, without secrets."""
        return _SECRETS.sub("<hidden>", self._inner.format(record))


_SECRETS = re.compile(
    r"[\w-]{20,28}\.[\w-]{6}\.[\w-]{25,}|(?<=/webhooks/)[0-9]+/[\w-]+|(?<=/interactions/)[0-9]+/[\w-]+"
)


def _terminal(settings: Settings, options: argparse.Namespace) -> bool:
    sampling = Sampling(
        length=options.length,
        temperature=options.temperature,
        top_k=options.top_k,
        seed=options.seed,
    )
    words = _words(settings)
    model = resolve(settings.model)[0].stem
    prompt = " ".join(options.prompt) if options.prompt else None

    async def talk() -> bool:
        return await converse(_writer(settings, words), words, model, prompt, sampling)

    return not asyncio.run(talk())


def _check(settings: Settings, options: argparse.Namespace) -> bool:
    findings = checks.offline(settings)
    if options.online and settings.token:
        findings += asyncio.run(checks.online(settings.token))
    elif options.online:
        findings.append(checks.Finding(False, "login: not tried without a token"))
    for finding in findings:
        print(f"{'ok   ' if finding.good else 'WRONG'} {finding.what}")
    return not all(finding.good for finding in findings)


def _sync(settings: Settings, options: argparse.Namespace) -> bool:
    async def sync() -> bool:
        async with checks.visitor() as client:
            await client.login(settings.require_token())
            return await make_tree(client).send_if_new()

    sent = asyncio.run(sync())
    print("The commands were sent." if sent else "Discord has these commands already.")
    return False


def _invite(settings: Settings, options: argparse.Namespace) -> bool:
    application = application_id(settings.require_token())
    assert application is not None  # the settings have checked the token
    scopes = {"server": ("bot", "applications.commands"), "person": ("applications.commands",)}
    for number, (whom, scope) in enumerate(scopes.items()):
        link = discord.utils.oauth_url(
            application,
            permissions=PERMISSIONS if whom == "server" else discord.utils.MISSING,
            scopes=scope,
        )
        print(f"For a {whom}: {link}&integration_type={number}")
    return False


def _between(kind: type[int] | type[float], least: float, most: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        number = kind(text)
        if not least <= number <= most:
            raise argparse.ArgumentTypeError(f"{text} is not from {least} to {most}")
        return number

    parse.__name__ = "number"
    return parse


def _parser() -> argparse.ArgumentParser:
    description, _, examples = (__doc__ or "").partition("\n\n")
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description=description,
        epilog=examples + "\nSettings come from the environment and from .env; see .env.example.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(do=_run)
    commands = parser.add_subparsers(metavar="COMMAND")
    commands.add_parser("run", help="run the bot (also without a command)").set_defaults(do=_run)
    terminal = commands.add_parser("terminal", help="talk to Pooh in the terminal")
    terminal.add_argument("prompt", nargs="*", help="how it begins; without it, many stories")
    terminal.add_argument(
        "--temperature",
        type=_between(float, 0, MAX_TEMPERATURE),
        default=TEMPERATURE,
        metavar="F",
        help="how wild, 0 to 2 (default: %(default)s)",
    )
    terminal.add_argument(
        "--length",
        type=_between(int, 1, MAX_LENGTH),
        default=LENGTH,
        metavar="N",
        help=f"how many characters, 1 to {MAX_LENGTH} (default: %(default)s)",
    )
    terminal.add_argument(
        "--top-k",
        type=_between(int, 0, MAX_TOP_K),
        default=0,
        metavar="K",
        help="choose among the K likeliest characters; 0: among all (default)",
    )
    terminal.add_argument(
        "--seed",
        type=_between(int, 0, MAX_SEED),
        metavar="S",
        help="the same seed and settings give the same story",
    )
    terminal.set_defaults(do=_terminal)
    check = commands.add_parser("check", help="say what is right and what is wrong")
    check.add_argument("--online", action="store_true", help="log in to Discord, too")
    check.set_defaults(do=_check)
    commands.add_parser("sync", help="send the commands to Discord").set_defaults(do=_sync)
    commands.add_parser("invite", help="print the install links").set_defaults(do=_invite)
    return parser


if __name__ == "__main__":
    sys.exit(main())
