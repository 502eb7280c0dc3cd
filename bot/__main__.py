"""Pooh on Discord, and what a host needs around it.

python -m bot            run the bot
python -m bot terminal   talk to Pooh in the terminal, without Discord
python -m bot check      say what is right and what is wrong
python -m bot health     ask the bot that is running here whether it is well
python -m bot sync       send the commands to Discord, if it has others
python -m bot invite     print the links that bring Pooh to a server or to a person
python -m bot backup F   copy the settings of servers into the file F, also while the bot runs
python -m bot merge F... take in such copies of other machines' files, also while the bot runs
"""

import os

# Before numpy comes: the products of a step are small, and OpenBLAS, with a thread for each core of
# the machine, spins where others want the cores, too. Whoever has cores to himself may set more.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import asyncio
import contextlib
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from bot import checks, hangup, health, logs
from bot.backup import backup, describe
from bot.client import Pooh
from bot.commands import make_tree
from bot.connection import ConnectionFailure, diagnosed
from bot.database import StoreError
from bot.invite import links
from bot.merge import merge
from bot.options import DEFAULTS, MAX_LENGTH, MAX_SEED, MAX_TOP_K, MIN_TOP_P
from bot.parsers import application_id
from bot.redaction import Redactor, redacted_output
from bot.reload import reload
from bot.run import serve, use_server
from bot.settings import Settings, SettingsError, read_settings
from bot.sync import send_if_new
from bot.terminal import converse
from bot.writer import Writer, most_texts
from model.console import ConsoleError, Parser, add_version, program, standard_output, tell
from model.cores import usable_cores
from model.sampling import MAX_TEMPERATURE, Sampling
from model.weights import WeightsError, load_decoder, resolve
from model.wordlist import WordListError
from model.words import WordFilter

UNWRITTEN = 1  # exit code: standard input or output failed
INVALID = 2  # exit code: what was asked for cannot be done as it was asked
TRY_AGAIN = 75  # exit code, of sysexits.h: what was asked for may be possible later
EPILOG = """
Settings come from the environment and from .env; see .env.example.

exit codes, for whatever restarts it:
  0    it ended as it was told to
  1    there is no story or no output: refused, or the disk is full; of health: it is not well
  2    settings, token, weights or command line are wrong: do not restart before they are mended
  75   Discord or the network fails: try again later (a bot that runs does so by itself)
  130  Ctrl-C"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; the exit code."""
    # A token that Discord will not know may look like anything.
    redact = Redactor([os.environ.get("DISCORD_TOKEN", "").strip()])
    with redacted_output(redact):
        try:
            options = _parser().parse_args(arguments)
            settings = read_settings(os.environ, Path.cwd())
            for secret in settings.secrets:
                redact.add(secret)
            if settings.api_base:
                use_server(settings.api_base, settings.gateway)
            code = int(options.do(settings, options))
            print(end="", flush=True)  # stdout may be closed
            return code
        except (SettingsError, StoreError, WeightsError, WordListError) as error:
            return _fail(str(error))
        except ConnectionFailure as failure:
            return _fail(str(failure), TRY_AGAIN if failure.is_temporary else INVALID)
        except ConsoleError as error:
            return _fail(str(error), UNWRITTEN) if str(error) else 0
        except BrokenPipeError:  # who read the output has read enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except OSError as error:  # a full disk, perhaps
            return _fail(f"{error.filename or 'input or output'}: {error.strerror or error}")
        except KeyboardInterrupt:
            return 130  # as shells have it
        except Exception:  # a fault of this program: said here, where secrets are taken out
            tell(traceback.format_exc(), end="")
            return UNWRITTEN


def _fail(reason: str, code: int = INVALID) -> int:
    tell(f"{program('bot', 'pooh-bot')}: {reason}")
    return code


def _run(settings: Settings, options: argparse.Namespace) -> int:
    token = settings.require_token()
    logs.set_up(settings)

    async def run() -> None:
        client = _client(settings)
        hangup.listen(lambda: reload(client, lambda: read_settings(os.environ, Path.cwd())))
        async with contextlib.AsyncExitStack() as stack:
            if settings.metrics:
                from bot.metrics import served  # brings prometheus_client: 4 MB that few need

                try:
                    await stack.enter_async_context(served(client, settings.metrics))
                except OSError as error:
                    raise SettingsError(
                        f"POOH_METRICS_PORT: {settings.metrics.host}, port {settings.metrics.port}:"
                        f" {error.strerror or error}; choose another"
                    ) from None
            with diagnosed():
                await serve(client, token)

    asyncio.run(run())
    return 0


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
    slots = most_texts(settings.slots, settings.candidates)
    threads = min(settings.threads, usable_cores())
    decoder, vocab = load_decoder(settings.model, slots=slots, threads=threads)
    return Writer(
        decoder,
        vocab,
        words,
        slots=settings.slots,
        candidates=settings.candidates,
        capacity=settings.queue,
        deadline=settings.deadline,
    )


def _terminal(settings: Settings, options: argparse.Namespace) -> bool:
    sampling = Sampling(
        length=options.length,
        temperature=options.temperature,
        top_k=options.top_k,
        top_p=options.top_p,
        seed=options.seed,
    )
    words = _words(settings)
    model = resolve(settings.model)[0].stem
    prompt = " ".join(options.prompt) if options.prompt else None

    async def talk() -> bool:
        return await converse(_writer(settings, words), words, model, prompt, sampling, out)

    with standard_output() as out:
        return not asyncio.run(talk())


def _check(settings: Settings, options: argparse.Namespace) -> int:
    findings = checks.offline(settings)
    if options.online and settings.token:
        findings += asyncio.run(checks.online(settings.token))
    elif options.online:
        findings.append(checks.Finding(False, "login: not tried without a token"))
    if options.online and settings.valkey:
        findings.append(asyncio.run(checks.valkey(settings)))
    for finding in findings:
        print(f"{'ok   ' if finding.good else 'WRONG'} {finding.what}")
    wrong = [finding for finding in findings if not finding.good]
    if not wrong:
        return 0
    return TRY_AGAIN if all(finding.is_temporary for finding in wrong) else INVALID


def _health(settings: Settings, options: argparse.Namespace) -> bool:
    if settings.metrics is None:
        raise SettingsError("POOH_METRICS_PORT is not set: without it nobody says how the bot is")
    well, what = health.ask(settings.metrics)
    print(what)
    return not well


def _sync(settings: Settings, options: argparse.Namespace) -> int:
    token = settings.require_token()

    async def sync() -> bool:
        with diagnosed():
            async with checks.visitor() as client:
                await client.login(token)
                return await send_if_new(make_tree(client))

    sent = asyncio.run(sync())
    print("The commands were sent." if sent else "Discord has these commands already.")
    return 0


def _invite(settings: Settings, options: argparse.Namespace) -> bool:
    application = application_id(settings.require_token())
    assert application is not None  # the settings have checked the token
    for whom, link in zip(("server", "person"), links(application), strict=True):
        print(f"For a {whom}: {link}")
    return False


def _backup(settings: Settings, options: argparse.Namespace) -> bool:
    backup(settings.database, options.file, overwrite=options.overwrite)
    print(f"{settings.database} was copied to {options.file}.")
    return False


def _merge(settings: Settings, options: argparse.Namespace) -> bool:
    application = application_id(settings.require_token())
    assert application is not None  # the settings have checked the token
    asyncio.run(merge(settings.database, options.files, application))
    print(f"Taken in. {describe(settings.database)}.")
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
    parser = Parser(
        prog=program("bot", "pooh-bot"),
        description=description,
        epilog=examples + EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_version(parser)
    parser.set_defaults(do=_run)
    commands = parser.add_subparsers(metavar="COMMAND")
    commands.add_parser("run", help="run the bot (also without a command)").set_defaults(do=_run)
    terminal = commands.add_parser("terminal", help="talk to Pooh in the terminal")
    terminal.add_argument("prompt", nargs="*", help="how it begins; without it, many stories")
    terminal.add_argument(
        "--temperature",
        type=_between(float, 0, MAX_TEMPERATURE),
        default=DEFAULTS.temperature,
        metavar="F",
        help="how wild, 0 to 2 (default: %(default)s)",
    )
    terminal.add_argument(
        "--length",
        type=_between(int, 1, MAX_LENGTH),
        default=DEFAULTS.length,
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
        "--top-p",
        type=_between(float, MIN_TOP_P, 1),
        default=DEFAULTS.top_p,
        metavar="P",
        help="choose among the likeliest that together have the share P (default: %(default)s)",
    )
    terminal.add_argument(
        "--seed",
        type=_between(int, 0, MAX_SEED),
        metavar="S",
        help="the same seed and settings give the same story",
    )
    terminal.set_defaults(do=_terminal)
    check = commands.add_parser("check", help="say what is right and what is wrong")
    check.add_argument(
        "--online", action="store_true", help="log in to Discord, too, and ask Valkey"
    )
    check.set_defaults(do=_check)
    commands.add_parser("health", help="ask the running bot whether it is well").set_defaults(
        do=_health
    )
    commands.add_parser("sync", help="send the commands to Discord").set_defaults(do=_sync)
    commands.add_parser("invite", help="print the install links").set_defaults(do=_invite)
    copy = commands.add_parser("backup", help="copy the settings of servers")
    copy.add_argument("file", type=Path, metavar="FILE", help="what the copy is called")
    copy.add_argument("--overwrite", action="store_true", help="it may be there already")
    copy.set_defaults(do=_backup)
    taking = commands.add_parser("merge", help="take in the settings of servers from copies")
    taking.add_argument("files", type=Path, metavar="FILE", nargs="+", help="from `backup`")
    taking.set_defaults(do=_merge)
    return parser


if __name__ == "__main__":
    sys.exit(main())
