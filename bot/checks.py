"""What a host wants to know before the bot runs: is everything there, and does it work?"""

from dataclasses import dataclass

import discord
import numpy as np

from bot import backup, pictures
from bot.clock import Clock
from bot.cluster import ValkeyError, ValkeyGate
from bot.commands import make_tree
from bot.connection import ConnectionFailure, diagnosed
from bot.database import StoreError
from bot.parsers import application_id
from bot.settings import Settings, SettingsError
from bot.sync import is_current
from model.decoder import Decoder
from model.sampling import NotFiniteError, Sampling
from model.vocab import Vocab, VocabError
from model.weights import WeightsError, has_digest, load_decoder, resolve
from model.writing import generate

SAMPLE = "Here is"


@dataclass(frozen=True)
class Finding:
    """One line of the list.

    Attributes:
        good: whether it is as it should be.
        what: it.
        is_temporary: whether what is wrong may pass by itself.
    """

    good: bool
    what: str
    is_temporary: bool = False


def offline(settings: Settings) -> list[Finding]:
    """Look at settings, weights and vocabulary, and write a little; nothing is connected to."""
    findings = [Finding(True, "settings: read")]
    try:
        token = settings.require_token()
        findings.append(Finding(True, f"token: of application {application_id(token)}"))
    except SettingsError as error:
        findings.append(Finding(False, f"token: {error}"))
    try:
        findings.append(Finding(True, f"database: {backup.describe(settings.database)}"))
    except StoreError as error:
        findings.append(Finding(False, f"database: {error} (POOH_DATABASE)"))
    try:
        path, _ = resolve(settings.model)
        decoder, vocab = load_decoder(settings.model)
        whole = has_digest(settings.model)
    except WeightsError as error:
        return [*findings, Finding(False, f"model: {error}")]
    findings.append(Finding(True, f"model: {path.name} knows {len(vocab)} characters"))
    digest = "as they were saved" if whole else "saved without a digest: damage would not be seen"
    findings.append(Finding(True, f"weights: {digest}"))
    findings.append(_write(decoder, vocab))
    if not pictures.read_summary(path):
        findings.append(Finding(True, f"/about: no figures, {path.stem}.summary.json is missing"))
    where = f"in {len(settings.guilds)} servers only" if settings.guilds else "everywhere"
    findings.append(Finding(True, f"answers: {where}"))
    switch = "on" if settings.word_filter else "off"
    findings.append(Finding(True, f"word filter: {switch}"))
    return findings


def _write(decoder: Decoder, vocab: Vocab) -> Finding:
    """Whether the network writes something that could be words."""
    prompt = vocab.clean(SAMPLE).text
    try:
        with np.errstate(all="ignore"):  # what comes of damaged weights is said below
            text = "".join(generate(decoder, vocab, prompt, Sampling(length=40, temperature=0.0)))
    except (NotFiniteError, VocabError) as error:
        return Finding(False, f"writing: {error}")
    if not any(character.isalpha() for character in text):
        return Finding(False, f"writing: {prompt + text!r}: no letter; its weights are damaged")
    return Finding(True, f"writing: {prompt + text!r}")


def visitor() -> discord.Client:
    """A client that logs in, but hears of nothing."""
    discord.VoiceClient.warn_nacl = discord.VoiceClient.warn_dave = False  # no voice is wanted
    return discord.Client(intents=discord.Intents(guilds=True))


async def online(token: str) -> list[Finding]:
    """Log in, without going online: is the token accepted, and are the commands there?"""
    findings: list[Finding] = []
    try:
        with diagnosed():
            async with visitor() as client:
                await client.login(token)
                findings.append(Finding(True, f"login: as {client.user}"))
                current = await is_current(make_tree(client))
    except ConnectionFailure as failure:
        what = "commands" if findings else "login"
        return [*findings, Finding(False, f"{what}: {failure}", failure.is_temporary)]
    there = "there" if current else "will be sent at the start"
    return [*findings, Finding(True, f"commands: {there}")]


async def valkey(settings: Settings) -> Finding:
    """Whether the processes of this bot can meet where POOH_VALKEY says."""
    try:
        gate = ValkeyGate(settings.valkey, application_id(settings.token) or 0, Clock())
        await gate.check()
    except SettingsError as error:
        return Finding(False, f"valkey: {error}")
    except ValkeyError as error:
        return Finding(False, f"valkey: {error}", error.is_temporary)
    return Finding(True, f"valkey: {gate.where} answers")
